"""What a page may not do behind our back."""


def watch(page, own, complaints):
    """Note each error of the page, and whatever it asks of others than `own`."""
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith((own, "data:", "blob:")) else complaints.append(asked.url)
        ),
    )

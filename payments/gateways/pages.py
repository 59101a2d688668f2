"""Whether a customer may be sent to a page that a gateway named."""

import re
from typing import Final
from urllib.parse import urlsplit

#: No user info and no backslash: browsers and `urlsplit` read those differently.
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,100}([/?#][!-\[\]-~]{0,800})?")
_LOOPBACK: Final = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")


def is_page_on(url: str, host: str, *, plain: bool = False) -> bool:
    """https on the host or below it; plain http to a loopback address, or if `plain` allows it."""
    if not _ADDRESS.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        named = (parts.hostname or "").lower()
    except ValueError:
        return False
    safe = parts.scheme == "https" or plain or bool(_LOOPBACK.fullmatch(named))
    return safe and (named == host or named.endswith(f".{host}"))

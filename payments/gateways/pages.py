"""Whether a customer may be sent to a page that a gateway named."""

import re
from typing import Final
from urllib.parse import urlsplit

#: No user info and no backslash: browsers and `urlsplit` read those differently.
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,100}([/?#][!-\[\]-~]{0,900})?")
_LOOPBACK: Final = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")


def is_safe_page(url: str, *, plain: bool = False) -> bool:
    """https; plain http to a loopback address, or if `plain` allows it."""
    named = _host(url)
    return bool(named) and (url.startswith("https://") or plain or bool(_LOOPBACK.fullmatch(named)))


def is_page_on(url: str, host: str, *, plain: bool = False) -> bool:
    """A safe page on the host or below it."""
    named = _host(url)
    return is_safe_page(url, plain=plain) and (named == host or named.endswith(f".{host}"))


def _host(url: str) -> str:
    """Lower case; empty where there is none that every browser would read alike."""
    if not _ADDRESS.fullmatch(url):
        return ""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""

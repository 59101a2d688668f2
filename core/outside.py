"""Calls to addresses that others chose: to the public internet over HTTPS, and nowhere else.

The name is resolved here, every address it has is checked, and the connection is made to an
address that was checked: between check and connection no name server is asked again. TLS still
proves the name. Redirects are not followed, proxies of the environment are not used.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from core.hanging_up import HangingUpAdapter, Noted, NotedTls
from core.http import Outbound, new_session

MAX_LENGTH: Final = 500
NOT_PUBLIC: Final = "the address is not on the public internet"
NO_NAME: Final = "the name of the host is not known"
NO_CONNECTION: Final = "no connection"
#: What `is_global` of some Python takes for public, and what leads elsewhere in disguise.
_REFUSED_4: Final = tuple(
    ipaddress.IPv4Network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
#: Only this is handed out as public; mapped IPv4, NAT64, local and multicast lie outside it.
_PUBLIC_6: Final = ipaddress.IPv6Network("2000::/3")
_REFUSED_6: Final = tuple(
    ipaddress.IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)  # Teredo and its like, documentation, 6to4, documentation


class AddressRefused(NewConnectionError):  # noqa: N818 - says what happened
    """A name that leads to where we do not call; nothing was sent."""


def is_public(address: str) -> bool:
    """Whether this address belongs to the public internet, and to nothing else."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in net for net in _REFUSED_4)
    return ip in _PUBLIC_6 and ip.is_global and not any(ip in net for net in _REFUSED_6)


def objection(url: str) -> str:
    """Why nobody may give us this address to call; empty if they may."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "This is no web address."
    plain = parts.scheme == "http" and settings.WEBHOOK_ALLOW_LOOPBACK
    if parts.scheme != "https" and not plain:
        return "The address must begin with https://."
    if not host or port == 0 or len(url) > MAX_LENGTH or not url.isascii() or not url.isprintable():
        return "This is no web address."
    if parts.username is not None or parts.password is not None or parts.fragment or " " in url:
        return "The address may hold neither credentials nor a fragment."
    with suppress(ValueError):
        ip = ipaddress.ip_address(host)
        if not _may_call(str(ip), plain=plain):
            return "The address is not on the public internet."
    return ""


@contextmanager
def outside(name: str, *, seconds: float) -> Iterator[Outbound]:
    """Our way out to a stranger's address: everything together takes `seconds` at most."""
    session = new_session(_PublicAdapter)
    session.trust_env = False
    with session:
        yield Outbound(name, session=session, answer_seconds=seconds)


def refusal_in(exc: BaseException | None) -> str:
    """Which of our own words say why no connection was made."""
    seen: BaseException | None = exc
    while seen is not None:
        for each in (seen, *seen.args, *(getattr(arg, "reason", None) for arg in seen.args)):
            if isinstance(each, AddressRefused):
                return NOT_PUBLIC
            if isinstance(each, NameResolutionError):
                return NO_NAME
        seen = seen.__cause__
    return ""


def _may_call(address: str, *, plain: bool) -> bool:
    if settings.WEBHOOK_ALLOW_LOOPBACK:
        with suppress(ValueError):
            if ipaddress.ip_address(address).is_loopback:
                return True
    return not plain and is_public(address)


def _connected(connection: HTTPConnection, *, plain: bool) -> socket.socket:
    """Resolve, check, connect: to an address that was checked.

    Raises:
        NewConnectionError: there is no such name, or it leads elsewhere, or nobody answers.
    """
    host, port = connection.host.strip("[]").rstrip("."), connection.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise NameResolutionError(host, connection, socket.gaierror(str(exc))) from exc
    places = [(family, place) for family, _, _, _, place in found]
    if not places or not all(_may_call(str(place[0]), plain=plain) for _, place in places):
        raise AddressRefused(connection, NOT_PUBLIC)
    timeout = connection.timeout if isinstance(connection.timeout, (int, float)) else None
    for family, place in places[:2]:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(place)
        except OSError:
            sock.close()
        else:
            return sock
    raise NewConnectionError(connection, NO_CONNECTION)


class _PlainConnection(Noted):
    """Without TLS: to this very machine, where a setting allows it."""

    def _new_conn(self) -> socket.socket:
        return _connected(self, plain=True)


class _TlsConnection(NotedTls):
    def _new_conn(self) -> socket.socket:
        return _connected(self, plain=False)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _PublicAdapter(HangingUpAdapter):
    pools: ClassVar[Any] = {"http": _PlainPool, "https": _TlsPool}

"""An end to every call: when its time is over, the line is cut, whatever still comes over it.

A socket's own time limit holds for one read. A peer that sends a byte at a time stays below it for
ever, in the headers or in the body; here the sockets of a call are known and shut down in time.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_under_way: Final = threading.local()


@contextmanager
def hung_up_after(seconds: float) -> Iterator[threading.Event]:
    """The event is set once the line was cut: what came by then may look whole, and is not."""
    sockets: list[socket.socket] = []
    too_late = threading.Event()
    bell = threading.Timer(seconds, _hang_up, [sockets, too_late])
    bell.daemon = True
    _under_way.sockets = sockets
    bell.start()
    try:
        yield too_late
    finally:
        bell.cancel()
        _under_way.sockets = []


def _hang_up(sockets: list[socket.socket], too_late: threading.Event) -> None:
    too_late.set()
    for each in sockets:
        with suppress(OSError):
            # not the method of a TLS socket, which forgets its state under the reader's feet
            socket.socket.shutdown(each, socket.SHUT_RDWR)


class Noted(HTTPConnection):
    """Its socket is known to `_hang_up`, also when the connection serves a second request."""

    def getresponse(self) -> Any:
        if self.sock is not None:
            getattr(_under_way, "sockets", []).append(self.sock)
        return super().getresponse()


class NotedTls(Noted, HTTPSConnection):
    """The same over TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = Noted


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = NotedTls


class HangingUpAdapter(HTTPAdapter):
    """Mounted for `http://` and `https://` by whoever makes a session."""

    pools: ClassVar[Any] = {"http": _PlainPool, "https": _TlsPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools

"""The socket side: a threaded HTTP server that can also be rude on purpose."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from .http import Drop, Request, Response, json_response

MAX_BODY = 2 * 1024 * 1024


class SimulatorServer(ThreadingHTTPServer):
    """One thread per connection; a thread that hangs never keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(
        self, host: str, port: int, dispatch: Callable[[Request], Response], public_url: str = ""
    ) -> None:
        self.dispatch = dispatch
        self.public_url = public_url.rstrip("/")
        self.stopping = threading.Event()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is daily business; anything else deserves its traceback."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: SimulatorServer
    protocol_version = "HTTP/1.1"
    server_version = "simulators"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120  # an idle kept-alive connection gives its thread back
    silent_methods: ClassVar[frozenset[str]] = frozenset({"HEAD"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - inherited name
        """Say nothing: GET /control/<service>/calls is the log."""

    def answer(self) -> None:
        request = self.read_request()
        response = (
            json_response({"message": "Body too large"}, 413)
            if request is None
            else self.server.dispatch(request)
        )
        for call in response.first:
            call()
        if response.delay and self.server.stopping.wait(response.delay):
            response.drop = Drop.EVERYTHING
        if response.drop is Drop.EVERYTHING:
            self.hang_up()
        else:
            self.write(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def read_request(self) -> Request | None:
        size = self.headers.get("Content-Length", "0")
        length = int(size) if size.isdigit() else 0
        if length > MAX_BODY or "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self.close_connection = True
            return None
        parts = urlsplit(self.path)
        host = self.headers.get("Host") or f"127.0.0.1:{self.server.port}"
        return Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
            base_url=self.server.public_url or f"http://{host}",
        )

    def write(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        half = response.drop is Drop.HALF
        if self.command not in self.silent_methods:
            self.wfile.write(response.body[: len(response.body) // 2] if half else response.body)
        if half:
            self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

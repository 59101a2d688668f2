"""Simulators on free ports, a client for them, and a merchant who writes down what he is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from simulators.app import Options, Simulators


@dataclass
class Live:
    """Running simulators as a client meets them."""

    simulators: Simulators
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return self.simulators.url

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        return self.call("POST", path, **kwargs)

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        url = path if path.startswith("http") else self.url + path
        return self.session.request(method, url, timeout=5, allow_redirects=False, **kwargs)

    def control(self, path: str, method: str = "POST", **body: object) -> Any:
        answer = self.call(method, f"/control/{path}", json=body or None)
        assert answer.ok, answer.text
        return answer.json()

    def fault(self, service: str, operation: str, fault: str, **options: object) -> Any:
        return self.control(f"{service}/faults", operation=operation, fault=fault, **options)

    def ledger(self, service: str) -> Any:
        return self.control(f"{service}/ledger", "GET")


@dataclass
class Heard:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Listener(ThreadingHTTPServer):
    """The merchant: answers with the statuses in ``script``, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.script: list[int] = []
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wait(self, count: int) -> list[Heard]:
        until(lambda: len(self.heard) >= count)
        return self.heard


class Answering(BaseHTTPRequestHandler):
    server: Listener

    def log_message(self, *_args: object) -> None:
        """Quiet."""

    def answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        heard = Heard(self.command, self.path, headers, self.rfile.read(size))
        self.server.heard.append(heard)
        self.send_response(self.server.script.pop(0) if self.server.script else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_HEAD = answer  # noqa: N815


def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def running() -> Iterator[Live]:
    simulators = Simulators(Options())
    simulators.start()
    live = Live(simulators)
    yield live
    live.session.close()
    simulators.stop()


@pytest.fixture
def live(running: Live) -> Live:
    running.control("reset")
    return running


@pytest.fixture
def merchant() -> Iterator[Listener]:
    listener = Listener()
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield listener
    listener.shutdown()
    listener.server_close()


@pytest.fixture
def eventually() -> Callable[..., None]:
    return until

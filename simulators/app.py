"""All services together: one HTTP port, one mail port, one state folder."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .bkash import Bkash
from .dcb import Dcb
from .frame.control import Control, index_page
from .frame.http import Request, Response, json_response, text_response
from .frame.pages import static_file
from .frame.server import SimulatorServer
from .frame.service import Environment, Service
from .frame.state import Store
from .mail import MailSink
from .nagad import Nagad
from .paystation import PayStation
from .points import Points
from .receiver import Receiver
from .reloadly import Reloadly
from .sslcommerz import SslCommerz
from .zendit import Zendit

#: A new provider is one package and one line here.
CONTRACTS: tuple[type[Service], ...] = (
    PayStation,
    Bkash,
    Nagad,
    SslCommerz,
    Dcb,
    Zendit,
    Reloadly,
    Points,
    Receiver,
)


@dataclass(frozen=True, slots=True)
class Options:
    host: str = "127.0.0.1"
    port: int = 0
    smtp_port: int = 0
    state_dir: Path | None = None
    public_url: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


class Simulators:
    """Start and stop everything; used by the command line and by tests.

    Raises:
        OSError: a port is taken; nothing was started.
    """

    def __init__(self, options: Options) -> None:
        self._due = threading.Event()
        self._stopped = threading.Event()
        self.store = Store(options.state_dir)
        environment = Environment(options.variables, self.store, self._due.set)
        # The ports come first: a second process must not read, let alone write, the ledgers.
        self.server = SimulatorServer(options.host, options.port, self.dispatch, options.public_url)
        self.services: dict[str, Service] = {}
        try:
            self.mail = MailSink(environment, options.host, options.smtp_port)
            self.mail.open()
        except OSError:
            self.server.server_close()
            raise
        for contract in CONTRACTS:
            self.services[contract.name] = contract(environment)
        self.services[self.mail.name] = self.mail
        self.control = Control(self.services)

    @property
    def url(self) -> str:
        host = str(self.server.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server.port}"

    def start(self) -> None:
        self.store.start()
        threading.Thread(target=self._tick, name="agenda", daemon=True).start()
        threading.Thread(
            target=self.server.serve_forever, args=(0.05,), name="http", daemon=True
        ).start()

    def stop(self) -> None:
        self._stopped.set()
        self._due.set()
        self.server.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.mail.close()
        self.store.stop()

    def _tick(self) -> None:
        """Wake up for the next event of any service; requests look for themselves."""
        while not self._stopped.is_set():
            waits = [due for s in self.services.values() if (due := s.next_due()) is not None]
            self._due.wait(max(0.0, min(waits)) if waits else None)
            self._due.clear()
            for service in self.services.values():
                service.run_due()

    def dispatch(self, request: Request) -> Response:
        first = request.path.split("/")[1] if request.path.startswith("/") else ""
        if first == "control":
            return self.control.dispatch(request)
        if first in self.services:
            return self.services[first].dispatch(request)
        if request.method in ("GET", "HEAD"):
            return self._page(request)
        return json_response({"message": "Not found"}, 404)

    def _page(self, request: Request) -> Response:
        match request.path:
            case "/":
                return index_page(self.services, request)
            case "/healthz":
                return text_response("ok\n")
            case path if path.startswith("/static/"):
                return static_file(path.removeprefix("/static/"))
        return json_response({"message": "Not found"}, 404)

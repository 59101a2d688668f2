"""The ports of the web server, the simulators and the mail sink."""

import os
import socket
from dataclasses import dataclass
from typing import Final

from bdvoucher.local.problems import SetupProblem

HOST: Final = "127.0.0.1"
LAST_PORT: Final = 65535


@dataclass(frozen=True)
class Ports:
    web: int
    simulators: int
    smtp: int

    @classmethod
    def free(cls) -> "Ports":
        """Three ports that nobody uses, for a shop of its own."""
        return cls(*free_ports(3))

    @classmethod
    def wanted(cls) -> "Ports":
        """The usual ports, or those named in the environment."""
        return cls(
            web=_named("BDV_WEB_PORT", 8000),
            simulators=_named("BDV_SIMULATORS_PORT", 8100),
            smtp=_named("BDV_SMTP_PORT", 8125),
        )

    def check(self) -> None:
        """Refuse, naming the variable to set, when one of them is taken."""
        taken: set[int] = set()
        for name, port, what in (
            ("BDV_WEB_PORT", self.web, "the web server"),
            ("BDV_SIMULATORS_PORT", self.simulators, "the simulators"),
            ("BDV_SMTP_PORT", self.smtp, "the mail sink"),
        ):
            if port in taken or not is_free(port):
                raise SetupProblem(
                    f"Port {port}, wanted for {what}, is in use: stop what uses it, "
                    f"or choose another one: {name}={free_ports(1)[0]} ./run"
                )
            taken.add(port)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports the system gives away; held together until all are known, so they differ."""
    held = [socket.create_server((HOST, 0)) for _ in range(count)]
    try:
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()


def _named(name: str, usual: int) -> int:
    value = os.environ.get(name) or str(usual)
    if not value.isdecimal() or not 0 < int(value) <= LAST_PORT:
        raise SetupProblem(f"{name}={value} is not a port: set it to a number, such as {usual}.")
    return int(value)

"""A mail server that answers by script; the conversation is real."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HANG = "hang"
DROP = "drop"


class ScriptedServer:
    """Accepts everything, but for what the script says about RCPT, DATA or the final dot.

    `script` maps a step (`RCPT`, `DOT`) to its answers, one a conversation; the last repeats.
    """

    def __init__(self, **script: list[str]) -> None:
        self.script = script
        self.taken: list[Any] = []
        self.recipients: list[list[str]] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._next("RCPT")
        if answer == "250 OK":
            envelope.rcpt_tos.append(address)
        return await self._act(server, answer)

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self._next("DOT")
        if not answer.startswith(("4", "5")):  # HANG and DROP: it has the mail, and tells nobody
            content: Any = envelope.content
            self.taken.append(message_from_bytes(content, policy=policy.default))
            self.recipients.append(list(envelope.rcpt_tos))
        return await self._act(server, answer)

    def _next(self, step: str) -> str:
        answers = self.script.get(step, ["250 OK"])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def _act(self, server: SMTP, answer: str) -> str:
        if answer == HANG:
            await asyncio.sleep(5)
        if answer in (HANG, DROP):
            assert server.transport is not None
            server.transport.abort()
            return "421 bye"
        return answer


@contextmanager
def mail_server(settings: Any, **script: list[str]) -> Iterator[ScriptedServer]:
    """Django's own SMTP backend talks to this server until the block ends."""
    handler = ScriptedServer(**script)
    controller = Controller(handler, hostname="127.0.0.1", port=0)
    controller.port = _free_port()
    controller.start()
    try:
        _use(settings, controller.port)
        yield handler
    finally:
        controller.stop()


@contextmanager
def silent_server(settings: Any) -> Iterator[None]:
    """Takes the connection and never greets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _use(settings, listener.getsockname()[1])
        yield


@contextmanager
def no_server(settings: Any) -> Iterator[None]:
    _use(settings, _free_port())
    yield


def _use(settings: Any, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 2


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port

"""The SMTP side: a real conversation, with every way a mail server may misbehave."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

MODES: Final = {
    "accept": "every message is taken",
    "refuse": "421 at MAIL FROM, the connection is closed",
    "temporary": "450 at RCPT TO",
    "refuse_rcpt": "550 at RCPT TO",
    "refuse_data": "552 after the message",
    "hang_greeting": "no greeting for `seconds` (60)",
    "hang_after_dot": "the message is taken, but its 250 comes only after `seconds` (60)",
    "drop_before_250": "the message is taken, and the connection closed without an answer",
}

#: (from, to, content) of a message that was taken.
Keep = Callable[[str, list[str], bytes], None]
#: The mode that holds for this step, used up once; and its seconds.
Mode = Callable[[frozenset[str]], tuple[str, float]]

AT_GREETING: Final = frozenset({"hang_greeting"})
AT_MAIL: Final = frozenset({"refuse"})
AT_RCPT: Final = frozenset({"temporary", "refuse_rcpt"})
AT_DATA: Final = frozenset({"refuse_data", "hang_after_dot", "drop_before_250"})


class Steps:
    """What is said at each step of a conversation."""

    def __init__(self, mode: Mode, keep: Keep) -> None:
        self.mode = mode
        self.keep = keep

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's own name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.mode(AT_MAIL)[0]:
            asyncio.get_running_loop().call_later(0.05, _hang_up, server)
            return "421 4.3.2 Service not available, closing transmission channel"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        match self.mode(AT_RCPT)[0]:
            case "temporary":
                return "450 4.2.1 Mailbox busy, try again later"
            case "refuse_rcpt":
                return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        name, seconds = self.mode(AT_DATA)
        if name == "refuse_data":
            return "552 5.3.4 Message too big for this server"
        content = envelope.original_content or b""
        self.keep(str(envelope.mail_from or ""), list(envelope.rcpt_tos), content)
        if name == "hang_after_dot":
            await asyncio.sleep(seconds)
        if name == "drop_before_250":
            _hang_up(server)
        return "250 2.0.0 Taken"


def _hang_up(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()


class Conversation(SMTP):
    """aiosmtpd's server, which may also keep its greeting back."""

    async def _handle_client(self) -> None:
        steps: Steps = self.event_handler
        name, seconds = steps.mode(AT_GREETING)
        if name:
            await asyncio.sleep(seconds)
        await super()._handle_client()


class MailServer(Controller):
    """Listens in a thread of its own.

    Raises:
        OSError: on `start`, the port is taken.
    """

    def __init__(self, steps: Steps, host: str, port: int) -> None:
        self.conversations: weakref.WeakSet[Conversation] = weakref.WeakSet()
        super().__init__(steps, hostname=host, port=port, ready_timeout=10)

    def factory(self) -> Any:
        conversation = Conversation(self.handler, hostname="mail.simulator", enable_SMTPUTF8=True)
        self.conversations.add(conversation)
        return conversation

    def stop(self, no_assert: bool = False) -> None:
        """Hang up on everybody first: aiosmtpd would leave a hanging client's socket open."""
        if self.loop.is_running():
            asyncio.run_coroutine_threadsafe(self._hang_up_on_all(), self.loop).result(timeout=5)
        super().stop(no_assert=no_assert)

    async def _hang_up_on_all(self) -> None:
        for conversation in list(self.conversations):
            _hang_up(conversation)
        for _ in range(3):  # the loss of a connection is told, its handler ends, its writer closes
            await asyncio.sleep(0)

    @property
    def bound_port(self) -> int:
        sockets = self.server.sockets if isinstance(self.server, asyncio.Server) else ()
        return int(sockets[0].getsockname()[1]) if sockets else 0

    def _trigger_server(self) -> None:
        """aiosmtpd dials itself to see that it works; with port 0 only the socket knows where."""
        self.port = self.bound_port
        super()._trigger_server()  # type: ignore[no-untyped-call]

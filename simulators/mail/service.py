"""The sink as a service: inbox pages, control of its moods, and the shop's text messages."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.frame.clock import dhaka_text
from simulators.frame.http import (
    Call,
    JsonObject,
    Response,
    Route,
    html_response,
    json_response,
    text_response,
)
from simulators.frame.pages import page
from simulators.frame.service import Action, ControlRefused, Environment, Preset, Service

from .reading import parsed, part, shown
from .smtp import MODES, MailServer, Steps

KEPT = 2000


@dataclass
class Mood:
    mode: str = "accept"
    seconds: float = 60.0
    times: int | None = None


@dataclass
class Kept:
    """A message that was taken; a text message has no content, only its words."""

    id: int
    at: str
    sender: str
    recipients: list[str]
    content: str = ""
    """Base64 of what came after DATA."""
    sms: str = ""
    extra: JsonObject = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        return base64.b64decode(self.content)

    def shown(self) -> JsonObject:
        if self.sms:
            plain = {"id": self.id, "at": self.at, "from": self.sender, "message_id": ""}
            to = ", ".join(self.recipients)
            return {
                **plain,
                "to": to,
                "subject": "SMS",
                "headers": {},
                "text": self.sms,
                "html": "",
            }
        return shown(self.id, self.at, self.recipients, self.raw)


class MailSink(Service):
    name = "mail"
    title = "Mail and SMS"
    summary = "An SMTP server that keeps what it takes, and an inbox to read it"
    presets = tuple(
        Preset(name, f"{name.replace('_', ' ')}: {what}") for name, what in MODES.items()
    )

    def __init__(self, environment: Environment, host: str, port: int) -> None:
        self.mood = Mood()
        super().__init__(environment)
        self.preset = "accept"
        self.server = MailServer(Steps(self.take_mood, self.keep), host, port)

    def open(self) -> None:
        """Bind and listen; OSError if the port is taken."""
        self.server.start()

    def close(self) -> None:
        self.server.stop(no_assert=True)

    @property
    def port(self) -> int:
        return self.server.bound_port

    # The ledger.

    def empty(self) -> None:
        self.messages: list[Kept] = []
        self.last_id = 0

    def records(self) -> JsonObject:
        return {"messages": list(self.messages), "last_id": self.last_id}

    def restore(self, records: JsonObject) -> None:
        self.messages = [Kept(**row) for row in records["messages"]]
        self.last_id = records["last_id"]

    def overview(self) -> list[tuple[str, str]]:
        return [("messages", str(len(self.messages))), ("SMTP port", str(self.port))]

    def links(self) -> list[tuple[str, str]]:
        return [("Inbox", "/mail/")]

    def reset(self) -> None:
        super().reset()
        self.mood, self.preset = Mood(), "accept"

    # The SMTP side calls these from its own thread.

    def take_mood(self, wanted: frozenset[str]) -> tuple[str, float]:
        """The mood if it is one of this step's; used up once."""
        with self.lock:
            mood = self.mood
            if mood.mode not in wanted:
                return "", 0.0
            name, seconds = mood.mode, mood.seconds
            if mood.times is not None:
                mood.times -= 1
                if mood.times <= 0:
                    self.mood, self.preset = Mood(), "accept"
            return name, seconds

    def keep(self, sender: str, recipients: list[str], content: bytes, sms: str = "") -> None:
        with self.lock:
            self.last_id += 1
            at = dhaka_text(self.clock.now())
            coded = base64.b64encode(content).decode()
            self.messages.append(Kept(self.last_id, at, sender, recipients, coded, sms))
            del self.messages[:-KEPT]
        self.environment.store.touch(self.name)

    # Pages.

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self.inbox),
            Route("POST", "/sms", self.text_message),
            Route("GET", "/{id}", self.one),
            Route("GET", "/{id}/html", self.html_part),
            Route("GET", "/{id}/raw", self.raw_part),
        ]

    def inbox(self, _call: Call) -> Response:
        rows = [kept.shown() for kept in reversed(self.messages[-200:])]
        return page("inbox.html", rows=rows, mood=self.mood.mode, total=len(self.messages))

    def found(self, call: Call) -> Kept | None:
        return next((kept for kept in self.messages if str(kept.id) == call.params["id"]), None)

    def one(self, call: Call) -> Response:
        kept = self.found(call)
        if kept is None:
            return page("message.html", 404, message=None)
        message = kept.shown()
        headers = list(message["headers"].items())
        return page("message.html", message=message, headers=headers)

    def html_part(self, call: Call) -> Response:
        """The mail's own HTML: its inline styles work, nothing else does."""
        kept = self.found(call)
        if kept is None or kept.sms:
            return text_response("There is no HTML part.\n", 404)
        response = html_response(part(parsed(kept.raw), "html"))
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
            "frame-ancestors 'self'; sandbox allow-popups"
        )
        return response

    def raw_part(self, call: Call) -> Response:
        kept = self.found(call)
        if kept is None:
            return text_response("No such message.\n", 404)
        return text_response(kept.sms or kept.raw.decode("utf-8", "replace"))

    def text_message(self, call: Call) -> Response:
        """Where the shop's SMS port posts `{to, text}` in the demo."""
        body = call.request.json() or {}
        to, text = str(body.get("to", "")), str(body.get("text", ""))
        if not to or not text:
            return json_response({"message": "to and text are required"}, 400)
        self.keep("SMS", [to], b"", text)
        return json_response({"status": "sent"})

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "mode": self.control_mode,
            "GET mode": lambda _wish: vars(self.mood),
            "GET messages": lambda _wish: {"messages": [kept.shown() for kept in self.messages]},
            "DELETE messages": self.control_delete,
        }

    def control_mode(self, wish: JsonObject) -> JsonObject:
        mode = str(wish.get("mode", ""))
        if mode not in MODES:
            raise ControlRefused(f"No mode {mode!r}; there are: {', '.join(MODES)}.")
        times = wish.get("times")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ControlRefused("times must be a whole number above 0, or null.")
        seconds = wish.get("seconds", 60)
        if not isinstance(seconds, (int, float)):
            raise ControlRefused("seconds must be a number.")
        self.mood, self.preset = Mood(mode, float(seconds), times), mode
        return vars(self.mood)

    def apply_preset(self, name: str) -> None:
        with self.lock:
            self.control_mode({"mode": name})

    def control_delete(self, _wish: JsonObject) -> JsonObject:
        self.messages = []
        return {"messages": []}

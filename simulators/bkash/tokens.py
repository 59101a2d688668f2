"""Tokens: who may call, for how long, and how often anybody may ask for one.

Chosen here, as the contract leaves it open: only calls with good credentials count against
the two an hour; a blocked call is answered 429 (setting ``blocked_status``); a missing or
foreign X-APP-Key is a 401 like a bad token; a refused refresh is 2079 and counts.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Response, json_response

from .answers import MESSAGES, refuse, refuse_at_gate

if TYPE_CHECKING:
    from .service import Bkash

HOUR: Final = 3600.0
REFRESH_LIFE: Final = 28 * 24 * HOUR
TOKEN_FAULTS: Final[Mapping[str, str]] = {
    "refused": "statusCode `code` (2003) with `message`",
    "wrong_credentials": "2043",
    "blocked": "as after too many calls, but it blocks only this one",
    "short_life": "expires_in is `seconds` (60)",
    "text_life": "expires_in is a text",
    "no_token": "success without id_token",
}


@dataclass(frozen=True, slots=True)
class App:
    secret: str
    username: str
    password: str


@dataclass
class Token:
    app_key: str
    expires_at: float
    refresh_expires_at: float
    refresh_token: str


class TokenDesk:
    def __init__(self, service: Bkash) -> None:
        self.service = service
        self.tokens: dict[str, Token] = {}
        self.calls: dict[str, list[float]] = {}
        self.blocked: dict[str, float] = {}  # app key -> until when

    def as_json(self) -> JsonObject:
        return {"issued": self.tokens, "calls": self.calls, "blocked": self.blocked}

    def restore(self, saved: JsonObject) -> None:
        self.tokens = {text: Token(**row) for text, row in saved["issued"].items()}
        self.calls = saved["calls"]
        self.blocked = saved["blocked"]

    # The two calls.

    def grant(self, call: Call) -> Response:
        app_key = self.app_of(call)
        fault = self.admit(app_key)
        return self.issue(app_key, fault)

    def refresh(self, call: Call) -> Response:
        app_key = self.app_of(call)
        fault = self.admit(app_key)
        presented = str(call.request.data().get("refresh_token") or "")
        now = self.service.clock.now()
        for token in self.tokens.values():
            fits = token.app_key == app_key and token.refresh_token == presented != ""
            if fits and now < token.refresh_expires_at:
                token.refresh_token = ""  # good for one refresh
                return self.issue(app_key, fault)
        refuse("2079")

    def app_of(self, call: Call) -> str:
        data, headers = call.request.data(), call.request.headers
        if not data.get("app_key") or not data.get("app_secret"):
            refuse("2065")
        app_key = str(data["app_key"])
        app = self.service.apps.get(app_key)
        if app is None:
            refuse("2001")
        given = (str(data["app_secret"]), headers.get("username"), headers.get("password"))
        wanted = (app.secret, app.username, app.password)
        if not all(same(have, want) for have, want in zip(given, wanted, strict=True)):
            refuse("2043")
        return app_key

    def admit(self, app_key: str) -> Fault | None:
        """Count the call; beyond the limit the caller is blocked for an hour."""
        now = self.service.clock.now()
        if now < self.blocked.get(app_key, 0.0):
            self.refuse_blocked()
        recent = [at for at in self.calls.get(app_key, []) if at > now - HOUR]
        if len(recent) >= self.service.settings["token_calls_per_hour"]:
            self.calls[app_key] = []
            self.blocked[app_key] = now + HOUR
            self.refuse_blocked()
        self.calls[app_key] = [*recent, now]
        fault = self.service.faults.take("token", {"app_key": app_key})
        match fault.fault if fault else "":
            case "refused" if fault:
                refuse(fault.text("code", "2003"), fault.text("message", ""))
            case "wrong_credentials":
                refuse("2043")
            case "blocked":
                self.refuse_blocked()
        return fault

    def refuse_blocked(self) -> None:
        refuse_at_gate(int(self.service.settings["blocked_status"]), "Limit Exceeded")

    def issue(self, app_key: str, fault: Fault | None) -> Response:
        name = fault.fault if fault else ""
        now, life = self.service.clock.now(), int(self.service.settings["token_life"])
        if fault and name == "short_life":
            life = int(fault.number("seconds", 60))
        text, refresh = secrets.token_urlsafe(96), secrets.token_urlsafe(48)
        self.tokens = {t: row for t, row in self.tokens.items() if row.refresh_expires_at > now}
        self.tokens[text] = Token(app_key, now + life, now + REFRESH_LIFE, refresh)
        body: JsonObject = {
            "statusCode": "0000",
            "statusMessage": MESSAGES["0000"],
            "id_token": text,
            "token_type": "Bearer",
            "expires_in": str(life) if name == "text_life" else life,
            "refresh_token": refresh,
        }
        if name == "no_token":
            del body["id_token"]
        return json_response(body)

    # All other calls.

    def check(self, call: Call) -> str:
        """The app key of the caller.

        Raises:
            Refusal: 401, the token is missing, unknown, expired or another app's.
        """
        headers = call.request.headers
        text = headers.get("authorization", "").removeprefix("Bearer ").strip()
        token = self.tokens.get(text)
        if token is None or token.app_key != headers.get("x-app-key"):
            refuse_at_gate(401, "Unauthorized")
        if self.service.clock.now() >= token.expires_at:
            refuse_at_gate(401, "The incoming token has expired")
        return token.app_key


def same(have: str | None, want: str) -> bool:
    return have is not None and compare_digest(have.encode(), want.encode())

"""Grant and refresh: at most two calls an hour, then an hour of silence."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulators.frame.http import Call, JsonObject, Response, json_response

from .records import MESSAGES, refuse, refuse_at_gate

if TYPE_CHECKING:
    from .service import Bkash

HOUR: Final = 3600.0
TOKEN_FAULTS: Final = {
    "refused": "statusCode `code` (2043) with `message`",
    "blocked": "the answer of a caller over the limit",
    "text_expires_in": "expires_in as text",
    "no_token": "0000 without id_token",
}


@dataclass
class Tokens:
    """Tokens by app key. Calls are counted per app key, refused ones too."""

    calls: dict[str, list[float]] = field(default_factory=dict)
    blocked_until: dict[str, float] = field(default_factory=dict)
    issued: dict[str, JsonObject] = field(default_factory=dict)
    refreshers: dict[str, str] = field(default_factory=dict)

    def count(self, app_key: str, now: float, limit: int) -> bool:
        """Whether this call is allowed; the one too many blocks for an hour."""
        if now < self.blocked_until.get(app_key, 0.0):
            return False
        recent = [moment for moment in self.calls.get(app_key, []) if moment > now - HOUR]
        if limit and len(recent) >= limit:
            self.blocked_until[app_key] = now + HOUR
            return False
        self.calls[app_key] = [*recent, now]
        return True

    def issue(self, app_key: str, now: float, life: float) -> tuple[str, str]:
        token, refresher = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        self.issued[token] = {"app_key": app_key, "expires_at": now + life}
        self.refreshers[refresher] = app_key
        return token, refresher


def grant(service: Bkash, call: Call) -> Response:
    return answer(service, call, "grant")


def refresh(service: Bkash, call: Call) -> Response:
    return answer(service, call, "refresh")


def answer(service: Bkash, call: Call, operation: str) -> Response:
    body = call.request.json()
    if body is None:
        refuse("2025")
    app_key, now = str(body.get("app_key", "")), service.clock.now()
    fault = service.faults.take(operation, {"app_key": app_key})
    limit = int(service.settings["token_limit"])
    allowed = app_key not in service.apps or service.tokens.count(app_key, now, limit)
    if not allowed or (fault and fault.fault == "blocked"):
        refuse_at_gate(int(service.settings["token_block_status"]), "Limit Exceeded")
    if fault and fault.fault == "refused":
        refuse(fault.text("code", "2043"), fault.text("message", ""))
    check_credentials(service, call, body)
    if operation == "refresh":
        refresher = str(body.get("refresh_token", ""))
        if service.tokens.refreshers.get(refresher) != app_key:
            refuse("2079", "Invalid refresh token")
    life = float(service.settings["token_ttl"])
    token, refresher = service.tokens.issue(app_key, now, life)
    result: JsonObject = {
        "statusCode": "0000",
        "statusMessage": MESSAGES["0000"],
        "id_token": token,
        "token_type": "Bearer",
        "expires_in": int(life),
        "refresh_token": refresher,
    }
    if fault and fault.fault == "text_expires_in":
        result["expires_in"] = str(result["expires_in"])
    if fault and fault.fault == "no_token":
        del result["id_token"]
    return json_response(result)


def check_credentials(service: Bkash, call: Call, body: JsonObject) -> None:
    headers = call.request.headers
    user = (headers.get("username", ""), headers.get("password", ""))
    if user != service.user:
        refuse_at_gate(401, "Unauthorized")
    app_key = str(body.get("app_key", ""))
    if app_key not in service.apps:
        refuse("2001")
    if service.apps[app_key] != body.get("app_secret"):
        refuse("2043")


def check_token(service: Bkash, call: Call) -> str:
    """The app key a call comes from.

    Raises:
        Refusal: no token, an expired one, or one of another app.
    """
    headers = call.request.headers
    app_key = headers.get("x-app-key", "")
    token = service.tokens.issued.get(headers.get("authorization", ""))
    if token is None or not app_key:
        refuse_at_gate(401, "Unauthorized")
    if token["expires_at"] <= service.clock.now():
        refuse_at_gate(401, "The incoming token has expired")
    if token["app_key"] != app_key:
        refuse("2079")
    return app_key

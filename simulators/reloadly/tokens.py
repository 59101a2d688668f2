"""OAuth: one client, one audience, tokens that run out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault
from simulators.frame.http import Call, Refusal, Response, json_response

from .records import error, refuse

if TYPE_CHECKING:
    from .service import Reloadly

TOKEN_FAULTS: Final[Mapping[str, str]] = {
    "refused": "HTTP 401 {error, error_description}, whatever was sent",
    "short_life": "expires_in is `expires_in` (1)",
    "no_token": "HTTP 200 without access_token",
    "text_expires_in": "expires_in as text",
}
#: On every call that needs a token.
ACCESS_FAULTS: Final[Mapping[str, str]] = {
    "token_expired": "HTTP 401 TOKEN_EXPIRED although it is valid, nothing done",
    "token_lost": "HTTP 401 INVALID_TOKEN: every token given so far is forgotten",
    "too_many": "HTTP 429 with X-RateLimit headers and no Retry-After, nothing done",
}


def token(service: Reloadly, call: Call) -> Response:
    fault = service.faults.take("token", {})
    name = fault.fault if fault else ""
    body = call.request.json() or {}
    named = {"client_id": service.client_id, "client_secret": service.client_secret}
    known = all(
        secrets.compare_digest(str(body.get(key, "")).encode(), value.encode())
        for key, value in named.items()
    )
    if name == "refused" or not known or body.get("grant_type") != "client_credentials":
        said = {"error": "access_denied", "error_description": "Unauthorized"}
        return json_response(said, 401)
    if body.get("audience") != service.audience:
        refuse(401, "INVALID_AUDIENCE", "Service not enabled within domain.", "/oauth/token")
    life: float = float(service.settings["token_ttl"])
    if fault is not None and name == "short_life":
        life = fault.number("expires_in", 1)
    given = secrets.token_urlsafe(24)
    service.tokens[given] = service.clock.now() + life
    answer = {
        "access_token": given,
        "scope": "send-gift-cards read-gift-cards",
        "expires_in": str(int(life)) if name == "text_expires_in" else int(life),
        "token_type": "Bearer",
    }
    if name == "no_token":
        del answer["access_token"]
    return json_response(answer)


def admit(service: Reloadly, call: Call, operation: str) -> Fault | None:
    """Let in whoever shows a token that has not run out; what else goes wrong with the call."""
    path = call.request.path.removeprefix(service.prefix)
    scheme, _, shown = call.request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not shown:
        refuse(401, "MISSING_TOKEN", "Full authentication is required.", path)
    ends = service.tokens.get(shown)
    if ends is None:
        refuse(401, "INVALID_TOKEN", "The access token is not valid.", path)
    if ends <= service.clock.now():
        refuse(401, "TOKEN_EXPIRED", "The access token expired.", path)
    fault = service.faults.take(operation, service.facts(call.request, call.params))
    match fault.fault if fault else "":
        case "token_lost":
            service.tokens.clear()
            refuse(401, "INVALID_TOKEN", "The access token is not valid.", path)
        case "token_expired":
            refuse(401, "TOKEN_EXPIRED", "The access token expired.", path)
        case "too_many":
            raise Refusal(limited(service, path))
    return fault


def limited(service: Reloadly, path: str) -> Response:
    answer = error(429, None, "Too many requests.", path)
    answer.headers |= {
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(service.clock.now()) + 5),
    }
    return answer

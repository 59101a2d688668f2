"""Misbehaviour on request: which call goes wrong, how, and how often.

There are two kinds. A *transport* fault is about the answer as such (cut, late, unreadable)
and works on every call of every service. A fault of the *contract* (wrong amount, no stock)
is the business of the service that lists it under one of its operations.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .http import Drop, JsonObject, Request, Response, json_response

ANY_OPERATION: Final = "*"
DEFAULT_HANG: Final = 60.0
DEFAULT_SLOW: Final = 3.0
HUGE: Final = 10 * 1024 * 1024

#: Each has two spellings more: ``<name>_before`` (the same) and ``<name>_after``.
TRANSPORT: Final[Mapping[str, str]] = {
    "hang": "no answer for `seconds` (60), then the connection is closed",
    "cut": "the connection is closed without an answer",
    "error_500": "HTTP 500 with a JSON message",
    "error_503": "HTTP 503 with a JSON message",
    "error_502": "HTTP 502 with an HTML page",
    "message": "HTTP 200 with nothing but {message}",
    "html": "HTTP 200 with an HTML page",
    "empty": "HTTP 200 with an empty body",
    "invalid_json": "HTTP 200 with broken JSON",
    "huge": "HTTP 200 with 10 MB",
}
#: These have one spelling only.
TRANSPORT_ONCE: Final[Mapping[str, str]] = {
    "slow": "does its work at once, answers after `seconds` (3)",
    "cut_half": "does its work, sends half of the answer, closes the connection",
    "wrong_type": "does its work, calls its JSON text/html",
    "unauthorized": "HTTP 401 in the service's own shape, nothing done",
    "forbidden": "HTTP 403 in the service's own shape, nothing done",
    "not_found_404": "HTTP 404 in the service's own shape, nothing done",
    "rate_limited": "HTTP 429 with Retry-After `retry_after` (2), nothing done",
}
STATUS: Final[Mapping[str, int]] = {
    "unauthorized": 401,
    "forbidden": 403,
    "not_found_404": 404,
    "rate_limited": 429,
    "error_500": 500,
    "error_502": 502,
    "error_503": 503,
}
TRANSPORT_NAMES: Final = frozenset(
    {*TRANSPORT_ONCE, *TRANSPORT}
    | {f"{name}_{when}" for name in TRANSPORT for when in ("before", "after")}
)


class FaultRefused(ValueError):  # noqa: N818 - named for what happened, like Refusal
    """The control API was asked for a fault that does not exist; the text says what does."""


@dataclass(slots=True)
class Fault:
    id: int
    operation: str
    fault: str
    times: int | None = None  # None: until taken away
    match: Mapping[str, str] = field(default_factory=dict)
    options: JsonObject = field(default_factory=dict)
    used: int = 0

    def applies(self, operation: str, facts: Mapping[str, str]) -> bool:
        if self.operation not in (ANY_OPERATION, operation):
            return False
        return all(facts.get(key) == value for key, value in self.match.items())

    def number(self, key: str, default: float) -> float:
        value = self.options.get(key, default)
        return float(value) if isinstance(value, (int, float, str)) else default

    def seconds(self, default: float) -> float | None:
        """``seconds`` of a fault that may last for ever (null)."""
        if self.options.get("seconds", default) is None:
            return None
        return self.number("seconds", default)

    def text(self, key: str, default: str) -> str:
        value = self.options.get(key)
        return default if value is None else str(value)

    def as_json(self) -> JsonObject:
        return {
            "id": self.id,
            "operation": self.operation,
            "fault": self.fault,
            "times": self.times,
            "match": dict(self.match),
            "used": self.used,
            **self.options,
        }


class FaultBook:
    """The faults of one service, in the order in which they were asked for.

    Of each kind the first that matches is used; with ``times`` used up it is gone, so two
    entries for one operation tell what happens to the first and to the second call.
    """

    def __init__(self, operations: Mapping[str, Mapping[str, str]]) -> None:
        self.operations = operations
        self.faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, wish: JsonObject) -> Fault:
        rest = dict(wish)
        operation, name = str(rest.pop("operation", ANY_OPERATION)), str(rest.pop("fault", ""))
        times, match = rest.pop("times", None), rest.pop("match", None) or {}
        self._check(operation, name)
        if times is not None and (not isinstance(times, int) or times < 1):
            raise FaultRefused("times must be a whole number above 0, or null.")
        if not isinstance(match, dict):
            raise FaultRefused("match must be an object, for example {'reference': 'A1'}.")
        wanted = {str(key): str(value) for key, value in match.items()}
        fault = Fault(next(self._ids), operation, name, times, wanted, rest)
        self.faults.append(fault)
        return fault

    def _check(self, operation: str, name: str) -> None:
        if operation != ANY_OPERATION and operation not in self.operations:
            known = ", ".join([*self.operations, ANY_OPERATION])
            raise FaultRefused(f"No operation {operation!r}; there are: {known}.")
        if operation == ANY_OPERATION:
            known_names = set().union(*self.operations.values())
        else:
            known_names = set(self.operations[operation])
        if name not in known_names | TRANSPORT_NAMES:
            names = ", ".join(sorted(known_names | TRANSPORT_NAMES))
            raise FaultRefused(f"No fault {name!r} for {operation!r}; there are: {names}.")

    def take(
        self, operation: str, facts: Mapping[str, str], *, transport: bool = False
    ) -> Fault | None:
        """Use up and return the first fault of one kind for this call."""
        for fault in self.faults:
            if (fault.fault in TRANSPORT_NAMES) is not transport:
                continue
            if not transport and fault.fault not in self.operations.get(operation, {}):
                continue
            if fault.applies(operation, facts):
                return self._use(fault)
        return None

    def _use(self, fault: Fault) -> Fault:
        fault.used += 1
        if fault.times is not None and fault.used >= fault.times:
            self.faults.remove(fault)
        return fault

    def remove(self, fault_id: int) -> bool:
        before = len(self.faults)
        self.faults = [fault for fault in self.faults if fault.id != fault_id]
        return len(self.faults) < before

    def clear(self) -> None:
        self.faults = []

    def as_json(self) -> list[JsonObject]:
        return [fault.as_json() for fault in self.faults]


def happens_after(fault: Fault) -> bool:
    """Whether the call does its work although the answer goes wrong."""
    return fault.fault.endswith("_after") or fault.fault in ("slow", "cut_half", "wrong_type")


def spoiled(fault: Fault, request: Request, good: Response | None) -> Response:
    """The answer that a transport fault makes of ``good`` (None: the work was not done)."""
    base = fault.fault.removesuffix("_before").removesuffix("_after")
    answer = good or Response()
    answer.delay = fault.number("seconds", 0.0)
    match base:
        case "hang":
            answer.delay = fault.number("seconds", DEFAULT_HANG)
            answer.drop = Drop.EVERYTHING
        case "slow":
            answer.delay = fault.number("seconds", DEFAULT_SLOW)
        case "cut":
            answer.drop = Drop.EVERYTHING
        case "cut_half":
            answer.drop = Drop.HALF
        case "wrong_type":
            answer.content_type = "text/html; charset=utf-8"
        case _:
            replace_body(answer, base, request)
    return answer


def replace_body(answer: Response, base: str, request: Request) -> None:
    answer.status, answer.headers, answer.content_type = 200, {}, "application/json"
    if base in ("error_500", "error_503"):
        answer.status = STATUS[base]
        answer.body = json_response({"message": "Internal server error"}).body
    elif base == "message":
        answer.body = json_response({"message": "Endpoint request timed out"}).body
    elif base in ("html", "error_502"):
        answer.status = STATUS.get(base, 200)
        answer.content_type = "text/html; charset=utf-8"
        answer.body = b"<!doctype html><title>Bad gateway</title><h1>502 Bad gateway</h1>"
    elif base == "invalid_json":
        answer.body = b'{"status": "success", "path": "' + request.path.encode() + b'", '
    elif base == "huge":
        answer.body = b'{"padding": "' + b"x" * HUGE + b'"}'
    else:
        answer.body = b""

"""What a simulated provider is made of, contract aside."""

from __future__ import annotations

import heapq
import json
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from .clock import Clock, dhaka_text
from .faults import STATUS, Fault, FaultBook, happens_after, spoiled
from .http import Call, JsonObject, Refusal, Request, Response, Route, find_route, json_response
from .outbound import Delivery, in_background, send
from .state import Store

Action: TypeAlias = Callable[[JsonObject], JsonObject]
DELIVER = "deliver"
KEEP_DELIVERIES = 2000
KEEP_CALLS = 500


class ControlRefused(ValueError):  # noqa: N818 - named for what happened, like Refusal
    """The control API was asked for something impossible; the text says why."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A button on the index page: these faults and no others."""

    name: str
    title: str
    faults: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    variables: Mapping[str, str]
    store: Store
    wake: Callable[[], None]

    def get(self, name: str, default: str) -> str:
        return self.variables.get(name) or default


class Service(ABC):
    """Routes, faults, clock, agenda and ledger of one provider, behind one lock.

    Handlers run while the lock is held, so two calls never interleave; they must not wait
    nor call anybody. What is to be sent goes on the agenda.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    presets: ClassVar[tuple[Preset, ...]] = (Preset("normal", "Normal"),)
    calls_out: ClassVar[frozenset[str]] = frozenset()
    """Actions that ask somebody else, and so must not hold the lock meanwhile."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.lock = threading.RLock()
        self.faults = FaultBook(self.operations)
        self.calls: deque[JsonObject] = deque(maxlen=KEEP_CALLS)
        self.counts: Counter[str] = Counter()
        self.settings = self.default_settings()
        self.preset = "normal"
        self.table = self.routes()
        self.clear()
        saved = environment.store.read(self.name)
        if saved is not None:
            self._resume(saved)
        environment.store.register(self.name, self.dump)

    def _resume(self, saved: JsonObject) -> None:
        """Go on with a saved ledger; one of an older shape is put aside."""
        try:
            self.load(saved)
        except (AttributeError, KeyError, TypeError, ValueError):
            self.environment.store.put_aside(self.name)
            self.clear()

    # What a contract must say.

    @abstractmethod
    def routes(self) -> list[Route]:
        """All paths below ``/<name>``."""

    @abstractmethod
    def empty(self) -> None:
        """Set up an empty ledger."""

    @abstractmethod
    def records(self) -> JsonObject:
        """The ledger, for the disk and for GET /control/<name>/ledger."""

    @abstractmethod
    def restore(self, records: JsonObject) -> None:
        """The reverse of ``records``."""

    @abstractmethod
    def overview(self) -> list[tuple[str, str]]:
        """A few figures for the index page."""

    def default_settings(self) -> JsonObject:
        return {}

    def facts(
        self,
        request: Request,  # noqa: ARG002 - for those who know what is in it
        params: Mapping[str, str],
    ) -> dict[str, str]:
        """What a fault's ``match`` may name about a call."""
        return dict(params)

    def on_event(self, kind: str, args: JsonObject) -> None:  # noqa: B027 - few have events
        """Something on the agenda has come due."""

    def actions(self) -> Mapping[str, Action]:
        """More of POST /control/<name>/<action>."""
        return {}

    def links(self) -> list[tuple[str, str]]:
        """Pages of this service worth a link on the index page."""
        return []

    def error_body(self, status: int) -> JsonObject:
        return {"message": f"HTTP {status}"}

    # Requests.

    @property
    def prefix(self) -> str:
        return f"/{self.name}"

    def dispatch(self, request: Request) -> Response:
        self.run_due()
        path = request.path.removeprefix(self.prefix) or "/"
        found = find_route(self.table, request.method, path, request.query)
        if isinstance(found, Response):
            self._log(request, "", found, None, {})
            return found
        route, params = found
        return self._run(route, Call(request, params))

    def _run(self, route: Route, call: Call) -> Response:
        transport: Fault | None = None
        with self.lock:
            facts = self.facts(call.request, call.params)
            if route.operation:
                transport = self.faults.take(route.operation, facts, transport=True)
            if transport is None or happens_after(transport):
                response = self._handle(route, call)
                self.environment.store.touch(self.name)
                if transport is not None:
                    response = spoiled(transport, call.request, response)
            else:
                response = self._not_done(transport, call.request)
            self._log(call.request, route.operation, response, transport, facts)
        return response

    def _handle(self, route: Route, call: Call) -> Response:
        try:
            return route.handler(call)
        except Refusal as refusal:
            return refusal.response

    def _not_done(self, fault: Fault, request: Request) -> Response:
        status = STATUS.get(fault.fault)
        if status is None or status >= 500:  # noqa: PLR2004 - a server error has one body for all
            return spoiled(fault, request, None)
        answer = json_response(self.error_body(status), status)
        answer.delay = fault.number("seconds", 0.0)
        if fault.fault == "rate_limited":
            answer.headers["Retry-After"] = str(int(fault.number("retry_after", 2)))
        return answer

    def _log(
        self,
        request: Request,
        operation: str,
        response: Response,
        fault: Fault | None,
        facts: Mapping[str, str],
    ) -> None:
        self.counts[operation or "other"] += 1
        self.calls.append(
            {
                "at": dhaka_text(time.time()),
                "operation": operation,
                "method": request.method,
                "path": request.path,
                "status": response.status,
                "fault": fault.fault if fault else None,
                "facts": dict(facts),
            }
        )

    # The agenda: what happens later, in the order of its time.

    def at(self, seconds: float, kind: str, /, **args: object) -> None:
        self.sequence += 1  # events of one moment keep their order
        heapq.heappush(self.agenda, [self.clock.now() + seconds, self.sequence, kind, args])
        self.environment.wake()

    def next_due(self) -> float | None:
        """Seconds until the next event, None without one."""
        with self.lock:
            return self.agenda[0][0] - self.clock.now() if self.agenda else None

    def run_due(self) -> None:
        with self.lock:
            while self.agenda and self.agenda[0][0] <= self.clock.now():
                _, _, kind, args = heapq.heappop(self.agenda)
                if kind == DELIVER:
                    self._send_later(Delivery(**args))
                else:
                    self.on_event(kind, args)
                self.environment.store.touch(self.name)

    # Messages to the merchant.

    def deliver(self, delivery: Delivery, *, after: float = 0.0) -> None:
        self.at(after, DELIVER, **delivery.as_json())

    def _send_later(self, delivery: Delivery) -> None:
        in_background(lambda: self.deliver_now(delivery))

    def deliver_now(self, delivery: Delivery) -> None:
        """Send, write down the result, and plan the next try unless it was a 2xx."""
        status = send(delivery)
        delivery.tries += 1
        good = 200 <= status < 300  # noqa: PLR2004 - 2xx
        with self.lock:
            self.deliveries.append(
                {
                    "at": dhaka_text(self.clock.now()),
                    "kind": delivery.kind,
                    "reference": delivery.reference,
                    "method": delivery.method,
                    "url": delivery.url,
                    "try": delivery.tries,
                    "status": status or None,
                }
            )
            del self.deliveries[:-KEEP_DELIVERIES]
            if not good and delivery.waits:
                wait, *delivery.waits = delivery.waits
                self.deliver(delivery, after=wait)
            self.environment.store.touch(self.name)

    # Control.

    def clear(self) -> None:
        self.clock = Clock()
        self.agenda: list[list[Any]] = []  # a heap of [time, number, kind, arguments]
        self.sequence = 0
        self.deliveries: list[JsonObject] = []
        self.empty()

    def reset(self) -> None:
        """As new: no ledger, no faults, settings as at the start, the clock at now."""
        with self.lock:
            self.faults.clear()
            self.preset = "normal"
            self.settings = self.default_settings()
            self.calls.clear()
            self.counts.clear()
            self.clear()
            self.environment.store.touch(self.name)

    def advance(self, seconds: float) -> None:
        with self.lock:
            self.clock.advance(seconds)
            self.environment.store.touch(self.name)
        self.run_due()

    def apply_preset(self, name: str) -> None:
        preset = next((preset for preset in self.presets if preset.name == name), None)
        if preset is None:
            known = ", ".join(preset.name for preset in self.presets)
            raise ControlRefused(f"No preset {name!r}; there are: {known}.")
        with self.lock:
            self.faults.clear()
            for fault in preset.faults:
                self.faults.add(dict(fault))
            self.preset = name

    def change_settings(self, wish: JsonObject) -> None:
        with self.lock:
            changed = dict(self.settings)
            for key, value in wish.items():
                if key not in changed:
                    known = ", ".join(changed) or "none"
                    raise ControlRefused(f"No setting {key!r}; there are: {known}.")
                if not same_kind(changed[key], value):
                    raise ControlRefused(f"{key} must be of the kind of {changed[key]!r}.")
                changed[key] = value
            self.settings = changed

    def ledger(self) -> JsonObject:
        """The records as plain JSON, which shares nothing with the live ones."""
        with self.lock:
            text = json.dumps(
                {
                    **self.records(),
                    "deliveries": self.deliveries,
                    "planned": [
                        args for _, _, kind, args in sorted(self.agenda) if kind == DELIVER
                    ],
                },
                default=vars,
            )
        value: JsonObject = json.loads(text)
        return value

    def dump(self) -> str:
        with self.lock:
            return json.dumps(
                {
                    "clock_offset": self.clock.offset,
                    "agenda": self.agenda,
                    "sequence": self.sequence,
                    "deliveries": self.deliveries,
                    "ledger": self.records(),
                },
                default=vars,
                ensure_ascii=False,
            )

    def load(self, saved: JsonObject) -> None:
        self.clock = Clock(saved["clock_offset"])
        self.agenda = saved["agenda"]
        self.sequence = saved["sequence"]
        self.deliveries = saved["deliveries"]
        self.restore(saved["ledger"])


def same_kind(old: object, new: object) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return isinstance(old, bool) and isinstance(new, bool)
    if isinstance(old, (int, float)):
        return isinstance(new, (int, float)) and new >= 0
    return isinstance(new, type(old))

"""The control API and the index page: how a person or a test makes the services misbehave."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from .faults import TRANSPORT, TRANSPORT_ONCE, FaultRefused
from .http import JsonObject, Request, Response, json_response, redirect
from .pages import page
from .service import ControlRefused, Service

#: A page elsewhere must not be able to press our buttons through somebody's browser.
FOREIGN = frozenset({"cross-site", "same-site"})


class Control:
    def __init__(self, services: Mapping[str, Service]) -> None:
        self.services = services

    def dispatch(self, request: Request) -> Response:
        if request.method != "GET" and request.headers.get("sec-fetch-site") in FOREIGN:
            return json_response({"error": "Not from another site."}, 403)
        try:
            return self._answer(request)
        except (ControlRefused, FaultRefused) as exc:
            return json_response({"error": str(exc)}, 400)
        except LookupError as exc:
            return json_response({"error": str(exc.args[0]) if exc.args else "Not found"}, 404)

    def _answer(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")[1:]
        if not parts:
            return json_response({name: describe(s) for name, s in self.services.items()})
        if parts == ["reset"] and request.method == "POST":
            for service in self.services.values():
                service.reset()
            return json_response({"reset": sorted(self.services)})
        if parts[0] not in self.services:
            raise LookupError(f"No service {parts[0]!r}; there are: {', '.join(self.services)}.")
        return answer_service(self.services[parts[0]], request, parts[1:])


def answer_service(service: Service, request: Request, rest: list[str]) -> Response:
    if not rest:
        return json_response(describe(service))
    if rest[0] == "faults":
        return answer_faults(service, request, rest[1:])
    if len(rest) != 1:
        raise LookupError("Not found.")
    if request.method == "GET":
        return json_response(read(service, rest[0]))
    if request.method == "POST":
        return change(service, rest[0], request)
    return delete(service, rest[0], request)


def describe(service: Service) -> JsonObject:
    return {
        "title": service.title,
        "path": service.prefix,
        "operations": {op: dict(faults) for op, faults in service.operations.items()},
        "transport_faults": {**TRANSPORT, **TRANSPORT_ONCE} if service.operations else {},
        "presets": {preset.name: preset.title for preset in service.presets},
        "preset": service.preset,
        "settings": service.settings,
        "actions": sorted(service.actions()),
        "faults": service.faults.as_json(),
    }


def answer_faults(service: Service, request: Request, rest: list[str]) -> Response:
    with service.lock:
        if request.method == "GET" and not rest:
            return json_response({"faults": service.faults.as_json()})
        if request.method == "POST" and not rest:
            fault = service.faults.add(body_of(request))
            service.preset = "custom"
            return json_response(fault.as_json(), 201)
        if request.method == "DELETE":
            return remove_faults(service, rest)
    return json_response({"error": "GET, POST or DELETE"}, 405)


def remove_faults(service: Service, rest: list[str]) -> Response:
    if not rest:
        service.faults.clear()
    elif not rest[0].isdigit() or not service.faults.remove(int(rest[0])):
        raise LookupError(f"No fault {rest[0]!r}.")
    if not service.faults.faults:
        service.preset = "normal"
    return json_response({"faults": service.faults.as_json()})


def read(service: Service, what: str) -> Any:
    if what == "ledger":
        service.run_due()
        return service.ledger()
    if what == "settings":
        return service.settings
    if what == "calls":
        with service.lock:
            return {"counts": dict(service.counts), "calls": list(service.calls)}
    reader = service.actions().get(f"GET {what}")
    if reader is None:
        raise LookupError(f"Nothing to read under {what!r}.")
    with service.lock:
        return reader({})


def change(service: Service, what: str, request: Request) -> Response:
    if what == "preset":
        service.apply_preset(str(request.data().get("preset", "")))
        if request.media_type == "application/x-www-form-urlencoded":
            return redirect(f"/#{service.name}")
        return json_response(describe(service))
    if what == "reset":
        service.reset()
        return json_response({"reset": [service.name]})
    if what == "advance":
        return json_response(advance(service, body_of(request)))
    if what == "settings":
        service.change_settings(body_of(request))
        return json_response(service.settings)
    action = service.actions().get(what)
    if action is None:
        known = ", ".join(sorted(name for name in service.actions() if " " not in name))
        raise LookupError(f"No action {what!r}; there are: {known}.")
    with nullcontext() if what in service.calls_out else service.lock:
        result = action(body_of(request))
        service.environment.store.touch(service.name)
    service.environment.wake()
    return json_response(result)


def delete(service: Service, what: str, request: Request) -> Response:
    action = service.actions().get(f"{request.method} {what}")
    if action is None:
        raise LookupError(f"{request.method} is not possible on {what!r}.")
    with service.lock:
        return json_response(action({}))


def advance(service: Service, wish: JsonObject) -> JsonObject:
    seconds = wish.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ControlRefused("seconds must be a number.")
    service.advance(seconds)
    return {"offset": service.clock.offset}


def body_of(request: Request) -> JsonObject:
    if not request.body:
        return {}
    value = request.data() if request.media_type != "" else request.json()
    if not value:
        value = request.json()
    if value is None:
        raise ControlRefused("The body must be a JSON object.")
    return value


def index_page(services: Mapping[str, Service], request: Request) -> Response:
    cards = []
    for service in services.values():
        with service.lock:
            cards.append(
                {
                    "name": service.name,
                    "title": service.title,
                    "summary": service.summary,
                    "base": f"{request.base_url}{service.prefix}",
                    "preset": service.preset,
                    "presets": service.presets,
                    "faults": [fault_line(fault) for fault in service.faults.as_json()],
                    "figures": service.overview(),
                    "links": service.links(),
                    "calls": list(service.calls)[-5:][::-1],
                }
            )
    return page("index.html", cards=cards)


def fault_line(fault: JsonObject) -> str:
    times = "" if fault["times"] is None else f", {fault['times'] - fault['used']} more"
    match = "".join(f", {key} {value}" for key, value in fault["match"].items())
    return f"{fault['operation']}: {fault['fault']}{match}{times}"

"""A receiver of the shop's webhooks, as ``docs/domain/webhooks.md`` asks one to be.

Each ``/<name>`` is a receiver of its own, with its secret in the setting ``secrets``. It checks the
signature over the raw body (or the former one, while secrets change), takes each ``eventId`` once,
counts the repeats, and answers at once. What it refuses stands in the ledger too.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Request, Response, Route, json_response
from simulators.frame.service import Preset, Service

DEMO_SECRET: Final = "whsec_demo-receiver"  # noqa: S105 - public: of the demo alone
KEPT: Final = 2000
NOTICE_FAULTS: Final[Mapping[str, str]] = {
    "refuse": "HTTP `status` (400), nothing taken",
    "redirect": "302 to `location` (another path of this receiver), nothing taken",
}


@dataclass
class Notice:
    """One event, once; ``times`` is how often it came."""

    receiver: str
    event_id: str
    type: str
    body: JsonObject
    times: int = 1


class Receiver(Service):
    name = "receiver"
    title = "Webhook receiver"
    summary = "Somebody's system that is told what happens in the shop"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {"notice": NOTICE_FAULTS}
    presets = (
        Preset("normal", "Normal"),
        Preset("refuses", "Refuses (400)", ({"operation": "notice", "fault": "refuse"},)),
        Preset("redirects", "Redirects", ({"operation": "notice", "fault": "redirect"},)),
        Preset("hangs", "Hangs", ({"operation": "notice", "fault": "hang"},)),
        Preset(
            "broken_four_times",
            "Answers 500 four times",
            ({"operation": "notice", "fault": "error_500", "times": 4},),
        ),
        Preset("down", "Down (503)", ({"operation": "*", "fault": "error_503"},)),
    )

    def default_settings(self) -> JsonObject:
        return {"secrets": {"shop": DEMO_SECRET, "bank": DEMO_SECRET}, "oldest_seconds": 300.0}

    def routes(self) -> list[Route]:
        return [Route("POST", "/{receiver}", self.notice, "notice")]

    # Ledger.

    def empty(self) -> None:
        self.notices: dict[str, Notice] = {}
        self.refused: list[JsonObject] = []

    def records(self) -> JsonObject:
        return {"notices": list(self.notices.values()), "refused": self.refused}

    def restore(self, records: JsonObject) -> None:
        rows = [Notice(**row) for row in records["notices"]]
        self.notices = {f"{row.receiver}/{row.event_id}": row for row in rows}
        self.refused = records["refused"]

    def overview(self) -> list[tuple[str, str]]:
        return [
            ("events taken", str(len(self.notices))),
            ("repeats", str(sum(row.times - 1 for row in self.notices.values()))),
            ("refused", str(len(self.refused))),
        ]

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        data = request.json() or {}
        return {
            "receiver": params.get("receiver", ""),
            "event_id": str(data.get("eventId", "")),
            "type": str(data.get("type", "")),
        }

    # Calls.

    def notice(self, call: Call) -> Response:
        receiver, data = call.params["receiver"], call.request.json()
        fault = self.faults.take("notice", self.facts(call.request, call.params))
        if fault is not None:
            return self.misbehaved(fault)
        why = self.objection(receiver, call.request)
        if not why and (data is None or not isinstance(data.get("eventId"), str)):
            why = "no event"
        if why or data is None:
            self.refused.append({"receiver": receiver, "why": why})
            del self.refused[:-KEPT]
            return json_response({"error": why}, 401)
        key = f"{receiver}/{data['eventId']}"
        known = self.notices.get(key)
        if known is not None:
            known.times += 1
        else:
            kind = str(data.get("type", ""))
            self.notices[key] = Notice(receiver, data["eventId"], kind, data)
        return json_response({"received": True})

    @staticmethod
    def misbehaved(fault: Fault) -> Response:
        if fault.fault == "redirect":
            location = fault.text("location", "/receiver/elsewhere")
            return Response(302, b"", "text/plain; charset=utf-8", {"Location": location})
        return json_response({"error": "refused"}, int(fault.number("status", 400)))

    def objection(self, receiver: str, request: Request) -> str:
        """Why this is not believed to be the shop's; empty if it is."""
        secret = self.settings["secrets"].get(receiver)
        if not isinstance(secret, str):
            return "nobody knows this receiver"
        digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        right = f"sha256={digest}".encode()
        shown = [
            request.headers.get(name, "") for name in ("x-bdv-signature", "x-bdv-signature-former")
        ]
        if not any(hmac.compare_digest(each.encode(), right) for each in shown):
            return "wrong signature"
        stamp = request.headers.get("x-bdv-timestamp", "")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > self.settings["oldest_seconds"]:
            return "too old"
        return ""

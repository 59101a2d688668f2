"""Points Bridge, in the contract of ``docs/domain/loyalty.md``.

Its own ledger: what each member was credited, by which reference, how often. What the contract
leaves open: a repeat of a known reference with the same content answers as the first did, with
another content it is refused (409 ``duplicate_reference``); any member id is a member unless the
setting ``unknown_members`` names it or a fault says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, NoReturn

from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Refusal, Request, Response, Route, json_response
from simulators.frame.service import Environment, Preset, Service

PROCESSING: Final = "processing"
CREDITED: Final = "credited"
REJECTED: Final = "rejected"
MOST: Final = 10**9
CREDIT_FAULTS: Final[Mapping[str, str]] = {
    "rejected": "422 `code` (member_not_found), nothing credited",
    "pending": "processing for `seconds` (5, null: for ever), `then` credited (or rejected)",
    "status_text": "credited, but the answer's status is `text`",
    "other_reference": "credited, but the answer is about another reference",
}
LOOKUP_FAULTS: Final[Mapping[str, str]] = {
    "not_found": "404 not_found although the reference is known",
    "status_text": "another status (`text`)",
}
CHECK_FAULTS: Final[Mapping[str, str]] = {"refused": "422 `code` (TC40000)"}


@dataclass
class Credit:
    reference: str
    program: str
    member_id: str
    amount: int
    created_at: float
    status: str = PROCESSING
    transaction_id: str = ""
    code: str = ""
    charges: int = 0
    asked: int = 0


def refuse(status: int, code: str, message: str) -> NoReturn:
    raise Refusal(json_response({"error": {"code": code, "message": message}}, status))


class Points(Service):
    name = "points"
    title = "Points Bridge"
    summary = "Points partner: credit a member, look a credit up, check a member"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "credit": CREDIT_FAULTS,
        "lookup": LOOKUP_FAULTS,
        "check": CHECK_FAULTS,
    }
    presets = (
        Preset("normal", "Normal"),
        Preset("rejected", "Member refused", ({"operation": "credit", "fault": "rejected"},)),
        Preset(
            "slow_programme",
            "Takes days",
            ({"operation": "credit", "fault": "pending", "seconds": None},),
        ),
        Preset(
            "timeout_after",
            "Credited, but the answer is lost (once)",
            ({"operation": "credit", "fault": "cut_after", "times": 1},),
        ),
        Preset("down", "Down (503)", ({"operation": "*", "fault": "error_503"},)),
    )

    def __init__(self, environment: Environment) -> None:
        self.api_key = environment.get("POINTS_BRIDGE_API_KEY", "demo-points-key")
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        return {"done_after": 0.0, "unknown_members": []}

    def routes(self) -> list[Route]:
        def guarded(function: Callable[[Call], Response]) -> Callable[[Call], Response]:
            def handler(call: Call) -> Response:
                said = call.request.headers.get("authorization", "")
                if not secrets.compare_digest(said.encode(), f"Bearer {self.api_key}".encode()):
                    refuse(401, "unauthorized", "Wrong API key")
                return function(call)

            return handler

        return [
            Route("POST", "/v1/credits", guarded(self.credit), "credit"),
            Route("GET", "/v1/credits/{reference}", guarded(self.lookup), "lookup"),
            Route("POST", "/v1/members/check", guarded(self.check), "check"),
        ]

    # Ledger.

    def empty(self) -> None:
        self.credits: dict[str, Credit] = {}

    def records(self) -> JsonObject:
        balances: dict[str, int] = {}
        for row in self.credits.values():
            key = f"{row.program}/{row.member_id}"
            balances[key] = balances.get(key, 0) + row.amount * row.charges
        return {"credits": list(self.credits.values()), "balances": balances}

    def restore(self, records: JsonObject) -> None:
        rows = [Credit(**row) for row in records["credits"]]
        self.credits = {row.reference: row for row in rows}

    def overview(self) -> list[tuple[str, str]]:
        rows = self.credits.values()
        return [
            ("credits asked", str(len(rows))),
            ("points credited", str(sum(row.amount * row.charges for row in rows))),
        ]

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        data = request.json() or {}
        reference = str(params.get("reference") or data.get("reference", ""))
        row = self.credits.get(reference)
        return {
            "reference": reference,
            "member_id": row.member_id if row else str(data.get("member_id", "")),
            "program": row.program if row else str(data.get("program", "")),
        }

    def error_body(self, status: int) -> JsonObject:
        return {"error": {"code": f"http_{status}", "message": f"HTTP {status}"}}

    # Calls.

    def credit(self, call: Call) -> Response:
        data = call.request.json() or {}
        reference, amount = data.get("reference"), data.get("amount")
        program, member_id = data.get("program"), data.get("member_id")
        texts = all(isinstance(each, str) and each for each in (reference, program, member_id))
        if not texts or isinstance(amount, bool) or not isinstance(amount, int):
            refuse(400, "invalid_request", "reference, program, member_id and amount are needed")
        if not 0 < amount <= MOST:
            refuse(422, "invalid_amount", "The amount is out of range")
        fault = self.faults.take("credit", self.facts(call.request, {}))
        known = self.credits.get(str(reference))
        if known is not None:
            known.asked += 1
            same = (known.program, known.member_id, known.amount) == (program, member_id, amount)
            if not same:
                refuse(409, "duplicate_reference", "The reference belongs to another credit")
            return self.answer(known)
        if fault is not None and fault.fault == "rejected":
            refuse(422, fault.text("code", "member_not_found"), "The member can't be credited")
        if str(member_id) in self.settings["unknown_members"]:
            refuse(422, "member_not_found", "The member can't be credited")
        row = Credit(
            str(reference), str(program), str(member_id), amount, self.clock.now(), asked=1
        )
        self.credits[row.reference] = row
        self.begin(row, fault)
        return self.answer(row, fault)

    def begin(self, row: Credit, fault: Fault | None) -> None:
        if fault is not None and fault.fault == "pending":
            seconds = fault.seconds(5)
            if seconds is not None:
                then = fault.text("then", CREDITED)
                self.at(seconds, "end", reference=row.reference, status=then)
        elif float(self.settings["done_after"]) > 0:
            wait = float(self.settings["done_after"])
            self.at(wait, "end", reference=row.reference, status=CREDITED)
        else:
            self.finish(row, CREDITED)

    def on_event(self, kind: str, args: JsonObject) -> None:
        row = self.credits.get(args["reference"])
        if kind == "end" and row is not None and row.status == PROCESSING:
            self.finish(row, args["status"])

    def finish(self, row: Credit, status: str) -> None:
        """The member's account is credited or is not; the only place where that happens."""
        row.status = status
        if status == CREDITED:
            row.charges += 1
            row.transaction_id = f"PB{secrets.randbelow(10**10):010d}"
        else:
            row.code = "rejected_by_programme"

    def answer(self, row: Credit, fault: Fault | None = None) -> Response:
        body: JsonObject = {
            "reference": row.reference,
            "status": row.status,
            "transaction_id": row.transaction_id or None,
            "error": None,
        }
        if row.code:
            body["error"] = {"code": row.code, "message": "The programme refused the credit"}
        match fault.fault if fault else "":
            case "status_text" if fault:
                body["status"] = fault.text("text", "unheard_of")
            case "other_reference":
                body["reference"] = "another"
        return json_response(body)

    def lookup(self, call: Call) -> Response:
        fault = self.faults.take("lookup", self.facts(call.request, call.params))
        row = self.credits.get(call.params["reference"])
        if row is None or (fault is not None and fault.fault == "not_found"):
            refuse(404, "not_found", "There is no such credit")
        return self.answer(row, fault)

    def check(self, call: Call) -> Response:
        fault = self.faults.take("check", self.facts(call.request, {}))
        member_id = str((call.request.json() or {}).get("member_id", ""))
        if fault is not None:
            refuse(422, fault.text("code", "TC40000"), "The programme refuses the member")
        if not member_id or member_id in self.settings["unknown_members"]:
            refuse(422, "TC40000", "The programme does not know the member")
        return json_response({"accepted": True})

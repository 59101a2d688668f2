"""POST of a purchase: checks, the used id, and the plan of what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Response, json_response

from . import records, webhook
from .catalogue import amounts
from .records import Purchase, refuse

if TYPE_CHECKING:
    from .service import Zendit

PURCHASE_FAULTS: Final[Mapping[str, str]] = {
    "out_of_stock": "FAILED after authorisation, error OUT_OF_STOCK, reservation released",
    "insufficient_funds": "FAILED, error INSUFFICIENT_FUNDS",
    "provider_error": "FAILED after authorisation, error `code` (PROVIDER_ERROR), `description`",
    "fail_spelling": "as provider_error, but the status is spelled FAIL",
    "in_progress": "IN_PROGRESS for `seconds` (null: for ever), `then` DONE or FAILED",
    "slow_done": "DONE after `seconds` (5) instead of `done_after`",
    "empty_receipt": "DONE with an empty receipt",
    "url_receipt": "DONE with redemptionUrl and no epin",
    "no_expiry": "DONE, receipt without expiresAt",
    "same_code": "DONE with a code sold before (`code`, else the last one sold)",
    "invalid_request": "HTTP 400 INVALID_REQUEST with `fields`",
    "offer_not_found": "HTTP 404 NOT_FOUND",
    "system_unavailable": "HTTP 503 SYSTEM_UNAVAILABLE, nothing bought",
    "system_unavailable_after": "HTTP 503 SYSTEM_UNAVAILABLE, bought all the same",
    "webhook_first": "the purchase ends and its webhook arrives before this POST is answered",
}
#: Faults after which there is no purchase at all.
REFUSED: Final = frozenset({"invalid_request", "offer_not_found", "system_unavailable"})
#: When each step comes, as a part of ``done_after``.
STEPS: Final = (
    (0.15, records.PENDING),
    (0.3, records.AUTHORIZED),
    (0.5, records.IN_PROGRESS),
    (1.0, "end"),
)
ID_LIMIT: Final = 64


def purchase(service: Zendit, call: Call) -> Response:
    service.check_key(call)
    body = call.request.json()
    if body is None:
        refuse(400, "INVALID_REQUEST", "The body is not valid JSON.", {})
    transaction_id = str(body.get("transactionId", ""))
    known = service.purchases.get(transaction_id)
    if known is not None:
        return used_id(service, known)
    fault = service.faults.take("purchase", service.facts(call.request, call.params))
    refuse_by(fault)
    bought = checked(service, body)
    if fault is not None:
        bought.plan = {"fault": fault.fault, **fault.options}
    service.purchases[bought.transaction_id] = bought
    answer = json_response({"status": bought.status, "transactionId": bought.transaction_id})
    start(service, bought, answer)
    if fault is not None and fault.fault == "system_unavailable_after":
        refuse(503, "SYSTEM_UNAVAILABLE", "The system is unavailable.")
    return answer


def used_id(service: Zendit, known: Purchase) -> Response:
    """Not documented; whatever the answer is, there is one purchase only."""
    text = "Transaction id was used before."
    if service.settings["used_id"] == "conflict":
        refuse(409, "CONFLICT", text)
    if service.settings["used_id"] != "echo":
        refuse(400, "INVALID_REQUEST", text, {"transactionId": "was used before"})
    return json_response({"status": known.status, "transactionId": known.transaction_id})


def refuse_by(fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "invalid_request" if fault:
            named = fault.options.get("fields")
            fields = named if isinstance(named, dict) else {"offerId": "is not valid"}
            refuse(400, "INVALID_REQUEST", "The request is not valid.", fields)
        case "offer_not_found":
            refuse(404, "NOT_FOUND", "Offer not found.")
        case "system_unavailable":
            refuse(503, "SYSTEM_UNAVAILABLE", "The system is unavailable.")


def checked(service: Zendit, body: JsonObject) -> Purchase:
    """A purchase in its first state.

    Raises:
        Refusal: 400 with the bad fields, 404 for an offer that is missing or disabled.
    """
    transaction_id, offer_id = body.get("transactionId"), body.get("offerId")
    bad: dict[str, str] = {}
    if not isinstance(transaction_id, str) or not re.fullmatch(
        rf"[A-Za-z0-9]{{1,{ID_LIMIT}}}", transaction_id
    ):
        bad["transactionId"] = "letters and digits only"
    if not isinstance(offer_id, str) or not offer_id:
        bad["offerId"] = "is required"
    if bad:
        refuse(400, "INVALID_REQUEST", "The request is not valid.", bad)
    offer = service.offers.get(str(offer_id))
    if offer is None or not offer["enabled"]:
        refuse(404, "NOT_FOUND", "Offer not found.")
    given = given_fields(body.get("fields"))
    for key in offer["requiredFields"]:
        if not given.get(key):
            bad[key] = "is required"
    sums = amounts(offer, body.get("value"))
    if sums is None or (offer["priceType"] == "FIXED" and "value" in body):
        bad["value"] = "does not fit the offer"
    if bad or sums is None:
        refuse(400, "INVALID_REQUEST", "The request is not valid.", bad)
    return Purchase(
        transaction_id=str(transaction_id),
        offer=dict(offer),
        created_at=service.clock.now(),
        value=body.get("value"),
        fields=[{"key": key, "value": value} for key, value in given.items()],
        cost=sums["cost"],
        price=sums["price"],
        send=sums["send"],
    )


def given_fields(fields: object) -> dict[str, str]:
    if not isinstance(fields, list):
        return {}
    return {
        str(entry.get("key")): str(entry.get("value"))
        for entry in fields
        if isinstance(entry, dict) and entry.get("value") not in (None, "")
    }


def start(service: Zendit, bought: Purchase, answer: Response) -> None:
    """Put all steps on the agenda."""
    service.note(bought, records.ACCEPTED)
    plan = bought.plan
    total = float(service.settings["done_after"])
    if plan.get("fault") == "slow_done":
        total = float(plan.get("seconds", 5))
    if plan.get("fault") == "webhook_first":
        for _, status in STEPS:
            service.step(bought, status, tell=status == "end")
        answer.first.extend(
            partial(service.deliver_now, message) for message in webhook.held_back(service)
        )
        return
    webhook.tell(service, bought)
    for part, status in STEPS:
        service.at(total * part, "step", transaction_id=bought.transaction_id, status=status)

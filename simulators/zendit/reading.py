"""Everything that only asks: balance, offers, purchases, wallet movements."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from simulators.frame.http import Call, JsonObject, Response, json_response

from . import catalogue, records
from .records import purchase_facts, refuse

if TYPE_CHECKING:
    from .service import Zendit

Endpoint: TypeAlias = "Callable[[Zendit, Call], Response]"

GET_FAULTS: Final[Mapping[str, str]] = {
    "not_found": "404, with `within` only in the first so many seconds after the POST",
    "in_progress": "IN_PROGRESS, whatever it is",
    "status_text": "another status (`text`)",
    "empty_receipt": "the receipt is empty",
    "wrong_transaction": "another transactionId (`transaction_id`)",
    "wrong_offer": "another offerId (`offer_id`)",
    "system_unavailable": "HTTP 503 SYSTEM_UNAVAILABLE",
}
HIGHEST_LIMIT: Final = 1024
USUAL_LIMIT: Final = 100


def balance(service: Zendit, call: Call) -> Response:
    service.check_key(call)
    available = service.balance - service.reserved
    if service.faults.take("balance", {}):
        available = 0
    return json_response({"availableBalance": available, "currency": "USD", "currencyDivisor": 100})


def paged(call: Call, rows: list[JsonObject]) -> Response:
    query = call.request.query
    limit, offset = query.get("_limit", str(USUAL_LIMIT)), query.get("_offset", "0")
    bad = {
        name: "is out of range"
        for name, text, low, high in (
            ("_limit", limit, 1, HIGHEST_LIMIT),
            ("_offset", offset, 0, 10**9),
        )
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high
    }
    if bad:
        refuse(400, "INVALID_REQUEST", "The request is not valid.", bad)
    start, size = int(offset), int(limit)
    return json_response(
        {
            "list": rows[start : start + size],
            "limit": size,
            "offset": start,
            "total": len(rows),
        }
    )


def offer_list(service: Zendit, call: Call) -> Response:
    service.check_key(call)
    query = call.request.query
    rows = [
        catalogue.shown(row)
        for row in service.offers.values()
        if query.get("brand", row["brand"]) == row["brand"]
        and query.get("country", row["country"]) == row["country"]
        and ("regions" not in query or query["regions"] in row["regions"])
        and ("subType" not in query or query["subType"] in row["subTypes"])
    ]
    return paged(call, rows)


def offer(service: Zendit, call: Call) -> Response:
    service.check_key(call)
    row = service.offers.get(call.params["offer_id"])
    if row is None:
        refuse(404, "NOT_FOUND", "Offer not found.")
    return json_response(catalogue.shown(row))


def purchase(service: Zendit, call: Call) -> Response:
    service.check_key(call)
    known = service.purchases.get(call.params["transaction_id"])
    if known is None:
        refuse(404, "NOT_FOUND", "Transaction not found.")
    fault = service.faults.take("get", purchase_facts(known))
    body = records.shown(known)
    age = service.clock.now() - known.created_at
    match fault.fault if fault else "":
        case "not_found" if fault and age < fault.number("within", float("inf")):
            refuse(404, "NOT_FOUND", "Transaction not found.")
        case "in_progress":
            body["status"] = records.IN_PROGRESS
            body.pop("receipt", None)
        case "status_text" if fault:
            body["status"] = fault.text("text", "UNHEARD_OF")
        case "empty_receipt":
            body["receipt"] = {}
        case "wrong_transaction" if fault:
            body["transactionId"] = fault.text("transaction_id", "NOTYOURS1")
        case "wrong_offer" if fault:
            body["offerId"] = fault.text("offer_id", "NOT_YOURS")
        case "system_unavailable":
            refuse(503, "SYSTEM_UNAVAILABLE", "The system is unavailable.")
    return json_response(body)


def purchase_list(service: Zendit, call: Call) -> Response:
    service.check_key(call)
    wanted = call.request.query
    rows = [
        records.shown(row)
        for row in service.purchases.values()
        if wanted.get("status", row.status) == row.status
    ]
    return paged(call, [row for row in rows if in_time(call, row["createdAt"])])


def transaction_list(service: Zendit, call: Call) -> Response:
    service.check_key(call)
    wanted = call.request.query
    rows = [
        row
        for row in service.movements
        if all(wanted.get(key, row[key]) == row[key] for key in ("productType", "status", "type"))
        and in_time(call, row["createdAt"])
    ]
    return paged(call, rows)


def transaction(service: Zendit, call: Call) -> Response:
    service.check_key(call)
    wanted = call.params["transaction_id"]
    row = next((row for row in service.movements if row["transactionId"] == wanted), None)
    if row is None:
        refuse(404, "NOT_FOUND", "Transaction not found.")
    return json_response(row)


def in_time(call: Call, created_at: str) -> bool:
    """``createdAt`` of the query: a stamp with the comparison glued to its front."""
    text = call.request.query.get("createdAt")
    if text is None:
        return True
    found = re.fullmatch(r"(lte|lt|gte|gt)?(\d{4}-.+)", text)
    try:
        limit = datetime.fromisoformat(found.group(2)) if found else None
    except ValueError:
        limit = None
    if found is None or limit is None:
        refuse(400, "INVALID_REQUEST", "The request is not valid.", {"createdAt": "is no time"})
    limit = limit if limit.tzinfo else limit.replace(tzinfo=UTC)
    moment = datetime.fromisoformat(created_at)
    return {
        "lt": moment < limit,
        "lte": moment <= limit,
        "gt": moment > limit,
        "gte": moment >= limit,
        None: moment == limit,
    }[found.group(1)]

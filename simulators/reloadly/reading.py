"""Everything that only asks: balance, products, cards, the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from simulators.frame.http import Call, JsonObject, Response, json_response

from . import catalogue, records
from .catalogue import number
from .records import Transaction, refuse, transaction_facts
from .tokens import ACCESS_FAULTS, admit

if TYPE_CHECKING:
    from .service import Reloadly

Endpoint: TypeAlias = "Callable[[Reloadly, Call], Response]"

CARD_FAULTS: Final[Mapping[str, str]] = {
    "not_ready": "404, with `within` only in the first so many seconds after success",
    "no_cards": "an empty list, with `within` only in the first so many seconds after success",
    "more": "one card more than was bought",
    "not_a_list": "an object instead of a list",
    **ACCESS_FAULTS,
}
REPORT_FAULTS: Final[Mapping[str, str]] = {
    "lag": "orders are not shown in their first `within` (5, null: for ever) seconds",
    "array": "a plain array instead of a page",
    "status_text": "another status (`text`)",
    "similar": "an order of another client with the identifier in lower case comes first",
    "not_found": "HTTP 404 TRANSACTION_NOT_FOUND",
    **ACCESS_FAULTS,
}
V2: Final = "application/com.reloadly.giftcards-v2+json"
USUAL_SIZE: Final = 50
HIGHEST_SIZE: Final = 200
#: By observation the report's window is read four hours behind UTC.
REPORT_ZONE: Final = timedelta(hours=-4)


def balance(service: Reloadly, call: Call) -> Response:
    fault = admit(service, call, "balance")
    amount = 0 if fault and fault.fault == "empty_wallet" else service.balance
    body = {
        "balance": number(amount),
        "frozenBalance": 0.0,
        "lowBalanceThreshold": 100.0,
        "currencyCode": "USD",
        "currencyName": "US Dollar",
        "updatedAt": records.stamp(service.clock.now()),
    }
    return json_response(body)


def paged(call: Call, rows: list[JsonObject], *, array: bool = False) -> Response:
    query = call.request.query
    sizes = query.get("size", str(USUAL_SIZE)), query.get("page", "1")
    if not all(text.isascii() and text.isdigit() and int(text) > 0 for text in sizes):
        refuse(400, "INVALID_INPUT_PROVIDED", "size or page is out of range", call.request.path)
    size, page = min(int(sizes[0]), HIGHEST_SIZE), int(sizes[1])
    content = rows[(page - 1) * size : page * size]
    if array:
        return json_response(content)
    pages = -(-len(rows) // size)
    body = {
        "content": content,
        "pageable": {"pageNumber": page, "pageSize": size},
        "totalElements": len(rows),
        "totalPages": pages,
        "last": page >= pages,
        "first": page == 1,
        "size": size,
        "number": page - 1,
    }
    return json_response(body)


def product_list(service: Reloadly, call: Call) -> Response:
    fault = admit(service, call, "products")
    query = call.request.query
    kinds = {"FIXED": query.get("includeFixed", "true"), "RANGE": query.get("includeRange", "true")}
    rows = [
        catalogue.shown(row)
        for row in service.products.values()
        if query.get("countryCode", row["country"]["isoName"]) == row["country"]["isoName"]
        and query.get("productName", "").lower() in row["productName"].lower()
        and kinds[row["denominationType"]] != "false"
    ]
    return paged(call, rows, array=bool(fault and fault.fault == "array"))


def country_products(service: Reloadly, call: Call) -> Response:
    admit(service, call, "products")
    iso = call.params["iso"]
    rows = service.products.values()
    return json_response([catalogue.shown(r) for r in rows if r["country"]["isoName"] == iso])


def product(service: Reloadly, call: Call) -> Response:
    admit(service, call, "products")
    row = service.products.get(call.params["product_id"])
    if row is None:
        refuse(404, "INVALID_PRODUCT", "The product was not found", call.request.path)
    return json_response(catalogue.shown(row))


def cards(service: Reloadly, call: Call) -> Response:
    fault = admit(service, call, "cards")
    row = service.transactions.get(call.params["transaction_id"])
    path = call.request.path.removeprefix(service.prefix)
    if row is None or row.status != records.SUCCESSFUL:
        refuse(404, None, "Gift Card transaction not found", path)
    age = service.clock.now() - row.finished_at
    entries = [entry_as_asked(call, card) for card in row.cards]
    if fault is not None:
        in_time = age < fault.number("within", float("inf"))
        match fault.fault:
            case "not_ready" if in_time:
                refuse(404, "TRANSACTION_NOT_FOUND", "Invalid transaction id", path)
            case "no_cards" if in_time:
                entries = []
            case "more":
                extra = records.card(row, service.new_code(), "")
                entries.append(entry_as_asked(call, extra))
            case "not_a_list":
                return json_response({"cards": entries})
    return json_response(entries)


def entry_as_asked(call: Call, card: JsonObject) -> JsonObject:
    names = ["cardNumber", "pinCode"]
    if call.request.headers.get("accept", "").startswith(V2):
        names.append("redemptionUrl")
    return {name: card[name] for name in names}


def report(service: Reloadly, call: Call) -> Response:
    """The search takes the identifier loosely: letter case is ignored, a part is enough."""
    fault = admit(service, call, "report")
    name = fault.fault if fault else ""
    query = call.request.query
    if name == "not_found":
        refuse(404, "TRANSACTION_NOT_FOUND", "Transaction not found", call.request.path)
    lag = float(service.settings["report_lag"])
    if fault is not None and name == "lag":
        for_ever = fault.options.get("within", 5) is None
        lag = float("inf") if for_ever else fault.number("within", 5)
    wanted = query.get("customIdentifier", "").lower()
    found = [
        row
        for row in service.transactions.values()
        if wanted in row.identifier.lower()
        and query.get("status", row.status) == row.status
        and service.clock.now() - row.created_at >= lag
        and in_window(query, row)
    ]
    rows = [records.shown(row) for row in reversed(found)]  # newest first
    if fault is not None and name == "status_text":
        for row in rows:
            row["status"] = fault.text("text", "UNHEARD_OF")
    if name == "similar" and rows:
        rows.insert(0, {**rows[0], "transactionId": 1, "customIdentifier": wanted})
    return paged(call, rows, array=name == "array")


def in_window(query: Mapping[str, str], row: Transaction) -> bool:
    moment = datetime.fromtimestamp(row.created_at, UTC) + REPORT_ZONE
    written = moment.strftime("%Y-%m-%d %H:%M:%S")
    return query.get("startDate", "") <= written <= query.get("endDate", "9999")


def transaction(service: Reloadly, call: Call) -> Response:
    admit(service, call, "report")
    row = service.transactions.get(call.params["transaction_id"])
    if row is None:
        refuse(404, "TRANSACTION_NOT_FOUND", "Transaction not found", call.request.path)
    return json_response(records.shown(row))


def facts(service: Reloadly, call_body: JsonObject, wanted: str) -> dict[str, str]:
    """What is known of a call before it is carried out."""
    if wanted in service.transactions:
        return transaction_facts(service.transactions[wanted])
    return {
        "reference": str(call_body.get("customIdentifier", "")),
        "product_id": str(call_body.get("productId", "")),
    }

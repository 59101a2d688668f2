"""POST of an order: checks, the used identifier, and the plan of what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault
from simulators.frame.http import Call, Drop, JsonObject, Refusal, Response, json_response

from . import records, webhook
from .catalogue import cost
from .records import Transaction, refuse
from .tokens import ACCESS_FAULTS, admit

if TYPE_CHECKING:
    from .service import Reloadly

PATH: Final = "/orders"
#: Refusals that leave nothing behind: HTTP status, errorCode, message.
REFUSALS: Final[Mapping[str, tuple[int, str | None, str]]] = {
    "out_of_stock": (400, None, "The product is currently out of stock"),
    "invalid_input": (400, "INVALID_INPUT_PROVIDED", "The input is not valid"),
    "wrong_price": (400, "WRONG_PRODUCT_PRICE", "The price of the product has changed"),
    "invalid_product": (404, "INVALID_PRODUCT", "The product was not found"),
    "insufficient_balance": (400, "INSUFFICIENT_BALANCE", "Your balance is too low"),
}
CANNOT: Final = "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT"
ORDER_FAULTS: Final[Mapping[str, str]] = {
    **{
        name: f"HTTP {s} {code or 'without errorCode'}: {text}"
        for name, (s, code, text) in REFUSALS.items()
    },
    "cannot_process": f"HTTP `status` (400) {CANNOT}, nothing bought",
    "cannot_process_after": f"HTTP `status` (400) {CANNOT}, bought all the same",
    "framework_error": "HTTP `status` (400) {timestamp, status, error, path}, nothing bought",
    "html_refusal": "HTTP `status` (400) with an HTML page, nothing bought",
    "html_502": "HTTP 502 with an HTML page, nothing bought",
    "html_502_after": "HTTP 502 with an HTML page, bought all the same",
    "cut_json_after": "HTTP 200 with half of its JSON, bought",
    "pending": "PENDING for `seconds` (5, null: for ever), `then` SUCCESSFUL, FAILED or REFUNDED",
    "processing": "as pending, PROCESSING for `seconds` (20)",
    "refunded": "REFUNDED in the answer, nothing delivered, the wallet as before",
    "failed": "FAILED in the answer, REFUNDED after `seconds` (60, null: never)",
    "status_text": "SUCCESSFUL, but the answer's status is `text`",
    "no_identifier": "the answer has no customIdentifier",
    "fewer_cards": "SUCCESSFUL with an empty list of cards",
    "more_cards": "SUCCESSFUL with one card too many",
    "empty_card": "SUCCESSFUL with a card whose values are both empty",
    "null_pin": "a card without pin",
    "leading_zero": "a card number of digits with two leading zeros, as text",
    "number_card": "card number and pin are JSON numbers",
    "link_in_card_number": "the card number is a link",
    "same_code": "a code sold before (`code`, else the last one sold)",
    "race": "a used identifier is not noticed: the order is carried out once more",
    "twice": "carried out twice, as two equal orders of one moment may be",
    "webhook_first": "its webhook arrives before this POST is answered",
    **ACCESS_FAULTS,
}
ODD_CARDS: Final = frozenset(
    {"empty_card", "null_pin", "leading_zero", "number_card", "link_in_card_number"}
)
IDENTIFIER_LIMIT: Final = 150


def order(service: Reloadly, call: Call) -> Response:
    fault = admit(service, call, "order")
    name = fault.fault if fault else ""
    body = call.request.json()
    if body is None:
        refuse(400, "INVALID_INPUT_PROVIDED", "The body is not valid JSON.", PATH)
    refuse_by(fault)
    row = checked(service, body)
    if row.identifier and service.used(row.identifier) and name != "race":
        text = "The custom identifier was used before"
        refuse(400, "CUSTOM_IDENTIFIER_ALREADY_USED", text, PATH)
    if row.cost > service.balance:
        refuse(*REFUSALS["insufficient_balance"], PATH)
    if fault is not None:
        row.plan = {"fault": name, **fault.options}
    service.take_money(row)
    begin(service, row)
    if name == "twice":
        twin = replace(row, cards=[], plan={})
        service.take_money(twin)
        service.finish(twin)
    answer = answered(row, fault)
    if name == "webhook_first":
        held = webhook.held_back(service)
        answer.first.extend(partial(service.deliver_now, message) for message in held)
    return answer


def refuse_by(fault: Fault | None) -> None:
    """The faults that leave no order behind."""
    if fault is None:
        return
    status = int(fault.number("status", 400))
    match fault.fault:
        case name if name in REFUSALS:
            refuse(*REFUSALS[name], PATH)
        case "cannot_process":
            refuse(status, CANNOT, "The transaction cannot be processed at the moment", PATH)
        case "framework_error":
            said = {"timestamp": 1, "status": status, "error": "Bad Request", "path": PATH}
            raise Refusal(json_response(said, status))
        case "html_refusal":
            raise Refusal(page(status))
        case "html_502":
            raise Refusal(page(502))


def page(status: int) -> Response:
    return Response(status, b"<!doctype html><h1>Error</h1>", "text/html; charset=utf-8")


def checked(service: Reloadly, body: JsonObject) -> Transaction:
    """An order in its first state.

    Raises:
        Refusal: input, product or price are not right.
    """
    quantity, identifier = body.get("quantity"), body.get("customIdentifier", "")
    row = service.products.get(str(body.get("productId")))
    if row is None or row["status"] != "ACTIVE":
        refuse(*REFUSALS["invalid_product"], PATH)
    user = (body.get("productAdditionalRequirements") or {}).get("userId")
    good = (
        isinstance(quantity, int)
        and not isinstance(quantity, bool)
        and 1 <= quantity <= 10  # noqa: PLR2004 - as many as a test wants
        and bool(body.get("senderName"))
        and isinstance(identifier, str)
        and len(identifier) <= IDENTIFIER_LIMIT
        and (user or not row["additionalRequirements"]["userIdRequired"])
    )
    if not good or not isinstance(quantity, int):
        refuse(*REFUSALS["invalid_input"], PATH)
    price = body.get("unitPrice")
    sum_ = cost(row, price, quantity)
    if sum_ is None or not isinstance(price, (int, float)):
        refuse(*REFUSALS["wrong_price"], PATH)
    return Transaction(
        transaction_id=0,
        identifier=str(identifier),
        product=dict(row),
        quantity=quantity,
        unit_price=float(price),
        cost=sum_,
        created_at=service.clock.now(),
    )


def begin(service: Reloadly, row: Transaction) -> None:
    """Carry the order as far as it goes at once, and put the rest on the agenda."""
    plan = row.plan
    match plan.get("fault"):
        case "refunded":
            service.fail(row, refund=True)
        case "failed":
            service.fail(row, refund=False)
            later(service, row, plan.get("seconds", 60), records.REFUNDED)
        case "pending" | "processing" as name:
            slow = name == "processing"
            row.status = records.PROCESSING if slow else records.PENDING
            webhook.tell(service, row)
            wait = plan.get("seconds", 20 if slow else 5)
            later(service, row, wait, str(plan.get("then", records.SUCCESSFUL)))
        case _ if (wait := float(service.settings["done_after"])) > 0:
            webhook.tell(service, row)
            later(service, row, wait, records.SUCCESSFUL)
        case _:
            service.finish(row)


def later(service: Reloadly, row: Transaction, seconds: float | None, status: str) -> None:
    if seconds is not None:
        service.at(float(seconds), "end", transaction_id=row.transaction_id, status=status)


def answered(row: Transaction, fault: Fault | None) -> Response:
    """The answer to the order, or what the fault makes of it."""
    body = records.shown(row) | {"balanceInfo": records.wallet(row)}
    match fault.fault if fault else "":
        case "status_text" if fault:
            body["status"] = fault.text("text", "UNHEARD_OF")
        case "no_identifier":
            del body["customIdentifier"]
        case "cannot_process_after" if fault:
            text = "The transaction cannot be processed at the moment"
            return records.error(int(fault.number("status", 400)), CANNOT, text, PATH)
        case "html_502_after":
            return page(502)
        case "cut_json_after":
            return Response(200, json.dumps(body).encode()[:120], drop=Drop.NOTHING)
    return json_response(body)

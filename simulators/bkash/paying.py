"""Create, execute, query, search: the life of one payment."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from simulators.frame.faults import Fault
from simulators.frame.http import (
    Call,
    JsonObject,
    Refusal,
    Response,
    is_web_address,
    json_response,
    with_query,
)

from . import records
from .records import MESSAGES, Payment, payment_facts, refuse, stamp
from .tokens import check_token

if TYPE_CHECKING:
    from .service import Bkash

Endpoint: TypeAlias = "Callable[[Bkash, Call], Response]"

COMMON: Final[Mapping[str, str]] = {
    "refused": "statusCode `code` with `message`, nothing done",
    "error_code_shape": "the other generation's {errorCode: `code`, errorMessage}, HTTP `status`",
    "expired_token": "HTTP 401, the incoming token has expired",
    "invalid_token": "statusCode 2079",
    "number_status_code": "statusCode as the number 0",
}
WRONG: Final[Mapping[str, str]] = {
    "wrong_amount": "another amount (`amount`)",
    "wrong_currency": "another currency (`currency`, USD)",
    "wrong_invoice": "another merchantInvoiceNumber (`invoice`)",
    "wrong_payment_id": "another paymentID (`payment_id`)",
    "no_trx_id": "trxID is missing",
    "used_trx_id": "trxID of another payment (`trx_id`, else the first one paid)",
    "status_text": "transactionStatus is `text`",
    "odd_time": "times as GMT+0000",
}
CREATE_FAULTS: Final = {**COMMON, "no_url": "0000 without bkashURL"}
EXECUTE_FAULTS: Final = {
    **COMMON,
    **WRONG,
    "wrong_amount": "another sum is really taken (`amount`), query shows it too",
    "insufficient_balance": "2023",
    "wrong_pin": "2014",
    "duplicate_transaction": "2029",
    "pending": "2127; the money moves after `seconds` (5, null: never)",
}
QUERY_FAULTS: Final = {
    **COMMON,
    **WRONG,
    "initiated": "Initiated, whatever it is",
    "one_spelling": "only merchantInvoice, or only `spelling`",
}
REQUIRED: Final = (
    "mode",
    "payerReference",
    "callbackURL",
    "amount",
    "currency",
    "intent",
    "merchantInvoiceNumber",
)


def body_of(call: Call) -> JsonObject:
    body = call.request.json()
    if body is None:
        refuse("2025")
    return body


def refuse_by(fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "refused" if fault:
            refuse(fault.text("code", "2003"), fault.text("message", ""))
        case "error_code_shape" if fault:
            shape = {"errorCode": fault.text("code", "2003"), "errorMessage": "Process failed"}
            raise Refusal(json_response(shape, int(fault.number("status", 200))))
        case "expired_token":
            records.refuse_at_gate(401, "The incoming token has expired")
        case "invalid_token":
            refuse("2079")


def create(service: Bkash, call: Call) -> Response:
    app_key = check_token(service, call)
    body = body_of(call)
    fault = service.faults.take("create", service.facts(call.request, call.params))
    refuse_by(fault)
    check_create(body)
    payment = Payment(
        payment_id=f"TR0011{secrets.token_hex(12)}",
        app_key=app_key,
        amount=body["amount"],
        currency=body["currency"],
        intent=body["intent"],
        payer_reference=body["payerReference"],
        callback_url=body["callbackURL"],
        invoice=body["merchantInvoiceNumber"],
        created_at=service.clock.now(),
    )
    service.payments[payment.payment_id] = payment
    return good(created(payment, f"{call.base_url}{service.prefix}/pay"), fault)


def check_create(body: JsonObject) -> None:
    for name in REQUIRED:
        if name not in body or body[name] in ("", None):
            refuse("2065")
    if body["mode"] != "0011":  # the modes with agreement exist, but not for this merchant
        refuse("2064" if body["mode"] in ("0000", "0001") else "2063")
    amount = body["amount"]
    if not isinstance(amount, str) or not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", amount):
        refuse("2006")
    if Decimal(amount) <= 0:
        refuse("2006")
    if body["currency"] != "BDT":
        refuse("2007")
    if body["intent"] not in ("sale", "authorization"):
        refuse("2008")
    reference = body["payerReference"]
    if not isinstance(reference, str) or not re.fullmatch(r"[^<>&]{1,255}", reference):
        refuse("2048")
    if not is_web_address(body["callbackURL"]):
        refuse("2049")
    invoice = body["merchantInvoiceNumber"]
    if not isinstance(invoice, str) or not re.fullmatch(r"[A-Za-z0-9-]{1,255}", invoice):
        refuse("2031")


def created(payment: Payment, page: str) -> JsonObject:
    back = {
        status: with_query(
            payment.callback_url, {"paymentID": payment.payment_id, "status": status}
        )
        for status in ("success", "failure", "cancel")
    }
    return {
        "paymentID": payment.payment_id,
        "bkashURL": f"{page}/{payment.payment_id}",
        "callbackURL": payment.callback_url,
        "successCallbackURL": back["success"],
        "failureCallbackURL": back["failure"],
        "cancelledCallbackURL": back["cancel"],
        "amount": payment.amount,
        "intent": payment.intent,
        "currency": payment.currency,
        "paymentCreateTime": stamp(payment.created_at),
        "transactionStatus": payment.status,
        "merchantInvoiceNumber": payment.invoice,
    }


def good(body: JsonObject, fault: Fault | None) -> Response:
    code: str | int = "0000"
    if fault is not None and fault.fault == "number_status_code":
        code = 0
    if fault is not None and fault.fault == "no_url":
        body.pop("bkashURL", None)
    return json_response({"statusCode": code, "statusMessage": MESSAGES["0000"], **body})


def execute(service: Bkash, call: Call) -> Response:
    app_key = check_token(service, call)
    payment = service.payments.get(str(body_of(call).get("paymentID", "")))
    if payment is None or payment.app_key != app_key:
        refuse("2002")
    fault = service.faults.take("execute", payment_facts(payment))
    refuse_by(fault)
    check_execute(service, payment, fault)
    payment.execute_called = True
    if fault and fault.fault == "pending":
        seconds = fault.seconds(5)
        if seconds is not None:
            service.at(seconds, "move", payment_id=payment.payment_id)
        refuse("2127")
    amount = None
    if fault and fault.fault == "wrong_amount":
        amount = fault.text("amount", other_amount(payment.amount))
    service.move(payment, amount)
    body = {
        "paymentID": payment.payment_id,
        "payerReference": payment.payer_reference,
        "customerMsisdn": payment.wallet,
        "trxID": payment.trx_id,
        "amount": payment.charged_amount,
        "transactionStatus": payment.status,
        "paymentExecuteTime": stamp(payment.executed_at),
        "currency": payment.currency,
        "intent": payment.intent,
        "merchantInvoiceNumber": payment.invoice,
    }
    spoil(service, body, payment, fault)
    return good(body, fault)


def check_execute(service: Bkash, payment: Payment, fault: Fault | None) -> None:
    """Refuse unless the payer has confirmed and nobody has executed before."""
    if payment.status in records.MOVED:
        refuse("2062")
    if payment.execute_called:
        refuse("2117")
    if payment.payer == records.CANCELLED:
        refuse("2069")
    if payment.payer != records.CONFIRMED:
        payment.execute_called = True  # from now on this payment answers 2117 for ever
        refuse("2056")
    code = {
        "insufficient_balance": "2023",
        "wrong_pin": "2014",
        "duplicate_transaction": "2029",
    }.get(fault.fault if fault else "")
    if payment.wallet == records.INSUFFICIENT_WALLET:
        code = "2023"
    elif payment.wallet == records.BLOCKED_WALLET:
        code = "2003"
    elif service.paid_lately(payment):
        code = "2029"
    if code:
        payment.execute_called = True
        refuse(code)


def query(service: Bkash, call: Call) -> Response:
    app_key = check_token(service, call)
    payment = service.payments.get(str(body_of(call).get("paymentID", "")))
    if payment is None or payment.app_key != app_key:
        refuse("2002")
    fault = service.faults.take("query", payment_facts(payment))
    refuse_by(fault)
    complete = payment.payer == records.CONFIRMED
    body: JsonObject = {
        "paymentID": payment.payment_id,
        "mode": payment.mode,
        "payerReference": payment.payer_reference,
        "paymentCreateTime": stamp(payment.created_at),
        "amount": payment.charged_amount or payment.amount,
        "currency": payment.currency,
        "intent": payment.intent,
        "merchantInvoice": payment.invoice,
        "merchantInvoiceNumber": payment.invoice,
        "transactionStatus": payment.status,
        "verificationStatus": "Complete" if complete else "Incomplete",
    }
    if payment.status in records.MOVED:
        body["trxID"] = payment.trx_id
        body["customerMsisdn"] = payment.wallet
        body["paymentExecuteTime"] = stamp(payment.executed_at)
    spoil(service, body, payment, fault)
    return good(body, fault)


def spoil(service: Bkash, body: JsonObject, payment: Payment, fault: Fault | None) -> None:
    """Make the answer say something else than the ledger."""
    if fault is None:
        return
    match fault.fault:
        case "wrong_amount":
            body["amount"] = fault.text("amount", other_amount(payment.amount))
        case "wrong_currency":
            body["currency"] = fault.text("currency", "USD")
        case "wrong_invoice":
            for name in body.keys() & {"merchantInvoice", "merchantInvoiceNumber"}:
                body[name] = fault.text("invoice", "NOT-YOURS-1")
        case "wrong_payment_id":
            body["paymentID"] = fault.text("payment_id", "TR0011NOTYOURS")
        case "no_trx_id":
            body.pop("trxID", None)
        case "used_trx_id":
            used = next((p.trx_id for p in service.payments.values() if p.trx_id), "")
            body["trxID"] = fault.text("trx_id", used)
        case "status_text":
            body["transactionStatus"] = fault.text("text", "Unknown")
        case "initiated":
            body["transactionStatus"] = records.INITIATED
            for name in ("trxID", "paymentExecuteTime", "customerMsisdn"):
                body.pop(name, None)
        case "odd_time" | "one_spelling":
            respell(body, payment, fault)


def respell(body: JsonObject, payment: Payment, fault: Fault) -> None:
    if fault.fault == "one_spelling":
        kept = fault.text("spelling", "merchantInvoice")
        for name in {"merchantInvoice", "merchantInvoiceNumber"} - {kept}:
            body.pop(name, None)
        return
    for name, moment in (
        ("paymentCreateTime", payment.created_at),
        ("paymentExecuteTime", payment.executed_at),
    ):
        if name in body:
            body[name] = stamp(moment, greenwich=True)


def other_amount(amount: str) -> str:
    return str(max(Decimal(amount) - 1, Decimal("0.50")))


def search(service: Bkash, call: Call) -> Response:
    check_token(service, call)
    trx_id = str(body_of(call).get("trxID", ""))
    payment = next((p for p in service.payments.values() if p.trx_id == trx_id != ""), None)
    fault = service.faults.take("search", payment_facts(payment) if payment else {})
    refuse_by(fault)
    if payment is None:
        refuse("2033")
    body: JsonObject = {
        "trxID": payment.trx_id,
        "initiationTime": stamp(payment.created_at),
        "completedTime": stamp(payment.executed_at),
        "transactionType": "bKash Tokenized Checkout via API",
        "customerMsisdn": payment.wallet,
        "payerAccount": payment.wallet,
        "transactionStatus": payment.status,
        "amount": payment.charged_amount,
        "currency": payment.currency,
        "organizationShortCode": "50022",
        "maxRefundableAmount": f"{payment.refundable:.2f}",
        "serviceFee": "0.00",
    }
    spoil(service, body, payment, fault)
    return good(body, fault)

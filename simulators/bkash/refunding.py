"""Refund and refund status (one path), and capture and void of authorised payments."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from simulators.frame.http import Call, JsonObject, Response

from . import records
from .paying import COMMON, body_of, good, refuse_by
from .records import Payment, payment_facts, refuse, stamp
from .tokens import check_token

if TYPE_CHECKING:
    from .service import Bkash

TEXT_LIMIT: Final = 255
REFUND_FAULTS: Final = {**COMMON, "wrong_amount": "the answer shows another amount (`amount`)"}


def is_status(body: JsonObject) -> bool:
    """The same path refunds and tells: a body with only the two ids asks."""
    return not body.keys() & {"amount", "sku", "reason"}


def refund(service: Bkash, call: Call) -> Response:
    app_key = check_token(service, call)
    body = body_of(call)
    payment = service.payments.get(str(body.get("paymentID", "")))
    operation = "refund_status" if is_status(body) else "refund"
    fault = service.faults.take(operation, payment_facts(payment) if payment else {})
    refuse_by(fault)
    if payment is None or payment.app_key != app_key:
        refuse("2002")
    if payment.status != records.COMPLETED:
        refuse("2127")
    if body.get("trxID") != payment.trx_id:
        refuse("2077")
    if operation == "refund":
        check_refund(service, payment, body)
        payment.refunds.append(made(service, payment, Decimal(body["amount"])))
    elif not payment.refunds:
        refuse("2033")
    answer = dict(payment.refunds[-1])
    if fault and fault.fault == "wrong_amount":
        answer["amount"] = fault.text("amount", "0.50")
    return good(answer, fault)


def check_refund(service: Bkash, payment: Payment, body: JsonObject) -> None:
    for name in ("amount", "sku", "reason"):
        if body.get(name) in ("", None):
            refuse("2065")
    if len(str(body["sku"])) > TEXT_LIMIT:
        refuse("2075")
    if len(str(body["reason"])) > TEXT_LIMIT:
        refuse("2076")
    amount = body["amount"]
    if not isinstance(amount, str) or not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", amount):
        refuse("2072")
    if Decimal(amount) <= 0:
        refuse("2072")
    if service.clock.now() - payment.executed_at > records.REFUND_WINDOW:
        refuse("2071")
    if payment.refundable <= 0:
        refuse("2034")
    if Decimal(amount) > payment.refundable:
        refuse("2026")


def made(service: Bkash, payment: Payment, amount: Decimal) -> JsonObject:
    return {
        "originalTrxID": payment.trx_id,
        "refundTrxID": secrets.token_hex(5).upper(),
        "transactionStatus": records.COMPLETED,
        "amount": f"{amount:.2f}",
        "currency": payment.currency,
        "charge": "0.00",
        "completedTime": stamp(service.clock.now()),
    }


def capture(service: Bkash, call: Call) -> Response:
    return finish(service, call, void=False)


def void(service: Bkash, call: Call) -> Response:
    return finish(service, call, void=True)


def finish(service: Bkash, call: Call, *, void: bool) -> Response:
    """Take or give back what an execute with intent ``authorization`` has reserved."""
    app_key = check_token(service, call)
    payment = service.payments.get(str(body_of(call).get("paymentID", "")))
    if payment is None or payment.app_key != app_key:
        refuse("2002")
    fault = service.faults.take("void" if void else "capture", payment_facts(payment))
    refuse_by(fault)
    if payment.status != records.AUTHORIZED or payment.voided:
        refuse("2080")
    if void:
        payment.voided = True
    else:
        payment.status = records.COMPLETED
        payment.charges += 1
    answer = {
        "paymentID": payment.payment_id,
        "trxID": payment.trx_id,
        "transactionStatus": "Voided" if void else payment.status,
        "amount": payment.charged_amount,
        "currency": payment.currency,
        "merchantInvoiceNumber": payment.invoice,
    }
    return good(answer, fault)

"""Search, refund and the status of a refund.

Chosen here: a sum above what was paid is 2026, one above what is left of it 2072; a payment
given back in full, or ``max_refunds`` times, is 2034; the status is that of the last refund.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Response

from .answers import COMMON_FAULTS, answer, refuse
from .creating import LONG, body_of, read_amount
from .records import COMPLETED, Payment, Refund, code, other_amount

if TYPE_CHECKING:
    from .service import Bkash

DAY: Final = 24 * 3600.0
SEARCH_FAULTS: Final[Mapping[str, str]] = {
    **COMMON_FAULTS,
    "not_found": "2033",
    "wrong_amount": "another amount (`amount`)",
    "status_text": "transactionStatus is `text` (Processing)",
}
REFUND_FAULTS: Final[Mapping[str, str]] = {
    **COMMON_FAULTS,
    "declined": "2023, the merchant's own balance does not suffice",
    "pending": "answered `code` (2127), given back after `seconds` (5, null: never)",
    "moved_but_refused": "given back, but the answer is `code` (2003)",
    "wrong_amount": "the answer names another amount (`amount`)",
    "no_trx_id": "the answer has no refundTrxID",
    "status_text": "transactionStatus is `text` (Processing)",
}


def search(service: Bkash, call: Call) -> Response:
    app_key, fault = service.enter(call, "search")
    trx_id = body_of(call.request).get("trxID")
    if not trx_id:
        refuse("2065")
    payment = service.by_transaction(str(trx_id))
    if fault and fault.fault == "not_found":
        refuse("2033")
    if payment is None or payment.app_key != app_key:
        refuse("2033")
    members: JsonObject = {
        "trxID": payment.trx_id,
        "transactionType": "bKash Tokenized Checkout via API",
        "customerMsisdn": payment.wallet,
        "payerAccount": payment.wallet,
        "transactionStatus": payment.status,
        "amount": payment.paid_amount,
        "currency": payment.currency,
        "organizationShortCode": "50022",
        "maxRefundableAmount": str(left_of(service, payment)),
        "serviceFee": "0",
    }
    spoil(members, fault, "trxID")
    times = {"initiationTime": payment.created_at, "completedTime": payment.executed_at}
    return answer(members, times, fault)


def refund(service: Bkash, call: Call) -> Response:
    """A refund, or with nothing but the two ids the status of one."""
    app_key, fault = service.enter(call, "refund")
    data = body_of(call.request)
    if not data.get("paymentID") or not data.get("trxID"):
        refuse("2065")
    payment = service.payments.get(str(data["paymentID"]))
    if payment is None or payment.app_key != app_key:
        refuse("2002")
    if not payment.done or payment.trx_id != data["trxID"]:
        refuse("2077")
    if not {"amount", "sku", "reason"} & data.keys():
        made = of_payment(service, payment)
        if not made:
            refuse("2033")
        return report(payment, made[-1], fault)
    return give_back(service, payment, data, fault)


def give_back(
    service: Bkash, payment: Payment, data: JsonObject, fault: Fault | None
) -> Response:
    amount = check(service, payment, data)
    wish = {"amount": amount, "sku": str(data["sku"]), "reason": str(data["reason"])}
    match fault.fault if fault else "":
        case "declined":
            refuse("2023")
        case "pending" if fault:
            seconds = fault.seconds(5)
            if seconds is not None:
                service.at(seconds, "refund", payment_id=payment.payment_id, **wish)
            refuse(fault.text("code", "2127"))
    made = book(service, payment, **wish)
    if fault and fault.fault == "moved_but_refused":
        refuse(fault.text("code", "2003"))
    return report(payment, made, fault)


def check(service: Bkash, payment: Payment, data: JsonObject) -> str:
    """The amount to give back; refuses what cannot be done."""
    if any(data.get(name) in (None, "") for name in ("amount", "sku", "reason")):
        refuse("2065")
    amount = read_amount(data["amount"])
    if amount is None:
        refuse("2072")
    refusals = {
        "2075": len(str(data["sku"])) > LONG,
        "2076": len(str(data["reason"])) > LONG,
        "2071": service.clock.now() - payment.executed_at > service.settings["refund_days"] * DAY,
        "2026": Decimal(amount) > Decimal(payment.paid_amount),
        "2034": not left_of(service, payment)
        or len(of_payment(service, payment)) >= service.settings["max_refunds"],
        "2072": Decimal(amount) > left_of(service, payment),
    }
    for status_code, holds in refusals.items():
        if holds:
            refuse(status_code)
    return amount


def book(service: Bkash, payment: Payment, *, amount: str, sku: str, reason: str) -> Refund:
    made = Refund(
        trx_id=code(10),
        payment_id=payment.payment_id,
        original_trx_id=payment.trx_id,
        amount=amount,
        sku=sku,
        reason=reason,
        at=service.clock.now(),
    )
    service.refunds.append(made)
    return made


def report(payment: Payment, made: Refund, fault: Fault | None) -> Response:
    members: JsonObject = {
        "originalTrxID": made.original_trx_id,
        "refundTrxID": made.trx_id,
        "transactionStatus": COMPLETED,
        "amount": made.amount,
        "currency": payment.currency,
        "charge": "0.00",
    }
    spoil(members, fault, "refundTrxID")
    return answer(members, {"completedTime": made.at}, fault)


def spoil(members: JsonObject, fault: Fault | None, id_name: str) -> None:
    match fault.fault if fault else "":
        case "wrong_amount" if fault:
            members["amount"] = fault.text("amount", other_amount(members["amount"]))
        case "no_trx_id":
            del members[id_name]
        case "status_text" if fault:
            members["transactionStatus"] = fault.text("text", "Processing")


def of_payment(service: Bkash, payment: Payment) -> list[Refund]:
    return [made for made in service.refunds if made.payment_id == payment.payment_id]


def left_of(service: Bkash, payment: Payment) -> Decimal:
    given = sum((Decimal(made.amount) for made in of_payment(service, payment)), Decimal(0))
    return Decimal(payment.paid_amount or "0") - given

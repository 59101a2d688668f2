"""Purchase cancel: giving a payment back, whole or in part."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from simulators.frame.clock import dhaka, dhaka_text
from simulators.frame.http import Call, JsonObject, Response

from . import records
from .paying import as_amount, body_of, check_headers, check_merchant
from .records import Payment, payment_facts, refuse
from .sealing import COMMON, FORGERIES, check_members, opened, refuse_by, sealed

if TYPE_CHECKING:
    from .service import Nagad

MEMBERS: Final = (
    "merchantId",
    "originalRequestDate",
    "originalAmount",
    "cancelAmount",
    "referenceNo",
    "referenceMessage",
)
REFUND_FAULTS: Final = {
    **COMMON,
    **FORGERIES,
    "status_text": "done, but the answer's status is `text` (InProgress), without cancelTrxId",
    "wrong_amount": "the answer shows another cancelAmount (`amount`)",
}


def cancel(service: Nagad, call: Call) -> Response:
    check_headers(call.request)
    payment = service.payments.get(call.request.query.get("paymentRefId", ""))
    if payment is None:
        refuse("InvalidReferenceId")
    if call.request.query.get("orderId", payment.order_id) != payment.order_id:
        refuse("InvalidOrderId")
    check_merchant(service, payment.merchant_id)
    fault = service.faults.take("refund", payment_facts(payment))
    refuse_by(fault)
    body = body_of(call.request)
    value = opened(
        service, payment.merchant_id, body.get("sensitiveDataCancelRequest"), body.get("signature")
    )
    check_members(value, MEMBERS, "orderId")
    check_cancel(payment, value)
    refund = give_back(service, payment, Decimal(value["cancelAmount"]), value["referenceNo"])
    answer = {
        "status": payment.status,
        "code": "000",
        "originalAmount": payment.paid_amount,
        "cancelAmount": refund["cancelAmount"],
        "cancelTrxId": refund["cancelTrxId"],
    }
    if fault and fault.fault == "status_text":
        answer["status"] = fault.text("text", records.IN_PROGRESS)
        del answer["cancelTrxId"]
    elif fault and fault.fault == "wrong_amount":
        answer["cancelAmount"] = fault.text("amount", "0.50")
    return sealed(service, payment.merchant_id, answer, fault)


def check_cancel(payment: Payment, value: JsonObject) -> None:
    if value["merchantId"] != payment.merchant_id:
        refuse("InvalidMerchant")
    if value.get("orderId", payment.order_id) != payment.order_id:
        refuse("InvalidOrderId")
    if payment.refundable <= 0:
        refuse("InvalidPurchaseInformation", "There is nothing to give back.")
    if value["originalRequestDate"] != f"{dhaka(payment.decided_at):%Y%m%d}":
        refuse("InvalidPurchaseInformation", "originalRequestDate is not the day of the payment.")
    if as_amount(value["originalAmount"]) != Decimal(payment.paid_amount):
        refuse("InvalidPurchaseInformation", "originalAmount is not what was paid.")
    wanted = as_amount(value["cancelAmount"])
    if wanted is None or wanted > payment.refundable:
        refuse("InvalidPurchaseInformation", "cancelAmount is more than is left.")


def give_back(service: Nagad, payment: Payment, amount: Decimal, number: str) -> JsonObject:
    """The payer's wallet is credited; the only place where that happens."""
    refund = {
        "cancelTrxId": secrets.token_hex(4).upper(),
        "cancelAmount": f"{amount:.2f}",
        "referenceNo": number,
        "at": f"{dhaka_text(service.clock.now())}.0",
    }
    payment.refunds.append(refund)
    words: dict[str, str] = service.settings["refund_words"]
    payment.status = words["whole" if payment.refundable == 0 else "part"]
    return refund

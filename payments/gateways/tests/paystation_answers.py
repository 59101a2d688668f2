"""What PayStation answers, and the adapter under test; names as on contract page paystation."""

from dataclasses import replace
from typing import Any, Final

import responses

from core.http import Outbound
from payments.gateways.base import Verdict
from payments.gateways.paystation import PayStationGateway
from payments.gateways.tests.canned import REFERENCE, known

BASE: Final = "https://api.paystation.test"
OPEN: Final = f"{BASE}/initiate-payment"
STATUS: Final = f"{BASE}/transaction-status"
PAGE: Final = "https://www.paystation.com.bd/pay/1747206891"


def opened(**changes: object) -> dict[str, Any]:
    body = {
        "status_code": "200",
        "status": "success",
        "message": "Payment Link Created Successfully.",
        "payment_amount": "1500",
        "invoice_number": REFERENCE,
        "payment_url": PAGE,
    }
    return {"json": body | changes}


def refused(code: object, message: str = "No.") -> dict[str, Any]:
    return {"json": {"status_code": code, "status": "failed", "message": message}}


def found(*, code: object = "200", **changes: object) -> dict[str, Any]:
    """A status answer; a member given as None is left out."""
    data: dict[str, object] = {
        "invoice_number": REFERENCE,
        "trx_status": "Success",
        "trx_id": "10XB9900",
        "payment_amount": "1500.00",
        "payment_method": "bKash",
        "order_date_time": "2026-04-27 20:00:00",
        "payer_mobile_no": "01712345678",
        "cust_phone": "01712345678",
    }
    data = {name: value for name, value in (data | changes).items() if value is not None}
    envelope = {"status_code": code, "status": "success", "message": "Transaction found"}
    return {"json": {**envelope, "data": data}}


OPENING: Final = {
    "opened": opened(),
    "refused": refused("1008", "Invoice number already used"),
    "bad_credentials": refused("1001", "Invalid Credential."),
}
VERIFYING: Final = {
    "paid": found(),
    "paid_wrong_sum": found(payment_amount="15.00"),
    "paid_without_transaction": found(trx_id=None),
    "not_paid_yet": found(trx_status="Processing", trx_id=None),
    "given_up": found(trx_status="Canceled", trx_id=None),
    "foreign": found(invoice_number="BDV-48213378-1"),
    "unknown_status": found(trx_status="Reversing"),
    "bad_credentials": refused("1001", "Invalid Credential."),
}


def gateway(**changes: Any) -> PayStationGateway:
    made = PayStationGateway(
        out=Outbound("paystation"),
        base_url=BASE,
        merchant_id="104-1653730183",
        password="very-secret-password",
        page_host="paystation.com.bd",
        pay_with_charge="0",
    )
    return replace(made, **changes)


def verify_with(wire: responses.RequestsMock, answer: dict[str, Any], **changes: Any) -> Verdict:
    wire.post(STATUS, **answer)
    return gateway(**changes).verify(known(REFERENCE))

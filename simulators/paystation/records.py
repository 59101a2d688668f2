"""What PayStation remembers of a payment, and the names it gives to its states."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

INITIATED: Final = "initiated"
PROCESSING: Final = "processing"
SUCCESS: Final = "success"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"
REFUND: Final = "refund"

OPEN: Final = frozenset({INITIATED, PROCESSING})

#: Spelling of the browser return; "Canceled" has one l.
RETURN_STATUS: Final = {SUCCESS: "Successful", FAILED: "Failed", CANCELLED: "Canceled"}
BUTTONS: Final = {"pay": SUCCESS, "fail": FAILED, "cancel": CANCELLED}
METHODS: Final = ("bKash", "Nagad", "Rocket", "Upay", "Visa", "Mastercard")


@dataclass
class Payment:
    link: str
    merchant_id: str
    invoice_number: str
    request_amount: str
    callback_url: str
    created_at: float
    reference: str = ""
    cust_name: str = ""
    cust_phone: str = ""
    cust_email: str = ""
    cust_address: str = ""
    checkout_items: str = ""
    pay_with_charge: str = ""
    opt_a: str = ""
    opt_b: str = ""
    opt_c: str = ""
    emi: str = ""
    state: str = INITIATED
    trx_id: str = ""
    payment_method: str = ""
    payer_mobile_no: str = ""
    paid_amount: str = ""  # what the customer's wallet was charged, fee included
    changed_at: float = 0.0
    charges: int = 0


def plus_fee(amount: str, percent: str) -> str:
    total = Decimal(amount) * (1 + Decimal(percent) / 100)
    return str(total.quantize(Decimal("0.01")))


def payment_facts(payment: Payment) -> dict[str, str]:
    """What a fault's ``match`` may name."""
    return {
        "reference": payment.invoice_number,
        "invoice_number": payment.invoice_number,
        "amount": payment.request_amount,
        "trx_id": payment.trx_id,
    }

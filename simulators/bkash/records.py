"""What bKash remembers of payments and refunds, and the payers it knows."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

INITIATED: Final = "Initiated"
COMPLETED: Final = "Completed"
AUTHORIZED: Final = "Authorized"
DONE: Final = frozenset({COMPLETED, AUTHORIZED})

#: What the payer did on the hosted page, as the browser return says it.
SUCCESS: Final = "success"
FAILURE: Final = "failure"
CANCEL: Final = "cancel"
BUTTONS: Final = {"pay": SUCCESS, "fail": FAILURE, "cancel": CANCEL}

SANDBOX_WALLET: Final = "01770618575"
SANDBOX_OTP: Final = "123456"
SANDBOX_PIN: Final = "12121"
POOR_WALLET: Final = "01823074817"
BLOCKED_WALLET: Final = "01823074818"
PIN_TRIES: Final = 3

_LETTERS: Final = string.ascii_uppercase + string.digits


@dataclass
class Payment:
    payment_id: str
    link: str
    app_key: str
    mode: str
    payer_reference: str
    callback_url: str
    amount: str
    currency: str
    intent: str
    invoice: str
    created_at: float
    status: str = INITIATED
    payer: str = ""  # success (PIN entered), failure or cancel; empty while the page is open
    wallet: str = ""
    wrong_pins: int = 0
    execute_called: bool = False
    waiting: bool = False  # execute was accepted, the money is still on its way
    trx_id: str = ""
    executed_at: float = 0.0
    paid_amount: str = ""  # what the payer's wallet was charged
    charges: int = 0

    @property
    def verified(self) -> bool:
        return self.payer == SUCCESS

    @property
    def done(self) -> bool:
        return self.status in DONE


@dataclass
class Refund:
    trx_id: str
    payment_id: str
    original_trx_id: str
    amount: str
    sku: str
    reason: str
    at: float


def code(length: int) -> str:
    """An identifier as bKash makes them: capitals and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def payment_facts(payment: Payment) -> dict[str, str]:
    """What a fault's ``match`` may name."""
    return {
        "reference": payment.invoice,
        "invoice": payment.invoice,
        "payment_id": payment.payment_id,
        "payer_reference": payment.payer_reference,
        "amount": payment.amount,
        "wallet": payment.wallet,
        "trx_id": payment.trx_id,
    }


def other_amount(amount: str) -> str:
    return str(max(Decimal(amount) - 1, Decimal("0.5")))

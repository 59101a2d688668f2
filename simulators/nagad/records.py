"""What Nagad remembers of a payment, the names of its states, and its refusals."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NoReturn

from simulators.frame.clock import dhaka
from simulators.frame.http import JsonObject, Refusal, html_response, json_response

INITIATED: Final = "OrderInitiated"
READY: Final = "Ready"
IN_PROGRESS: Final = "InProgress"
OTP_SENT: Final = "OtpSent"
PIN_GIVEN: Final = "PinGiven"
TRANSACTION: Final = "TransactionInProgress"
SUCCESS: Final = "Success"
FAILED: Final = "Failed"
ABORTED: Final = "Aborted"
CANCELLED: Final = "Cancelled"
PART_CANCELLED: Final = "PartialCancelled"
"""As ``Cancelled`` after a success: given back. Before one, the payer has cancelled."""

#: The payer may still press a button.
OPEN: Final = frozenset({READY, IN_PROGRESS, OTP_SENT})

DONE: Final = ("00_0000_000", "Successful Transaction")
CODES: Final = {
    SUCCESS: DONE,
    FAILED: ("50_0011_020", "Transaction failed."),
    ABORTED: ("50_0005_001", "Aborted by the customer."),
    CANCELLED: ("50_0005_002", "Cancelled by the customer."),
}
OVER_LIMIT: Final = ("50_0026_851", "E Com Trx Failed. Transaction over limit.")
WRONG_PIN: Final = ("50_0004_010", "Wrong PIN.")

#: `reason` and `message`. The literal texts of the real gateway are not public; these are ours.
REASONS: Final = {
    "InvalidMerchant": "The merchant is not known.",
    "InactiveMerchant": "The merchant is not active.",
    "DecryptionError": "The sensitive data cannot be decrypted.",
    "SignatureVerificationFailed": "The signature does not match.",
    "InvalidApiRequest": "A header or a member is missing or malformed.",
    "InvalidOrderId": "The order id must have up to 20 letters and digits.",
    "DuplicateOrderId": "The order id was used before.",
    "InvalidPurchaseInformation": "The purchase information is not right.",
    "InvalidReferenceId": "The payment reference is not known.",
    "InvalidCurrency": "The currency must be 050.",
    "ServerError": "Please try again later.",
}


@dataclass
class Payment:
    reference: str
    merchant_id: str
    order_id: str
    challenge: str
    created_at: float
    amount: str = ""
    callback_url: str = ""
    info: JsonObject | None = None
    status: str = INITIATED
    wallet: str = ""
    wrong_pins: int = 0
    paid_amount: str = ""
    issuer_ref: str = ""
    code: str = ""
    message: str = ""
    decided_at: float = 0.0
    charges: int = 0
    refunds: list[JsonObject] = field(default_factory=list)

    @property
    def paid(self) -> bool:
        """Whether the money has moved, whatever became of it later."""
        return self.charges > 0

    @property
    def refunded(self) -> Decimal:
        return sum((Decimal(refund["cancelAmount"]) for refund in self.refunds), Decimal(0))

    @property
    def refundable(self) -> Decimal:
        return Decimal(self.paid_amount or 0) - self.refunded


def new_reference(moment: float, merchant_id: str, order_id: str) -> str:
    """Base64 of time, merchant, order and chance; its length makes it end in `=`."""
    text = f"{dhaka(moment):%m%d%H%M%S}.{merchant_id}.{order_id}.{secrets.token_hex(6)}"
    while len(text) % 3 != 1:
        text += secrets.choice("0123456789abcdef")
    return base64.b64encode(text.encode()).decode()


def payment_facts(payment: Payment) -> dict[str, str]:
    """What a fault's ``match`` may name."""
    return {
        "reference": payment.order_id,
        "order_id": payment.order_id,
        "payment_ref_id": payment.reference,
        "amount": payment.amount,
    }


def stamp(moment: float) -> str:
    return f"{dhaka(moment):%Y%m%d%H%M%S}"


def refuse(reason: str, message: str = "", status: int = 400) -> NoReturn:
    text = message or REASONS.get(reason, "Request refused.")
    raise Refusal(json_response({"reason": reason, "message": text}, status))


def firewall() -> NoReturn:
    """The web firewall in front of it all: the caller's address is not on its list."""
    number = secrets.randbelow(10**18)
    raise Refusal(
        html_response(
            "<html><head><title>Request Rejected</title></head><body>The requested URL was "
            "rejected. Please consult with your administrator.<br><br>"
            f"Your support ID is: {number}</body></html>"
        )
    )

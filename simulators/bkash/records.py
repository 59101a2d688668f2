"""What bKash remembers, and the shapes and codes of its answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NoReturn

from simulators.frame.clock import dhaka, utc
from simulators.frame.http import JsonObject, Refusal, json_response

INITIATED: Final = "Initiated"
COMPLETED: Final = "Completed"
AUTHORIZED: Final = "Authorized"
MOVED: Final = frozenset({COMPLETED, AUTHORIZED})

#: What the payer did on the page.
OPEN, CONFIRMED, FAILED, CANCELLED = "open", "confirmed", "failed", "cancelled"

INSUFFICIENT_WALLET: Final = "01823074817"
BLOCKED_WALLET: Final = "01823074818"
REFUND_WINDOW: Final = 15 * 24 * 3600

MESSAGES: Final = {
    "0000": "Successful",
    "2001": "Invalid App Key",
    "2002": "Invalid Payment ID",
    "2003": "Process failed",
    "2006": "Invalid amount",
    "2007": "Invalid currency",
    "2008": "Invalid intent",
    "2014": "Wrong PIN",
    "2023": "Insufficient Balance",
    "2025": "Invalid request body",
    "2026": "Reversal amount cannot be greater than the original transaction amount",
    "2029": "Duplicate for all transactions",
    "2031": "Invalid merchant invoice number",
    "2033": "Transaction not found",
    "2034": "The original transaction has been reversed already",
    "2043": "Invalid credential",
    "2048": "Invalid payer reference",
    "2049": "Invalid merchant callback URL",
    "2056": "Invalid Payment State",
    "2062": "The payment has already been completed",
    "2063": "Invalid mode",
    "2064": "Product mode unavailable",
    "2065": "Mandatory field missing",
    "2069": "The payment has already been cancelled",
    "2071": "Refund window has passed",
    "2072": "Invalid refund amount",
    "2075": "SKU is too long",
    "2076": "Reason is too long",
    "2077": "Invalid trxID",
    "2079": "Invalid app token",
    "2080": "Operation not permitted in this state",
    "2117": "Payment execution already been called before",
    "2127": "Transaction is not yet completed",
    "503": "System is undergoing maintenance. Please try again later",
}


@dataclass
class Payment:
    payment_id: str
    app_key: str
    amount: str
    currency: str
    intent: str
    payer_reference: str
    callback_url: str
    invoice: str
    created_at: float
    mode: str = "0011"
    payer: str = OPEN
    wallet: str = ""
    wrong_pins: int = 0
    status: str = INITIATED
    execute_called: bool = False
    executed_at: float = 0.0
    trx_id: str = ""
    charged_amount: str = ""
    charges: int = 0
    voided: bool = False
    refunds: list[JsonObject] = field(default_factory=list)

    @property
    def refunded(self) -> Decimal:
        return sum((Decimal(refund["amount"]) for refund in self.refunds), Decimal(0))

    @property
    def refundable(self) -> Decimal:
        return Decimal(self.charged_amount or 0) - self.refunded


def payment_facts(payment: Payment) -> dict[str, str]:
    """What a fault's ``match`` may name."""
    return {
        "reference": payment.invoice,
        "invoice": payment.invoice,
        "payment_id": payment.payment_id,
        "amount": payment.amount,
        "trx_id": payment.trx_id,
    }


def stamp(moment: float, *, greenwich: bool = False) -> str:
    """bKash's own time format: milliseconds after a colon, the zone as text."""
    when = utc(moment) if greenwich else dhaka(moment)
    zone = "GMT+0000" if greenwich else "GMT+0600"
    return f"{when:%Y-%m-%dT%H:%M:%S}:{when.microsecond // 1000:03d} {zone}"


def refuse(code: str, message: str = "") -> NoReturn:
    """A business refusal: HTTP 200, code and message."""
    text = message or MESSAGES.get(code, "Request refused")
    raise Refusal(json_response({"statusCode": code, "statusMessage": text}))


def refuse_at_gate(status: int, message: str) -> NoReturn:
    """The gateway in front of the product speaks another shape."""
    raise Refusal(json_response({"message": message}, status))

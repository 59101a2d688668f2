"""What SSLCommerz remembers of a session, its tries to pay and its refunds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

OPEN: Final = "open"
PAID: Final = "paid"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
UNATTEMPTED: Final = "unattempted"
EXPIRED: Final = "expired"

#: Words of a try to pay, as validation and queries spell them.
VALID: Final = "VALID"
VALIDATED: Final = "VALIDATED"
PENDING: Final = "PENDING"
NOT_PAID: Final = "FAILED"
MONEY: Final = frozenset({VALID, VALIDATED})

PROCESSING: Final = "processing"
REFUNDED: Final = "refunded"
REFUND_CANCELLED: Final = "cancelled"

#: Spelling of the posts, with the reasons seen.
POSTED: Final[Mapping[str, tuple[str, str]]] = {
    PAID: ("VALID", ""),
    FAILED: ("FAILED", "Invalid expiration date"),
    CANCELLED: ("CANCELLED", "Cancelled by User"),
    UNATTEMPTED: ("UNATTEMPTED", "Customer did not choose to pay any channel"),
    EXPIRED: ("EXPIRED", "Session expired"),
}
#: Taka for one unit of another currency.
RATES: Final[Mapping[str, Decimal]] = {
    "BDT": Decimal("1.0000"),
    "USD": Decimal("121.5000"),
    "EUR": Decimal("132.2500"),
}
#: What the page offers, with the fields each leaves behind: card_type, brand, masked number.
METHODS: Final[Mapping[str, tuple[str, str, str]]] = {
    "Visa": ("VISA-Dutch Bangla", "VISA", "432149XXXXXX0667"),
    "Mastercard": ("MASTERCARD-Dutch Bangla", "MASTERCARD", "512345XXXXXX0008"),
    "bKash": ("BKASH-BKash", "MOBILEBANKING", "017XXXXXX78"),
    "Nagad": ("NAGAD-Nagad", "MOBILEBANKING", "017XXXXXX78"),
}


@dataclass
class Refund:
    refund_ref_id: str
    refund_trans_id: str
    amount: str
    remarks: str
    initiated_on: str
    status: str = PROCESSING
    refunded_on: str = ""


@dataclass
class Attempt:
    """One try to pay; there may be several under one `tran_id`."""

    status: str
    tran_date: str
    bank_tran_id: str
    amount: str  # taka
    currency: str = "BDT"
    val_id: str = ""
    method: str = "Visa"
    error: str = ""
    risk_level: str = "0"
    validated_on: str = ""
    refunds: list[Refund] = field(default_factory=list)

    @property
    def paid(self) -> bool:
        return self.status in MONEY

    @property
    def refundable(self) -> Decimal:
        given = (Decimal(r.amount) for r in self.refunds if r.status != REFUND_CANCELLED)
        return Decimal(self.amount) - sum(given, Decimal(0))


@dataclass
class Session:
    sessionkey: str
    store_id: str
    tran_id: str
    total_amount: str  # as asked for, in `currency`
    currency: str
    amount: str  # in taka
    success_url: str
    fail_url: str
    cancel_url: str
    created_at: float
    ipn_url: str = ""
    cus_name: str = ""
    method: str = "Visa"  # what the payer picked last
    values: dict[str, str] = field(default_factory=dict)
    state: str = OPEN
    busy: bool = False  # the payer has pressed, the bank is at work
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def charges(self) -> int:
        return sum(attempt.paid for attempt in self.attempts)

    @property
    def last(self) -> Attempt | None:
        """The try that tells what the session came to: a paid one before any other."""
        paid = [attempt for attempt in self.attempts if attempt.paid]
        tries = paid or self.attempts
        return tries[-1] if tries else None

    @classmethod
    def load(cls, row: dict[str, Any]) -> Session:
        attempts = [
            Attempt(**{**each, "refunds": [Refund(**refund) for refund in each["refunds"]]})
            for each in row["attempts"]
        ]
        return cls(**{**row, "attempts": attempts})


def session_facts(session: Session) -> dict[str, str]:
    """What a fault's ``match`` may name."""
    last = session.last
    return {
        "reference": session.tran_id,
        "tran_id": session.tran_id,
        "amount": session.total_amount,
        "sessionkey": session.sessionkey,
        "val_id": last.val_id if last else "",
        "bank_tran_id": last.bank_tran_id if last else "",
    }

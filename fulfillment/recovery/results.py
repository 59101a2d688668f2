"""What a recovery call says of itself: read from the attempt, never claimed ahead of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fulfillment.models import FulfillmentAttempt
from fulfillment.states import AttemptStatus

WELL = frozenset({AttemptStatus.DISPATCHED, AttemptStatus.SUCCESS})


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    success: bool
    message: str
    attempt_id: int
    correlation_id: str
    status: str
    email_sent: bool
    error_message: str


@dataclass(frozen=True, slots=True)
class RowResult:
    """One item of `manual-codes` (D46)."""

    order_item_id: int
    success: bool
    status: str | None
    attempt_id: int | None
    message: str
    error: str | None


@dataclass(frozen=True, slots=True)
class OrderResult:
    success: bool
    message: str
    correlation_id: str
    status: str
    email_sent: bool
    rows: Sequence[RowResult]


def result_of(attempt: FulfillmentAttempt, *, done: str, not_mailed: str) -> RecoveryResult:
    """The attempt as it now stands, in the words of the seed."""
    attempt.refresh_from_db()
    status = AttemptStatus(attempt.status)
    messages = {
        AttemptStatus.DISPATCHED: done,
        AttemptStatus.SUCCESS: done,
        AttemptStatus.DISPATCH_FAILED: not_mailed,
        AttemptStatus.PARTNER_FAILED: f"Partner responded with status {_word(attempt)}",
        AttemptStatus.FAILED: "Unexpected error; nothing was delivered",
        AttemptStatus.IN_PROGRESS: "Still in progress; it goes on and ends in the audit trail",
    }
    return RecoveryResult(
        success=status in WELL,
        message=messages[status],
        attempt_id=attempt.pk,
        correlation_id=attempt.correlation_id,
        status=status,
        email_sent=status in WELL,
        error_message=attempt.error_message,
    )


def _word(attempt: FulfillmentAttempt) -> str:
    return str(attempt.partner_response.get("status") or "FAILED")

"""What an attempt and a partner purchase may become (seed Fulfillment Recovery; D37)."""

from collections.abc import Mapping
from typing import Final

from django.db import models


class AttemptType(models.TextChoices):
    AUTO = "AUTO", "Automatic"
    MANUAL_CODE_INPUT = "MANUAL_CODE_INPUT", "Codes entered"
    PARTNER_RETRY = "PARTNER_RETRY", "Partner retry"
    RESEND_EMAIL = "RESEND_EMAIL", "Mail sent again"


class AttemptStatus(models.TextChoices):
    IN_PROGRESS = "IN_PROGRESS", "In progress"
    SUCCESS = "SUCCESS", "Success"
    DISPATCHED = "DISPATCHED", "Dispatched"
    DISPATCH_FAILED = "DISPATCH_FAILED", "Codes saved, mail failed"
    PARTNER_FAILED = "PARTNER_FAILED", "Partner gave no code"
    FAILED = "FAILED", "Unexpected error"


A = AttemptStatus
ENDED: Final = frozenset(A) - {A.IN_PROGRESS}

ATTEMPT_ARROWS: Final[Mapping[AttemptStatus, frozenset[AttemptStatus]]] = {
    A.IN_PROGRESS: frozenset(ENDED),
    **{status: frozenset() for status in ENDED},  # a new try is a new row
}

#: How an attempt of each type ends when all went well (D9).
WELL_ENDED: Final[Mapping[AttemptType, AttemptStatus]] = {
    AttemptType.AUTO: A.SUCCESS,
    AttemptType.RESEND_EMAIL: A.SUCCESS,
    AttemptType.MANUAL_CODE_INPUT: A.DISPATCHED,
    AttemptType.PARTNER_RETRY: A.DISPATCHED,
}


class PurchaseStatus(models.TextChoices):
    SENT = "SENT", "Sent"
    PENDING = "PENDING", "At work at the partner"
    UNKNOWN = "UNKNOWN", "Outcome unknown"
    SUCCEEDED = "SUCCEEDED", "Delivered"
    FAILED = "FAILED", "Proven not bought"


P = PurchaseStatus

PURCHASE_ARROWS: Final[Mapping[PurchaseStatus, frozenset[PurchaseStatus]]] = {
    P.SENT: frozenset({P.PENDING, P.SUCCEEDED, P.FAILED, P.UNKNOWN}),
    # the same reference may be sent again once the partner proves not to know it (D18)
    P.PENDING: frozenset({P.SUCCEEDED, P.FAILED, P.UNKNOWN}),
    P.UNKNOWN: frozenset({P.SUCCEEDED, P.FAILED, P.PENDING, P.SENT}),
    P.SUCCEEDED: frozenset(),
    P.FAILED: frozenset(),
}

#: The partner may still deliver: no other source, no retry for that unit (D18).
UNDER_WAY: Final = frozenset({P.SENT, P.PENDING, P.UNKNOWN})

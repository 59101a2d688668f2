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


class RunAction(models.TextChoices):
    """What a recovery run does to each of its orders."""

    PARTNER_RETRY = "partner_retry", "Retry with the partner"
    RESEND_EMAIL = "resend_email", "Send the voucher mail again"


class RunStatus(models.TextChoices):
    PLANNED = "PLANNED", "Planned"
    RUNNING = "RUNNING", "Running"
    PAUSED = "PAUSED", "Paused"
    STOPPED = "STOPPED", "Stopped"
    DONE = "DONE", "Done"


R = RunStatus

RUN_ARROWS: Final[Mapping[RunStatus, frozenset[RunStatus]]] = {
    R.PLANNED: frozenset({R.RUNNING, R.STOPPED}),
    R.RUNNING: frozenset({R.PAUSED, R.STOPPED, R.DONE}),
    R.PAUSED: frozenset({R.RUNNING, R.STOPPED}),
    R.STOPPED: frozenset(),
    R.DONE: frozenset(),
}


class RowStatus(models.TextChoices):
    """One line of a run. What is under way outlives a stop: it ends as its attempt ends."""

    WAITING = "WAITING", "Waiting"
    WORKING = "WORKING", "At work"
    FOLLOWED = "FOLLOWED", "Goes on in the background"
    DELIVERED = "DELIVERED", "Delivered"
    FAILED = "FAILED", "Not delivered"
    SKIPPED = "SKIPPED", "Left alone"


W = RowStatus

ROW_ARROWS: Final[Mapping[RowStatus, frozenset[RowStatus]]] = {
    W.WAITING: frozenset({W.WORKING, W.SKIPPED}),
    # back to WAITING: the worker died before it had begun anything
    W.WORKING: frozenset({W.DELIVERED, W.FAILED, W.SKIPPED, W.FOLLOWED, W.WAITING}),
    W.FOLLOWED: frozenset({W.DELIVERED, W.FAILED}),
    W.DELIVERED: frozenset(),
    W.FAILED: frozenset(),
    W.SKIPPED: frozenset(),
}

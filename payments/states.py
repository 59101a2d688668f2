"""What a payment may become (architecture 5; D15, D43)."""

from collections.abc import Mapping
from typing import Final

from django.db import models

from orders.states import POINTS_METHOD


class PaymentStatus(models.TextChoices):
    INITIATED = "INITIATED", "Session being opened"
    PENDING = "PENDING", "Waiting for the customer"
    AUTHORIZED = "AUTHORIZED", "Authorised by the carrier"
    SUCCEEDED = "SUCCEEDED", "Paid"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH", "Paid a wrong sum"


P = PaymentStatus

ARROWS: Final[Mapping[PaymentStatus, frozenset[PaymentStatus]]] = {
    P.INITIATED: frozenset(
        {P.PENDING, P.AUTHORIZED, P.SUCCEEDED, P.FAILED, P.CANCELLED, P.AMOUNT_MISMATCH}
    ),
    P.PENDING: frozenset({P.AUTHORIZED, P.SUCCEEDED, P.FAILED, P.CANCELLED, P.AMOUNT_MISMATCH}),
    P.AUTHORIZED: frozenset({P.SUCCEEDED, P.FAILED, P.AMOUNT_MISMATCH}),
    # only a verified verdict overrules a no, and money always does
    P.FAILED: frozenset({P.SUCCEEDED, P.AMOUNT_MISMATCH}),
    P.CANCELLED: frozenset({P.SUCCEEDED, P.AMOUNT_MISMATCH}),
    P.AMOUNT_MISMATCH: frozenset({P.SUCCEEDED, P.FAILED}),
    P.SUCCEEDED: frozenset(),
}


class RefundStatus(models.TextChoices):
    REQUESTED = "REQUESTED", "To be sent"
    PENDING = "PENDING", "Asked for, not decided"
    SUCCEEDED = "SUCCEEDED", "Paid back"
    FAILED = "FAILED", "Refused"


R = RefundStatus

REFUND_ARROWS: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    # by hand, a refund is done without ever being sent
    R.REQUESTED: frozenset({R.PENDING, R.SUCCEEDED, R.FAILED}),
    # back to REQUESTED: the gateway says that it never arrived, so it may be sent again
    R.PENDING: frozenset({R.REQUESTED, R.SUCCEEDED, R.FAILED}),
    R.SUCCEEDED: frozenset(),
    R.FAILED: frozenset(),
}
REFUND_OPEN: Final = frozenset({R.REQUESTED, R.PENDING})

#: The gateway may still say anything.
OPEN: Final = frozenset({P.INITIATED, P.PENDING, P.AUTHORIZED})

#: Payment channels have fixed ids (D40).
CHANNELS: Final[Mapping[str, int]] = {
    "sslcommerz": 1,
    "bkash": 2,
    "paystation": 3,
    "dcb": 4,
    "nagad": 5,
}
#: Has a page of ours, where the payer names a number and consents.
CARRIER_METHOD: Final = "dcb"
#: Ours alone: no client may send them, no gateway is asked (D31).
INTERNAL_METHODS: Final = frozenset({"discount", POINTS_METHOD})

"""The workflow of one e-mail, and the kinds of alert."""

from collections.abc import Mapping
from typing import Final

from django.db import models


class EmailStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    SENDING = "SENDING", "Being sent"
    SENT = "SENT", "Accepted for sending"
    FAILED = "FAILED", "Failed"


E = EmailStatus

ARROWS: Final[Mapping[EmailStatus, frozenset[EmailStatus]]] = {
    E.PENDING: frozenset({E.SENDING, E.FAILED}),
    E.SENDING: frozenset({E.SENDING, E.SENT, E.FAILED, E.PENDING}),
    E.SENT: frozenset(),
    E.FAILED: frozenset({E.PENDING}),
}


class AlertKind(models.TextChoices):
    FULFILLMENT_FAILED = "fulfillment_failed", "Not delivered"
    FULFILLMENT_PARTIAL = "fulfillment_partial", "Delivered in part"
    LATE_PAYMENT = "late_payment", "Paid after the order was closed"
    DUPLICATE_PAYMENT = "duplicate_payment", "Paid twice"
    AMOUNT_MISMATCH = "amount_mismatch", "Paid a wrong sum"
    PAYMENT_FOREIGN = "payment_foreign", "The gateway answered about another payment"
    PAYMENT_RISK = "payment_risk", "Paid, flagged as risky"
    PARTNER_ANOMALY = "partner_anomaly", "Partner's answer needs a person"
    PARTNER_MISCONFIGURED = "partner_misconfigured", "Partner refuses our credentials or offer"
    SURPLUS_CODE = "surplus_code", "A code was bought that was not needed any more"
    REFUND_BY_HAND = "refund_by_hand", "Money to be paid back by hand"
    REFUND_FAILED = "refund_failed", "A refund was refused"
    REFUND_UNCLEAR = "refund_unclear", "Nobody knows whether a refund was paid"


#: Closed by a successful recovery, naming its correlation id (seed Fulfillment Recovery).
FULFILLMENT_ALERTS: Final = frozenset({AlertKind.FULFILLMENT_FAILED, AlertKind.FULFILLMENT_PARTIAL})
#: Closed when nothing is owed any more, since the money went back (D42).
CLOSED_BY_REFUND: Final = FULFILLMENT_ALERTS | {AlertKind.LATE_PAYMENT, AlertKind.PAYMENT_RISK}

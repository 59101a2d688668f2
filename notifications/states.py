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


class Workflow(models.TextChoices):
    """How far a mail is, in the words of the resend endpoint (D22)."""

    PENDING = "PENDING", "Pending"
    COMPLETED = "COMPLETED", "Completed"
    FAILED = "FAILED", "Failed"


class Template(models.TextChoices):
    """The business mails of an order (seed ResendEmail, section 4)."""

    PREBILLING = "PREBILLING", "Renewal notice"
    ORDERCONFIRMATION = "ORDERCONFIRMATION", "Order confirmation"
    CANCELLATION = "CANCELLATION", "Cancellation"
    PARTIAL_REFUND = "PARTIAL_REFUND", "Partial refund"
    OFFLINE_PAYMENT_PENDING = "OFFLINE_PAYMENT_PENDING", "Payment pending"
    NON_RECURRING_PREBILLING = "NON_RECURRING_PREBILLING", "Renewal to be paid"
    NON_RECURRING_PAYMENT_ATTEMPT = "NON_RECURRING_PAYMENT_ATTEMPT", "Renewal is due"
    NON_RECURRING_PAYMENT_SUBSCRIPTION_EXPIRED = (
        "NON_RECURRING_PAYMENT_SUBSCRIPTION_EXPIRED",
        "Subscription expired",
    )


#: The consolidated mail with the codes; not a template of the resend endpoint.
VOUCHERS: Final = "vouchers"
#: What a store may switch off (A4).
ALTERNATIVE: Final = frozenset(
    {
        Template.NON_RECURRING_PAYMENT_ATTEMPT,
        Template.NON_RECURRING_PAYMENT_SUBSCRIPTION_EXPIRED,
    }
)


#: What is known of a mail, in one word.
STANDINGS: Final = ("QUEUED", "SENT", "DELIVERED", "OPENED", "BOUNCED", "COMPLAINED", "FAILED")


class EventKind(models.TextChoices):
    """What a mail provider told about a mail it had accepted."""

    DELIVERED = "delivered", "Delivered"
    DEFERRED = "deferred", "Delayed"
    BOUNCED = "bounced", "Bounced"
    REJECTED = "rejected", "Dropped by the provider"
    COMPLAINED = "complained", "Reported as spam"
    OPENED = "opened", "Opened"


class AlertKind(models.TextChoices):
    FULFILLMENT_FAILED = "fulfillment_failed", "Not delivered"
    FULFILLMENT_PARTIAL = "fulfillment_partial", "Delivered in part"
    LATE_PAYMENT = "late_payment", "Paid after the order was closed"
    DUPLICATE_PAYMENT = "duplicate_payment", "Paid twice"
    AMOUNT_MISMATCH = "amount_mismatch", "Paid a wrong sum"
    PAYMENT_FOREIGN = "payment_foreign", "The gateway answered about another payment"
    PAYMENT_UNCONFIRMED = "payment_unconfirmed", "A carrier does not confirm a charge"
    PAYMENT_RISK = "payment_risk", "Paid, flagged as risky"
    PARTNER_ANOMALY = "partner_anomaly", "Partner's answer needs a person"
    PARTNER_MISCONFIGURED = "partner_misconfigured", "Partner refuses our credentials or offer"
    MAIL_BOUNCED = "mail_bounced", "The customer's mail came back"
    RENEWAL_BLOCKED = "renewal_blocked", "A subscription can't be renewed"
    SURPLUS_CODE = "surplus_code", "A code was bought that was not needed any more"
    REFUND_BY_HAND = "refund_by_hand", "Money to be paid back by hand"
    REFUND_FAILED = "refund_failed", "A refund was refused"
    REFUND_UNCLEAR = "refund_unclear", "Nobody knows whether a refund was paid"
    PARTNER_DOWN = "partner_down", "Partner does not answer; purchases are paused"
    PARTNER_BALANCE = "partner_balance", "Partner account is running low"
    POINTS_TRANSFER = "points_transfer", "A points transfer needs a person"
    WEBHOOK_FAILED = "webhook_failed", "Somebody's system does not take its events"
    LOW_STOCK = "low_stock", "Codes are running out"
    INVARIANT = "invariant", "Something that must always hold does not"


#: Closed by a successful recovery, naming its correlation id (seed Fulfillment Recovery).
FULFILLMENT_ALERTS: Final = frozenset({AlertKind.FULFILLMENT_FAILED, AlertKind.FULFILLMENT_PARTIAL})
#: Closed when nothing is owed any more, since the money went back (D42).
CLOSED_BY_REFUND: Final = FULFILLMENT_ALERTS | {AlertKind.LATE_PAYMENT, AlertKind.PAYMENT_RISK}

#: Closed by what ends their cause, and by nobody's click (D15, D44).
CLOSE_BY_THEMSELVES: Final = frozenset(
    {
        *FULFILLMENT_ALERTS,
        AlertKind.AMOUNT_MISMATCH,
        AlertKind.PAYMENT_RISK,
        AlertKind.REFUND_BY_HAND,
        AlertKind.REFUND_FAILED,
        AlertKind.REFUND_UNCLEAR,
    }
)

#: Money that needs a person.
MONEY_ALERTS: Final = frozenset(
    {
        AlertKind.LATE_PAYMENT,
        AlertKind.DUPLICATE_PAYMENT,
        AlertKind.AMOUNT_MISMATCH,
        AlertKind.PAYMENT_FOREIGN,
        AlertKind.PAYMENT_RISK,
        AlertKind.REFUND_BY_HAND,
        AlertKind.REFUND_FAILED,
        AlertKind.REFUND_UNCLEAR,
    }
)

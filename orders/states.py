"""What an order and its items may become (seed Orders, "Status semantics"; architecture 5)."""

from collections.abc import Mapping
from typing import Final

from django.db import models


class OrderStatus(models.TextChoices):
    INITIATED = "INITIATED", "Waiting for payment"
    CARRIER_AUTHORIZED = "CARRIER_AUTHORIZED", "Carrier is confirming"
    PENDING = "PENDING", "Paid, being fulfilled"
    SUCCEEDED = "SUCCEEDED", "Delivered"
    NEEDS_ATTENTION = "NEEDS_ATTENTION", "Paid, not delivered"
    FAILED = "FAILED", "Payment failed"
    CANCELLED = "CANCELLED", "Cancelled before payment"


S = OrderStatus

ARROWS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    S.INITIATED: frozenset({S.CARRIER_AUTHORIZED, S.PENDING, S.FAILED, S.CANCELLED}),
    S.CARRIER_AUTHORIZED: frozenset({S.PENDING, S.FAILED, S.CANCELLED}),
    S.PENDING: frozenset({S.SUCCEEDED, S.NEEDS_ATTENTION}),
    S.NEEDS_ATTENTION: frozenset({S.SUCCEEDED}),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset({S.INITIATED, S.PENDING}),  # another try (D43); money that came late
    S.CANCELLED: frozenset({S.PENDING}),  # money that came late (D15)
}

#: We hold the customer's money. No arrow leads from here to FAILED or CANCELLED.
PAID: Final = frozenset({S.PENDING, S.SUCCEEDED, S.NEEDS_ATTENTION})
UNPAID: Final = frozenset({S.INITIATED, S.CARRIER_AUTHORIZED})
#: The customer may open a payment session (D43).
PAYABLE: Final = frozenset({S.INITIATED, S.FAILED})


#: How orders of loyalty programmes are paid: no customer sees them (D47).
POINTS_METHOD: Final = "points"


class ItemStatus(models.TextChoices):
    """`order_items.fulfillment_status`; null while nothing is decided."""

    SUCCEEDED = "SUCCEEDED", "Delivered"
    DISPATCH_FAILED = "DISPATCH_FAILED", "Codes saved, mail not sent"
    PARTNER_FAILED = "PARTNER_FAILED", "Codes missing"


I = ItemStatus  # noqa: E741 - reads like the table it opens

ITEM_ARROWS: Final[Mapping[ItemStatus | None, frozenset[ItemStatus]]] = {
    None: frozenset({I.PARTNER_FAILED, I.DISPATCH_FAILED, I.SUCCEEDED}),
    I.PARTNER_FAILED: frozenset({I.DISPATCH_FAILED, I.SUCCEEDED}),
    I.DISPATCH_FAILED: frozenset({I.SUCCEEDED}),
    I.SUCCEEDED: frozenset(),
}


class OrderSource(models.TextChoices):
    """What made an order (contract page of the resend endpoint, section 8.2)."""

    PURCHASE = "PURCHASE", "Bought"
    SUBSCRIPTION = "SUBSCRIPTION", "Renewal of a subscription"
    MANUAL_RENEWAL = "MANUAL_RENEWAL", "Renewal asked for"
    OFFER = "OFFER", "Offer"


class OfferKind(models.TextChoices):
    """Sub-source of an order of source OFFER."""

    SUSPEND = "SUSPEND", "Offer to pause"
    RESUME = "RESUME", "Offer to resume"


class SubscriptionStatus(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Paused"
    CANCELLED = "CANCELLED", "Ended by the customer"
    EXPIRED = "EXPIRED", "Ended unpaid"


SUB = SubscriptionStatus

SUBSCRIPTION_ARROWS: Final[Mapping[SubscriptionStatus, frozenset[SubscriptionStatus]]] = {
    SUB.ACTIVE: frozenset({SUB.SUSPENDED, SUB.CANCELLED, SUB.EXPIRED}),
    SUB.SUSPENDED: frozenset({SUB.ACTIVE, SUB.CANCELLED, SUB.EXPIRED}),
    SUB.EXPIRED: frozenset({SUB.ACTIVE}),  # its last renewal was paid late
    SUB.CANCELLED: frozenset(),
}
#: Renewed by itself.
LIVING: Final = frozenset({SUB.ACTIVE, SUB.SUSPENDED})
#: Why an order was closed, where nobody closed it.
NOT_PAID_IN_TIME: Final = "not paid in time"


class Interval(models.IntegerChoices):
    """Months from one billing to the next."""

    MONTHLY = 1, "Each month"
    QUARTERLY = 3, "Each quarter"
    YEARLY = 12, "Each year"


class Billing(models.TextChoices):
    """How a renewal is told. No gateway here charges by itself: each one is paid by its link."""

    RECURRING = "RECURRING", "Recurring"
    NON_RECURRING = "NON_RECURRING", "Non-recurring payment method"

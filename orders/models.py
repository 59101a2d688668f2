"""Orders, their items, and the timeline that tells what became of them."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from catalog.models import Variant
from core.money import CURRENCY, ZERO
from orders.states import (
    PAID,
    Billing,
    Interval,
    ItemStatus,
    OfferKind,
    OrderSource,
    OrderStatus,
    SubscriptionStatus,
)


class DiscountType(models.TextChoices):
    PERCENTAGE = "percentage", "Percentage"
    FLAT = "flat", "Flat"


class DiscountCode(models.Model):
    """A promo code; `used_count` is raised in the order's own transaction (D17)."""

    code = models.CharField(max_length=40, unique=True)
    """Upper case."""
    description = models.CharField(max_length=300, blank=True)
    discount_type = models.CharField(max_length=10, choices=DiscountType.choices)
    discount_value = models.DecimalField(max_digits=12, decimal_places=2)
    """Percentage points, or BDT when flat."""
    minimum_subtotal = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    maximum_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    usage_limit = models.PositiveIntegerField(null=True, blank=True)
    per_user_limit = models.PositiveIntegerField(null=True, blank=True)
    used_count = models.PositiveIntegerField(default=0, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "discount_codes"
        constraints = [
            models.CheckConstraint(
                condition=Q(code=Upper("code")), name="discount_code_upper_case"
            ),
            models.CheckConstraint(
                condition=Q(discount_value__gt=0)
                & (~Q(discount_type=DiscountType.PERCENTAGE) | Q(discount_value__lte=100)),
                name="discount_value_sensible",
            ),
            models.CheckConstraint(
                condition=Q(usage_limit__isnull=True) | Q(used_count__lte=F("usage_limit")),
                name="discount_used_within_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Subscription(models.Model):
    """Something bought again each period; each renewal is an order of its own."""

    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="subscriptions"
    )
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveSmallIntegerField(default=1)
    fulfillment_input = models.JSONField(default=dict, blank=True)
    interval = models.PositiveSmallIntegerField(choices=Interval.choices, default=Interval.MONTHLY)
    billing = models.CharField(
        max_length=20, choices=Billing.choices, default=Billing.NON_RECURRING
    )
    status = models.CharField(
        max_length=10, choices=SubscriptionStatus.choices, default=SubscriptionStatus.ACTIVE
    )
    payment_method = models.CharField(max_length=20)
    recipient_email = models.EmailField(max_length=254)
    next_billing_at = models.DateTimeField()
    """When the next period is due; of a paused one, when it is to be resumed."""
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    """The billing at that moment turns the trial into a paid subscription."""
    billing_day = models.PositiveSmallIntegerField(editable=False)
    """Of the month: keeps a subscription of the 31st from wandering."""
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    """How often the open period was asked to be paid."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "subscriptions"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="subscription_quantity"),
            models.CheckConstraint(
                condition=~Q(recipient_email=""), name="subscription_has_recipient"
            ),
            models.CheckConstraint(
                condition=Q(billing_day__gte=1, billing_day__lte=31), name="subscription_day"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_billing_at"],
                condition=Q(status__in=["ACTIVE", "SUSPENDED"]),
                name="subscription_due",
            )
        ]

    def __str__(self) -> str:
        return f"Subscription {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.billing_day:
            self.billing_day = self.next_billing_at.day
        super().save(*args, **kwargs)


class Order(models.Model):
    order_number = models.CharField(max_length=8, unique=True, editable=False)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", null=True
    )
    """Null for orders of loyalty programmes (D47)."""
    recipient_email = models.EmailField(max_length=254)
    """Settled when the order is placed (D7); never empty."""
    language = models.CharField(max_length=2, default="en")
    status = models.CharField(
        max_length=20, choices=OrderStatus.choices, default=OrderStatus.INITIATED
    )
    payment_method = models.CharField(max_length=20)
    currency = models.CharField(max_length=3, default=CURRENCY, editable=False)
    subtotal_amount = models.DecimalField(max_digits=12, decimal_places=2)
    discount = models.ForeignKey(
        DiscountCode, on_delete=models.PROTECT, related_name="orders", null=True, blank=True
    )
    discount_code = models.CharField(max_length=40, null=True, blank=True)
    discount_amount = models.DecimalField(max_digits=12, decimal_places=2, default=ZERO)
    holds_discount = models.BooleanField(default=False)
    """Whether a use of the code is counted for this order just now (D17)."""
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    """Taka (BDT), fixed when the order is placed (I21)."""
    pay_until = models.DateTimeField()
    """Stock is held and the customer may pay until then (D14)."""
    paid_at = models.DateTimeField(null=True, blank=True, editable=False)
    held_for_risk = models.BooleanField(default=False)
    """Paid but risky: nothing is fulfilled until an operator releases it (D44)."""
    closed_by_refund = models.BooleanField(default=False, editable=False)
    """Nothing is owed any more, because what was not delivered is paid back (D42)."""
    source = models.CharField(
        max_length=20, choices=OrderSource.choices, default=OrderSource.PURCHASE
    )
    offer_sub_source = models.CharField(max_length=10, choices=OfferKind.choices, blank=True)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="orders", null=True, blank=True
    )
    billing_at = models.DateTimeField(null=True, blank=True)
    """The period of its subscription that this order pays for."""
    prebilling_skipped_at = models.DateTimeField(null=True, blank=True)
    """The notice of an offer to resume was not needed any more (A5 of the resend endpoint)."""
    dispatched_email = models.EmailField(max_length=254, null=True, blank=True)
    email_sent_at = models.DateTimeField(null=True, blank=True)
    request_key = models.CharField(max_length=280, null=True, blank=True, editable=False)
    """Caller and `Idempotency-Key`: a repeat finds its order whatever died (D24)."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "orders"
        permissions = [
            ("release_order", "Can release an order that is held as risky"),
            ("cancel_order", "Can cancel an unpaid order"),
        ]
        constraints = [
            models.CheckConstraint(
                name="order_paid_at_goes_with_status",
                condition=Q(status__in=sorted(PAID), paid_at__isnull=False)
                | (~Q(status__in=sorted(PAID)) & Q(paid_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="order_mail_fields_go_together",
                condition=Q(dispatched_email__isnull=True, email_sent_at__isnull=True)
                | Q(dispatched_email__isnull=False, email_sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="order_total_adds_up",
                condition=Q(
                    total_amount=F("subtotal_amount") - F("discount_amount"),
                    total_amount__gte=0,
                    discount_amount__gte=0,
                    currency=CURRENCY,
                ),
            ),
            models.CheckConstraint(
                name="order_number_has_8_digits",
                condition=Q(order_number__regex=r"^[1-9][0-9]{7}$"),
            ),
            models.CheckConstraint(name="order_has_recipient", condition=~Q(recipient_email="")),
            models.CheckConstraint(
                name="order_paid_not_after_mailed",
                condition=Q(email_sent_at__isnull=True)
                | Q(paid_at__isnull=False, email_sent_at__gte=F("paid_at")),
            ),
            models.UniqueConstraint(fields=["request_key"], name="order_once_per_request_key"),
            models.UniqueConstraint(
                fields=["subscription", "billing_at"], name="order_once_per_billing"
            ),
            models.CheckConstraint(
                name="order_billing_goes_with_subscription",
                condition=Q(subscription__isnull=True, billing_at__isnull=True)
                | Q(subscription__isnull=False, billing_at__isnull=False),
            ),
            models.CheckConstraint(
                name="order_offer_has_kind",
                condition=Q(source=OrderSource.OFFER) ^ Q(offer_sub_source=""),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="order_of_customer"),
            models.Index(fields=["status", "-id"], name="order_by_status"),
            models.Index(
                fields=["pay_until"],
                condition=Q(status__in=["INITIATED", "CARRIER_AUTHORIZED"]),
                name="order_overdue",
            ),
            # The desk: the day's orders (rows lie in this order), its money, an exact address.
            BrinIndex(fields=["created_at"], pages_per_range=16, name="order_placed"),
            models.Index(
                fields=["paid_at"],
                include=["status", "total_amount"],
                condition=Q(paid_at__isnull=False),
                name="order_paid",
            ),
            models.Index(Upper("recipient_email"), name="order_by_recipient"),
            # The desk's filter: a method that nobody used is known at once, not after every order.
            models.Index(fields=["payment_method", "-id"], name="order_by_method"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_number}"


class OrderItem(models.Model):
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    quantity = models.PositiveSmallIntegerField()
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    product_name = models.CharField(max_length=200)
    variant_name = models.CharField(max_length=200)
    """Labels as sold: a renamed product doesn't rename an old mail."""
    fulfillment_input = models.JSONField(default=dict)
    fulfillment_status = models.CharField(
        max_length=20, choices=ItemStatus.choices, null=True, blank=True
    )
    fulfilled_at = models.DateTimeField(null=True, blank=True)
    """When the last code was saved (D8); shown once the mail has gone."""
    refunded_units = ArrayField(models.PositiveSmallIntegerField(), default=list, editable=False)
    """Units that are paid back: never delivered any more, or with their code revoked (D42)."""

    class Meta:
        db_table = "order_items"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="item_position_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="item_quantity_positive"),
            models.CheckConstraint(
                condition=~Q(fulfillment_status=ItemStatus.SUCCEEDED)
                | Q(fulfilled_at__isnull=False),
                name="item_fulfilled_has_time",
            ),
        ]

    @property
    def fulfilled(self) -> bool:
        """True once the codes are saved and the mail was accepted (seed Orders)."""
        return self.fulfillment_status == ItemStatus.SUCCEEDED


class OrderEvent(models.Model):
    """One line of an order's timeline; written in the transaction of what it tells."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=40)
    """`status`, `payment`, `note`, `mail`, ... what the line is about."""
    old = models.CharField(max_length=20, blank=True)
    new = models.CharField(max_length=20, blank=True)
    actor = models.CharField(max_length=40)
    reason = models.CharField(max_length=500, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    correlation_id = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        db_table = "order_events"
        ordering = ["pk"]
        indexes = [models.Index(fields=["order", "id"], name="event_of_order")]


class OrderClaim(models.Model):
    """An operator is working on this order; the others see it until it runs out."""

    order = models.OneToOneField(
        Order, on_delete=models.CASCADE, related_name="claim", primary_key=True
    )
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "order_claims"
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("claimed_at")), name="order_claim_ends"
            )
        ]
        indexes = [models.Index(fields=["operator", "expires_at"], name="order_claim_of_operator")]

    def __str__(self) -> str:
        return f"{self.operator}, until {self.expires_at:%H:%M} UTC"

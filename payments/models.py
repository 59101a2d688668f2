"""Tries to pay, and everything the gateways told us."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.money import CURRENCY
from orders.models import Order
from payments.states import PaymentStatus, RefundStatus


class Payment(models.Model):
    """One try to pay one order at one gateway."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    method = models.CharField(max_length=20)
    """The gateway's slug, or `discount` and `points`, which ask no gateway."""
    status = models.CharField(
        max_length=20, choices=PaymentStatus.choices, default=PaymentStatus.INITIATED
    )
    reference = models.CharField(max_length=40, unique=True)
    """Our `transactionId`: `BDV-<order_number>-<n>` (D40)."""
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3, default=CURRENCY)
    description = models.CharField(max_length=200, blank=True)
    redirect_url = models.URLField(max_length=1000, blank=True)
    return_url = models.CharField(max_length=500, blank=True, default="", db_default="")
    """Where the customer goes afterwards; empty: our own result page."""
    gateway_reference = models.CharField(max_length=120, blank=True)
    """How the gateway calls the session."""
    gateway_transaction_id = models.CharField(max_length=120, blank=True)
    """How the gateway calls the money movement; never used twice (I5)."""
    effective = models.BooleanField(default=False)
    """This payment pays the order; at most one does (I7)."""
    capture_sent_at = models.DateTimeField(null=True)
    """Our own call that moves money was sent once; from then on we only ask."""
    reason = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    checks = models.PositiveSmallIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True)
    """When the sweep asks the gateway again; the plan is in the row."""
    paid_at = models.DateTimeField(null=True)
    received_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    """What really came; it may be another sum than was asked for (AMOUNT_MISMATCH)."""
    received_currency = models.CharField(max_length=3, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "payments"
        permissions = [
            ("refund_payment", "Can pay money back"),
            ("export_payments", "Can read the books and export payments"),
        ]
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["method", "gateway_reference"],
                condition=~Q(gateway_reference=""),
                name="payment_gateway_reference_once",
            ),
            models.UniqueConstraint(
                fields=["method", "gateway_transaction_id"],
                condition=~Q(gateway_transaction_id=""),
                name="payment_gateway_transaction_once",
            ),
            models.UniqueConstraint(
                fields=["order"], condition=Q(effective=True), name="payment_one_effective"
            ),
            models.CheckConstraint(
                condition=Q(currency=CURRENCY) & (Q(amount__gt=0) | Q(amount=0, method="discount")),
                name="payment_amount_positive_bdt",
            ),
            models.CheckConstraint(
                condition=Q(effective=False) | Q(status="SUCCEEDED"),
                name="payment_effective_is_succeeded",
            ),
            models.CheckConstraint(
                condition=Q(status="SUCCEEDED", paid_at__isnull=False)
                | (~Q(status="SUCCEEDED") & Q(paid_at__isnull=True)),
                name="payment_succeeded_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                condition=Q(status__in=["INITIATED", "PENDING", "AUTHORIZED"]),
                name="payment_due",
            )
        ]


class CarrierConsent(models.Model):
    """Carrier billing: who agreed to one charge, and what the operator called it.

    A row is the log of consent that every operator wants (contract page dcb, section 1).
    """

    MOST_PASSWORDS = 3

    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, related_name="carrier_consent"
    )
    carrier = models.CharField(max_length=20)
    """The operator's adapter, found by the number."""
    subscriber = models.CharField(max_length=100)
    """As the operator is told: `tel:8801XXXXXXXXX`, or an opaque id of its own."""
    operators_own = models.BooleanField(default=False)
    """The operator sends and checks the password; else we do."""
    digest = models.BinaryField(max_length=32, default=b"", editable=False)
    """Keyed, of the password we sent last."""
    passwords = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    """Of the password that was sent last."""
    expires_at = models.DateTimeField(null=True)
    correlator = models.CharField(max_length=100, blank=True)
    internal_id = models.CharField(max_length=100, blank=True)
    """The operator's ids of a charge that was begun; a notification must name the second one."""
    given_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "carrier_consents"
        permissions = [("record_carrier_report", "Can record a carrier's report")]
        constraints = [
            models.CheckConstraint(
                condition=Q(passwords__lte=3, tries__lte=3), name="carrier_consent_few_tries"
            ),
            models.CheckConstraint(
                condition=Q(given_at=None) | Q(passwords__gte=1), name="carrier_consent_by_password"
            ),
            models.UniqueConstraint(
                fields=["carrier", "internal_id"],
                condition=~Q(internal_id=""),
                name="carrier_consent_internal_id_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.masked} at {self.carrier}"

    @property
    def masked(self) -> str:
        """The number as anybody may see it; an opaque id tells nobody anything."""
        number = self.subscriber.removeprefix("tel:")
        return f"{number[2:5]}*****{number[-3:]}" if number.isdigit() else "•••"

    @property
    def may_send(self) -> bool:
        """An operator's first step is never repeated; ours may be, a few times."""
        return self.passwords < self.MOST_PASSWORDS and not (self.operators_own and self.passwords)

    @property
    def ready(self) -> bool:
        """A password is on its way, and whoever checks it is known."""
        return bool(self.correlator if self.operators_own else self.digest)


class GatewayCallback(models.Model):
    """A notice as it came: kept, counted once per content, believed never."""

    gateway = models.CharField(max_length=20)
    digest = models.BinaryField(max_length=32)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="callbacks", null=True
    )
    method = models.CharField(max_length=6)
    query = models.CharField(max_length=4000, blank=True)
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    times = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()

    class Meta:
        db_table = "gateway_callbacks"
        constraints = [models.UniqueConstraint(fields=["gateway", "digest"], name="callback_once")]


class Refund(models.Model):
    """Money that goes back: all of one payment, or a part. Never more than came (trigger)."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    reference = models.CharField(max_length=50, unique=True)
    """Ours, `<payment>-R<n>`; the gateway gets the same however often it is sent."""
    status = models.CharField(
        max_length=10, choices=RefundStatus.choices, default=RefundStatus.REQUESTED
    )
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=300)
    units = models.JSONField(default=list)
    """`[item, unit]` of what is paid back; empty for money that paid no goods."""
    revoked = models.JSONField(default=list)
    """Vouchers whose codes were revoked for it (D42)."""
    by_hand = models.BooleanField(default=False)
    """The gateway has no refund call: a person pays it back and says how."""
    hand_reference = models.CharField(max_length=120, blank=True)
    gateway_refund_id = models.CharField(max_length=120, blank=True)
    evidence = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True)
    """Claimed before the call: from then on the money may be on its way."""
    checks = models.PositiveSmallIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True)
    """When the sweep sends it or asks about it; none where a person has to act."""
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    """Who of the staff said how it ended; null where the gateway did."""
    correlation_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "refunds"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="refund_has_reason"),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(status__in=["REQUESTED", "PENDING"]),
                name="refund_one_open",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["REQUESTED", "PENDING"], ended_at__isnull=True)
                | Q(status__in=["SUCCEEDED", "FAILED"], ended_at__isnull=False),
                name="refund_ended_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="PENDING") | Q(sent_at__isnull=False),
                name="refund_pending_was_sent",
            ),
            models.CheckConstraint(
                condition=~Q(status="SUCCEEDED", by_hand=True) | ~Q(hand_reference=""),
                name="refund_by_hand_has_reference",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                condition=Q(status__in=["REQUESTED", "PENDING"]),
                name="refund_due",
            )
        ]

    def __str__(self) -> str:
        return self.reference


class GatewayExchange(models.Model):
    """One thing we asked a gateway, and what it said; scrubbed of secrets and of the payer."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="exchanges")
    refund = models.ForeignKey(
        Refund, on_delete=models.PROTECT, related_name="exchanges", null=True
    )
    asked = models.CharField(max_length=20)
    """`open`, `verify`, `capture`, `refund` or `query_refund`."""
    answer = models.CharField(max_length=40)
    """The outcome, or the kind of error."""
    reason = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict)
    milliseconds = models.PositiveIntegerField()
    """Of the last time."""
    times = models.PositiveIntegerField(default=1)
    """The same answer to the same question, one after the other, is one row."""
    correlation_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "gateway_exchanges"
        ordering = ["pk"]

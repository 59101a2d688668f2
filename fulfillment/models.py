"""The audit trail of delivery, and what was bought from partners."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from catalog.models import Partner, PartnerSource
from fulfillment.states import (
    AttemptStatus,
    AttemptType,
    PurchaseStatus,
    RowStatus,
    RunAction,
    RunStatus,
)
from orders.models import Order, OrderItem
from vouchers.models import Voucher


class FulfillmentAttempt(models.Model):
    """One line of the audit trail: append-only, changed only while IN_PROGRESS (I15)."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="attempts")
    item = models.ForeignKey(
        OrderItem, on_delete=models.PROTECT, related_name="attempts", null=True
    )
    """Null for RESEND_EMAIL, which is about the whole order."""
    type = models.CharField(max_length=20, choices=AttemptType.choices)
    status = models.CharField(
        max_length=20, choices=AttemptStatus.choices, default=AttemptStatus.IN_PROGRESS
    )
    correlation_id = models.CharField(max_length=64, db_index=True)
    admin_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    notes = models.CharField(max_length=1000, blank=True)
    partner_source = models.ForeignKey(
        PartnerSource, on_delete=models.PROTECT, related_name="+", null=True
    )
    """The source an operator forced, if any."""
    partner_response = models.JSONField(default=dict)
    """What the partner said; never a code in the clear."""
    codes = models.BinaryField(default=b"", editable=False)
    """The codes an operator typed, sealed; `code_provided` and `allCodes` are read from it."""
    codes_mask = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=1000, blank=True)
    try_no = models.PositiveSmallIntegerField(default=1)
    claimed_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "fulfillment_attempts"
        ordering = ["pk"]
        permissions = [
            ("recover_order", "Can enter codes and retry partners"),
            ("resend_codes", "Can send the voucher mail again"),
            ("override_recipient", "Can send to another address"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(status="IN_PROGRESS"), name="attempt_one_under_way"
            ),
            models.UniqueConstraint(
                fields=["item"], condition=Q(status="DISPATCHED"), name="attempt_dispatched_once"
            ),
            models.CheckConstraint(
                condition=Q(type=AttemptType.RESEND_EMAIL, item__isnull=True)
                | (~Q(type=AttemptType.RESEND_EMAIL) & Q(item__isnull=False)),
                name="attempt_item_goes_with_type",
            ),
            models.CheckConstraint(
                condition=Q(type=AttemptType.AUTO) | Q(admin_user__isnull=False),
                name="attempt_by_hand_has_operator",
            ),
            models.CheckConstraint(
                condition=Q(status="IN_PROGRESS", ended_at__isnull=True)
                | (~Q(status="IN_PROGRESS") & Q(ended_at__isnull=False)),
                name="attempt_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="attempt_of_order"),
            models.Index(
                fields=["next_try_at"], condition=Q(status="IN_PROGRESS"), name="attempt_due"
            ),
            # The history of support: a filter, newest first.
            models.Index(fields=["status", "-id"], name="attempt_by_status"),
            models.Index(
                fields=["admin_user", "-id"],
                condition=Q(admin_user__isnull=False),
                name="attempt_of_operator",
            ),
            BrinIndex(fields=["created_at"], pages_per_range=16, name="attempt_made"),
        ]


class PartnerCallback(models.Model):
    """A partner's notice: a reason to look, never believed. Its body may hold codes: not kept."""

    partner = models.CharField(max_length=60)
    """The adapter's slug."""
    digest = models.BinaryField(max_length=32)
    """Of the whole body: the same notice is one row, counted."""
    purchase = models.ForeignKey(
        "PartnerTransaction", on_delete=models.PROTECT, related_name="callbacks", null=True
    )
    reference = models.CharField(max_length=150, blank=True)
    claimed_status = models.CharField(max_length=60, blank=True)
    """What the notice says of the purchase; shown to people, used for nothing."""
    times = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()

    class Meta:
        db_table = "partner_callbacks"
        constraints = [
            models.UniqueConstraint(fields=["partner", "digest"], name="partner_callback_once")
        ]


class PartnerTransaction(models.Model):
    """One purchase intent for one unit, stored before the call (I8, D18)."""

    item = models.ForeignKey(OrderItem, on_delete=models.PROTECT, related_name="purchases")
    unit_no = models.PositiveSmallIntegerField()
    source = models.ForeignKey(PartnerSource, on_delete=models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    attempt = models.ForeignKey(
        FulfillmentAttempt, on_delete=models.PROTECT, related_name="purchases"
    )
    reference = models.CharField(max_length=40)
    """`<order_number>I<item>U<unit>T<try>`: letters and digits, all a partner takes."""
    status = models.CharField(
        max_length=10, choices=PurchaseStatus.choices, default=PurchaseStatus.SENT
    )
    partner_transaction_id = models.CharField(max_length=120, blank=True)
    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="+", null=True)
    response = models.JSONField(default=dict)
    error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField()
    checks = models.PositiveSmallIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True)
    """When to look it up again; goes on when an operator delivered meanwhile (D39)."""
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    """The operator who asked the partner and closed it, with the reason they gave (D39)."""
    close_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "partner_api_transactions"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True, close_reason="")
                | (Q(closed_by__isnull=False) & ~Q(close_reason="")),
                name="purchase_closed_by_hand_has_reason",
            ),
            models.UniqueConstraint(
                fields=["partner", "reference"], name="purchase_reference_once"
            ),
            models.UniqueConstraint(
                fields=["item", "unit_no"],
                condition=~Q(status="FAILED"),
                name="purchase_unit_never_twice",
            ),
            models.CheckConstraint(
                condition=~Q(status="SUCCEEDED") | Q(voucher__isnull=False),
                name="purchase_succeeded_has_voucher",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                condition=Q(status__in=["SENT", "PENDING", "UNKNOWN"]),
                name="purchase_due",
            ),
            models.Index(fields=["reference"], name="purchase_by_reference"),
            models.Index(
                fields=["partner_transaction_id"],
                condition=~Q(partner_transaction_id=""),
                name="purchase_by_partner_id",
            ),
        ]


class PartnerHealth(models.Model):
    """How a partner answers: the circuit breaker's memory, and the balance last seen (D19).

    Closed while `open_until` is empty; open until then; after that the next purchase is the
    probe, and moves `open_until` on while it is under way.
    """

    partner = models.OneToOneField(
        Partner, on_delete=models.PROTECT, related_name="health", primary_key=True
    )
    failures = models.PositiveIntegerField(default=0)
    """Purchases in a row without an answer that can be worked with."""
    opened_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    """When it last came back: orders that were tried before then are served again (D37)."""
    last_error = models.CharField(max_length=500, blank=True)
    balance = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    balance_currency = models.CharField(max_length=3, blank=True)
    balance_at = models.DateTimeField(null=True)
    low_balance = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    """Below this, in the account's currency, an alert is raised; empty is no watch."""

    class Meta:
        db_table = "partner_health"
        verbose_name_plural = "partner health"
        permissions = [("reset_breaker", "Can let purchases through to a paused partner")]
        constraints = [
            models.CheckConstraint(
                condition=Q(open_until__isnull=True, opened_at__isnull=True)
                | Q(open_until__isnull=False, opened_at__isnull=False),
                name="partner_health_open_has_times",
            )
        ]

    def __str__(self) -> str:
        return str(self.partner)

    def state(self, *, now: datetime) -> str:
        """`closed` (all is well), `open` (paused), `half_open` (the next purchase is the probe)."""
        if self.open_until is None:
            return "closed"
        return "open" if self.open_until > now else "half_open"


class RecoveryRun(models.Model):
    """Many orders repaired by one wish of one operator; its rows are the work."""

    action = models.CharField(max_length=20, choices=RunAction.choices)
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.PLANNED)
    notes = models.CharField(max_length=1000, blank=True)
    partner_source = models.ForeignKey(
        PartnerSource, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    """The source the operator forced, if any."""
    wish = models.JSONField(default=dict)
    """How the orders were picked: the queue's filters, or `{"ticked": n}`."""
    per_minute = models.PositiveSmallIntegerField(default=60)
    """How many rows are begun in a minute."""
    paused_because = models.CharField(max_length=300, blank=True)
    """Why it paused by itself; empty when a person paused it."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    leased_until = models.DateTimeField(null=True)
    """A worker has it in hand until then; after that it is free for another (I29)."""
    next_row_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recovery_runs"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(per_minute__gte=1) & Q(per_minute__lte=600),
                name="run_pace_is_sensible",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["STOPPED", "DONE"], ended_at__isnull=False)
                | (~Q(status__in=["STOPPED", "DONE"]) & Q(ended_at__isnull=True)),
                name="run_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_row_at"],
                condition=Q(status__in=["RUNNING", "PAUSED", "STOPPED"]),
                name="run_open",
            )
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"


class RecoveryRow(models.Model):
    """One item (or, for a resend, one order) of a run: what was foreseen and what came of it."""

    run = models.ForeignKey(RecoveryRun, on_delete=models.PROTECT, related_name="rows")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(OrderItem, on_delete=models.PROTECT, related_name="+", null=True)
    status = models.CharField(max_length=10, choices=RowStatus.choices, default=RowStatus.WAITING)
    foreseen = models.CharField(max_length=200, blank=True)
    """What the dry run said would happen."""
    blocked = models.CharField(max_length=300, blank=True)
    """Why nothing can be done, as the dry run saw it."""
    codes = models.PositiveSmallIntegerField(default=0)
    """Codes to obtain."""
    cost = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    """Taka (BDT) these codes cost as last known; null where nobody knows."""
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+", null=True)
    """Whom the first code would be bought from."""
    correlation_id = models.CharField(max_length=64, unique=True)
    """Given before the work begins: after a crash it tells whether an attempt exists."""
    attempt = models.ForeignKey(
        FulfillmentAttempt, on_delete=models.PROTECT, related_name="+", null=True
    )
    message = models.CharField(max_length=500, blank=True)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recovery_run_rows"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "order", "item"], nulls_distinct=False, name="run_row_once"
            ),
        ]
        indexes = [models.Index(fields=["run", "status", "id"], name="run_row_by_status")]

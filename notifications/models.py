"""Telling people: mails to customers, alerts to operators."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from notifications.states import (
    CLOSE_BY_THEMSELVES,
    VOUCHERS,
    AlertKind,
    EmailStatus,
    EventKind,
    Workflow,
)
from orders.models import Order


class EmailMessage(models.Model):
    """One mail of one order. The row is the queue; `next_try_at` is the plan."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="emails")
    template = models.CharField(max_length=60)
    """`vouchers`, or a logical template of the resend endpoint."""
    recipient = models.EmailField(max_length=254)
    language = models.CharField(max_length=2, default="en")
    status = models.CharField(
        max_length=10, choices=EmailStatus.choices, default=EmailStatus.PENDING
    )
    dispatch_no = models.PositiveIntegerField()
    """Counts the mails of an order; part of the Message-ID."""
    message_id = models.CharField(max_length=200, unique=True)
    voucher_ids = models.JSONField(default=list)
    """Which codes the mail carries; the codes themselves are read when it is sent."""
    dedup_key = models.CharField(max_length=120, blank=True)
    """Order, template and set of codes: the same mail is one row (D13)."""
    definition = models.CharField(max_length=120, blank=True)
    """The concrete template: logical one, layout, source and context of the order."""
    facts = models.JSONField(default=dict, blank=True)
    """What a business mail says that is no column of the order; never a code."""
    payment_ref = models.CharField(max_length=40, blank=True)
    """The payment the mail is about, as its caller named it."""
    resend_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    automatic = models.BooleanField(default=True)
    """Sent again by the sweep; a mail an operator saw fail is not (D13)."""
    correlation_id = models.CharField(max_length=64)
    external_id = models.CharField(max_length=200, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    delivered_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    """Accepted, and given back or dropped later (A7)."""
    complained_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "email_messages"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "dispatch_no"], name="email_dispatch_once"),
            models.UniqueConstraint(
                fields=["dedup_key"], condition=~Q(dedup_key=""), name="email_same_codes_once"
            ),
            models.CheckConstraint(
                condition=~Q(status=EmailStatus.SENT) | Q(sent_at__isnull=False),
                name="email_sent_has_time",
            ),
            models.CheckConstraint(
                condition=Q(template=VOUCHERS) | Q(voucher_ids=[]),
                name="email_codes_in_voucher_mail_alone",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(status__in=["PENDING", "SENDING"]),
                name="email_due",
            ),
            models.Index(Upper("recipient"), name="email_by_recipient"),
            models.Index(
                fields=["external_id"], condition=~Q(external_id=""), name="email_by_external_id"
            ),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def workflow(self) -> Workflow:
        """As the resend endpoint tells it: a mail that came back has failed (A7)."""
        if self.status == EmailStatus.FAILED or self.bounced_at is not None:
            return Workflow.FAILED
        return Workflow.COMPLETED if self.status == EmailStatus.SENT else Workflow.PENDING

    @property
    def standing(self) -> str:
        """What is known of the mail, in one word."""
        if self.status == EmailStatus.FAILED:
            return "FAILED"
        if self.status != EmailStatus.SENT:
            return "QUEUED"
        told = (
            ("BOUNCED", self.bounced_at),
            ("COMPLAINED", self.complained_at),
            ("OPENED", self.opened_at),
            ("DELIVERED", self.delivered_at),
        )
        return next((word for word, at in told if at is not None), "SENT")


class EmailEvent(models.Model):
    """What a provider told about a mail after it had taken it; kept, once per event."""

    message = models.ForeignKey(EmailMessage, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=EventKind.choices)
    provider = models.CharField(max_length=30)
    digest = models.BinaryField(max_length=32)
    """Of the provider's event: the same notice twice is one row."""
    reason = models.CharField(max_length=60, blank=True)
    """The provider's class of reason; its text may quote the mail and is not kept."""
    at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "email_events"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "digest"], name="email_event_once")
        ]


class StoreEmailPolicy(models.Model):
    """Which business mails this store sends; one row, and without it the defaults (D45)."""

    confirmation_by_itself = models.BooleanField("order confirmation by itself", default=False)
    cancellation_by_itself = models.BooleanField("cancellation by itself", default=True)
    non_recurring_communications = models.BooleanField(
        "alternative communications of non-recurring payments", default=True
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "store_email_policy"
        verbose_name_plural = "store e-mail policy"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="store_email_policy_is_one")]

    def __str__(self) -> str:
        return "Store e-mail policy"


class AdminAlert(models.Model):
    """Something needs a person."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="alerts", null=True)
    kind = models.CharField(max_length=40, choices=AlertKind.choices)
    message = models.CharField(max_length=500)
    correlation_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    resolution_notes = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "admin_alerts"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"],
                condition=Q(resolved_at__isnull=True),
                name="alert_open_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["-created_at"], condition=Q(resolved_at__isnull=True), name="alert_open"
            )
        ]

    @property
    def closes_by_itself(self) -> bool:
        """What ends its cause closes it, and nobody's click (D15, D44)."""
        return self.kind in CLOSE_BY_THEMSELVES

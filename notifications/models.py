"""Telling people: mails to customers, alerts to operators."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications.states import AlertKind, EmailStatus
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
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(status__in=["PENDING", "SENDING"]),
                name="email_due",
            )
        ]


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

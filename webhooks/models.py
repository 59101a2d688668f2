"""Where events are told to, what is to be told, and each try to tell it."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from core.kept import Shelf
from core.outside import MAX_LENGTH, objection
from webhooks.states import TYPES_OF, Audience, DeliveryStatus, EventType

#: Which events anybody listens to; read at every change of an order, changed twice a year.
LISTENERS = Shelf("webhook-listeners")


class Endpoint(models.Model):
    """A receiver of somebody else, to whom we tell what happens."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """Ties the sealed secrets to this row."""
    name = models.CharField(max_length=120)
    audience = models.CharField(max_length=12, choices=Audience.choices, default=Audience.SHOP)
    url = models.CharField("address", max_length=MAX_LENGTH)
    event_types = ArrayField(models.CharField(max_length=40, choices=EventType.choices))
    is_active = models.BooleanField(
        default=True, help_text="Switched off: nothing new is told, and what waits goes on waiting."
    )
    secret = models.BinaryField(editable=False)
    """Sealed under the key ring; signs every notice."""
    former_secret = models.BinaryField(default=bytes, editable=False)
    former_until = models.DateTimeField(null=True, editable=False)
    """Until then notices carry a second signature by the former secret."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "webhook_endpoints"
        verbose_name = "webhook endpoint"
        ordering = ["name", "pk"]
        permissions = [("rotate_endpoint", "Can make secrets of endpoints")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        LISTENERS.turn_on_commit()

    def clean(self) -> None:
        why = objection(self.url)
        if why:
            raise ValidationError({"url": why})
        offered = TYPES_OF[Audience(self.audience)]
        foreign = [each for each in self.event_types or [] if each not in offered]
        if foreign:
            words = f"{', '.join(foreign)}: not told to {self.get_audience_display().lower()}."
            raise ValidationError({"event_types": words})


class Delivery(models.Model):
    """One event for one endpoint. The row is the queue; `next_try_at` is the plan."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deliveries")
    event_id = models.UUIDField()
    """Made of what happened, so that one change is one event however often it is announced."""
    event_type = models.CharField(max_length=40, choices=EventType.choices)
    subject = models.CharField(max_length=100)
    """Number or reference of what it is about."""
    body = models.TextField()
    """Byte for byte what is signed and sent, at every try; never a code."""
    status = models.CharField(
        max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    tries = models.PositiveSmallIntegerField(default=0)
    """Since it was made, or replayed last."""
    claimed_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)
    """Why the last try failed, in our own words."""
    replayed_at = models.DateTimeField(null=True)
    replayed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    replay_reason = models.CharField(max_length=500, blank=True)
    correlation_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        ordering = ["-pk"]
        permissions = [("replay_delivery", "Can replay what could not be delivered")]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="webhook_event_once_an_endpoint"
            ),
            models.CheckConstraint(
                condition=Q(status="DELIVERED", delivered_at__isnull=False)
                | (~Q(status="DELIVERED") & Q(delivered_at__isnull=True)),
                name="webhook_delivered_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="PENDING", next_try_at__isnull=False)
                | (~Q(status="PENDING") & Q(next_try_at__isnull=True)),
                name="webhook_waiting_has_plan",
            ),
            models.CheckConstraint(
                condition=~Q(status="SENDING") | Q(claimed_at__isnull=False),
                name="webhook_sending_is_claimed",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(status="PENDING"), name="webhook_due"),
            models.Index(
                fields=["claimed_at"], condition=Q(status="SENDING"), name="webhook_claimed"
            ),
            models.Index(fields=["endpoint"], condition=Q(status="DEAD"), name="webhook_dead"),
            models.Index(fields=["event_id"], name="webhook_by_event"),
            models.Index(fields=["subject"], name="webhook_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.subject}"


class DeliveryAttempt(models.Model):
    """One try; of the answer only its status is kept, for its body is a stranger's."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    answer_status = models.PositiveSmallIntegerField(null=True)
    milliseconds = models.PositiveIntegerField()
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "webhook_attempts"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Try {self.number}"

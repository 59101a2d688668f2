"""Doors for the worker: fetch nothing, decide nothing, call one function."""

import uuid

from celery import shared_task
from django.utils import timezone

from webhooks.delivery import deliver
from webhooks.selectors import SWEEP_BATCH, due, due_of_event


@shared_task
def deliver_webhook(*, delivery_id: int, **_later: object) -> None:
    """Running it twice is harmless: who claims the row first sends it."""
    deliver(delivery_id)


@shared_task
def deliver_event(*, event_id: str, **_later: object) -> None:
    """Ring once for each endpoint that is told of the event."""
    for delivery_id in due_of_event(uuid.UUID(event_id), now=timezone.now()):
        deliver_webhook.delay(delivery_id=delivery_id)


@shared_task
def sweep_webhooks(**_later: object) -> None:
    """Send what the broker lost, what waits for its next try, and what a dead worker left."""
    rows = due(now=timezone.now()).order_by("next_try_at")
    for delivery_id in rows.values_list("pk", flat=True)[:SWEEP_BATCH]:
        deliver_webhook.delay(delivery_id=delivery_id)

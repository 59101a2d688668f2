"""Doors for the worker: fetch nothing, decide nothing, call one function."""

from typing import Final

from celery import shared_task
from django.utils import timezone

from notifications.delivery import deliver
from notifications.selectors import due_business_mails

BATCH: Final = 500


@shared_task
def deliver_email(*, message_id: int, **_later: object) -> None:
    """Running it twice is harmless: who claims the row first sends it."""
    deliver(message_id)


@shared_task
def sweep_emails(**_later: object) -> None:
    """Send what the broker lost and what was refused for now (voucher mail: `sweep_orders`)."""
    due = due_business_mails(now=timezone.now()).order_by("next_try_at")
    for message_id in due.values_list("pk", flat=True)[:BATCH]:
        deliver_email.delay(message_id=message_id)

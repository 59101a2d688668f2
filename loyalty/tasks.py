"""Doors for the worker."""

from datetime import timedelta
from typing import Final

from celery import shared_task
from django.utils import timezone

from loyalty.models import PointsTransfer
from loyalty.processing import process
from loyalty.selectors import SWEEP_BATCH, due_transfers

#: Sooner than this the worker rings its own bell; later ones are the sweep's.
SOON: Final = timedelta(seconds=25)


@shared_task
def credit_points(*, transfer_id: int, **_later: object) -> None:
    """Running it twice is harmless: a transfer is claimed before it is sent."""
    process(transfer_id)
    now = timezone.now()
    row = PointsTransfer.objects.filter(pk=transfer_id, next_check_at__lt=now + SOON).first()
    if row is not None and row.next_check_at is not None:
        seconds = max(0.2, (row.next_check_at - now).total_seconds())
        credit_points.apply_async(kwargs={"transfer_id": transfer_id}, countdown=seconds)


@shared_task
def sweep_transfers(**_later: object) -> None:
    """Send what the broker lost, and ask about what is due."""
    due = due_transfers(now=timezone.now()).order_by("next_check_at")
    for transfer_id in due.values_list("pk", flat=True)[:SWEEP_BATCH]:
        credit_points.delay(transfer_id=transfer_id)

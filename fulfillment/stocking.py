"""Codes on their way into the pool, and what follows: waiting orders served, low stock told."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from catalog.models import Variant
from core.db import durable
from fulfillment.selectors import orders_stock_came_for
from fulfillment.waiting import start_again
from notifications.alerts import raise_alert, resolve_general
from notifications.states import AlertKind
from vouchers import loading
from vouchers.models import Batch
from vouchers.states import BatchStatus
from vouchers.stock import levels_of, watched_variants

#: A worker that imports lets others have a turn.
SLICE_SECONDS: Final = 15.0


@durable
def work_on_import(batch_id: int) -> tuple[bool, int | None]:
    """Go on with an import for a while.

    Returns:
        Whether there is more to do for us; the variant that has new codes, if any.
    """
    batch = loading.claim(batch_id, now=timezone.now())
    if batch is None:
        return False, None
    ends = time.monotonic() + SLICE_SECONDS
    try:
        if batch.status == BatchStatus.READING:
            loading.read(batch)
        done = batch.status != BatchStatus.LOADING or loading.load(
            batch, until=lambda: time.monotonic() > ends
        )
    except loading.Stopped:
        return False, None
    loading.give_back(batch)
    added = Batch.objects.filter(pk=batch.pk, rows__gt=0).exists()
    return not done, batch.variant_id if added else None


def serve_waiting(variant_id: int, *, now: datetime) -> Sequence[int]:
    """Open a try for the orders that wait for a variant, oldest first, as far as its codes go."""
    orders = orders_stock_came_for(now=now, variant_id=variant_id)
    for order_id in orders:
        with transaction.atomic():
            start_again(order_id, now=now)
    return orders


def unattended_imports(*, now: datetime) -> Sequence[int]:
    """Imports that nobody works on: never rung for, or whose worker died."""
    return loading.unattended(now=now)


def watch_stock(*, now: datetime) -> int:
    """Raise an alert for each variant at its threshold or below, close those that are above."""
    variants = watched_variants()
    levels = levels_of([variant.pk for variant in variants], now=now)
    low = 0
    for variant in variants:
        level = levels[variant.pk]
        low += level.low
        with transaction.atomic():
            _tell(variant, free=level.free, low=level.low, now=now)
    return low


def _tell(variant: Variant, *, free: int, low: bool, now: datetime) -> None:
    message = f"Few codes of {variant} are left (variant {variant.pk})."
    if low:
        raise_alert(None, AlertKind.LOW_STOCK, message, now=now)
    else:
        note = f"{free} codes are free."
        resolve_general(AlertKind.LOW_STOCK, message, note=note, now=now)

"""Doors for the worker: fetch nothing, decide nothing, call one function."""

from datetime import timedelta
from typing import Final

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from fulfillment.balances import check_balance, watched_partners
from fulfillment.processing import process
from fulfillment.selectors import (
    next_due,
    orders_partner_came_back_for,
    orders_stock_came_for,
    orders_to_probe_with,
    orders_with_due_work,
)
from fulfillment.stocking import (
    serve_waiting,
    unattended_imports,
    watch_stock,
    work_on_import,
)
from fulfillment.waiting import start_again
from notifications.selectors import due_voucher_mails

#: Sooner than this the worker rings its own bell; later ones are the sweep's.
SOON: Final = timedelta(seconds=25)


@shared_task
def fulfil_order(*, order_id: int, **_later: object) -> None:
    """Running it twice is harmless: each due attempt is claimed before it is worked on.

    `_later` lets a worker of the last release take messages of the next one.
    """
    process(order_id=order_id)
    now = timezone.now()
    due = next_due(order_id)
    if due is not None and due < now + SOON:
        seconds = max(0.2, (due - now).total_seconds())
        fulfil_order.apply_async(kwargs={"order_id": order_id}, countdown=seconds)


@shared_task
def sweep_orders(**_later: object) -> None:
    """Wake what is due again, what the broker lost, and what waits for stock or a partner."""
    now = timezone.now()
    for find in (orders_stock_came_for, orders_partner_came_back_for, orders_to_probe_with):
        for order_id in find(now=now):
            with transaction.atomic():
                start_again(order_id, now=now)
    mails = due_voucher_mails(now=now).values_list("order_id", flat=True)
    for order_id in dict.fromkeys([*orders_with_due_work(now=now), *mails]):
        fulfil_order.delay(order_id=order_id)


@shared_task
def sweep_partners(**_later: object) -> None:
    """See what is left in our accounts at partners."""
    for partner in watched_partners():
        check_balance(partner)


@shared_task
def import_codes(*, batch_id: int, **_later: object) -> None:
    """Running it twice is harmless: an import is claimed before it is worked on."""
    more, variant_id = work_on_import(batch_id)
    if variant_id is not None:
        for order_id in serve_waiting(variant_id, now=timezone.now()):
            fulfil_order.delay(order_id=order_id)
    if more:
        import_codes.delay(batch_id=batch_id)


@shared_task
def sweep_imports(**_later: object) -> None:
    """Wake imports that nobody works on, and see what runs out."""
    now = timezone.now()
    for batch_id in unattended_imports(now=now):
        import_codes.delay(batch_id=batch_id)
    watch_stock(now=now)

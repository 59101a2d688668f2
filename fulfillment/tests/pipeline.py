"""The worker as a test calls it, and what it bought."""

from datetime import timedelta

import time_machine
from django.utils import timezone

from fulfillment.models import PartnerTransaction
from fulfillment.processing import process


def processed(order, *, after=None):
    """The worker comes, now or after a while."""
    with time_machine.travel(timezone.now() + (after or timedelta(0)), tick=True):
        process(order_id=order.pk)
    order.refresh_from_db()
    return order


def purchases(order):
    rows = PartnerTransaction.objects.filter(item__order=order)
    return list(rows.values_list("unit_no", "status"))

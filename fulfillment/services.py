"""What others may ask of fulfilment."""

from datetime import datetime
from functools import partial

from django.db import transaction

from core import correlation
from fulfillment.models import FulfillmentAttempt
from fulfillment.states import AttemptType
from fulfillment.tasks import fulfil_order
from orders.models import Order
from orders.states import ItemStatus


def request_fulfilment(order: Order, *, now: datetime) -> None:
    """Leave one attempt IN_PROGRESS per item; part of the caller's transaction.

    The rows are the wish; the worker is only woken, after the commit. With the broker down
    the sweep finds them.
    """
    FulfillmentAttempt.objects.bulk_create(
        FulfillmentAttempt(
            order=order,
            item=item,
            type=AttemptType.AUTO,
            correlation_id=correlation.current(),
            next_try_at=now,
            created_at=now,
        )
        for item in order.items.order_by("pk")
        if item.fulfillment_status != ItemStatus.SUCCEEDED
    )
    transaction.on_commit(partial(fulfil_order.delay, order_id=order.pk), robust=True)

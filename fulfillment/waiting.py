"""Units that wait for stock: served when it comes, oldest order first (I20)."""

from datetime import datetime

from core import correlation
from fulfillment.models import FulfillmentAttempt
from fulfillment.selectors import standings_of
from fulfillment.states import AttemptStatus, AttemptType
from orders.services import locked
from orders.states import ItemStatus, OrderStatus


def start_again(order_id: int, *, now: datetime) -> int:
    """Open a due AUTO attempt for each item that still owes; part of the caller's transaction.

    A try that was planned for later is due now instead.
    """
    order = locked(order_id)
    if order.status != OrderStatus.NEEDS_ATTENTION or order.held_for_risk:
        return 0
    FulfillmentAttempt.objects.filter(
        order=order, type=AttemptType.AUTO, status=AttemptStatus.IN_PROGRESS, claimed_at=None
    ).exclude(next_try_at=None).update(next_try_at=now)
    busy = FulfillmentAttempt.objects.filter(order=order, status=AttemptStatus.IN_PROGRESS)
    items = order.items.filter(fulfillment_status=ItemStatus.PARTNER_FAILED).exclude(
        pk__in=busy.values("item")
    )
    owing = {each.item.pk for each in standings_of(order) if each.owed}
    made = FulfillmentAttempt.objects.bulk_create(
        FulfillmentAttempt(
            order=order,
            item=item,
            type=AttemptType.AUTO,
            correlation_id=correlation.current(),
            next_try_at=now,
            created_at=now,
        )
        for item in items
        if item.pk in owing
    )
    return len(made)

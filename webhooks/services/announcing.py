"""Write down what is to be told, in the transaction of what happened.

Nothing is written where nobody listens. Numbers, states and sums are told; never a code, a name
or an address.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core import correlation
from core.api.fields import instant, number
from core.db import after_commit
from core.money import CURRENCY
from orders.models import Order, OrderEvent
from orders.states import POINTS_METHOD
from webhooks.models import Delivery
from webhooks.selectors import anybody_listens, listening
from webhooks.states import EventType
from webhooks.tasks import deliver_event

#: Events get their ids in it, so that they can be told from any other's.
NAMESPACE: Final = uuid.UUID("5d9f0f3e-6f5b-4e0c-9d3a-6b1c1f0b7a11")
_OF_ORDERS: Final[Mapping[str, EventType]] = {
    "SUCCEEDED": EventType.ORDER_SUCCEEDED,
    "NEEDS_ATTENTION": EventType.ORDER_NEEDS_ATTENTION,
    "FAILED": EventType.ORDER_FAILED,
    "CANCELLED": EventType.ORDER_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, once."""

    type: EventType
    occasion: str
    """What makes it this one: the same change has the same occasion, and so the same id."""
    subject: str
    data: Mapping[str, Any] = field(repr=False)

    @property
    def id(self) -> uuid.UUID:
        return uuid.uuid5(NAMESPACE, f"{self.type}:{self.occasion}")


def announce(event: Event, *, now: datetime) -> None:
    """Tell every shop client that listens; part of the caller's transaction."""
    if anybody_listens(event.type):
        _queue(listening(event.type), event, now=now)


def announce_to(endpoint_id: int, event: Event, *, now: datetime) -> None:
    """Tell one endpoint, whose owner knows that it listens; part of the caller's transaction."""
    _queue([endpoint_id], event, now=now)


def order_moved(order: Order, event: OrderEvent) -> None:
    """An order followed an arrow (`orders.watching`); a programme's is told to its programme."""
    told = _OF_ORDERS.get(event.new)
    if order.payment_method == POINTS_METHOD or told is None:
        return
    data = {"order": order_data(order)}
    announce(Event(told, f"order-event:{event.pk}", order.order_number, data), now=event.at)


def order_data(order: Order) -> dict[str, Any]:
    return {
        "id": order.pk,
        "order_number": order.order_number,
        "status": order.status,
        "total_amount": number(order.total_amount),
        "currency": CURRENCY,
        "paid_at": instant(order.paid_at),
    }


def _queue(endpoint_ids: Sequence[int], event: Event, *, now: datetime) -> None:
    if not endpoint_ids:
        return
    body = json.dumps(
        {
            "eventId": str(event.id),
            "type": event.type.value,
            "createdAt": instant(now),
            "data": event.data,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    Delivery.objects.bulk_create(
        [
            Delivery(
                endpoint_id=endpoint_id,
                event_id=event.id,
                event_type=event.type,
                subject=event.subject[:100],
                body=body,
                next_try_at=now,
                correlation_id=correlation.current(),
                created_at=now,
            )
            for endpoint_id in endpoint_ids
        ],
        ignore_conflicts=True,
    )
    after_commit(deliver_event.delay, event_id=str(event.id))

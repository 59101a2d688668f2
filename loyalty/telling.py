"""A client is told by its webhook how an order of its own ended, in the transaction of the end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.api.fields import instant
from loyalty.models import FulfillmentOrder, PointsTransfer
from loyalty.states import POINTS_GO_BACK, ItemState
from orders.models import Order, OrderEvent
from orders.states import POINTS_METHOD, OrderStatus
from webhooks.services import Event, announce_to
from webhooks.states import EventType

EVENTS: Final[Mapping[ItemState, EventType]] = {
    ItemState.FULFILLED: EventType.FULFILLMENT_FULFILLED,
    ItemState.CANCELLED: EventType.FULFILLMENT_CANCELLED,
    ItemState.FAILED: EventType.FULFILLMENT_FAILED,
}


def tell_outcome(row: FulfillmentOrder, *, now: datetime) -> None:
    """Fulfilled, cancelled or failed; whatever is still under way is no news."""
    state = row.item_state
    told, endpoint = EVENTS.get(state), row.client.webhook
    if told is None or endpoint is None or not endpoint.is_active:
        return
    if told in endpoint.event_types:
        event = Event(told, str(row.pk), row.reference, {"order": outcome_data(row, state)})
        announce_to(endpoint.pk, event, now=now)


def order_moved(order: Order, event: OrderEvent) -> None:
    """A gift card was delivered (`orders.watching`); no statement for the shop's own orders."""
    if order.payment_method != POINTS_METHOD or event.new != OrderStatus.SUCCEEDED:
        return
    tell_order(order, now=event.at)


def tell_order(order: Order, *, now: datetime) -> None:
    """What became of the gift card that this order of the shop delivers, if it is one."""
    row = FulfillmentOrder.objects.select_related("client__webhook").filter(order=order.pk).first()
    if row is not None:
        row.order = order  # as it stands in this transaction
        tell_outcome(row, now=now)


def tell_transfer(transfer: PointsTransfer, *, now: datetime) -> None:
    """What became of points, if that is known now."""
    rows = FulfillmentOrder.objects.select_related("client__webhook")
    row = rows.get(pk=transfer.fulfillment_id)
    row.transfer = transfer  # as it stands in this transaction
    tell_outcome(row, now=now)


def outcome_data(row: FulfillmentOrder, state: ItemState) -> dict[str, Any]:
    """The order as `GET /fulfillment-orders/{id}` names it, without what it was made of."""
    return {
        "id": str(row.pk),
        "reference": row.reference,
        "status": row.status,
        "created_at": instant(row.created_at),
        "order_items": [
            {
                "id": str(row.item_id),
                "type": row.item_type,
                "status": state.value,
                "points_to_be_returned": state in POINTS_GO_BACK,
            }
        ],
    }

"""What is checked before anything leaves the house, in the order of the seed's table."""

from datetime import datetime

from core import correlation
from core.actors import Actor
from core.errors import BadRequest, Conflict, NotFound
from fulfillment.models import FulfillmentAttempt
from fulfillment.selectors import Standing, being_worked_on, standings_of
from fulfillment.states import AttemptStatus, AttemptType
from orders.models import Order, OrderItem
from orders.services import locked


def paid_order(order_id: int) -> Order:
    """The order under its lock, if it may be delivered at all.

    Raises:
        NotFound: there is no such order.
        BadRequest: it has no SUCCEEDED payment.
        Conflict: it is held for risk (D44).
    """
    try:
        order = locked(order_id)
    except Order.DoesNotExist:
        raise NotFound("There is no such order.") from None
    if order.paid_at is None:
        raise BadRequest(
            f"Order {order.order_number} has no SUCCEEDED payment; refusing to dispatch voucher"
        )
    if order.held_for_risk:
        raise Conflict(f"Order {order.order_number} is held as risky; release or refund it first.")
    return order


def standing_of(order: Order, item_id: int) -> Standing:
    """Raises NotFound if the item is not of this order (D46)."""
    for standing in standings_of(order):
        if standing.item.pk == item_id:
            return standing
    raise NotFound(f"Order {order.order_number} has no item {item_id}.")


def repairable(item: OrderItem) -> None:
    """Raises Conflict if the item is delivered already."""
    if item.fulfilled:
        raise Conflict(f"Item {item.pk} is already fulfilled.")
    if FulfillmentAttempt.objects.filter(item=item, status=AttemptStatus.DISPATCHED).exists():
        raise Conflict(f"Item {item.pk} was already dispatched by an earlier attempt.")


def free_to_work(item: OrderItem, *, now: datetime) -> None:
    """Raises Conflict, naming who, while somebody else works on the item."""
    other = being_worked_on(item, now=now)
    if other is not None:
        who = str(other.admin_user) if other.admin_user else "the automatic delivery"
        raise Conflict(
            f"{who} is working on item {item.pk} just now (attempt {other.pk}); try again shortly."
        )


def begin(
    order: Order,
    item: OrderItem | None,
    attempt_type: AttemptType,
    *,
    operator: Actor,
    notes: str,
    now: datetime,
    **fields: object,
) -> FulfillmentAttempt:
    """Open the operator's attempt, claimed; a waiting one of the item ends and names it (D37)."""
    if item is not None:
        waiting = FulfillmentAttempt.objects.filter(item=item, status=AttemptStatus.IN_PROGRESS)
        waiting.update(
            status=AttemptStatus.PARTNER_FAILED,
            error_message=f"Replaced by an operator's attempt, fa:{correlation.current()}",
            claimed_at=None,
            next_try_at=None,
            ended_at=now,
        )
    return FulfillmentAttempt.objects.create(
        order=order,
        item=item,
        type=attempt_type,
        admin_user_id=operator.user_id,
        notes=notes,
        correlation_id=correlation.current(),
        claimed_at=now,
        next_try_at=now,
        created_at=now,
        **fields,
    )

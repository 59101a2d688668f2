"""What others may ask of fulfilment."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from catalog.models import Partner
from core import correlation
from core.actors import Actor
from core.db import after_commit
from core.errors import Conflict
from core.logging import get_logger
from fulfillment.balances import check_balance
from fulfillment.models import FulfillmentAttempt, PartnerHealth
from fulfillment.partners.registry import PARTNERS, WEBHOOKS
from fulfillment.states import AttemptType
from fulfillment.tasks import fulfil_order, import_codes
from fulfillment.webhooks import keep
from notifications.alerts import resolve_alerts
from notifications.states import AlertKind
from orders.models import Order
from orders.services import locked, tell
from orders.states import ItemStatus

log = get_logger(__name__)


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
        and len(item.refunded_units) < item.quantity
    )
    after_commit(fulfil_order.delay, order_id=order.pk)


def release_order(order_id: int, *, operator: Actor, reason: str, now: datetime) -> Order:
    """Start the delivery of an order held as risky: a person has decided (D44).

    Raises:
        Conflict: it is not held, or nothing of it is owed any more.
    """
    with transaction.atomic():
        order = locked(order_id)
        if not order.held_for_risk:
            raise Conflict(f"Order {order.order_number} is not held as risky.")
        if order.closed_by_refund:
            raise Conflict(f"Order {order.order_number} is refunded: nothing is owed any more.")
        order.held_for_risk = False
        order.save(update_fields=["held_for_risk", "updated_at"])
        tell(order, "released", actor=operator, reason=reason, now=now)
        note = f"Released: {reason}, fa:{correlation.current()}"
        kinds = [AlertKind.PAYMENT_RISK]
        resolve_alerts(order, kinds, note=note, now=now, by_id=operator.user_id)
        request_fulfilment(order, now=now)
    log.info("order.released", order=order.order_number)
    return order


def has_adapter(partner: Partner) -> bool:
    """Whether we can ask this partner anything."""
    return partner.slug in PARTNERS


def check_connection(partner: Partner) -> PartnerHealth | None:
    """Ask a partner for our balance; None if it could not say. Buys nothing."""
    return check_balance(partner)


def wake_import(batch_id: int) -> None:
    """Ring for an import once the transaction under way is committed; a sweep finds it anyway."""
    after_commit(import_codes.delay, batch_id=batch_id)


def receive_hint(partner: str, *, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Keep a partner's notice, and let the worker ask about the purchase it names.

    Nothing in it is believed: what follows is the look-up that the plan would have made later.

    Returns:
        False if the partner's secret does not stand behind it; then nothing was kept.
    """
    notice = WEBHOOKS[partner]()
    if not notice.is_genuine(headers=headers, body=body, now=now):
        return False
    with transaction.atomic():
        order_id = keep(partner, notice.read(body), body, now=now)
        if order_id is not None:
            after_commit(fulfil_order.delay, order_id=order_id)
    return True

"""Closing an order that nobody paid."""

from datetime import datetime

from django.db import transaction

from core.actors import Actor
from orders.services import locked
from orders.states import UNPAID, OrderStatus
from payments.models import Payment
from payments.settlement import close_if_unpaid
from payments.states import OPEN, PaymentStatus


@transaction.atomic
def close(order_id: int, *, actor: Actor, reason: str, now: datetime) -> bool:
    """Cancel an unpaid order with its open payments; stock and discount go back (D16).

    The gateway has been asked a last time before; money that comes all the same is late
    money, and honoured. False if the order is not unpaid any more.
    """
    order = locked(order_id)
    if order.status not in UNPAID:
        return False
    Payment.objects.filter(order=order, status__in=OPEN - {PaymentStatus.AUTHORIZED}).update(
        status=PaymentStatus.CANCELLED, reason=reason[:300], next_check_at=None
    )
    return close_if_unpaid(order, OrderStatus.CANCELLED, actor=actor, reason=reason, now=now)

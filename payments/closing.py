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
    money, and honoured. False, and nothing is changed, if the order is not unpaid any more or a
    carrier is still to confirm.
    """
    order = locked(order_id)
    payments = Payment.objects.filter(order=order)
    if order.status not in UNPAID or payments.filter(status=PaymentStatus.AUTHORIZED).exists():
        return False  # what a carrier has authorised, only the carrier ends
    payments.filter(status__in=OPEN).update(
        status=PaymentStatus.CANCELLED, reason=reason[:300], next_check_at=None
    )
    return close_if_unpaid(order, OrderStatus.CANCELLED, actor=actor, reason=reason, now=now)

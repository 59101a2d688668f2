"""Who of the operators works on which order just now.

A claim tells the others; it locks nothing. Money never waits for somebody who went for lunch:
it runs out by itself, and what an order allows is judged by its own guards.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import User
from core.errors import Conflict
from orders.models import Order, OrderClaim
from orders.selectors import DHAKA
from orders.services import locked


def claim_order(order_id: int, *, operator: User, now: datetime) -> OrderClaim:
    """Take the order on, or keep it for longer.

    Raises:
        Conflict: somebody else has it, and until when.
    """
    with transaction.atomic():
        order = locked(order_id)
        held = holder_of(order, now=now)
        if held is not None and held.operator_id != operator.pk:
            until = held.expires_at.astimezone(DHAKA)
            raise Conflict(f"{held.operator} is working on this order until {until:%H:%M}.")
        claim, _ = OrderClaim.objects.update_or_create(
            order=order,
            defaults={
                "operator": operator,
                "claimed_at": held.claimed_at if held else now,
                "expires_at": now + settings.ORDER_CLAIM,
            },
        )
    return claim


def hand_back(order_id: int, *, operator: User) -> bool:
    """Give one's own claim up; False if there is none."""
    gone, _ = OrderClaim.objects.filter(order=order_id, operator=operator).delete()
    return bool(gone)


def holder_of(order: Order, *, now: datetime) -> OrderClaim | None:
    """The claim on an order that has not run out."""
    rows = OrderClaim.objects.select_related("operator")
    return rows.filter(order=order, expires_at__gt=now).first()

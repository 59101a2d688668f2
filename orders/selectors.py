"""Reading orders: which ones somebody may see, with what is shown of them."""

from typing import Final

from django.db.models import Q, QuerySet

from orders.models import Order

NUMBER_LENGTH: Final = 8


def orders_of(customer_id: int) -> QuerySet[Order]:
    """A customer's own orders, newest first."""
    return Order.objects.filter(customer=customer_id).order_by("-id")


def find_order(rows: QuerySet[Order], key: str) -> Order | None:
    """By order number if `key` has exactly 8 digits, else or failing that by id (D4)."""
    if not (key.isascii() and key.isdigit() and len(key) <= 18):
        return None
    if len(key) != NUMBER_LENGTH:
        return rows.filter(pk=int(key)).first()
    found = list(rows.filter(Q(order_number=key) | Q(pk=int(key)))[:2])
    found.sort(key=lambda order: order.order_number != key)
    return found[0] if found else None

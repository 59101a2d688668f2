"""Reading orders: which ones somebody may see, with what is shown of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum

from orders.models import Order, OrderItem
from orders.states import OrderStatus

DHAKA: Final = ZoneInfo("Asia/Dhaka")
NUMBER_LENGTH: Final = 8
MOST_DIGITS: Final = 18  # fits a bigint


def orders_of(customer_id: int) -> QuerySet[Order]:
    """A customer's own orders, newest first."""
    return Order.objects.filter(customer=customer_id).order_by("-id")


def find_order(rows: QuerySet[Order], key: str) -> Order | None:
    """By order number if `key` has exactly 8 digits, else or failing that by id (D4)."""
    if not (key.isascii() and key.isdigit() and len(key) <= MOST_DIGITS):
        return None
    if len(key) != NUMBER_LENGTH:
        return rows.filter(pk=int(key)).first()
    found = list(rows.filter(Q(order_number=key) | Q(pk=int(key)))[:2])
    found.sort(key=lambda order: order.order_number != key)
    return found[0] if found else None


def ordered_today(variant_ids: Iterable[int], *, now: datetime) -> Mapping[int, int]:
    """Units of each variant ordered since midnight in Dhaka that still count against its cap."""
    midnight = now.astimezone(DHAKA).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        OrderItem.objects.filter(variant__in=set(variant_ids), order__created_at__gte=midnight)
        .exclude(order__status__in=[OrderStatus.FAILED, OrderStatus.CANCELLED])
        .values_list("variant_id")
        .annotate(units=Sum("quantity"))
    )
    return dict(rows)

"""Reading orders: which ones somebody may see, with what is shown of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from core.money import ZERO
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
    since = midnight(now)
    rows = (
        OrderItem.objects.filter(variant__in=set(variant_ids), order__created_at__gte=since)
        .exclude(order__status__in=[OrderStatus.FAILED, OrderStatus.CANCELLED])
        .values_list("variant_id")
        .annotate(units=Sum("quantity"))
    )
    return dict(rows)


def midnight(now: datetime) -> datetime:
    """When the shop's day began, in Dhaka."""
    return now.astimezone(DHAKA).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Today:
    """The shop's day so far, counted from midnight in Dhaka."""

    placed: int
    paid: int
    revenue: Decimal
    delivered: int

    @property
    def delivered_percent(self) -> int | None:
        return 100 * self.delivered // self.paid if self.paid else None


def today(*, now: datetime) -> Today:
    """Orders placed and paid today, and how many of the paid ones are delivered."""
    since = midnight(now)
    placed = Order.objects.filter(created_at__gte=since).count()
    figures = Order.objects.filter(paid_at__gte=since).aggregate(
        paid=Count("id"),
        revenue=Sum("total_amount"),
        delivered=Count("id", filter=Q(status=OrderStatus.SUCCEEDED)),
    )
    return Today(placed, figures["paid"], figures["revenue"] or ZERO, figures["delivered"])


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid within one span of time."""

    at: datetime
    paid: int
    delivered: int
    revenue: Decimal


_PAID = """
SELECT span.start, sums.paid, sums.delivered, coalesce(sums.revenue, 0)
FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS span(start, until)
CROSS JOIN LATERAL (
  SELECT count(*) AS paid, count(*) FILTER (WHERE status = %s) AS delivered,
    sum(total_amount) AS revenue
  FROM orders WHERE paid_at >= span.start AND paid_at < span.until) AS sums
ORDER BY span.start
"""


def paid_within(spans: Sequence[tuple[datetime, datetime]]) -> Sequence[Paid]:
    """Paid orders of each of these spans, from its start until before its end, the first first.

    One statement that reads the index of paid orders, span by span: to cut each order's time
    into days would cost three times as much.
    """
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    with connection.cursor() as cursor:
        cursor.execute(_PAID, [starts, ends, OrderStatus.SUCCEEDED])
        return [Paid(*row) for row in cursor.fetchall()]


def waiting_longest(limit: int) -> Sequence[Order]:
    """The paid orders that wait for a person, the oldest payment first."""
    rows = Order.objects.filter(status=OrderStatus.NEEDS_ATTENTION, closed_by_refund=False)
    rows = rows.order_by("paid_at")
    return list(rows.prefetch_related("items")[:limit])

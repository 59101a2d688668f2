"""The operators' queue: which orders need a person, by cause, and how one is found.

Every list is paged by key and counted no further than `MOST_COUNTED` (D36): instant whatever
the shop has sold. The API and the admin's list read the same rows.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts.inputs import msisdn_of
from accounts.models import User
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.states import AttemptStatus, PurchaseStatus
from notifications.models import AdminAlert
from notifications.selectors import open_alerts_of_orders
from notifications.states import MONEY_ALERTS
from orders.models import Order, OrderItem
from orders.states import ItemStatus, OrderStatus
from vouchers.selectors import vouchers_by_code

MOST_COUNTED: Final = 10_000
#: An order's number, also as a part of our references at gateways and partners.
NUMBER: Final = re.compile(
    r"(?:#|BDV-?)?([1-9][0-9]{7})(?:-?[0-9]{1,3}|I[0-9]+U[0-9]+T[0-9]+)?", re.IGNORECASE
)
NONE: Final = "-"
"""As a wish for a partner or a cause: there is none."""
LOST: Final = (AttemptStatus.PARTNER_FAILED, AttemptStatus.FAILED)
UUID: Final = re.compile(r"(?:fa:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)


def _attention(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Paid, not delivered, and somebody has to act: refunded ones have no open alert (D42)."""
    alerts = AdminAlert.objects.filter(order=OuterRef("pk"), resolved_at=None)
    return rows.filter(Exists(alerts), status=OrderStatus.NEEDS_ATTENTION)


def _unknown(rows: QuerySet[Order]) -> QuerySet[Order]:
    """A partner was asked, and nobody knows whether it sold."""
    purchases = PartnerTransaction.objects.filter(status=PurchaseStatus.UNKNOWN)
    return rows.filter(pk__in=purchases.values("item__order"))


def _waiting_for_stock(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Codes are missing and nobody is asked any more: the pool or a source has to be filled."""
    busy = FulfillmentAttempt.objects.filter(item=OuterRef("pk"), status=AttemptStatus.IN_PROGRESS)
    items = OrderItem.objects.filter(
        ~Exists(busy),
        order=OuterRef("pk"),
        fulfillment_status=ItemStatus.PARTNER_FAILED,
    )
    return _attention(rows).filter(Exists(items), held_for_risk=False)


def _mail_failed(rows: QuerySet[Order]) -> QuerySet[Order]:
    items = OrderItem.objects.filter(
        order=OuterRef("pk"), fulfillment_status=ItemStatus.DISPATCH_FAILED
    )
    return _attention(rows).filter(Exists(items))


def _money(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Money that came late, twice, wrong or flagged, and is not settled."""
    alerts = AdminAlert.objects.filter(resolved_at=None, kind__in=sorted(MONEY_ALERTS))
    return rows.filter(pk__in=alerts.exclude(order=None).values("order"))


#: Tab -> which orders it holds. `all` is every order there is.
TABS: Final[Mapping[str, Callable[[QuerySet[Order]], QuerySet[Order]]]] = {
    "needs_attention": _attention,
    "unknown": _unknown,
    "waiting_for_stock": _waiting_for_stock,
    "mail_failed": _mail_failed,
    "late_money": _money,
    "all": lambda rows: rows,
}
TAB_NAMES: Final = tuple(sorted(TABS))
TAB_LABELS: Final[Mapping[str, str]] = {
    "needs_attention": "Needs attention",
    "unknown": "Outcome unknown",
    "waiting_for_stock": "Waiting for stock",
    "mail_failed": "Mail failed",
    "late_money": "Late money",
    "all": "All orders",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator looks for; empty is no wish."""

    tab: str = "all"
    search: str = ""
    status: str = ""
    payment_method: str = ""
    partner: str = ""
    """Slug of a partner that was asked for the order, and did not (yet) deliver."""
    cause: str = ""
    """The word of a failed attempt's `partner_response.status`, such as `NO_STOCK`."""
    alert: str = ""
    """A kind of alert that is open for the order."""
    claimed_by: int | None = None
    unclaimed_at: datetime | None = None
    """Nobody has a claim on it at this time."""
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    """Exclusive, as all ends are."""
    paid_from: datetime | None = None
    paid_to: datetime | None = None


def orders_wished(wish: Wish) -> QuerySet[Order]:
    """The orders, without a sort of their own."""
    rows = TABS[wish.tab](Order.objects.all())
    if wish.search:
        rows = found_by(rows, wish.search)
    plain = {
        "status": wish.status,
        "payment_method": wish.payment_method,
        "created_at__gte": wish.placed_from,
        "created_at__lt": wish.placed_to,
        "paid_at__gte": wish.paid_from,
        "paid_at__lt": wish.paid_to,
        "claim__operator": wish.claimed_by,
    }
    rows = rows.filter(**{name: value for name, value in plain.items() if value})
    if wish.partner:
        rows = rows.filter(_asked(wish.partner))
    if wish.cause:
        rows = rows.filter(_failed_with(wish.cause))
    if wish.alert:
        alerts = AdminAlert.objects.filter(resolved_at=None, kind=wish.alert).exclude(order=None)
        rows = rows.filter(pk__in=alerts.values("order"))
    if wish.unclaimed_at:
        rows = rows.exclude(claim__expires_at__gt=wish.unclaimed_at)
    return rows


def _asked(partner: str) -> Any:
    """Whether this partner was asked for the order, and did not (yet) deliver."""
    bought = PartnerTransaction.objects.filter(item__order=OuterRef("pk")).exclude(
        status=PurchaseStatus.SUCCEEDED
    )
    return ~Exists(bought) if partner == NONE else Exists(bought.filter(partner__slug=partner))


def _failed_with(cause: str) -> Any:
    failed = FulfillmentAttempt.objects.filter(order=OuterRef("pk"), status__in=LOST)
    if cause == NONE:
        return ~Exists(failed.filter(partner_response__has_key="status"))
    return Exists(failed.filter(partner_response__status=cause))


def found_by(rows: QuerySet[Order], term: str) -> QuerySet[Order]:
    """By number or one of our references, e-mail, mobile number, correlation id, a partner's
    transaction id, or the exact code; each exact, so each by an index.

    What is looked for in another table is looked up there first: as one condition beside the
    orders, PostgreSQL would read every order for it.
    """
    term = term.strip()
    if found := NUMBER.fullmatch(term):
        return rows.filter(order_number=found[1])
    if "@" in term:
        return rows.filter(recipient_email__iexact=term)
    if found := UUID.fullmatch(term):
        tried = FulfillmentAttempt.objects.filter(correlation_id=found[1].lower())
        return _among(rows, tried.values_list("order_id"))
    try:
        owner = User.objects.filter(msisdn=msisdn_of(term)).values_list("pk", flat=True).first()
    except ValueError:
        return _by_code_or_purchase(rows, term)
    return rows.none() if owner is None else rows.filter(customer=owner)


def _by_code_or_purchase(rows: QuerySet[Order], term: str) -> QuerySet[Order]:
    """The code is sought by its fingerprint: nothing is opened, and nothing partly matches."""
    if not term:
        return rows.none()
    held = vouchers_by_code([term]).values()
    items = {each.order_item_id or each.former_item_id or 0 for each in held}
    named = PartnerTransaction.objects.filter(partner_transaction_id=term)
    ours = PartnerTransaction.objects.filter(reference=term)
    bought = named.values_list("item__order_id").union(ours.values_list("item__order_id"))
    holding = OrderItem.objects.filter(pk__in=items).values_list("order_id")
    return _among(rows, [*bought[:MOST_COUNTED], *holding])


def _among(rows: QuerySet[Order], found: Iterable[tuple[int]]) -> QuerySet[Order]:
    return rows.filter(pk__in={pk for (pk,) in found})


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page by key, oldest or newest first."""

    rows: Sequence[Order]
    limit: int
    total: int
    total_exact: bool
    next_after: int | None
    """Where the next page begins; null on the last one."""


def page_of_queue(
    rows: QuerySet[Order], *, limit: int, after: int | None, page: int = 1, oldest_first: bool
) -> QueuePage:
    """Five statements, whatever the rows: the page, its items, its alerts, the capped count."""
    total = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
    if after is not None:
        rows = rows.filter(pk__gt=after) if oldest_first else rows.filter(pk__lt=after)
    start = 0 if after is not None else (page - 1) * limit
    ordered = rows.order_by("pk" if oldest_first else "-pk").select_related(
        "customer", "claim__operator"
    )
    found = list(ordered.prefetch_related("items")[start : start + limit + 1])
    shown = found[:limit]
    alerts = open_alerts_of_orders(order.pk for order in shown)
    for order in shown:
        order.open_alerts = alerts.get(order.pk, ())  # type: ignore[attr-defined]
    return QueuePage(
        shown,
        limit,
        min(total, MOST_COUNTED),
        total <= MOST_COUNTED,
        shown[-1].pk if len(found) > limit else None,
    )


@dataclass(frozen=True, slots=True)
class Incident:
    """Orders that need attention for the same reason at the same partner."""

    cause: str
    partner: str
    partner_name: str
    orders: int
    oldest: datetime
    money: Decimal
    told: str
    """What an alert of one of them says."""


_INCIDENTS: Final = """
WITH stuck AS MATERIALIZED (
  SELECT id, paid_at, total_amount FROM orders
  WHERE status = 'NEEDS_ATTENTION' AND EXISTS (
    SELECT FROM admin_alerts a WHERE a.order_id = orders.id AND a.resolved_at IS NULL)
  ORDER BY id LIMIT %(most)s
), facts AS (
  SELECT stuck.*, coalesce(failed.word, '-') AS cause, coalesce(asked.slug, '-') AS partner,
    coalesce(asked.name, '') AS partner_name
  FROM stuck
  LEFT JOIN LATERAL (
    SELECT DISTINCT partner_response ->> 'status' AS word FROM fulfillment_attempts
    WHERE order_id = stuck.id AND status = ANY (%(lost)s) AND partner_response ? 'status'
  ) AS failed ON true
  LEFT JOIN LATERAL (
    SELECT DISTINCT p.slug, p.name FROM order_items i
    JOIN partner_api_transactions t ON t.item_id = i.id AND t.status <> 'SUCCEEDED'
    JOIN partners p ON p.id = t.partner_id WHERE i.order_id = stuck.id
  ) AS asked ON true
)
SELECT cause, partner, min(partner_name), count(*), min(paid_at), sum(total_amount),
  (SELECT coalesce(min(message), '') FROM admin_alerts a
   WHERE a.order_id = min(facts.id) AND a.resolved_at IS NULL)
FROM facts GROUP BY cause, partner ORDER BY count(*) DESC, min(paid_at) LIMIT %(shown)s
"""


def incidents(*, shown: int = 12) -> list[Incident]:
    """Orders that need attention by root cause, the largest group first; one statement.

    A group holds just the orders that `Wish(tab="needs_attention", cause, partner)` finds.
    """
    with connection.cursor() as cursor:
        given: dict[str, Any] = {
            "most": MOST_COUNTED,
            "lost": [str(each) for each in LOST],
            "shown": shown,
        }
        cursor.execute(_INCIDENTS, given)
        rows = cursor.fetchall()
    return [Incident(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class TabCount:
    tab: str
    label: str
    count: int | None
    """None for all orders; stops at `MOST_COUNTED`."""


def tab_counts() -> list[TabCount]:
    """How much each tab holds; one statement a tab."""
    return [
        TabCount(
            tab, TAB_LABELS[tab], None if tab == "all" else _counted(rows(Order.objects.all()))
        )
        for tab, rows in TABS.items()
    ]


def _counted(rows: QuerySet[Order]) -> int:
    return rows.order_by().values("pk")[:MOST_COUNTED].count()


def neighbours(
    rows: QuerySet[Order], order_id: int, *, oldest_first: bool
) -> tuple[int | None, int | None]:
    """The orders before and after this one in the queue; two statements."""
    lower = rows.filter(pk__lt=order_id).order_by("-pk").values_list("pk", flat=True).first()
    higher = rows.filter(pk__gt=order_id).order_by("pk").values_list("pk", flat=True).first()
    return (lower, higher) if oldest_first else (higher, lower)

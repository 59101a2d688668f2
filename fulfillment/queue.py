"""The operators' queue: which orders need a person, by cause, and how one is found.

Every list is paged by key and counted no further than `MOST_COUNTED` (D36): instant whatever
the shop has sold. The API and the admin's list read the same rows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.inputs import msisdn_of
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
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    """Exclusive."""


def orders_wished(wish: Wish) -> QuerySet[Order]:
    """The orders, without a sort of their own."""
    rows = TABS[wish.tab](Order.objects.all())
    if wish.search:
        rows = found_by(rows, wish.search)
    if wish.status:
        rows = rows.filter(status=wish.status)
    if wish.payment_method:
        rows = rows.filter(payment_method=wish.payment_method)
    if wish.placed_from:
        rows = rows.filter(created_at__gte=wish.placed_from)
    if wish.placed_to:
        rows = rows.filter(created_at__lt=wish.placed_to)
    if wish.partner:
        bought = PartnerTransaction.objects.filter(
            item__order=OuterRef("pk"), partner__slug=wish.partner
        ).exclude(status=PurchaseStatus.SUCCEEDED)
        rows = rows.filter(Exists(bought))
    if wish.cause:
        failed = FulfillmentAttempt.objects.filter(
            order=OuterRef("pk"), partner_response__status=wish.cause
        )
        rows = rows.filter(Exists(failed))
    return rows


def found_by(rows: QuerySet[Order], term: str) -> QuerySet[Order]:
    """By number or one of our references, e-mail, mobile number, correlation id, a partner's
    transaction id, or the exact code; each exact, so each by an index."""
    term = term.strip()
    if found := NUMBER.fullmatch(term):
        return rows.filter(order_number=found[1])
    if "@" in term:
        return rows.filter(recipient_email__iexact=term)
    if found := UUID.fullmatch(term):
        tried = FulfillmentAttempt.objects.filter(correlation_id=found[1].lower())
        return rows.filter(pk__in=tried.values("order"))
    try:
        return rows.filter(customer__msisdn=msisdn_of(term))
    except ValueError:
        return _by_code_or_purchase(rows, term)


def _by_code_or_purchase(rows: QuerySet[Order], term: str) -> QuerySet[Order]:
    """The code is sought by its fingerprint: nothing is opened, and nothing partly matches."""
    purchases = PartnerTransaction.objects.filter(
        Q(partner_transaction_id=term) | Q(reference=term)
    )
    items = {voucher.order_item_id or voucher.former_item_id for voucher in _vouchers(term)}
    return rows.filter(
        Q(pk__in=purchases.values("item__order"))
        | Q(pk__in=OrderItem.objects.filter(pk__in=items - {None}).values("order"))
    )


def _vouchers(term: str) -> Sequence[Any]:
    return list(vouchers_by_code([term]).values()) if term else []


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
    ordered = rows.order_by("pk" if oldest_first else "-pk").select_related("customer")
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

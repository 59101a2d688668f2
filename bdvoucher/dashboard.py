"""What the landing page tells: what needs a person, how the day goes, and the way there.

Every figure names the list behind it, and the list holds just what was counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Min
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.http import urlencode

from bdvoucher.charts import Bar, Chart, chart
from core.kept import Shelf
from core.templatetags.shop import taka
from fulfillment.balances import watched_partners
from fulfillment.models import PartnerHealth, PartnerTransaction
from fulfillment.queue import TABS, incidents
from fulfillment.states import PurchaseStatus
from notifications.selectors import mail_times, open_alert_kinds, open_alerts_of_orders
from notifications.states import FULFILLMENT_ALERTS, MONEY_ALERTS, AlertKind
from orders.models import Order
from orders.selectors import DHAKA, Paid, midnight, paid_within, today, waiting_longest
from vouchers.selectors import low_in_stock

SHOWN: Final = 8
REVENUE: Final = Shelf("revenue")
KEPT_SECONDS: Final = 3600
#: A payment is told within minutes of its time.
SETTLED: Final = timedelta(hours=4)
#: Told beside the tabs that hold their orders.
IN_TABS: Final = FULFILLMENT_ALERTS | MONEY_ALERTS
#: Alerts of the shop as a whole, or of either kind: their list is the list of alerts.
OF_THE_SHOP: Final = frozenset(
    {
        AlertKind.PARTNER_DOWN,
        AlertKind.PARTNER_BALANCE,
        AlertKind.PARTNER_MISCONFIGURED,
        AlertKind.PARTNER_ANOMALY,
        AlertKind.RENEWAL_BLOCKED,
        AlertKind.INVARIANT,
        AlertKind.LOW_STOCK,
    }
)


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person."""

    label: str
    count: int
    oldest: datetime | None
    link: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class PartnerLine:
    name: str
    state: str
    tone: str
    balance: str
    link: str


def orders_at(**wish: str) -> str:
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(wish)}"


def dashboard(*, now: datetime) -> dict[str, Any]:
    """A fixed number of statements, whatever the shop has sold."""
    longest = waiting_longest(SHOWN)
    alerts = open_alerts_of_orders(order.pk for order in longest)
    since = midnight(now)
    day = f"{since:%Y-%m-%dT%H:%M}"
    low = low_in_stock(now=now)
    return {
        "now": now,
        "needs": [*_queues(), *_needs_of_alerts(len(low))],
        "low": low[:SHOWN],
        "incidents": incidents(shown=6),
        "longest": [(order, alerts.get(order.pk, ())) for order in longest],
        "today": today(now=now),
        "mail_times": mail_times(since=since),
        "placed_link": orders_at(tab="all", **{"from": day}),
        "paid_link": orders_at(tab="all", paid_from=day),
        "delivered_link": orders_at(tab="all", paid_from=day, status="SUCCEEDED"),
        "hours": _hours(now),
        "hours_link": orders_at(tab="all", paid_from=f"{_first_hour(now):%Y-%m-%dT%H:%M}"),
        "days": _days(now),
        "days_link": orders_at(tab="all", paid_from=f"{_first_day(now):%Y-%m-%dT%H:%M}"),
        "partners": _partners(now),
    }


def _queues() -> list[Need]:
    found = []
    labels = {
        "needs_attention": "Paid, not delivered",
        "waiting_for_stock": "Waiting for stock",
        "mail_failed": "Mail failed",
        "late_money": "Late, duplicate or wrong money",
    }
    for tab, label in labels.items():
        rows = TABS[tab](Order.objects.all()).order_by()
        row = rows.aggregate(count=Count("pk"), oldest=Min(Coalesce("paid_at", "created_at")))
        urgent = tab == "needs_attention"
        found.append(Need(label, row["count"], row["oldest"], orders_at(tab=tab), urgent))
    unknown = PartnerTransaction.objects.filter(status=PurchaseStatus.UNKNOWN).aggregate(
        count=Count("item__order", distinct=True), oldest=Min("sent_at")
    )
    link = orders_at(tab="unknown")
    found.insert(
        1, Need("Purchase with unknown outcome", unknown["count"], unknown["oldest"], link)
    )
    return found


def _needs_of_alerts(low: int) -> list[Need]:
    """Open alerts that no tab tells of; what runs out is one figure, that of the list of stock."""
    alerts = reverse("admin:notifications_adminalert_changelist")
    found, low_since = [], None
    for row in open_alert_kinds():
        if row.kind in IN_TABS:
            continue
        if row.kind == AlertKind.LOW_STOCK and low:
            low_since = row.oldest
            continue
        of_shop = row.kind in OF_THE_SHOP
        link = f"{alerts}?open=yes&kind__exact={row.kind}"
        link = link if of_shop else orders_at(tab="all", alert=row.kind.value)
        urgent = row.kind in (AlertKind.PARTNER_DOWN, AlertKind.INVARIANT)
        found.append(Need(str(row.kind.label), row.count, row.oldest, link, urgent))
    if low:
        stock = f"{reverse('admin:catalog_variant_changelist')}?stock=low"
        found.append(Need("Low in stock", low, low_since, stock))
    return found


def _hours(now: datetime) -> Chart:
    """Paid orders of the last 24 hours; what is not delivered stands out."""
    bars = []
    spans = _spans(_first_hour(now), timedelta(hours=1), 24)
    for row, (_, until) in zip(paid_within(spans), spans, strict=True):
        late, at = row.paid - row.delivered, row.at.astimezone(DHAKA)
        words = f"{at:%H:%M}: {row.paid} paid, {late} not delivered"
        bars.append(Bar(f"{at:%H}", row.paid, late, words, _paid_between(at, until)))
    return chart(bars, label_every=3)


def _days(now: datetime) -> Chart:
    """Revenue of the last 30 days."""
    bars = []
    for row, until in _revenue(now):
        at = row.at.astimezone(DHAKA)
        words = f"{at:%d %b}: " + (
            f"{taka(row.revenue)}, {row.paid} paid orders" if row.paid else "nothing"
        )
        bars.append(Bar(f"{at:%d}", float(row.revenue), 0, words, _paid_between(at, until)))
    return chart(bars, label_every=5)


def _revenue(now: datetime) -> Iterable[tuple[Paid, datetime]]:
    """Day by day. What was paid on a day that is over changes no more, so it is kept for a while;
    today and, in its first hours, yesterday are added up at each look."""
    spans = _spans(_first_day(now), timedelta(days=1), 30)
    over = {start.isoformat(): (start, until) for start, until in spans if until < now - SETTLED}

    def added_up(missing: Sequence[str]) -> dict[str, Paid]:
        rows = paid_within([over[start] for start in missing])
        return dict(zip(missing, rows, strict=True))

    kept = REVENUE.kept_many(list(over), added_up, seconds=KEPT_SECONDS)
    rows = [*(kept[start] for start in over), *paid_within(spans[len(over) :])]
    return [(row, until) for row, (_, until) in zip(rows, spans, strict=True)]


def _first_hour(now: datetime) -> datetime:
    this_hour = now.astimezone(DHAKA).replace(minute=0, second=0, microsecond=0)
    return this_hour - timedelta(hours=23)


def _first_day(now: datetime) -> datetime:
    return midnight(now) - timedelta(days=29)


def _spans(first: datetime, step: timedelta, count: int) -> list[tuple[datetime, datetime]]:
    """So many spans, each begun where the one before it ends."""
    return [(first + place * step, first + (place + 1) * step) for place in range(count)]


def _paid_between(start: datetime, end: datetime) -> str:
    return orders_at(
        tab="all", paid_from=f"{start:%Y-%m-%dT%H:%M}", paid_to=f"{end:%Y-%m-%dT%H:%M}"
    )


STATES: Final = {
    "closed": ("Answers", "good"),
    "open": ("Paused", "bad"),
    "half_open": ("Being probed", "warn"),
}


def _partners(now: datetime) -> Sequence[PartnerLine]:
    lines = []
    for partner in watched_partners():
        health = getattr(partner, "health", None) or PartnerHealth(partner=partner)
        words, tone = STATES[health.state(now=now)]
        balance = "–"  # noqa: RUF001
        if health.balance is not None:
            balance = f"{health.balance:,.2f} {health.balance_currency}"
            if health.low_balance is not None and health.balance < health.low_balance:
                balance += ", low"
        link = reverse("admin:fulfillment_partnerhealth_changelist")
        lines.append(PartnerLine(str(partner), words, tone, balance, link))
    return lines

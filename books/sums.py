"""The sums: money by period and method, codes in and out, what they cost and brought.

A fixed number of statements whatever the shop's size, each over an index made for it
(`books/migrations`); days and months are of Dhaka.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Count, DateField, Exists, F, OuterRef, Sum, Value
from django.db.models.functions import Coalesce, NullIf, TruncDate, TruncMonth

from catalog.models import PartnerSource, Variant
from core.money import CURRENCY, ZERO
from fulfillment.models import PartnerTransaction
from fulfillment.states import PurchaseStatus
from orders.selectors import DHAKA
from payments.models import Payment, Refund
from payments.states import INTERNAL_METHODS, PaymentStatus, RefundStatus
from vouchers.models import Batch, Voucher
from vouchers.states import VoucherStatus as V

STEPS: Final = ("day", "month")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of Dhaka, both included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time.min, tzinfo=DHAKA)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time.min, tzinfo=DHAKA)


@dataclass(slots=True)
class Takings:
    """One method in one period, or the sum of several."""

    period: date | None
    method: str
    currency: str
    paid_count: int = 0
    paid: Decimal = ZERO
    refunded_count: int = 0
    refunded: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.paid - self.refunded

    @property
    def is_money(self) -> bool:
        """Points and full discounts pay orders and bring nothing."""
        return self.method not in INTERNAL_METHODS

    def add(self, other: "Takings") -> None:
        self.paid_count += other.paid_count
        self.paid += other.paid
        self.refunded_count += other.refunded_count
        self.refunded += other.refunded


def takings(period: Period, *, by: str = "month") -> Sequence[Takings]:
    """Per period and method: what came, what went back. Three statements.

    What came in another sum than was asked for (AMOUNT_MISMATCH) came all the same: counted as
    received, at the time its payment was made, for it was never *paid*.
    """
    since, until = period.since, period.until
    sum_of = Sum(Coalesce("received_amount", "amount"))
    own = Coalesce(NullIf("received_currency", Value("")), Value(CURRENCY))
    paid = Payment.objects.filter(
        status=PaymentStatus.SUCCEEDED, paid_at__gte=since, paid_at__lt=until
    ).values("method", step=_step(by, "paid_at"), money=own)
    wrong = Payment.objects.filter(
        status=PaymentStatus.AMOUNT_MISMATCH, created_at__gte=since, created_at__lt=until
    ).values("method", step=_step(by, "created_at"), money=own)
    back = Refund.objects.filter(
        status=RefundStatus.SUCCEEDED, ended_at__gte=since, ended_at__lt=until
    ).values(
        step=_step(by, "ended_at"),
        method=F("payment__method"),
        money=Coalesce(NullIf("payment__received_currency", Value("")), Value(CURRENCY)),
    )
    rows: dict[tuple[date, str, str], Takings] = {}
    for came in (paid, wrong):
        for row in came.order_by().annotate(n=Count("*"), sum=sum_of):
            found = _row(rows, row)
            found.paid_count += row["n"]
            found.paid += row["sum"]
    for row in back.order_by().annotate(n=Count("*"), sum=Sum("amount")):
        found = _row(rows, row)
        found.refunded_count += row["n"]
        found.refunded += row["sum"]
    return [rows[key] for key in sorted(rows)]


def _step(by: str, column: str) -> Any:
    if by == "day":
        return TruncDate(column, tzinfo=DHAKA)
    return TruncMonth(column, tzinfo=DHAKA, output_field=DateField())


def _row(rows: dict[tuple[date, str, str], Takings], row: Mapping[str, Any]) -> Takings:
    key = (row["step"], row["method"], row["money"])
    return rows.setdefault(key, Takings(*key))


def totals(rows: Iterable[Takings]) -> Sequence[Takings]:
    """Of each currency, real money only."""
    found: dict[str, Takings] = {}
    for row in rows:
        if row.is_money:
            found.setdefault(row.currency, Takings(None, "", row.currency)).add(row)
    return [found[currency] for currency in sorted(found)]


@dataclass(frozen=True, slots=True)
class Spending:
    """What was bought from one partner, in the currency it charges."""

    partner: str
    currency: str
    """Empty: it did not say what it charged."""
    purchases: int
    cost: Decimal | None
    cost_bdt: Decimal | None
    """By the sources' `cost`, as far as they have one; the charge itself if that is in BDT."""


def spending(period: Period) -> Sequence[Spending]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT partner.slug, coalesce(p.response->>'costCurrency', ''), count(*),
                   sum((p.response->>'cost')::numeric), sum({_COST_OF_PURCHASE})
            FROM partner_api_transactions AS p
            JOIN partners AS partner ON partner.id = p.partner_id
            JOIN partner_product_sources AS source ON source.id = p.source_id
            WHERE p.status = 'SUCCEEDED' AND p.ended_at >= %s AND p.ended_at < %s
            GROUP BY 1, 2 ORDER BY 1, 2
            """,  # noqa: S608 - a constant of this module
            [period.since, period.until],
        )
        return [Spending(*row) for row in cursor.fetchall()]


#: In taka: what the partner charged if it charged taka, else what the source says a unit costs.
_COST_OF_PURCHASE: Final = """
CASE WHEN p.response->>'costCurrency' = 'BDT' THEN (p.response->>'cost')::numeric
     ELSE source.cost END"""


@dataclass(slots=True)
class Stock:
    """The codes of one variant. In: from whom they came. Out: where they went."""

    variant: Variant
    batches: int = 0
    purchases: int = 0
    by_hand: int = 0
    """Typed by operators for an order, or by hand into the shop."""
    states: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sold: int = 0
    """In the period, as all that follows."""
    revenue: Decimal = ZERO
    """What customers paid for them, discounts spread, paid-back codes left out."""
    cost: Decimal = ZERO
    without_cost: int = 0
    revenue_with_cost: Decimal = ZERO

    @property
    def came(self) -> int:
        return self.batches + self.purchases + self.by_hand

    @property
    def delivered(self) -> int:
        return self.states[V.SOLD] + self.states[V.USED]

    @property
    def void(self) -> int:
        return self.states[V.VOID]

    @property
    def out(self) -> int:
        return self.delivered + self.void

    @property
    def on_hand(self) -> int:
        return self.states[V.AVAILABLE] + self.states[V.RESERVED]

    @property
    def difference(self) -> int:
        """Nought, or a code was lost or appeared from nowhere."""
        return self.came - self.out - self.on_hand

    @property
    def margin(self) -> Decimal:
        """Of the codes whose cost is known."""
        return self.revenue_with_cost - self.cost


def stock(period: Period) -> Sequence[Stock]:
    """Codes in = codes out + on hand, now; sales and cost of the period. Six statements.

    The sides are independent: batches say how many codes they brought, purchases that they
    succeeded, and codes themselves where they are.
    """
    found: dict[int, Stock] = defaultdict(lambda: Stock(Variant()))
    for variant, status, n in (
        Voucher.objects.order_by().values_list("variant", "status").annotate(n=Count("*"))
    ):
        found[variant].states[status] = n
    for variant, rows in Batch.objects.order_by().values_list("variant").annotate(n=Sum("rows")):
        found[variant].batches = rows
    for variant, n in _purchases_by_variant():
        found[variant].purchases += n
    bought = PartnerTransaction.objects.filter(voucher=OuterRef("pk"))
    typed = Voucher.objects.filter(~Exists(bought), batch=None)
    for variant, n in typed.order_by().values_list("variant").annotate(n=Count("*")):
        found[variant].by_hand = n
    for variant, *figures in _sales(period):
        row = found[variant]
        row.sold, row.revenue, row.cost, row.without_cost, row.revenue_with_cost = figures
    for variant in Variant.objects.filter(pk__in=found).select_related("product"):
        found[variant.pk].variant = variant
    return sorted(
        found.values(),
        key=lambda row: (not row.difference, row.variant.product.name, row.variant.name),
    )


def _purchases_by_variant() -> Iterable[tuple[int, int]]:
    """Counted by source first, over an index; a source sells one variant."""
    done = PartnerTransaction.objects.filter(status=PurchaseStatus.SUCCEEDED)
    by_source = dict(done.order_by().values_list("source").annotate(n=Count("*")))
    variants = PartnerSource.objects.filter(pk__in=by_source).values_list("pk", "variant")
    return [(variant, by_source[source]) for source, variant in variants]


def _sales(period: Period) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT variant_id, count(*), round(sum(brought), 2), round(coalesce(sum(cost), 0), 2),
                   count(*) FILTER (WHERE cost IS NULL),
                   round(coalesce(sum(brought) FILTER (WHERE cost IS NOT NULL), 0), 2)
            FROM (
              SELECT v.variant_id,
                CASE WHEN v.revoked_at IS NOT NULL THEN 0
                     WHEN o.subtotal_amount = 0 THEN 0
                     ELSE i.unit_price * o.total_amount / o.subtotal_amount END AS brought,
                CASE WHEN v.batch_id IS NOT NULL THEN b.unit_cost
                     ELSE {_COST_OF_PURCHASE} END AS cost
              FROM vouchers AS v
              JOIN order_items AS i ON i.id = v.order_item_id
              JOIN orders AS o ON o.id = i.order_id
              LEFT JOIN voucher_batches AS b ON b.id = v.batch_id
              LEFT JOIN partner_api_transactions AS p
                ON p.voucher_id = v.id AND p.status = 'SUCCEEDED'
              LEFT JOIN partner_product_sources AS source ON source.id = p.source_id
              WHERE v.sold_at >= %s AND v.sold_at < %s AND v.status IN ('sold', 'used')
            ) AS sales
            GROUP BY variant_id
            """,  # noqa: S608 - a constant of this module
            [period.since, period.until],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def stock_totals(rows: Iterable[Stock]) -> Stock:
    total = Stock(Variant())
    for row in rows:
        total.batches += row.batches
        total.purchases += row.purchases
        total.by_hand += row.by_hand
        for status, n in row.states.items():
            total.states[status] += n
        total.sold += row.sold
        total.revenue += row.revenue
        total.cost += row.cost
        total.without_cost += row.without_cost
        total.revenue_with_cost += row.revenue_with_cost
    return total

"""The sums: money by period and method, codes in and out, what they cost and brought.

A fixed number of statements whatever the shop's size; days and months are of Dhaka. Of days that
are closed the lines are read (`books.closing`), the others are added up by the same SQL now.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Sum

from books.days import Period, split
from books.lines import MONEY, SALES, SPENDING, money_lines, sales_lines, spending_lines
from catalog.models import PartnerSource, Variant
from core.money import ZERO
from fulfillment.models import PartnerTransaction
from fulfillment.states import PurchaseStatus
from payments.states import INTERNAL_METHODS
from vouchers.models import Batch, Voucher
from vouchers.states import VoucherStatus as V

STEPS: Final = ("day", "month")


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
    """Per period and method: what came, what went back. Two statements."""
    of = split(period)
    lines = money_lines(of)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT date_trunc(%s, day::timestamp)::date, method, currency, sum(paid_count)::bigint,
              sum(paid), sum(refunded_count)::bigint, sum(refunded)
            FROM (
              SELECT {", ".join(MONEY)} FROM books_day_money WHERE day = ANY(%s)
              UNION ALL SELECT {", ".join(MONEY)} FROM ({lines.sql}) AS now
            ) AS lines GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """,  # noqa: S608 - constants of ours
            ["day" if by == "day" else "month", list(of.closed), *lines.parameters],
        )
        return [Takings(*row) for row in cursor.fetchall()]


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
    """Two statements."""
    of = split(period)
    lines = spending_lines(of)
    named = ", ".join(SPENDING)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT partner.slug, l.currency, sum(l.purchases)::bigint, sum(l.cost),
              sum(CASE WHEN l.currency = 'BDT' THEN l.cost ELSE l.purchases * source.cost END)
            FROM (
              SELECT {named} FROM books_day_spending WHERE day = ANY(%s)
              UNION ALL SELECT {named} FROM ({lines.sql}) AS now
            ) AS l
            JOIN partners AS partner ON partner.id = l.partner_id
            JOIN partner_product_sources AS source ON source.id = l.source_id
            GROUP BY 1, 2 ORDER BY 1, 2
            """,  # noqa: S608 - constants of ours
            [list(of.closed), *lines.parameters],
        )
        return [Spending(*row) for row in cursor.fetchall()]


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
    """Codes in = codes out + on hand, now; sales and cost of the period. Eight statements.

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
    """The cost is of now: what a batch or a source costs may be corrected."""
    of = split(period)
    lines = sales_lines(of)
    named = ", ".join(SALES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT variant_id, sum(sold)::bigint, round(sum(brought), 2),
              round(coalesce(sum(cost), 0), 2),
              coalesce(sum(sold) FILTER (WHERE cost IS NULL), 0)::bigint,
              round(coalesce(sum(brought) FILTER (WHERE cost IS NOT NULL), 0), 2)
            FROM (
              SELECT l.variant_id, l.sold, l.brought, CASE l.cost_by
                WHEN 'batch' THEN l.sold * b.unit_cost WHEN 'charge' THEN l.charged
                WHEN 'source' THEN l.sold * source.cost END AS cost
              FROM (
                SELECT {named} FROM books_day_sales WHERE day = ANY(%s)
                UNION ALL SELECT {named} FROM ({lines.sql}) AS now
              ) AS l
              LEFT JOIN voucher_batches AS b ON b.id = l.batch_id
              LEFT JOIN partner_product_sources AS source ON source.id = l.source_id
            ) AS sales
            GROUP BY variant_id
            """,  # noqa: S608 - constants of ours
            [list(of.closed), *lines.parameters],
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

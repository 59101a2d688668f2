"""The books as tables for a spreadsheet: names, counts and sums; no code and no part of one."""

from collections.abc import Iterator, Sequence
from typing import Any

from books.days import Period
from books.models import Reconciliation
from books.selectors import gaps_of
from books.sums import Spending, Stock, Takings, spending, stock, takings

Sheet = tuple[Sequence[str], Iterator[Sequence[Any]]]


def takings_sheet(period: Period, by: str) -> Sheet:
    head = ("period", "method", "is_money", "currency", "payments", "paid", "refunds", "refunded",
            "net")  # fmt: skip

    def row(each: Takings) -> Sequence[Any]:
        return (each.period, each.method, each.is_money, each.currency, each.paid_count, each.paid,
                each.refunded_count, each.refunded, each.net)  # fmt: skip

    return head, map(row, takings(period, by=by))


def stock_sheet(period: Period) -> Sheet:
    head = ("variant_id", "product", "variant", "in_batches", "in_purchases", "in_by_hand", "in",
            "out_delivered", "out_void", "on_hand", "difference", "sold_in_period", "revenue_bdt",
            "cost_bdt", "codes_without_cost", "margin_bdt")  # fmt: skip

    def row(each: Stock) -> Sequence[Any]:
        return (each.variant.pk, each.variant.product.name, each.variant.name, each.batches,
                each.purchases, each.by_hand, each.came, each.delivered, each.void, each.on_hand,
                each.difference, each.sold, each.revenue, each.cost, each.without_cost,
                each.margin)  # fmt: skip

    return head, map(row, stock(period))


def spending_sheet(period: Period) -> Sheet:
    head = ("partner", "currency", "purchases", "cost", "cost_bdt")

    def row(each: Spending) -> Sequence[Any]:
        return (each.partner, each.currency, each.purchases, each.cost, each.cost_bdt)

    return head, map(row, spending(period))


def gaps_sheet(run: Reconciliation) -> Sheet:
    head = ("kind", "refund", "line", "reference", "their_id", "ours", "theirs", "gap", "currency",
            "at", "remark", "explained_at", "explained_by", "note")  # fmt: skip
    rows = gaps_of(run).iterator(chunk_size=500)
    return head, (
        (each.kind, each.is_refund, each.line, each.reference, each.transaction, each.ours,
         each.theirs, each.amount, each.currency, each.at, each.remark, each.explained_at,
         each.explained_by, each.note)
        for each in rows
    )  # fmt: skip

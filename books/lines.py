"""What a day's rows come to, as SQL: the lines of which every sum of the books is made.

A day is closed by keeping its lines (`books.closing`), and an open one is added up by the same
SQL at each look (`books.sums`): so the sums can't depend on which days are closed. A line holds no
cost of a batch or of a source: those are looked up when it is read, for they may change (D52).
"""

from dataclasses import dataclass
from typing import Any, Final

from books.days import Split

MONEY: Final = ("day", "method", "currency", "paid_count", "paid", "refunded_count", "refunded")
SALES: Final = ("variant_id", "batch_id", "source_id", "cost_by", "sold", "brought", "charged")
SPENDING: Final = ("partner_id", "source_id", "currency", "purchases", "cost")


@dataclass(frozen=True, slots=True)
class Lines:
    """A SELECT and its parameters."""

    sql: str
    parameters: list[Any]


def money_lines(of: Split) -> Lines:
    """Per day and method. What came in another sum than was asked for was never *paid*, and came
    all the same: at the time its payment was made (D51)."""
    paid, paid_at = of.within("paid_at")
    wrong, wrong_at = of.within("created_at")
    back, back_at = of.within("r.ended_at")
    sql = f"""
        SELECT (paid_at AT TIME ZONE 'Asia/Dhaka')::date AS day, method,
          coalesce(nullif(received_currency, ''), 'BDT') AS currency, count(*) AS paid_count,
          sum(coalesce(received_amount, amount)) AS paid, 0 AS refunded_count,
          0::numeric AS refunded
        FROM payments WHERE status = 'SUCCEEDED' AND {paid} GROUP BY 1, 2, 3
        UNION ALL
        SELECT (created_at AT TIME ZONE 'Asia/Dhaka')::date, method,
          coalesce(nullif(received_currency, ''), 'BDT'), count(*),
          sum(coalesce(received_amount, amount)), 0, 0
        FROM payments WHERE status = 'AMOUNT_MISMATCH' AND {wrong} GROUP BY 1, 2, 3
        UNION ALL
        SELECT (r.ended_at AT TIME ZONE 'Asia/Dhaka')::date, p.method,
          coalesce(nullif(p.received_currency, ''), 'BDT'), 0, 0, count(*), sum(r.amount)
        FROM refunds AS r JOIN payments AS p ON p.id = r.payment_id
        WHERE r.status = 'SUCCEEDED' AND {back} GROUP BY 1, 2, 3"""  # noqa: S608
    return Lines(sql, [*paid_at, *wrong_at, *back_at])


def sales_lines(of: Split) -> Lines:
    """Per variant and where its cost stands; what a paid-back code brought is nothing.

    `OFFSET 0` has what belongs to a code looked up by key: joined plainly, PostgreSQL reads every
    item there is for the few thousand codes of a day.
    """
    sold, sold_at = of.within("v.sold_at")
    sql = f"""
        SELECT variant_id, batch_id, source_id, cost_by, count(*) AS sold, sum(brought) AS brought,
          sum(charged) AS charged
        FROM (
          SELECT v.variant_id, v.batch_id, CASE WHEN v.batch_id IS NULL THEN p.source_id END
              AS source_id,
            CASE WHEN v.batch_id IS NOT NULL THEN 'batch' WHEN p.id IS NULL THEN 'unknown'
                 WHEN p.response->>'costCurrency' = 'BDT' THEN
                   CASE WHEN p.response->>'cost' IS NULL THEN 'unknown' ELSE 'charge' END
                 ELSE 'source' END AS cost_by,
            CASE WHEN v.revoked_at IS NOT NULL OR o.subtotal_amount = 0 THEN 0
                 ELSE i.unit_price * o.total_amount / o.subtotal_amount END AS brought,
            CASE WHEN v.batch_id IS NULL AND p.response->>'costCurrency' = 'BDT'
                 THEN (p.response->>'cost')::numeric END AS charged
          FROM vouchers AS v
          CROSS JOIN LATERAL (SELECT order_id, unit_price FROM order_items
            WHERE id = v.order_item_id OFFSET 0) AS i
          CROSS JOIN LATERAL (SELECT subtotal_amount, total_amount FROM orders
            WHERE id = i.order_id OFFSET 0) AS o
          LEFT JOIN LATERAL (SELECT id, source_id, response FROM partner_api_transactions
            WHERE voucher_id = v.id AND status = 'SUCCEEDED' OFFSET 0) AS p ON true
          WHERE {sold} AND v.status IN ('sold', 'used')
        ) AS codes GROUP BY 1, 2, 3, 4"""  # noqa: S608
    return Lines(sql, sold_at)


def spending_lines(of: Split) -> Lines:
    """Per source and the currency that its partner charged; empty: it did not say."""
    ended, ended_at = of.within("p.ended_at")
    sql = f"""
        SELECT p.partner_id, p.source_id, coalesce(p.response->>'costCurrency', '') AS currency,
          count(*) AS purchases, sum((p.response->>'cost')::numeric) AS cost
        FROM partner_api_transactions AS p
        WHERE p.status = 'SUCCEEDED' AND {ended} GROUP BY 1, 2, 3"""  # noqa: S608
    return Lines(sql, ended_at)

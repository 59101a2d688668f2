"""The least a job can cost: its rows by one statement each, over plain psycopg, no rules.

Runs on Django's own psycopg connection, so that PostgreSQL serves both from one process.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

ORDER = """
INSERT INTO orders (order_number, customer_id, recipient_email, language, status, payment_method,
  currency, subtotal_amount, discount_amount, holds_discount, total_amount, pay_until,
  held_for_risk, closed_by_refund, source, offer_sub_source, created_at, updated_at)
VALUES (%s, %s, %s, 'en', 'INITIATED', 'paystation', 'BDT', %s, 0, false, %s, %s, false, false,
  'PURCHASE', '', now(), now()) ON CONFLICT (order_number) DO NOTHING RETURNING id
"""
GOODS = """
SELECT v.id, v.price, p.name, v.name FROM variants v JOIN products p ON p.id = v.product_id
WHERE v.id = ANY(%s)
"""
ITEMS = """
INSERT INTO order_items (order_id, variant_id, position, quantity, unit_price, product_name,
  variant_name, fulfillment_input, refunded_units)
VALUES (%s, %s, 0, %s, %s, %s, %s, '{}', '{}'), (%s, %s, 1, %s, %s, %s, %s, '{}', '{}')
RETURNING id
"""
EVENT = """
INSERT INTO order_events (order_id, kind, old, new, actor, reason, detail, correlation_id, at)
VALUES (%s, 'status', '', 'INITIATED', 'system', 'placed', '{}', 'floor', now())
"""
RESERVE = """
UPDATE vouchers SET status = 'reserved', order_item_id = free.item, unit_no = free.unit,
  reserved_until = %s
FROM (SELECT one.id, w.item, row_number() OVER (PARTITION BY w.item) AS unit
      FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS w(item, variant, units)
      CROSS JOIN LATERAL (
        SELECT id FROM vouchers WHERE variant_id = w.variant AND status = 'available'
        ORDER BY expires_at, id LIMIT w.units FOR UPDATE SKIP LOCKED) AS one) AS free
WHERE vouchers.id = free.id
"""
PAYMENT = """
INSERT INTO payments (order_id, method, status, reference, amount, currency, description,
  redirect_url, gateway_reference, gateway_transaction_id, effective, reason, evidence, checks,
  next_check_at, received_currency, created_at, updated_at)
VALUES (%s, 'paystation', 'INITIATED', %s, %s, 'BDT', '', '', '', '', false, '', '{}', 0, %s, '',
  now(), now())
"""


def place(lines: Sequence[tuple[int, int]], *, customer_id: int, email: str, now: datetime) -> int:
    """Two lines of (variant, quantity); the order's id."""
    number = str(10_000_000 + secrets.randbelow(90_000_000))
    until = now + timedelta(minutes=30)
    raw: Any = connection.connection
    with raw.transaction(), raw.cursor() as cursor:
        cursor.execute(GOODS, [[variant for variant, _ in lines]])
        goods = {row[0]: row[1:] for row in cursor.fetchall()}
        total = sum(goods[variant][0] * quantity for variant, quantity in lines)
        while True:
            cursor.execute(ORDER, [number, customer_id, email, total, total, until])
            if made := cursor.fetchone():
                break
            number = str(10_000_000 + secrets.randbelow(90_000_000))
        order = made[0]
        values: list[Any] = []
        for variant, quantity in lines:
            price, product, name = goods[variant]
            values += [order, variant, quantity, price, product, name]
        cursor.execute(ITEMS, values)
        items = [row[0] for row in cursor.fetchall()]
        cursor.execute(EVENT, [order])
        variants, units = zip(*lines, strict=True)
        cursor.execute(RESERVE, [until, items, list(variants), list(units)])
        cursor.execute(PAYMENT, [order, f"BDV-{number}-1", total, now])
    return int(order)


SELL = """
UPDATE vouchers SET status = 'sold', reserved_until = NULL, sold_at = %s
WHERE order_item_id IN (SELECT id FROM order_items WHERE order_id = %s) AND status = 'reserved'
RETURNING id
"""
MAIL = """
INSERT INTO email_messages (order_id, template, recipient, language, status, dispatch_no,
  message_id, voucher_ids, dedup_key, definition, facts, payment_ref, automatic, correlation_id,
  external_id, tries, next_try_at, error, created_at)
SELECT id, 'vouchers', recipient_email, language, 'PENDING', 1, '<' || order_number || '.1@floor>',
  to_jsonb(%s::bigint[]), id || ':vouchers:floor', 'vouchers.shop', '{}', '', true, 'floor', '', 0,
  now(), '', now() FROM orders WHERE id = %s
"""


def fulfil(order: int, *, now: datetime) -> None:
    """Claim the attempts, sell what is held, leave the mail to be sent."""
    raw: Any = connection.connection
    with raw.transaction(), raw.cursor() as cursor:
        cursor.execute("SELECT status, held_for_risk FROM orders WHERE id = %s FOR UPDATE", [order])
        cursor.execute(
            "UPDATE fulfillment_attempts SET claimed_at = %s WHERE order_id = %s"
            " AND status = 'IN_PROGRESS' RETURNING id, item_id, type",
            [now, order],
        )
        cursor.fetchall()
        cursor.execute(SELL, [now, order])
        cursor.execute(MAIL, [[row[0] for row in cursor.fetchall()], order])


DETAIL = """
SELECT o.id, o.order_number, o.status, o.total_amount, o.currency, o.discount_code,
  o.discount_amount, o.dispatched_email, o.email_sent_at, o.created_at, o.updated_at
FROM orders o WHERE o.customer_id = %s {which} ORDER BY o.id DESC LIMIT 10
"""
PARTS = (
    "SELECT * FROM order_items WHERE order_id = ANY(%s) ORDER BY order_id, position",
    """SELECT v.id, v.order_item_id, v.status, v.secret, v.serial_number, v.expires_at
       FROM vouchers v JOIN order_items i ON i.id = v.order_item_id WHERE i.order_id = ANY(%s)""",
    """SELECT id, order_id, reference, status, method, amount, created_at FROM payments
       WHERE order_id = ANY(%s)""",
)


def read(customer: int, order: int | None = None) -> list[Any]:
    """The rows that an order's detail, or a list of ten, is made of."""
    raw: Any = connection.connection
    with raw.cursor() as cursor:
        which, wanted = ("AND o.id = %s", [customer, order]) if order else ("", [customer])
        cursor.execute(DETAIL.format(which=which), wanted)
        rows = [cursor.fetchall()]
        ids = [row[0] for row in rows[0]]
        for part in PARTS:
            cursor.execute(part, [ids])
            rows.append(cursor.fetchall())
    return rows

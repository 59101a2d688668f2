"""What the seeder writes, as SQL: column -> expression, and where the rows come from."""

from collections.abc import Iterator, Mapping
from typing import Final

from notifications.states import AlertKind

Insert = tuple[str, Mapping[str, str], str]

EMPTY: Final = {
    "character varying": "''",
    "text": "''",
    "boolean": "false",
    "smallint": "0",
    "integer": "0",
    "bigint": "0",
    "numeric": "0",
    "jsonb": "'{}'::jsonb",
    "bytea": "''::bytea",
    "ARRAY": "'{}'",
    "timestamp with time zone": "now()",
}
DAYS: Final = 90
DELIVERED: Final = """
SELECT item.id, item.variant_id, item.fulfilled_at FROM order_items AS item
WHERE item.id BETWEEN %s AND %s AND item.fulfillment_status = 'SUCCEEDED' ORDER BY item.id
"""


def small(*, customers: int, variants: int) -> Iterator[Insert]:
    """People and goods; customer 1 buys more than anybody."""
    yield (
        "users",
        {
            "id": "i",
            "password": "'!' || md5(i::text)",
            "msisdn": "'88017' || lpad(i::text, 8, '0')",
            "email": "'customer' || i || '@example.com'",
            "name": "'Customer ' || i",
            "language": "'en'",
            "is_active": "true",
            "date_joined": "now() - interval '1 year'",
        },
        f"FROM generate_series(1, {customers}) AS i",
    )
    yield (
        "brands",
        {"id": "i", "name": "'Brand ' || i", "slug": "'brand-' || i", "is_active": "true"},
        "FROM generate_series(1, 10) AS i",
    )
    words = "ARRAY['Free Fire Diamonds','Steam Wallet','Netflix Gift Card','Google Play Gift Card',"
    words += "'Spotify Premium','PUBG Mobile UC','iTunes Gift Card','Amazon Gift Card','Valorant "
    words += "Points','Xbox Gift Card']"
    yield (
        "products",
        {
            "id": "i",
            "name": f"({words})[1 + i % 10] || ' ' || i",
            "slug": "'product-' || i",
            "status": "'active'",
            "brand_id": "1 + i % 10",
        },
        f"FROM generate_series(1, {variants // 4}) AS i",
    )
    yield (
        "variants",
        {
            "id": "i",
            "product_id": "1 + (i - 1) / 4",
            "name": "(50 * (1 + i % 20)) || ' BDT'",
            "price": "50 + 25 * (i % 20)",
            "is_active": "true",
        },
        f"FROM generate_series(1, {variants}) AS i",
    )
    yield (
        "partner_product_sources",
        {
            "id": "i",
            "variant_id": "i",
            "fulfillment_type": "'PRELOADED'",
            "priority": "1",
            "is_active": "true",
        },
        f"FROM generate_series(1, {variants}) AS i",
    )
    yield "voucher_batches", {"id": "1", "variant_id": "1", "supplier": "'Seed'"}, ""


def chunk(first: int, last: int, orders: int) -> str:
    """Orders of a chunk, once computed: who, what, when, and how it ended."""
    customers = max(20, orders // 10)
    return f"""
    CREATE TEMP TABLE seed_chunk ON COMMIT DROP AS
    SELECT i, v1, v2, p1, p2, p1 + coalesce(p2, 0) AS total, customer, number, placed, ended,
      placed + interval '30 seconds' AS paid, placed + interval '33 seconds' AS done,
      ended IN ('SUCCEEDED', 'NEEDS_ATTENTION') AS is_paid, 'seed-' || i AS correlation
    FROM (
      SELECT *, 50 + 25 * (v1 % 20) AS p1, CASE WHEN v2 IS NOT NULL THEN 50 + 25 * (v2 % 20) END
        AS p2
      FROM (
        SELECT i, CASE WHEN i % 1000 = 999 THEN 191 + i / 1000 % 10 ELSE 10 + i * 31 % 180 END
            AS v1,
          CASE WHEN i % 5 = 0 THEN 10 + (i * 17 + 5) % 180 END AS v2,
          CASE WHEN i % {max(20, orders // 500)} = 0 THEN 1
            ELSE 2 + i * 7919 % {customers - 1} END AS customer,
          (10000000 + i * 48271 % 90000000)::text AS number,
          now() - interval '20 minutes'
            - ({orders} - i) * (interval '{DAYS} days' / {orders}) AS placed,
          CASE WHEN i % 1000 = 999 THEN 'NEEDS_ATTENTION' WHEN i % 100 IN (96, 97)
            THEN 'CANCELLED' WHEN i % 100 = 98 THEN 'FAILED' ELSE 'SUCCEEDED' END AS ended
        FROM generate_series({first}::bigint, {last}::bigint) AS i) AS chosen) AS priced
    """  # noqa: S608


_ITEMS: Final = """FROM seed_chunk CROSS JOIN LATERAL (VALUES (0, 2 * i - 1, v1, p1),
  (1, 2 * i, v2, p2)) AS line(position, item, variant, price)
  JOIN variants ON variants.id = line.variant JOIN products ON products.id = variants.product_id
  ORDER BY line.item"""
_EVENTS: Final = """FROM seed_chunk CROSS JOIN LATERAL (VALUES
  (1, 'status', '', 'INITIATED', 'placed', placed),
  (2, 'payment', 'PENDING', CASE WHEN is_paid THEN 'SUCCEEDED' ELSE ended END, '', paid),
  (3, 'status', 'INITIATED', CASE WHEN is_paid THEN 'PENDING' ELSE ended END, 'seeded', paid),
  (4, 'mail', '', 'SENT', '', CASE WHEN ended = 'SUCCEEDED' THEN done END),
  (5, 'status', 'PENDING', ended, 'seeded', CASE WHEN is_paid THEN done END)
  ) AS line(place, kind, old, new, reason, at) WHERE line.at IS NOT NULL ORDER BY i, place"""

HISTORIES: Final[tuple[Insert, ...]] = (
    (
        "orders",
        {
            "id": "i",
            "order_number": "number",
            "customer_id": "customer",
            "recipient_email": "'customer' || customer || '@example.com'",
            "language": "'en'",
            "status": "ended",
            "payment_method": "'paystation'",
            "currency": "'BDT'",
            "subtotal_amount": "total",
            "total_amount": "total",
            "pay_until": "placed + interval '30 minutes'",
            "paid_at": "CASE WHEN is_paid THEN paid END",
            "source": "'PURCHASE'",
            "dispatched_email": "CASE WHEN ended = 'SUCCEEDED' THEN 'customer' || customer"
            " || '@example.com' END",
            "email_sent_at": "CASE WHEN ended = 'SUCCEEDED' THEN done END",
            "created_at": "placed",
            "updated_at": "done",
        },
        "FROM seed_chunk ORDER BY i",
    ),
    (
        "order_items",
        {
            "id": "line.item",
            "order_id": "i",
            "variant_id": "line.variant",
            "position": "line.position",
            "quantity": "1",
            "unit_price": "line.price",
            "product_name": "products.name",
            "variant_name": "variants.name",
            "fulfillment_status": "CASE ended WHEN 'SUCCEEDED' THEN 'SUCCEEDED'"
            " WHEN 'NEEDS_ATTENTION' THEN 'PARTNER_FAILED' END",
            "fulfilled_at": "CASE WHEN ended = 'SUCCEEDED' THEN paid + interval '1 second' END",
        },
        _ITEMS,
    ),
    (
        "order_events",
        {
            "order_id": "i",
            "kind": "line.kind",
            "old": "line.old",
            "new": "line.new",
            "actor": "'system'",
            "reason": "line.reason",
            "correlation_id": "correlation",
            "at": "line.at",
        },
        _EVENTS,
    ),
    (
        "payments",
        {
            "id": "i",
            "order_id": "i",
            "method": "'paystation'",
            "status": "CASE WHEN is_paid THEN 'SUCCEEDED' ELSE ended END",
            "reference": "'BDV-' || number || '-1'",
            "amount": "total",
            "currency": "'BDT'",
            "description": "'Order #' || number",
            "redirect_url": "'https://pay.example.com/' || i",
            "gateway_reference": "'BDV-' || number || '-1'",
            "gateway_transaction_id": "CASE WHEN is_paid THEN 'TRX' || i ELSE '' END",
            "effective": "is_paid",
            "checks": "1",
            "paid_at": "CASE WHEN is_paid THEN paid END",
            "received_amount": "CASE WHEN is_paid THEN total END",
            "received_currency": "CASE WHEN is_paid THEN 'BDT' ELSE '' END",
            "created_at": "placed",
            "updated_at": "paid",
        },
        "FROM seed_chunk ORDER BY i",
    ),
    (
        "gateway_callbacks",
        {
            "gateway": "'paystation'",
            "digest": "sha256(i::text::bytea)",
            "payment_id": "i",
            "method": "'GET'",
            "query": "'status=Successful&invoice_number=BDV-' || number || '-1&trx_id=TRX' || i",
            "times": "1",
            "received_at": "paid",
            "last_received_at": "paid",
        },
        "FROM seed_chunk WHERE is_paid ORDER BY i",
    ),
    (
        "fulfillment_attempts",
        {
            "order_id": "i",
            "item_id": "line.item",
            "type": "'AUTO'",
            "status": "CASE WHEN ended = 'SUCCEEDED' THEN 'SUCCESS' ELSE 'PARTNER_FAILED' END",
            "correlation_id": "correlation",
            "error_message": "CASE WHEN ended = 'SUCCEEDED' THEN '' ELSE 'No available"
            " fulfillment source for this product' END",
            "try_no": "1",
            "created_at": "paid",
            "ended_at": "done",
        },
        _ITEMS.replace("ORDER BY", "WHERE is_paid ORDER BY"),
    ),
    (
        "email_messages",
        {
            "order_id": "i",
            "template": "'vouchers'",
            "recipient": "'customer' || customer || '@example.com'",
            "language": "'en'",
            "status": "'SENT'",
            "dispatch_no": "1",
            "message_id": "'<' || number || '.1@mail.bdvoucher.com>'",
            "voucher_ids": "CASE WHEN v2 IS NULL THEN jsonb_build_array(2 * i - 1)"
            " ELSE jsonb_build_array(2 * i - 1, 2 * i) END",
            "dedup_key": "i || ':vouchers:' || md5(i::text)",
            "definition": "'vouchers.shop'",
            "automatic": "true",
            "correlation_id": "correlation",
            "tries": "1",
            "sent_at": "done",
            "created_at": "paid",
        },
        "FROM seed_chunk WHERE ended = 'SUCCEEDED' ORDER BY i",
    ),
    (
        "admin_alerts",
        {
            "order_id": "i",
            "kind": f"'{AlertKind.FULFILLMENT_FAILED.value}'",
            "message": "'1 code(s) owed; no source could deliver them.'",
            "correlation_id": "correlation",
            "created_at": "done",
        },
        "FROM seed_chunk WHERE ended = 'NEEDS_ATTENTION' ORDER BY i",
    ),
)

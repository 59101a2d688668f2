"""The rules of `bdvoucher.invariants`: a name, a sentence, and the SQL that finds breaches.

Parameters: `now`; `late`, five minutes before; `minute`, one minute before. Each statement is
one pass over its tables by hash or by a partial index, so that a million orders take seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orders.states import ARROWS


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    says: str
    sql: str


def _pairs() -> str:
    """The arrows of an order, and its birth, as SQL."""
    drawn = [(old.value, new.value) for old, news in ARROWS.items() for new in news]
    return ", ".join(f"('{old}', '{new}')" for old, new in sorted([*drawn, ("", "INITIATED")]))


#: Voucher mails that were accepted, one row a code.
_MAILED: Final = """
SELECT mail.id AS mail, mail.order_id, code.value::bigint AS voucher
FROM email_messages AS mail, jsonb_array_elements_text(mail.voucher_ids) AS code
WHERE mail.template = 'vouchers' AND mail.status = 'SENT'
"""

RULES: Final[Sequence[Rule]] = (
    Rule(
        "I1",
        "a code is one row, and in the mails of one order only",
        f"""
        SELECT min(item.order_id), 'one code in ' || count(*) || ' rows'
        FROM (SELECT fingerprint FROM vouchers GROUP BY fingerprint HAVING count(*) > 1) AS twice
        JOIN vouchers USING (fingerprint)
        LEFT JOIN order_items AS item ON item.id = vouchers.order_item_id
        GROUP BY fingerprint
        UNION ALL
        SELECT min(order_id), 'voucher ' || voucher || ' was mailed for several orders'
        FROM ({_MAILED}) AS mailed GROUP BY voucher HAVING min(order_id) <> max(order_id)
        """,  # noqa: S608
    ),
    Rule(
        "I2",
        "a fulfilled item has exactly its codes, no item more",
        """
        SELECT item.order_id, 'item ' || item.id || ' has ' || coalesce(held.codes, 0)
          || ' codes of ' || item.quantity
        FROM order_items AS item
        LEFT JOIN (SELECT order_item_id, count(*) AS codes FROM vouchers
                   WHERE status IN ('sold', 'used') GROUP BY order_item_id) AS held
          ON held.order_item_id = item.id
        WHERE coalesce(held.codes, 0) > item.quantity
           OR (item.fulfillment_status = 'SUCCEEDED'
               AND coalesce(held.codes, 0) < item.quantity - cardinality(item.refunded_units))
        """,
    ),
    Rule(
        "I3",
        "an order is SUCCEEDED exactly when every item is, and then it was mailed",
        """
        SELECT o.id, 'order is ' || o.status || ', ' || items.done || ' of ' || items.total
          || ' items are fulfilled'
        FROM orders AS o JOIN (
          SELECT order_id, count(*) AS total,
                 count(*) FILTER (WHERE fulfillment_status = 'SUCCEEDED') AS done
          FROM order_items GROUP BY order_id) AS items ON items.order_id = o.id
        WHERE (o.status = 'SUCCEEDED') <> (items.done = items.total)
        UNION ALL
        SELECT id, 'SUCCEEDED without a mail' FROM orders
        WHERE status = 'SUCCEEDED' AND (email_sent_at IS NULL OR dispatched_email IS NULL)
        """,
    ),
    Rule(
        "I4",
        "codes are sold only for a payment of exactly the total",
        """
        SELECT DISTINCT item.order_id, 'codes are sold without a payment of the order''s total'
        FROM vouchers JOIN order_items AS item ON item.id = vouchers.order_item_id
        JOIN orders AS o ON o.id = item.order_id
        LEFT JOIN payments AS p ON p.order_id = o.id AND p.effective AND p.status = 'SUCCEEDED'
          AND p.amount = o.total_amount AND p.currency = o.currency
        WHERE vouchers.status IN ('sold', 'used') AND (p.id IS NULL OR o.paid_at IS NULL)
        """,
    ),
    Rule(
        "I5",
        "one money movement at a gateway is one payment",
        """
        SELECT min(order_id), method || ' transaction ' || gateway_transaction_id
          || ' paid ' || count(*) || ' times'
        FROM payments WHERE gateway_transaction_id <> ''
        GROUP BY method, gateway_transaction_id HAVING count(*) > 1
        """,
    ),
    Rule(
        "I6",
        "a paid order is never failed, cancelled, or left as unpaid",
        """
        SELECT o.id, 'order is ' || o.status || ' with payment ' || p.reference || ' SUCCEEDED'
        FROM payments AS p JOIN orders AS o ON o.id = p.order_id
        WHERE p.status = 'SUCCEEDED' AND (o.status IN ('FAILED', 'CANCELLED')
          OR (o.status IN ('INITIATED', 'CARRIER_AUTHORIZED') AND p.paid_at < %(minute)s))
        """,
    ),
    Rule(
        "I7",
        "one payment pays an order; a second one has an alert",
        """
        SELECT p.order_id, count(*) || ' payments succeeded, no duplicate was reported'
        FROM payments AS p WHERE p.status = 'SUCCEEDED' GROUP BY p.order_id
        HAVING count(*) > 1 AND NOT EXISTS (
          SELECT FROM admin_alerts AS a
          WHERE a.order_id = p.order_id AND a.kind = 'duplicate_payment')
        UNION ALL
        SELECT order_id, count(*) || ' payments pay the order' FROM payments
        WHERE effective GROUP BY order_id HAVING count(*) > 1
        """,
    ),
    Rule(
        "I8",
        "a unit is bought once, under a reference used once",
        """
        SELECT min(item.order_id), 'unit ' || unit_no || ' of item ' || item_id || ' has '
          || count(*) || ' purchases that did not fail'
        FROM partner_api_transactions AS t JOIN order_items AS item ON item.id = t.item_id
        WHERE t.status <> 'FAILED' GROUP BY item_id, unit_no HAVING count(*) > 1
        UNION ALL
        SELECT min(item.order_id), 'reference ' || reference || ' was used ' || count(*) || ' times'
        FROM partner_api_transactions AS t JOIN order_items AS item ON item.id = t.item_id
        GROUP BY partner_id, reference HAVING count(*) > 1
        """,
    ),
    Rule(
        "I9",
        "what a partner delivered is in our tables",
        """
        SELECT item.order_id, 'purchase ' || t.reference || ' is delivered, its code is nowhere'
        FROM partner_api_transactions AS t JOIN order_items AS item ON item.id = t.item_id
        LEFT JOIN vouchers AS v ON v.id = t.voucher_id
        WHERE t.status = 'SUCCEEDED' AND v.id IS NULL
        """,
    ),
    Rule(
        "I10",
        "soon after payment an order is delivered, in the queue, or waits by plan",
        """
        SELECT o.id, 'paid at ' || to_char(o.paid_at, 'YYYY-MM-DD HH24:MI') || ', still PENDING'
        FROM orders AS o
        WHERE o.status = 'PENDING' AND o.paid_at < %(late)s AND NOT EXISTS (
          SELECT FROM partner_api_transactions AS t JOIN order_items AS item ON item.id = t.item_id
          WHERE item.order_id = o.id AND t.status IN ('SENT', 'PENDING', 'UNKNOWN')
            AND (t.next_check_at > %(late)s OR t.status = 'SENT'))
        """,
    ),
    Rule(
        "I11",
        "what needs a person has an open alert, what is delivered has none",
        """
        SELECT o.id, 'NEEDS_ATTENTION without an open alert' FROM orders AS o
        WHERE o.status = 'NEEDS_ATTENTION' AND NOT o.closed_by_refund AND NOT EXISTS (
          SELECT FROM admin_alerts AS a WHERE a.order_id = o.id AND a.resolved_at IS NULL)
        UNION ALL
        SELECT o.id, 'SUCCEEDED with an open alert of delivery'
        FROM admin_alerts AS a JOIN orders AS o ON o.id = a.order_id
        WHERE a.resolved_at IS NULL AND o.status = 'SUCCEEDED'
          AND a.kind IN ('fulfillment_failed', 'fulfillment_partial')
        """,
    ),
    Rule(
        "I12",
        "one mail by itself for one set of codes",
        """
        SELECT order_id, 'the same codes were mailed ' || count(*) || ' times by themselves'
        FROM email_messages
        WHERE template = 'vouchers' AND status = 'SENT' AND automatic
        GROUP BY order_id, voucher_ids HAVING count(*) > 1
        UNION ALL
        SELECT id, 'email_sent_at is set, and no mail was accepted' FROM orders
        WHERE email_sent_at IS NOT NULL AND NOT EXISTS (
          SELECT FROM email_messages AS mail WHERE mail.order_id = orders.id
            AND mail.template = 'vouchers' AND mail.status = 'SENT')
        """,
    ),
    Rule(
        "I13",
        "a mail carries only codes of its order, now or formerly",
        f"""
        SELECT mailed.order_id, 'mail ' || mailed.mail || ' carries voucher ' || mailed.voucher
          || ' of another order'
        FROM ({_MAILED}) AS mailed
        LEFT JOIN vouchers AS v ON v.id = mailed.voucher
        LEFT JOIN order_items AS item ON item.id = coalesce(v.order_item_id, v.former_item_id)
        WHERE item.order_id IS DISTINCT FROM mailed.order_id
        """,  # noqa: S608
    ),
    Rule(
        "I14",
        "a delivered order shows exactly the codes of its last mail",
        """
        WITH last AS (
          SELECT DISTINCT ON (order_id) order_id, id, voucher_ids FROM email_messages
          WHERE template = 'vouchers' AND status = 'SENT' ORDER BY order_id, sent_at DESC, id DESC
        ), mailed AS (
          SELECT last.order_id, code.value::bigint AS voucher
          FROM last, jsonb_array_elements_text(last.voucher_ids) AS code
        ), held AS (
          SELECT item.order_id, v.id AS voucher FROM vouchers AS v
          JOIN order_items AS item ON item.id = v.order_item_id WHERE v.status IN ('sold', 'used')
        )
        SELECT DISTINCT o.id, 'codes of the order and of its last mail differ'
        FROM (SELECT coalesce(mailed.order_id, held.order_id) AS order_id
              FROM mailed FULL JOIN held USING (order_id, voucher)
              WHERE mailed.voucher IS NULL OR held.voucher IS NULL) AS odd
        JOIN orders AS o ON o.id = odd.order_id WHERE o.status = 'SUCCEEDED'
        """,
    ),
    Rule(
        "I15",
        "every delivery left an attempt; what a person did names the person",
        """
        SELECT DISTINCT item.order_id, 'item ' || item.id || ' is ' || item.fulfillment_status
          || ' without an attempt'
        FROM order_items AS item LEFT JOIN fulfillment_attempts AS a ON a.item_id = item.id
        WHERE item.fulfillment_status IS NOT NULL AND a.id IS NULL
        UNION ALL
        SELECT order_id, 'attempt ' || id || ' names no operator' FROM fulfillment_attempts
        WHERE type <> 'AUTO' AND admin_user_id IS NULL
        """,
    ),
    Rule(
        "I16",
        "an item is dispatched by one attempt",
        """
        SELECT min(order_id), 'item ' || item_id || ' has ' || count(*) || ' DISPATCHED attempts'
        FROM fulfillment_attempts WHERE status = 'DISPATCHED' AND item_id IS NOT NULL
        GROUP BY item_id HAVING count(*) > 1
        """,
    ),
    Rule(
        "I17",
        "DISPATCH_FAILED means that all codes are saved and a person is told",
        """
        SELECT o.id, 'item ' || item.id || ' is DISPATCH_FAILED with ' || count(v.id)
          || ' of ' || item.quantity || ' codes, order ' || o.status
        FROM order_items AS item JOIN orders AS o ON o.id = item.order_id
        LEFT JOIN vouchers AS v ON v.order_item_id = item.id AND v.status IN ('sold', 'used')
        WHERE item.fulfillment_status = 'DISPATCH_FAILED'
        GROUP BY o.id, item.id
        HAVING count(v.id) < item.quantity - cardinality(item.refunded_units)
          OR o.status <> 'NEEDS_ATTENTION'
        """,
    ),
    Rule(
        "I18",
        "an order went only where the table of states lets it",
        f"""
        SELECT order_id, 'went from ' || old || ' to ' || new FROM order_events
        WHERE kind = 'status' AND (old, new) NOT IN ({_pairs()})
        """,  # noqa: S608
    ),
    Rule(
        "I19",
        "a code belongs to an item exactly while reserved or delivered; reservations end",
        """
        SELECT item.order_id, 'voucher ' || v.id || ' is ' || v.status || ', its item does not fit'
        FROM vouchers AS v LEFT JOIN order_items AS item ON item.id = v.order_item_id
        WHERE (v.order_item_id IS NULL) <> (v.status IN ('available', 'void'))
        UNION ALL
        SELECT item.order_id, 'voucher ' || v.id || ' is reserved beyond its time'
        FROM vouchers AS v JOIN order_items AS item ON item.id = v.order_item_id
        JOIN orders AS o ON o.id = item.order_id
        WHERE v.status = 'reserved' AND v.reserved_until < %(late)s
          AND o.status IN ('FAILED', 'CANCELLED', 'SUCCEEDED')
        """,
    ),
    Rule(
        "I20",
        "no order waits for stock that is free",
        """
        SELECT DISTINCT o.id, 'item ' || item.id || ' waits for codes that are free'
        FROM orders AS o JOIN order_items AS item ON item.order_id = o.id
        WHERE o.status = 'NEEDS_ATTENTION' AND NOT o.held_for_risk AND o.paid_at < %(late)s
          AND item.fulfillment_status = 'PARTNER_FAILED' AND NOT o.closed_by_refund
          AND cardinality(item.refunded_units) < item.quantity
          AND EXISTS (SELECT FROM vouchers AS v WHERE v.variant_id = item.variant_id
                      AND v.status = 'available' AND v.created_at < %(late)s
                      AND (v.expires_at IS NULL OR v.expires_at > %(now)s))
          AND NOT EXISTS (SELECT FROM fulfillment_attempts AS a WHERE a.item_id = item.id
                          AND (a.status = 'IN_PROGRESS' OR a.ended_at > %(late)s))
          AND NOT EXISTS (SELECT FROM partner_api_transactions AS t WHERE t.item_id = item.id
                          AND t.status IN ('SENT', 'PENDING', 'UNKNOWN'))
        """,
    ),
    Rule(
        "I21",
        "an order's sums add up, and uses of a code are counted right",
        """
        SELECT o.id, 'items add up to ' || sums.total || ', the subtotal is ' || o.subtotal_amount
        FROM orders AS o JOIN (SELECT order_id, sum(unit_price * quantity) AS total
                               FROM order_items GROUP BY order_id) AS sums ON sums.order_id = o.id
        WHERE sums.total <> o.subtotal_amount
           OR o.total_amount <> o.subtotal_amount - o.discount_amount
        UNION ALL
        SELECT p.order_id, 'payment ' || p.reference || ' asks for ' || p.amount
        FROM payments AS p JOIN orders AS o ON o.id = p.order_id WHERE p.amount <> o.total_amount
        UNION ALL
        SELECT NULL, 'discount ' || d.code || ' counts ' || d.used_count || ' uses, '
          || count(o.id) || ' orders hold one'
        FROM discount_codes AS d LEFT JOIN orders AS o ON o.discount_id = d.id AND o.holds_discount
        GROUP BY d.id HAVING count(o.id) <> d.used_count OR d.used_count > d.usage_limit
        """,
    ),
    Rule(
        "I26",
        "no new reference for a unit before the former one is proven failed",
        """
        SELECT item.order_id, 'unit ' || later.unit_no || ' of item ' || later.item_id
          || ' was bought again while ' || former.reference || ' was open'
        FROM partner_api_transactions AS later
        JOIN partner_api_transactions AS former ON former.item_id = later.item_id
          AND former.unit_no = later.unit_no AND former.id < later.id
        JOIN order_items AS item ON item.id = later.item_id
        WHERE former.ended_at IS NULL OR former.ended_at > later.created_at
        """,
    ),
    Rule(
        "I27",
        "paid before mailed and fulfilled, nothing in the future",
        """
        SELECT o.id, 'times are out of order' FROM orders AS o
        WHERE o.email_sent_at < o.paid_at OR o.paid_at > %(now)s OR o.email_sent_at > %(now)s
           OR o.created_at > %(now)s
        UNION ALL
        SELECT o.id, 'item ' || item.id || ' was fulfilled before it was paid'
        FROM order_items AS item JOIN orders AS o ON o.id = item.order_id
        WHERE item.fulfilled_at < o.paid_at OR item.fulfilled_at > %(now)s
        """,
    ),
    Rule(
        "I28",
        "an order number has eight digits and is one order's",
        """
        SELECT min(id), 'number ' || order_number || ' is not one order''s' FROM orders
        GROUP BY order_number HAVING count(*) > 1 OR order_number !~ '^[1-9][0-9]{7}$'
        """,
    ),
    Rule(
        "I29",
        "nothing is long past due",
        """
        SELECT a.order_id, 'attempt ' || a.id || ' is long due'
        FROM fulfillment_attempts AS a JOIN orders AS o ON o.id = a.order_id
        WHERE a.status = 'IN_PROGRESS' AND NOT o.held_for_risk
          AND (a.next_try_at < %(late)s OR a.claimed_at < %(late)s)
        UNION ALL
        SELECT item.order_id, 'purchase ' || t.reference || ' is long due'
        FROM partner_api_transactions AS t JOIN order_items AS item ON item.id = t.item_id
        WHERE (t.status IN ('PENDING', 'UNKNOWN') AND t.next_check_at < %(late)s)
           OR (t.status = 'SENT' AND t.sent_at < %(late)s)
        UNION ALL
        SELECT order_id, 'mail ' || id || ' is long due' FROM email_messages
        WHERE (status = 'PENDING' AND next_try_at < %(late)s)
           OR (status = 'SENDING' AND claimed_at < %(late)s)
        UNION ALL
        SELECT order_id, 'payment ' || reference || ' is long due' FROM payments
        WHERE status IN ('INITIATED', 'PENDING', 'AUTHORIZED') AND next_check_at < %(late)s
        """,
    ),
)

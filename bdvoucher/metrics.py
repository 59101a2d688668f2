"""Figures for Prometheus, in its text format: what to draw, and what to be woken for.

Cheap at a million orders: open orders are few and counted by index, closed ones only those of the
last hour, backlogs to a limit. Each question is one statement by an index; nothing is kept between
two scrapes, so every web process tells the same.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, Final

from django.db import connection, transaction
from redis.exceptions import RedisError

from bdvoucher import alive, health

MOST_SECONDS: Final = 3
MOST_COUNTED: Final = 10_000
QUEUES: Final = ("money", "mail", "webhooks", "sweeps")

Samples = Iterable[tuple[Mapping[str, str], float]]


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def open_orders() -> Samples:
    rows = _rows("""
        SELECT status, count(*) FROM orders
         WHERE status IN ('INITIATED', 'CARRIER_AUTHORIZED', 'PENDING', 'NEEDS_ATTENTION')
         GROUP BY status
    """)
    counted = dict(rows)
    for status in ("INITIATED", "CARRIER_AUTHORIZED", "PENDING", "NEEDS_ATTENTION"):
        yield {"status": status}, counted.get(status, 0)


#: Numbers rise with time, so the newest orders are read from the end of the primary key.
_RECENT: Final = f"""
    SELECT status, paid_at, email_sent_at FROM
     (SELECT * FROM orders ORDER BY id DESC LIMIT {5 * MOST_COUNTED}) newest
     WHERE created_at > now() - interval '1 hour'
"""  # noqa: S608 - a number of our own


def orders_of_last_hour() -> Samples:
    for status, count in _rows(f"SELECT status, count(*) FROM ({_RECENT}) r GROUP BY 1"):  # noqa: S608
        yield {"status": status}, count


def seconds_to_mail() -> Samples:
    waited = "extract(epoch FROM email_sent_at - paid_at)"
    rows = _rows(f"""
        SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY {waited})
          FROM ({_RECENT}) r WHERE email_sent_at IS NOT NULL AND paid_at IS NOT NULL
    """)  # noqa: S608
    for quantile, value in zip(("0.5", "0.95", "0.99"), rows[0][0] or (), strict=False):
        yield {"quantile": quantile}, float(value)


def due_work() -> Samples:
    """What is due by its plan and not done yet, counted to a limit."""
    for kind, table, where in (
        ("deliveries", "fulfillment_attempts", "status = 'IN_PROGRESS' AND next_try_at < now()"),
        (
            "purchases",
            "partner_api_transactions",
            "status IN ('SENT', 'PENDING', 'UNKNOWN') AND next_check_at < now()",
        ),
        (
            "payments",
            "payments",
            "status IN ('INITIATED', 'PENDING', 'AUTHORIZED') AND next_check_at < now()",
        ),
        ("mails", "email_messages", "status IN ('PENDING', 'SENDING') AND next_try_at < now()"),
        (
            "transfers",
            "loyalty_points_transfers",
            "status IN ('QUEUED', 'PENDING', 'UNKNOWN') AND next_check_at < now()",
        ),
        ("webhooks", "webhook_deliveries", "status = 'PENDING' AND next_try_at < now()"),
    ):
        limited = f"SELECT 1 FROM {table} WHERE {where} LIMIT {MOST_COUNTED}"  # noqa: S608
        yield {"kind": kind}, _rows(f"SELECT count(*) FROM ({limited}) due")[0][0]  # noqa: S608


def open_alerts() -> Samples:
    sql = "SELECT kind, count(*) FROM admin_alerts WHERE resolved_at IS NULL GROUP BY kind"
    for kind, count in _rows(sql):
        yield {"kind": kind}, count


def _partners(column: str) -> Samples:
    rows = _rows(f"""
        SELECT p.slug, {column} FROM partners p
          JOIN partner_health h ON h.partner_id = p.id
    """)  # noqa: S608
    for slug, value in rows:
        if value is not None:
            yield {"partner": slug}, float(value)


def partner_failures() -> Samples:
    return _partners("h.failures")


def partner_paused() -> Samples:
    return _partners("(h.open_until IS NOT NULL)::int")


def partner_balance() -> Samples:
    return _partners("h.balance")


def queued_tasks() -> Samples:
    with closing(health.broker_client()) as client:
        for queue in QUEUES:
            yield {"queue": queue}, client.llen(queue)


def sweep_age() -> Samples:
    """A sweep that was never seen is infinitely late."""
    for name, age in alive.ages(health.plan()).items():
        yield {"sweep": name}, float("inf") if age is None else age


def worker_age() -> Samples:
    age = alive.ages([alive.WORKER])[alive.WORKER]
    yield {}, float("inf") if age is None else age


#: Name, what it tells, and who counts it.
OF_DATABASE: Final[tuple[tuple[str, str, Callable[[], Samples]], ...]] = (
    ("bdv_open_orders", "Orders that are not finished, by status.", open_orders),
    ("bdv_orders_last_hour", "Orders placed in the last hour, by status.", orders_of_last_hour),
    (
        "bdv_seconds_to_mail",
        "From payment to accepted mail, of orders placed in the last hour.",
        seconds_to_mail,
    ),
    ("bdv_due_work", "Work that is due and not done, by kind; 10000 at most.", due_work),
    ("bdv_open_alerts", "Open alerts of operators, by kind.", open_alerts),
    ("bdv_partner_failures", "Purchases in a row without an answer.", partner_failures),
    ("bdv_partner_paused", "1 while purchases at a partner are paused.", partner_paused),
    ("bdv_partner_balance", "What was last seen in our account at a partner.", partner_balance),
)
OF_REDIS: Final[tuple[tuple[str, str, Callable[[], Samples]], ...]] = (
    ("bdv_queued_tasks", "Tasks waiting in the broker, by queue.", queued_tasks),
    ("bdv_sweep_age_seconds", "Since a sweep was last done.", sweep_age),
    ("bdv_worker_age_seconds", "Since any worker's heart last beat.", worker_age),
)


def text() -> str:
    """The page Prometheus reads; what can't be asked just now is left out and counted."""
    started = time.monotonic()
    lines: list[str] = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{MOST_SECONDS}s'")
        for name, says, count in OF_DATABASE:
            lines += _block(name, says, count())
    redis_up = 1
    for name, says, count in OF_REDIS:
        try:
            lines += _block(name, says, list(count()))
        except RedisError:
            redis_up = 0
    lines += _block("bdv_redis_up", "1 if cache and broker answer.", [({}, redis_up)])
    took = round(time.monotonic() - started, 4)
    lines += _block("bdv_scrape_seconds", "How long this page took.", [({}, took)])
    return "\n".join([*lines, ""])


def _block(name: str, says: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        number = "+Inf" if value == float("inf") else f"{value:g}"
        yield f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

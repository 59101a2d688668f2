"""A lawful shop of any size in minutes: rows by INSERT .. SELECT, codes sealed and COPYed.

The rows are what the shop itself would have written by now: `check_invariants` finds no breach.
Triggers and foreign keys rest while it writes (`session_replication_role`), plain indexes are
made again at the end. Order number i has item 2i-1, and 2i if i is divisible by 5; the voucher
of a unit has its item's id.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

import psycopg
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from psycopg import sql

from benchmarks import seed_sql
from books.closing import close_days
from vouchers.ciphers import Secret, fingerprint, mask, seal_secret, words_of

CHUNK: Final = 50_000
VARIANTS: Final = 200
HOT: Final = range(1, 10)
"""Variants with much stock: for those who all want the same."""
USUAL: Final = range(10, 190)
SOLD_OUT: Final = range(191, 201)
HOT_UNITS: Final = 3000
STOCK: Final = 100
BIG: Final = ("orders", "order_items", "order_events", "payments", "gateway_callbacks",
              "fulfillment_attempts", "email_messages", "admin_alerts", "vouchers")  # fmt: skip
COPY: Final = (
    "COPY vouchers (id, variant_id, status, secret, fingerprint, words, mask, metadata,"
    " order_item_id, unit_no, sold_at, void_reason, revoked_reason, batch_id, created_at)"
    " FROM STDIN"
)


class Progress:
    """A bar on stderr, at most four times a second."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, max(1, total), 0
        self.started, self.shown = time.monotonic(), 0.0

    def add(self, rows: int) -> None:
        self.done += rows
        now = time.monotonic()
        last = self.done >= self.total
        if not last and now - self.shown < 0.25:  # noqa: PLR2004
            return
        self.shown, share = now, min(1.0, self.done / self.total)
        bar = ("#" * round(30 * share)).ljust(30, ".")
        took = f"{now - self.started:6.1f} s"
        line = f"\r  {self.what:<22} [{bar}] {100 * share:5.1f} % {took}"
        print(line, end="\n" if last else "", file=sys.stderr, flush=True)


def seed(orders: int) -> float:
    """Fill the (migrated, empty) database of Django's connection; the seconds it took."""
    started = time.monotonic()
    with psycopg.connect(_address(), autocommit=True) as raw:
        raw.execute("SET session_replication_role = replica")
        raw.execute("SET timezone = 'UTC'")
        raw.execute("SET synchronous_commit = off")
        indexes = _drop_indexes(raw)
        _small_tables(raw, orders)
        _histories(raw, orders)
        _codes(orders)
        bar = Progress("indexes", len(indexes))
        for definition in indexes:
            raw.execute(definition)
            bar.add(1)
        _set_sequences(raw)
        raw.execute("VACUUM (ANALYZE)")
    return time.monotonic() - started


def ready(orders: int, say: Callable[[str], None]) -> None:
    """Migrate, seed what is empty, load what the last run sold, close the days that are over."""
    call_command("migrate", verbosity=0)
    if not is_seeded():
        say(f"seeding {orders:,} orders")
        say(f"seeded in {seed(orders):.0f} s")
    top_up()
    while closed := close_days(now=timezone.now()):
        say(f"closed {closed} days of the books")


def is_seeded() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM orders)")
        return bool(cursor.fetchone()[0])


def top_up() -> None:
    """Each pool variant has its stock again: what the last run sold is loaded anew."""
    with psycopg.connect(_address(), autocommit=True) as raw:
        free = dict(
            raw.execute(
                "SELECT variant_id, count(*) FROM vouchers WHERE status = 'available' GROUP BY 1"
            ).fetchall()
        )
        wanted = {variant: HOT_UNITS if variant in HOT else STOCK for variant in [*HOT, *USUAL]}
        short = {variant: units - free.get(variant, 0) for variant, units in wanted.items()}
        row = raw.execute("SELECT max(id) FROM vouchers").fetchone()
        first = (row[0] or 0) + 1 if row else 1
        rows = [v for v, units in short.items() for _ in range(max(0, units))]
        if len(rows) > len(wanted):
            _copy(raw, [(first + n, variant, None) for n, variant in enumerate(rows)])
            _set_sequences(raw)


def _address() -> str:
    settings = connection.settings_dict
    host = settings["HOST"] or settings["OPTIONS"].get("host", "")
    return f"host={host} user={settings['USER']} dbname={settings['NAME']}"


def _drop_indexes(raw: psycopg.Connection) -> list[str]:
    """Plain indexes of the big tables; constraints keep theirs."""
    rows = raw.execute(
        """SELECT i.indexname, i.indexdef FROM pg_indexes i
           WHERE i.schemaname = 'public' AND i.tablename = ANY(%s)
             AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
             AND i.indexdef NOT LIKE 'CREATE UNIQUE%%'""",
        [list(BIG)],
    ).fetchall()
    for name, _ in rows:
        raw.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [definition for _, definition in rows]


def _columns(raw: psycopg.Connection, table: str) -> dict[str, str]:
    """The columns that need a value, each with the empty one of its type."""
    rows = raw.execute(
        """SELECT column_name, data_type FROM information_schema.columns
           WHERE table_schema = 'public' AND table_name = %s AND is_nullable = 'NO'
             AND is_identity = 'NO' AND column_default IS NULL""",
        [table],
    ).fetchall()
    return {name: seed_sql.EMPTY[kind] for name, kind in rows}


def _insert(raw: psycopg.Connection, table: str, given: Mapping[str, str], source: str) -> int:
    """`given`: column -> expression over the rows of `source`; the rest gets its empty value."""
    values = {**_columns(raw, table), **given}
    columns = ", ".join(values)
    statement = f"INSERT INTO {table} ({columns}) SELECT {', '.join(values.values())} {source}"
    return raw.execute(statement.encode()).rowcount


def _small_tables(raw: psycopg.Connection, orders: int) -> None:
    customers = max(20, orders // 10)
    for table, given, source in seed_sql.small(customers=customers, variants=VARIANTS):
        _insert(raw, table, given, source)


def _histories(raw: psycopg.Connection, orders: int) -> None:
    """Orders with all that became of them, a chunk of orders in one transaction."""
    bar = Progress("orders", orders)
    for first in range(1, orders + 1, CHUNK):
        last = min(first + CHUNK - 1, orders)
        with raw.transaction():
            raw.execute(seed_sql.chunk(first, last, orders).encode())
            for table, given, source in seed_sql.HISTORIES:
                _insert(raw, table, given, source)
            raw.execute("DROP TABLE seed_chunk")
        bar.add(last - first + 1)


def _codes(orders: int) -> None:
    """A sealed code for each unit that was delivered, and free stock."""
    jobs = [("sold", first, min(first + CHUNK // 5, orders + 1)) for first in
            range(1, orders + 1, CHUNK // 5)]  # fmt: skip
    jobs += [("free", 2 * orders + 1, max(STOCK, orders // 10 // len(USUAL)))]
    bar = Progress("codes", orders)
    address = _address()
    connection.close()
    workers = min(len(jobs), os.cpu_count() or 2)
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        for done in pool.map(_write_codes, [(address, *job) for job in jobs]):
            bar.add(done)


def _write_codes(job: tuple[str, str, int, int]) -> int:
    address, kind, first, last = job
    with psycopg.connect(address, autocommit=True) as raw:
        raw.execute("SET session_replication_role = replica")
        raw.execute("SET synchronous_commit = off")
        if kind == "sold":
            rows = raw.execute(seed_sql.DELIVERED, [2 * first - 1, 2 * last - 2]).fetchall()
            _copy(raw, rows)
            return last - first
        units = [v for v in USUAL for _ in range(last)] + [v for v in HOT for _ in range(HOT_UNITS)]
        _copy(raw, [(first + n, variant, None) for n, variant in enumerate(units)])
    return 0


def _copy(raw: psycopg.Connection, rows: list[tuple]) -> None:
    """(id, variant, sold_at): delivered to the item of the same id, or free."""
    with raw.cursor().copy(COPY) as copy:
        copy.set_types([
            "int8", "int8", "text", "bytea", "bytea", "bytea[]", "text", "text", "int8", "int4",
            "timestamptz", "text", "text", "int8", "timestamptz",
        ])  # fmt: skip
        for pk, variant, sold_at in rows:
            code = f"BV{pk:08X}-{os.urandom(2).hex().upper()}-{os.urandom(2).hex().upper()}"
            sold = sold_at is not None
            copy.write_row([
                pk, variant, "sold" if sold else "available", seal_secret(Secret(code)),
                fingerprint(code), words_of(code), mask(code), "{}", pk if sold else None,
                1 if sold else None, sold_at, "", "", 1, sold_at or "2026-01-01T00:00:00Z",
            ])  # fmt: skip


def _set_sequences(raw: psycopg.Connection) -> None:
    for table in (*BIG, "users", "products", "variants", "brands", "partner_product_sources",
                  "voucher_batches"):  # fmt: skip
        raw.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"  # noqa: S608
            f" (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)".encode()
        )

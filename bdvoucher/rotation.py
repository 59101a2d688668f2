"""Turning the key ring: every sealed value comes under the newest key, while the shop works.

What is sealed names its key, so a row is either done or not: an interrupted rotation goes on where
it was, two at once do no harm, and readers open old and new alike. Rows that somebody works on
are passed over and come in the next round; nothing ever waits for us, and we wait for nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection, models, transaction

from fulfillment.models import FulfillmentAttempt
from vouchers.ciphers import Unreadable, resealed
from vouchers.models import BatchChunk, BatchLine, BatchUpload, Voucher
from webhooks.models import Endpoint

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A column of sealed values."""

    model: type[models.Model]
    column: str
    context: str
    """SQL over the row; what is sealed is tied to its place, some of it to its very row."""

    @property
    def table(self) -> str:
        return self.model._meta.db_table  # noqa: SLF001 - Django's own public name for it


#: Every column that `vouchers.ciphers` seals; a test holds new binary columns to it.
PLACES: Final = (
    Place(Voucher, "secret", "'voucher'"),
    Place(FulfillmentAttempt, "codes", "'attempt'"),
    Place(BatchUpload, "sealed", "'upload:' || batch_id"),
    Place(BatchChunk, "sealed", "'chunk:' || batch_id || ':' || number"),
    Place(BatchLine, "sealed", "'line:' || batch_id"),
    Place(Endpoint, "secret", "'webhook:' || public_id"),
    Place(Endpoint, "former_secret", "'webhook:' || public_id"),
)


@dataclass(frozen=True, slots=True)
class Round:
    """What became of one batch."""

    last_id: int
    sealed: int = 0
    busy: int = 0
    unreadable: int = 0


def newest() -> str:
    return str(next(iter(settings.CODE_KEYS)))


def left(place: Place) -> dict[str, int]:
    """Key name -> how many values are sealed with it."""
    name = f"substring({place.column} FROM 1 FOR position('\\x3a'::bytea IN {place.column}) - 1)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT encode({name}, 'escape'), count(*) FROM {place.table}"  # noqa: S608
            f" WHERE length({place.column}) > 0 GROUP BY 1 ORDER BY 1"
        )
        return dict(cursor.fetchall())


def rotate(place: Place) -> Iterator[Round]:
    """Go through a table once, batch by batch; each is a transaction of its own."""
    after = 0
    while (done := _batch(place, after=after)) is not None:
        after = done.last_id
        yield done


@transaction.atomic
def _batch(place: Place, *, after: int) -> Round | None:
    """The next rows under an older key. Claimed with SKIP LOCKED: no lock order can be broken."""
    prefix = f"{newest()}:".encode()
    column, table = place.column, place.table
    old = f"length({column}) > 0 AND substring({column} FROM 1 FOR {len(prefix)}) <> %(prefix)s"
    where: dict[str, Any] = {"after": after, "prefix": prefix, "batch": BATCH}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE id > %(after)s AND {old} ORDER BY id LIMIT %(batch)s",  # noqa: S608
            where,
        )
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return None
        cursor.execute(
            f"SELECT id, {column}, {place.context} FROM {table} WHERE id = ANY(%(ids)s) AND {old}"  # noqa: S608
            " ORDER BY id FOR UPDATE SKIP LOCKED",
            {**where, "ids": ids},
        )
        rows = cursor.fetchall()
        fresh, unreadable = {}, 0
        for row_id, sealed, context in rows:
            try:
                fresh[row_id] = resealed(sealed, context=context)
            except Unreadable:
                unreadable += 1
        cursor.execute("SET LOCAL bdv.rotating = 'on'")  # ended attempts are final otherwise
        cursor.execute(
            f"UPDATE {table} SET {column} = fresh.sealed"  # noqa: S608
            " FROM unnest(%s::bigint[], %s::bytea[]) AS fresh(id, sealed)"
            f" WHERE {table}.id = fresh.id",
            [list(fresh), list(fresh.values())],
        )
    return Round(ids[-1], len(fresh), len(ids) - len(rows), unreadable)

"""An import at work: the upload is read into chunks, the chunks are loaded into the pool.

Both go on where they were, whenever they are stopped: what was read stands in chunks, what was
loaded is marked by the commit that loaded it. Who works renews a claim with each chunk; of two at
once, one finds its claim gone and stops. Nothing stands in the clear but in memory (D20).
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from core.db import durable
from core.logging import get_logger
from vouchers.ciphers import Secret, fingerprint, mask, seal, seal_bytes, unseal, unseal_bytes
from vouchers.mailtext import pasted_rows
from vouchers.models import Batch, BatchChunk, BatchLine, Voucher
from vouchers.pool import NewCode
from vouchers.rows import NotReadable, Row, made
from vouchers.states import FROM_API, PASTED, WORKING, BatchStatus, Outcome
from vouchers.tables import MAX_ROWS, Terms, is_workbook, table_rows, text_of, workbook_rows

log = get_logger(__name__)

CHUNK: Final = 1000
#: Below PostgreSQL's wait before it looks for a deadlock: of an import and an operator who types
#: the same codes in another order, the import gives way and tries again.
LOCK_MILLISECONDS: Final = 300
TRIES: Final = 20
HELD: Final = "We hold this code already."
TWICE: Final = "This code stands in row {} already."


class Stopped(Exception):  # noqa: N818 - somebody else has taken over, or there is nothing to do
    """Our claim is gone."""


def claim(batch_id: int, *, now: datetime) -> Batch | None:
    """The import, ours for a while; None if it is done with, or somebody is at it."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - settings.IMPORT_LEASE)
    ours = Batch.objects.filter(free, pk=batch_id, status__in=WORKING).update(claimed_at=now)
    return Batch.objects.select_related("variant").get(pk=batch_id) if ours else None


def unattended(*, now: datetime) -> list[int]:
    """Imports with work to do that nobody holds."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - settings.IMPORT_LEASE)
    rows = Batch.objects.filter(free, status__in=WORKING).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def give_back(batch: Batch) -> None:
    """Let the next one go on at once."""
    Batch.objects.filter(pk=batch.pk, claimed_at=batch.claimed_at).update(claimed_at=None)


def _renew(batch: Batch, **changes: Any) -> None:
    """Write progress down under our claim; part of the caller's transaction.

    Raises:
        Stopped: the claim is somebody else's by now.
    """
    now = timezone.now()
    ours = Batch.objects.filter(
        pk=batch.pk, claimed_at=batch.claimed_at, status=batch.status
    ).update(claimed_at=now, **changes)
    if not ours:
        raise Stopped
    batch.claimed_at = now
    if "status" in changes:
        batch.status = changes["status"]


@durable
def read(batch: Batch) -> None:
    """Read the upload into chunks and a report, from where it stopped.

    Raises:
        Stopped: somebody else is at it.
    """
    try:
        _stage(batch)
    except NotReadable as exc:
        with transaction.atomic():
            _renew(
                batch, status=BatchStatus.REFUSED, problem=str(exc)[:500], ended_at=timezone.now()
            )
            batch.uploads.all().delete()
            batch.chunks.all().delete()
        log.info("stock.import.refused", batch=batch.pk, error=str(exc))
        return
    now = timezone.now()
    following = BatchStatus.READY if batch.asks else BatchStatus.LOADING
    with transaction.atomic():
        started = None if batch.asks else now
        _renew(batch, status=following, started_at=started)
        batch.uploads.all().delete()
    log.info("stock.import.read", batch=batch.pk)


def _stage(batch: Batch) -> None:
    seen: dict[bytes, int] = {}
    stored = batch.chunks.count()
    for number, rows in enumerate(_pieces(_rows_of(batch), CHUNK)):
        checked = [_told_apart(row, seen) for row in rows]
        if number >= stored:
            _store(batch, number, checked)
        else:
            _renew(batch)  # catching up takes its time too: without it nobody would ever be through


def _rows_of(batch: Batch) -> Iterator[Row]:
    parts = batch.uploads.order_by("number").values_list("sealed", flat=True)
    content = b"".join(unseal_bytes(part, context=f"upload:{batch.pk}") for part in parts)
    terms = Terms(batch.created_at, batch.expires_at, batch.code_digits)
    if batch.file_name == FROM_API:
        return _told_rows(content, terms)
    if batch.file_name == PASTED:
        return pasted_rows(text_of(content), terms)
    return workbook_rows(content, terms) if is_workbook(content) else table_rows(content, terms)


def _told_rows(content: bytes, terms: Terms) -> Iterator[Row]:
    for number, given in enumerate(json.loads(content), start=1):
        yield made(number, given, now=terms.now, expires_at=terms.expires_at)


def _pieces(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    count = 0
    while piece := list(islice(rows, size)):
        count += len(piece)
        if count > MAX_ROWS:
            raise NotReadable(f"More than {MAX_ROWS:,} rows. Split the file.")
        yield piece


def _told_apart(row: Row, seen: dict[bytes, int]) -> tuple[Row, bytes, str]:
    """The row, its fingerprint, and where in this import the same code stood before."""
    if row.outcome is not None:
        return row, b"", ""
    digest = fingerprint(row.identity)
    before = seen.setdefault(digest, row.row_no)
    first = before == row.row_no
    return row, digest, "" if first else TWICE.format(before)


def _store(batch: Batch, number: int, checked: Sequence[tuple[Row, bytes, str]]) -> None:
    digests = [digest for _, digest, twice in checked if digest and not twice]
    held = set(_held(digests))
    good, lines = [], []
    for row, digest, twice in checked:
        if row.outcome is not None:
            lines.append(_line(batch, row, row.outcome, row.problem))
        elif twice:
            lines.append(_line(batch, row, Outcome.DOUBLE, twice))
        elif digest in held:
            lines.append(_line(batch, row, Outcome.HELD, HELD))
        else:
            good.append(row)
    with transaction.atomic():
        _renew(batch, read=F("read") + len(checked), good=F("good") + len(good))
        sealed = seal([row.packed() for row in good], context=f"chunk:{batch.pk}:{number}")
        BatchChunk.objects.create(batch=batch, number=number, sealed=sealed)
        BatchLine.objects.bulk_create(lines)


def _line(batch: Batch, row: Row, outcome: Outcome, message: str) -> BatchLine:
    sealed = seal_bytes(row.text.encode(), context=f"line:{batch.pk}") if row.text else b""
    hidden = mask(row.identity) if row.identity else ""
    return BatchLine(
        batch=batch, row_no=row.row_no, place=row.place, outcome=outcome,
        message=message[:300], mask=hidden, sealed=sealed,
    )  # fmt: skip


def _held(digests: Sequence[bytes]) -> Iterator[bytes]:
    known = Voucher.objects.filter(fingerprint__in=digests).values_list("fingerprint", flat=True)
    return (bytes(digest) for digest in known)


@durable
def load(batch: Batch, *, until: Callable[[], bool]) -> bool:
    """Load chunk after chunk into the pool; whether all are loaded, or `until` said stop.

    Raises:
        Stopped: somebody else is at it.
    """
    waiting = batch.chunks.filter(loaded_at=None).order_by("number").values_list("pk", flat=True)
    for chunk_id in list(waiting):
        if until():
            return False
        _load_patiently(batch, chunk_id)
    with transaction.atomic():
        _renew(batch, status=BatchStatus.DONE, ended_at=timezone.now())
    log.info("stock.import.done", batch=batch.pk)
    return True


def _load_patiently(batch: Batch, chunk_id: int) -> None:
    """Again, if somebody held one of the codes for longer than we wait."""
    claimed_at = batch.claimed_at
    for tries in range(1, TRIES + 1):
        try:
            return _load_chunk(batch, chunk_id)
        except OperationalError:
            if tries == TRIES or not connection.is_usable():
                raise
            batch.claimed_at = claimed_at  # the renewal was rolled back with the rest
            time.sleep(0.05 * tries)
    return None


def _load_chunk(batch: Batch, chunk_id: int) -> None:
    """A chunk's codes, its report, its mark and the progress: one commit."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
        _renew(batch)
        chunk = BatchChunk.objects.select_for_update().get(pk=chunk_id)
        if chunk.loaded_at is not None:
            return
        packed = unseal(chunk.sealed, context=f"chunk:{batch.pk}:{chunk.number}")
        rows = [Row.unpacked(parts) for parts in packed]
        added = _added(batch, rows)
        chunk.sealed, chunk.loaded_at = b"", timezone.now()
        chunk.save(update_fields=["sealed", "loaded_at"])
        _renew(batch, loaded=F("loaded") + len(rows), rows=F("rows") + added)


def _added(batch: Batch, rows: Sequence[Row]) -> int:
    """Insert the codes nobody holds; who came second is in the report. In one order for all, so
    that two imports of one file wait for each other and never in a circle."""
    made_of: dict[bytes, tuple[Row, Voucher]] = {}
    for row in rows:
        voucher = _new(row).row(variant_id=batch.variant_id)
        voucher.batch = batch
        made_of[bytes(voucher.fingerprint)] = row, voucher
    Voucher.objects.bulk_create(
        [voucher for _, (_, voucher) in sorted(made_of.items(), key=lambda pair: pair[0])],
        ignore_conflicts=True,
    )
    mine = Voucher.objects.filter(batch=batch, fingerprint__in=list(made_of))
    ours = {bytes(digest) for digest in mine.values_list("fingerprint", flat=True)}
    BatchLine.objects.bulk_create(
        _line(batch, row, Outcome.HELD, HELD)
        for digest, (row, _) in made_of.items()
        if digest not in ours
    )
    return len(ours)


def _new(row: Row) -> NewCode:
    secret = Secret(row.code, row.pin, row.link)
    return NewCode(secret, serial_number=row.serial or None, expires_at=row.expires_at)

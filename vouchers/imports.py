"""What may be asked of an import: begin it, go on with it, leave it; and void what was imported.

Each function is one transaction and wakes nobody: who calls it rings the worker's bell after it
(`fulfillment.services.wake_import`), and a sweep finds what nobody rang for.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from catalog.models import Variant
from core.errors import BadRequest, Conflict, NotFound
from core.logging import get_logger
from core.states import check_arrow
from vouchers.ciphers import file_digest, seal_bytes
from vouchers.models import Batch, BatchUpload, Voucher
from vouchers.states import BATCH_ARROWS, BatchStatus, VoucherStatus

log = get_logger(__name__)

MAX_BYTES: Final = 32_000_000
_PIECE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class About:
    """What is said of all codes of an import."""

    variant: Variant
    supplier: str
    unit_cost: Decimal | None = None
    expires_at: datetime | None = None
    code_digits: int | None = None


def begin_import(
    about: About, content: bytes, *, file_name: str, by_id: int | None, asks: bool = True
) -> Batch:
    """Keep the upload, sealed; the worker reads it. With `asks` a person then has the last word.

    Raises:
        BadRequest: nothing in it, or more than we read.
    """
    if not content.strip():
        raise BadRequest.at("file", "There is nothing in it.")
    if len(content) > MAX_BYTES:
        raise BadRequest.at("file", f"At most {MAX_BYTES // 1_000_000} MB at once; split the file.")
    with transaction.atomic():
        batch = Batch.objects.create(
            variant=about.variant,
            supplier=about.supplier,
            unit_cost=about.unit_cost,
            expires_at=about.expires_at,
            code_digits=about.code_digits,
            file_name=file_name[-200:],
            file_digest=file_digest(content),
            status=BatchStatus.READING,
            asks=asks,
            imported_by_id=by_id,
        )
        context = f"upload:{batch.pk}"
        BatchUpload.objects.bulk_create(
            BatchUpload(
                batch=batch,
                number=number,
                sealed=seal_bytes(content[start : start + _PIECE], context=context),
            )
            for number, start in enumerate(range(0, len(content), _PIECE))
        )
    log.info("stock.import.begun", batch=batch.pk, bytes=len(content))
    return batch


def confirm_import(batch_id: int, *, now: datetime) -> Batch:
    """The person has seen what was read: its good rows go into the pool.

    Raises:
        Conflict: it is not waiting for that, or there is nothing to import.
    """
    with transaction.atomic():
        batch = _locked(batch_id)
        if batch.status != BatchStatus.READY:
            raise Conflict(f"This import is not waiting: {batch.get_status_display().lower()}.")
        if not batch.good:
            raise Conflict("There is no code to import in it.")
        _move(batch, BatchStatus.LOADING)
        batch.started_at = now
        batch.save(update_fields=["status", "started_at"])
    return batch


def cancel_import(batch_id: int, *, now: datetime) -> Batch:
    """Leave it: nothing of it is kept but what was said of it and its report.

    Raises:
        Conflict: its codes go into the pool already.
    """
    with transaction.atomic():
        batch = _locked(batch_id)
        if batch.status not in (BatchStatus.READING, BatchStatus.READY):
            raise Conflict(f"Too late: {batch.get_status_display().lower()}.")
        _move(batch, BatchStatus.CANCELLED)
        batch.ended_at = now
        batch.save(update_fields=["status", "ended_at"])
        batch.uploads.all().delete()
        batch.chunks.all().delete()
        batch.lines.exclude(sealed=b"").update(sealed=b"")
    return batch


def _move(batch: Batch, new: BatchStatus) -> None:
    check_arrow(BATCH_ARROWS, BatchStatus(batch.status), new)
    batch.status = new


def _locked(batch_id: int) -> Batch:
    batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("There is no such import.")
    return batch


def void_unsold(rows: QuerySet[Voucher], *, reason: str, by_id: int, now: datetime) -> int:
    """Take codes that nobody holds out of the pool, for good; how many there were.

    One that is reserved or sold meanwhile is left alone: it is a customer's.

    Raises:
        BadRequest: no reason.
    """
    if not reason.strip():
        raise BadRequest.at("reason", "Say why; it is kept with each code.", code="required")
    count = rows.filter(status=VoucherStatus.AVAILABLE).update(
        status=VoucherStatus.VOID, void_reason=reason.strip()[:300], voided_at=now, voided_by=by_id
    )
    log.info("stock.voided", count=count, by=by_id)
    return count

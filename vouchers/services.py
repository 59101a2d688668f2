"""Everything that changes a voucher. Each function is part of its caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from catalog.models import Variant
from core.errors import Conflict, Detail
from orders.models import Order, OrderItem
from vouchers.ciphers import Secret, fingerprint, mask, seal_secret, words_of
from vouchers.models import Batch, Voucher
from vouchers.states import VoucherStatus

#: All free rows were locked a moment ago, so there are about as many as buyers at once.
SECOND_LOOK: Final = 5000


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code on its way into our tables."""

    secret: Secret
    serial_number: str | None = None
    expires_at: datetime | None = None
    partner_id: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What makes it unique: the code, or the link of goods that come as a link only (D34)."""
        return self.secret.code or self.secret.redemption_url

    def row(self, *, variant_id: int) -> Voucher:
        return Voucher(
            variant_id=variant_id,
            secret=seal_secret(self.secret),
            fingerprint=fingerprint(self.identity),
            words=words_of(self.identity),
            mask=mask(self.identity),
            serial_number=self.serial_number or None,
            expires_at=self.expires_at,
            partner_id=self.partner_id,
            metadata=dict(self.metadata),
        )


class CodeTaken(Conflict):
    """The code is in our tables already, for somebody else or another variant."""


def _free(variant_id: int, now: datetime) -> Any:
    """Rows that may be sold, soonest expiry first; expired ones are nobody's goods."""
    fresh = Voucher.objects.filter(variant=variant_id, status=VoucherStatus.AVAILABLE)
    return fresh.exclude(expires_at__lte=now).order_by(F("expires_at").asc(nulls_last=True), "id")


def take(variant_id: int, count: int, *, now: datetime) -> list[int]:
    """Lock up to `count` free rows; two buyers never wait for each other.

    The second look before "no stock" waits for locks of others, and so starts with none of
    its own held: the first look is rolled back, then all are taken in order (architecture 6).
    """
    with transaction.atomic():
        quick = transaction.savepoint()
        rows = _free(variant_id, now).select_for_update(skip_locked=True)
        ids = list(rows.values_list("id", flat=True)[:count])
        if len(ids) == count:
            transaction.savepoint_commit(quick)
            return ids
        transaction.savepoint_rollback(quick)
    # A row another buyer held may be free again by now, or ours after all.
    seen = list(_free(variant_id, now).values_list("id", flat=True)[:SECOND_LOOK])
    locked = Voucher.objects.filter(id__in=seen).select_for_update().order_by("id")
    still = [
        pk for pk, state in locked.values_list("id", "status") if state == VoucherStatus.AVAILABLE
    ]
    return still[:count]


def reserve(items: Sequence[OrderItem], *, until: datetime, now: datetime) -> None:
    """Hold one code per unit for items served from the pool (D14); the caller's last step.

    Raises:
        Conflict: not enough; `details` name each item and what is left. Nothing is kept.
    """
    short: list[Detail] = []
    for item in sorted(items, key=lambda each: each.variant_id):
        ids = take(item.variant_id, item.quantity, now=now)
        if len(ids) < item.quantity:
            message = f"Only {len(ids)} of {item.quantity} left."
            short.append(Detail(f"items.{item.position}.quantity", "out_of_stock", message))
            continue
        assign(item, ids, range(1, item.quantity + 1), VoucherStatus.RESERVED, until=until, now=now)
    if short:
        raise Conflict("Not enough stock.", details=short)


def assign(
    item: OrderItem,
    voucher_ids: Sequence[int],
    units: Sequence[int],
    status: VoucherStatus,
    *,
    until: datetime | None = None,
    now: datetime,
) -> None:
    """Give locked rows to units of an item, in one statement."""
    rows = [
        Voucher(
            id=pk,
            order_item=item,
            unit_no=unit,
            status=status,
            reserved_until=until,
            sold_at=now if status == VoucherStatus.SOLD else None,
        )
        for pk, unit in zip(voucher_ids, units, strict=True)
    ]
    fields = ["order_item", "unit_no", "status", "reserved_until", "sold_at"]
    Voucher.objects.bulk_update(rows, fields)


def release(order: Order) -> int:
    """Give back what was held for an unpaid order; how many rows."""
    held = Voucher.objects.filter(order_item__order=order, status=VoucherStatus.RESERVED)
    return held.update(
        status=VoucherStatus.AVAILABLE, order_item=None, unit_no=None, reserved_until=None
    )


def release_item(item: OrderItem) -> int:
    """Give back what is held for one item, whose units an operator fills by hand."""
    held = Voucher.objects.filter(order_item=item, status=VoucherStatus.RESERVED)
    return held.update(
        status=VoucherStatus.AVAILABLE, order_item=None, unit_no=None, reserved_until=None
    )


def sell_reserved(order: Order, *, now: datetime) -> int:
    """Turn what was held for a paid order into its goods; how many rows."""
    held = Voucher.objects.filter(order_item__order=order, status=VoucherStatus.RESERVED)
    return held.update(status=VoucherStatus.SOLD, reserved_until=None, sold_at=now)


def sell_from_pool(item: OrderItem, units: Sequence[int], *, now: datetime) -> list[int]:
    """Fill units from free stock as far as it goes; the units that were filled."""
    ids = take(item.variant_id, len(units), now=now)
    filled = list(units[: len(ids)])
    assign(item, ids, filled, VoucherStatus.SOLD, now=now)
    return filled


def store_issued(item: OrderItem, unit_no: int, code: NewCode, *, now: datetime) -> Voucher:
    """Keep a code that was bought or typed for this unit, as sold.

    Raises:
        CodeTaken: we hold this code already (I1); nothing was stored.
    """
    row = code.row(variant_id=item.variant_id)
    row.order_item, row.unit_no = item, unit_no
    row.status, row.sold_at = VoucherStatus.SOLD, now
    return _insert(row)


def store_surplus(
    variant: Variant, code: NewCode, *, former_item: OrderItem, personal: bool
) -> Voucher:
    """Keep a code that was bought for a unit filled otherwise meanwhile (D39).

    It joins the pool; goods made for one customer's input (`personal`) are void at once.

    Raises:
        CodeTaken: we hold this code already.
    """
    row = code.row(variant_id=variant.pk)
    row.former_item = former_item
    if personal:
        row.status, row.void_reason = VoucherStatus.VOID, "bought for another customer's input"
    return _insert(row)


def sell_typed_row(voucher: Voucher, item: OrderItem, unit_no: int, *, now: datetime) -> None:
    """Take an unsold pool row whose code an operator typed by hand (D29)."""
    taken = Voucher.objects.filter(pk=voucher.pk, status=voucher.status).update(
        status=VoucherStatus.SOLD,
        order_item=item,
        unit_no=unit_no,
        reserved_until=None,
        sold_at=now,
    )
    if not taken:
        raise CodeTaken("This code was sold a moment ago.")


def _insert(row: Voucher) -> Voucher:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as exc:
        if "voucher_code_once_for_ever" in str(exc):
            raise CodeTaken("We hold this code already.") from exc
        raise
    return row


def import_batch(
    variant: Variant, codes: Sequence[NewCode], *, supplier: str, imported_by_id: int | None = None
) -> tuple[Batch, list[int]]:
    """Load codes into the pool; the batch, and the places (from 0) of codes we hold already."""
    with transaction.atomic():
        batch = Batch.objects.create(
            variant=variant, supplier=supplier, imported_by_id=imported_by_id
        )
        rows = [code.row(variant_id=variant.pk) for code in codes]
        for row in rows:
            row.batch = batch
        known: set[bytes] = {
            bytes(digest)
            for digest in Voucher.objects.filter(
                fingerprint__in=[row.fingerprint for row in rows]
            ).values_list("fingerprint", flat=True)
        }
        fresh, doubles = [], []
        for place, row in enumerate(rows):
            if bytes(row.fingerprint) in known:
                doubles.append(place)
                continue
            known.add(bytes(row.fingerprint))
            fresh.append(row)
        # A code that arrives in another import at this instant loses here, silently counted.
        Voucher.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=1000)
        batch.rows = Voucher.objects.filter(batch=batch).count()
        batch.save(update_fields=["rows"])
    return batch, doubles


def mark_used(voucher_id: int, *, owner_id: int) -> bool:
    """The owner says it was redeemed; False if there is no such unused voucher of theirs."""
    mine = Voucher.objects.filter(
        pk=voucher_id, status=VoucherStatus.SOLD, order_item__order__customer=owner_id
    )
    return bool(mine.update(status=VoucherStatus.USED, used_at=Now()))

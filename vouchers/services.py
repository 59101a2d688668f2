"""Everything that changes a voucher. Each function is part of its caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from catalog.models import Variant
from core.errors import Conflict, Detail
from orders.models import Order, OrderItem
from vouchers.models import Batch, Voucher
from vouchers.pool import NewCode
from vouchers.states import DELIVERED, VoucherStatus

#: All free rows were locked a moment ago, so there are about as many as buyers at once.
SECOND_LOOK: Final = 5000


class CodeTaken(Conflict):
    """The code is in our tables already, for somebody else or another variant."""


_FREE: Final = """
SELECT wanted.variant, free.id, free.expires_at
FROM unnest(%(variants)s::bigint[], %(units)s::bigint[]) AS wanted(variant, units)
CROSS JOIN LATERAL (
  SELECT id, expires_at FROM vouchers
  WHERE variant_id = wanted.variant AND status = 'available'
    AND (expires_at IS NULL OR expires_at > %(now)s)
  ORDER BY expires_at ASC NULLS LAST, id LIMIT wanted.units {lock}
) AS free
"""
_LOCK: Final = """
SELECT variant_id, id, expires_at, status FROM vouchers
WHERE id = ANY(%(ids)s) ORDER BY variant_id, id FOR UPDATE
"""
_GIVE: Final = """
UPDATE vouchers SET status = %(status)s, order_item_id = given.item, unit_no = given.unit,
  reserved_until = %(until)s, sold_at = %(sold_at)s
FROM unnest(%(ids)s::bigint[], %(items)s::bigint[], %(units)s::int[]) AS given(id, item, unit)
WHERE vouchers.id = given.id
"""
Found = Mapping[int, Sequence[int]]


def take(wanted: Mapping[int, int], *, now: datetime) -> Found:
    """Variant -> free rows, locked, up to the units wanted; two buyers never wait for each other.

    One statement for all variants, soonest expiry first. The second look before "no stock"
    waits for locks of others, and so starts with none of its own held: the first look is
    rolled back, then what was short is waited for, in order (architecture 6).
    """
    doubted: set[int] = set()
    while True:
        mark = transaction.savepoint()
        found: dict[int, list[int]] = {pk: [] for pk in wanted}
        found |= _waited_for(wanted, doubted, now=now)
        sure = sorted(pk for pk in wanted if pk not in doubted)
        if sure:
            rows = _free(sure, [wanted[pk] for pk in sure], now=now, skip_locked=True)
            found |= _by_variant(rows)
        short = {pk for pk in sure if len(found[pk]) < wanted[pk]}
        if not short:
            transaction.savepoint_commit(mark)
            return found
        transaction.savepoint_rollback(mark)
        doubted |= short


def _free(
    variants: Sequence[int], units: Sequence[int], *, now: datetime, skip_locked: bool
) -> list[Any]:
    """Rows that may be sold; expired ones are nobody's goods."""
    lock = "FOR UPDATE SKIP LOCKED" if skip_locked else ""
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"variants": list(variants), "units": list(units), "now": now}
        cursor.execute(_FREE.format(lock=lock), given)
        return list(cursor.fetchall())


def _waited_for(
    wanted: Mapping[int, int], doubted: Iterable[int], *, now: datetime
) -> dict[int, list[int]]:
    """A row another buyer held may be free again by now, or ours after all."""
    variants = sorted(doubted)
    if not variants:
        return {}
    seen = _free(variants, [SECOND_LOOK] * len(variants), now=now, skip_locked=False)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"ids": [pk for _, pk, _ in seen]})
        locked = cursor.fetchall()
    still = _by_variant(row[:3] for row in locked if row[3] == VoucherStatus.AVAILABLE)
    return {variant: pks[: wanted[variant]] for variant, pks in still.items()}


def _by_variant(rows: Iterable[Any]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for variant, pk, _ in sorted(rows, key=lambda row: (row[2] is None, row[2], row[1])):
        found.setdefault(variant, []).append(pk)
    return found


def reserve(items: Sequence[OrderItem], *, until: datetime, now: datetime) -> None:
    """Hold one code per unit for items served from the pool (D14); the caller's last step.

    Raises:
        Conflict: not enough; `details` name each item and what is left. Nothing is kept.
    """
    units = {item.pk: list(range(1, item.quantity + 1)) for item in items}
    given = _shared_out(items, units, now=now)
    short: list[Detail] = []
    for item in items:
        left = len(given[item.pk])
        if left < item.quantity:
            message = f"Only {left} of {item.quantity} left."
            short.append(Detail(f"items.{item.position}.quantity", "out_of_stock", message))
    if short:
        raise Conflict("Not enough stock.", details=short)
    assign(given, VoucherStatus.RESERVED, until=until, now=now)


def _shared_out(
    items: Sequence[OrderItem], units: Mapping[int, Sequence[int]], *, now: datetime
) -> dict[int, dict[int, int]]:
    """Item -> unit -> locked row, as far as the free stock goes."""
    wanted: dict[int, int] = {}
    for item in items:
        wanted[item.variant_id] = wanted.get(item.variant_id, 0) + len(units[item.pk])
    left = {variant: iter(ids) for variant, ids in take(wanted, now=now).items()}
    given: dict[int, dict[int, int]] = {}
    for item in items:
        ids = islice(left[item.variant_id], len(units[item.pk]))
        given[item.pk] = dict(zip(units[item.pk], ids, strict=False))
    return given


def assign(
    given: Mapping[int, Mapping[int, int]],
    status: VoucherStatus,
    *,
    until: datetime | None = None,
    now: datetime,
) -> None:
    """Give locked rows to the units of items (item -> unit -> row), in one statement."""
    rows = [(pk, item, unit) for item, units in given.items() for unit, pk in units.items()]
    if not rows:
        return
    ids, items, units = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _GIVE,
            {
                "status": str(status),
                "until": until,
                "sold_at": now if status == VoucherStatus.SOLD else None,
                "ids": list(ids),
                "items": list(items),
                "units": list(units),
            },
        )


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


def release_units(item: OrderItem, units: Iterable[int]) -> int:
    """Give back what is held for units that will not be delivered any more (D42)."""
    held = Voucher.objects.filter(
        order_item=item, unit_no__in=list(units), status=VoucherStatus.RESERVED
    )
    return held.update(
        status=VoucherStatus.AVAILABLE, order_item=None, unit_no=None, reserved_until=None
    )


def revoke(voucher_ids: Iterable[int], *, by_id: int | None, reason: str, now: datetime) -> int:
    """Take delivered codes back before their money is paid back; they stay `sold` (D42)."""
    delivered = Voucher.objects.filter(
        pk__in=list(voucher_ids), status__in=DELIVERED, revoked_at=None
    )
    return delivered.update(revoked_at=now, revoked_by=by_id, revoked_reason=reason[:300])


def void_replaced(voucher_id: int, *, by_id: int | None, reason: str) -> OrderItem:
    """Take a bad code off its unit, for ever; the row keeps which unit it was (D49).

    Raises:
        CodeTaken: it is not a code that a customer holds (any more).
    """
    rows = Voucher.objects.select_for_update(of=("self",)).select_related("order_item")
    row = rows.filter(pk=voucher_id, status__in=DELIVERED, revoked_at=None).first()
    if row is None or row.order_item is None:
        raise CodeTaken("This code is not delivered to anybody (any more).")
    item, unit = row.order_item, row.unit_no
    row.metadata = {**row.metadata, "replaced": {"unit": unit, "by": by_id}}
    row.status, row.void_reason = VoucherStatus.VOID, reason[:300]
    row.order_item, row.unit_no, row.former_item = None, None, item
    row.save(
        update_fields=["status", "void_reason", "order_item", "unit_no", "former_item", "metadata"]
    )
    return item


def sell_reserved(order: Order, *, now: datetime) -> int:
    """Turn what was held for a paid order into its goods; how many rows."""
    held = Voucher.objects.filter(order_item__order=order, status=VoucherStatus.RESERVED)
    return held.update(status=VoucherStatus.SOLD, reserved_until=None, sold_at=now)


def sell_from_pool(
    items: Sequence[OrderItem], units: Mapping[int, Sequence[int]], *, now: datetime
) -> Mapping[int, Mapping[int, int]]:
    """Fill units of items from free stock as far as it goes: item -> unit -> voucher."""
    given = _shared_out(items, units, now=now)
    assign(given, VoucherStatus.SOLD, now=now)
    return given


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
        pk=voucher_id,
        status=VoucherStatus.SOLD,
        order_item__order__customer=owner_id,
        revoked_at=None,
    )
    return bool(mine.update(status=VoucherStatus.USED, used_at=Now()))

"""Reading vouchers; codes are opened here and nowhere else."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Count, Q, QuerySet

from orders.states import ItemStatus
from vouchers.ciphers import fingerprint, mask, unseal_secret
from vouchers.models import CodeReveal, Voucher
from vouchers.states import DELIVERED, VoucherStatus


@dataclass(frozen=True, slots=True)
class DeliveredCode:
    """One code that belongs to a customer."""

    voucher_id: int
    item_id: int
    unit_no: int
    status: str
    code: str = field(repr=False)
    pin: str = field(repr=False)
    redemption_url: str = field(repr=False)
    serial_number: str | None
    expires_at: datetime | None


def codes_of_orders(order_ids: Iterable[int]) -> Mapping[int, Sequence[DeliveredCode]]:
    """The codes of each order, in item then unit order (D5); one statement, whatever the rows."""
    rows = (
        Voucher.objects.filter(
            order_item__order__in=list(order_ids), status__in=DELIVERED, revoked_at=None
        )
        .order_by("order_item__position", "unit_no")
        .values_list(
            "order_item__order_id",
            "id",
            "order_item_id",
            "unit_no",
            "status",
            "secret",
            "serial_number",
            "expires_at",
        )
    )
    codes: dict[int, list[DeliveredCode]] = defaultdict(list)
    for order_id, pk, item_id, unit_no, status, secret, serial, expires_at in rows:
        opened = unseal_secret(secret)
        codes[order_id].append(
            DeliveredCode(
                pk,
                item_id or 0,  # set for every delivered row (CHECK)
                unit_no or 0,
                status,
                opened.code,
                opened.pin,
                opened.redemption_url,
                serial,
                expires_at,
            )
        )
    return codes


def codes_of_order(order_id: int) -> Sequence[DeliveredCode]:
    return codes_of_orders([order_id]).get(order_id, [])


def filled_units(item_ids: Iterable[int]) -> Mapping[int, set[int]]:
    """Which units of each item have their code."""
    units: dict[int, set[int]] = defaultdict(set)
    rows = Voucher.objects.filter(order_item__in=list(item_ids), status__in=DELIVERED)
    for item_id, unit_no in rows.values_list("order_item_id", "unit_no"):
        if item_id is not None and unit_no is not None:
            units[item_id].add(unit_no)
    return units


def vouchers_by_code(codes: Iterable[str]) -> Mapping[bytes, Voucher]:
    """The rows that hold these codes, by fingerprint, whatever their spelling (D34)."""
    digests = [fingerprint(code) for code in codes]
    rows = Voucher.objects.filter(fingerprint__in=digests).select_related("order_item__order")
    return {bytes(row.fingerprint): row for row in rows}


def available_by_variant(variant_ids: Iterable[int], *, now: datetime) -> Mapping[int, int]:
    """How many codes of each variant can be sold now; one statement."""
    rows = (
        Voucher.objects.filter(variant__in=set(variant_ids), status=VoucherStatus.AVAILABLE)
        .exclude(expires_at__lte=now)
        .values_list("variant_id")
        .annotate(free=Count("id"))
    )
    return dict(rows)


@dataclass(frozen=True, slots=True)
class UnitCode:
    """The row that fills, or is held for, one unit of an item; masked."""

    voucher_id: int
    item_id: int
    unit_no: int
    status: str
    mask: str
    serial_number: str | None
    expires_at: datetime | None
    source: str
    """Partner or supplier; empty for codes typed without one."""
    revoked: bool = False
    """Paid back after delivery (D42)."""


def units_of_order(order_id: int) -> Sequence[UnitCode]:
    """What fills each unit of an order, for staff; nothing is opened. One statement."""
    rows = (
        Voucher.objects.filter(order_item__order=order_id)
        .order_by("order_item__position", "unit_no")
        .values_list(
            "id",
            "order_item_id",
            "unit_no",
            "status",
            "mask",
            "serial_number",
            "expires_at",
            "partner__name",
            "batch__supplier",
            "revoked_at",
        )
    )
    return [
        UnitCode(
            pk, item or 0, unit or 0, status, mask, serial, expires, partner or supplier or "",
            revoked is not None,
        )
        for pk, item, unit, status, mask, serial, expires, partner, supplier, revoked in rows
    ]  # fmt: skip


def vouchers_of(customer_id: int) -> QuerySet[Voucher]:
    """A customer's own vouchers, of fulfilled items (D41), with what is shown beside them.

    An item that was delivered in part, and paid back for the rest, counts as well (D42).
    """
    fulfilled = Q(order_item__fulfillment_status=ItemStatus.SUCCEEDED)
    rest_refunded = Q(order_item__order__closed_by_refund=True)
    return Voucher.objects.filter(
        fulfilled | rest_refunded,
        order_item__order__customer=customer_id,
        status__in=DELIVERED,
        revoked_at=None,
    ).select_related("order_item__order")


def former_units_of(order_id: int) -> QuerySet[Voucher]:
    """Codes that were an order's and are not any more: replaced (D49), or bought too much (D39)."""
    rows = Voucher.objects.filter(former_item__order=order_id)
    return rows.select_related("former_item").defer("secret", "fingerprint", "words").order_by("pk")


def reveals_of(voucher_id: int) -> QuerySet[CodeReveal]:
    """Who read a code in full, newest first."""
    return CodeReveal.objects.filter(voucher=voucher_id).select_related("user").order_by("-pk")


def reveals_of_order(order_id: int) -> QuerySet[CodeReveal]:
    """Who read a code of the order in full."""
    rows = CodeReveal.objects.filter(voucher__order_item__order=order_id)
    rows = rows.select_related("user", "voucher")
    return rows.defer("voucher__secret", "voucher__fingerprint", "voucher__words").order_by("-pk")


@dataclass(frozen=True, slots=True)
class Judged:
    """What would become of a code that somebody is about to give to an item."""

    mask: str
    good: bool
    words: str


def judged(codes: Sequence[str], *, item_id: int, variant_id: int) -> list[Judged]:
    """Each code in its place, before anything is saved; one statement."""
    known = vouchers_by_code(codes)
    seen: set[bytes] = set()
    verdicts = []
    for code in codes:
        digest = fingerprint(code)
        good, words = _verdict(known.get(digest), item_id=item_id, variant_id=variant_id)
        if digest in seen:
            good, words = False, "given twice"
        seen.add(digest)
        verdicts.append(Judged(mask(code), good, words))
    return verdicts


def _verdict(row: Voucher | None, *, item_id: int, variant_id: int) -> tuple[bool, str]:
    if row is None:
        return True, "new"
    if row.status == VoucherStatus.VOID:
        return False, "void, can never be sold"
    if row.order_item_id == item_id:
        return True, "saved for this item already"
    if row.order_item_id is not None:
        return False, "belongs to another item"
    if row.variant_id != variant_id:
        return False, "in the pool of another variant"
    return True, "from our pool"


@dataclass(frozen=True, slots=True)
class LowStock:
    """A variant that is served from the pool, and has no more free codes than its warning."""

    variant_id: int
    product: str
    variant: str
    free: int
    threshold: int


_LOW = """
SELECT v.id, p.name, v.name, stock.free, v.low_stock_threshold FROM variants v
JOIN products p ON p.id = v.product_id AND p.status = 'active'
CROSS JOIN LATERAL (
  SELECT count(*) AS free FROM (
    SELECT FROM vouchers WHERE variant_id = v.id AND status = 'available'
      AND (expires_at IS NULL OR expires_at > %s) LIMIT v.low_stock_threshold + 1) AS counted
) AS stock
WHERE v.is_active AND stock.free <= v.low_stock_threshold AND (
  SELECT coalesce((array_agg(fulfillment_type ORDER BY priority, id))[1], 'PRELOADED')
  FROM partner_product_sources WHERE variant_id = v.id AND is_active) = 'PRELOADED'
ORDER BY stock.free, v.id
"""


def low_in_stock(*, now: datetime) -> list[LowStock]:
    """One statement; counts no further than each variant's threshold, whatever the pool holds."""
    with connection.cursor() as cursor:
        cursor.execute(_LOW, [now])
        return [LowStock(*row) for row in cursor.fetchall()]

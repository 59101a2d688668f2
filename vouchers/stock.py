"""How much of each variant is left in the pool, and for how long."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q

from catalog.models import Variant
from catalog.selectors import is_preloaded, sources_by_variant
from vouchers.models import Batch, Voucher
from vouchers.states import VoucherStatus

#: What is sold in a day says how long the rest lasts; a week of it where the day was quiet.
DAY: Final = timedelta(hours=24)
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Level:
    free: int
    reserved: int
    sold_day: int
    sold_week: int
    threshold: int | None

    @property
    def low(self) -> bool:
        return self.threshold is not None and self.free <= self.threshold

    @property
    def hours_left(self) -> float | None:
        """At the quicker pace of the last day and the last week; None if nothing is sold."""
        pace = max(self.sold_day / 24, self.sold_week / (7 * 24))
        return self.free / pace if pace else None


def levels_of(variant_ids: Iterable[int], *, now: datetime) -> Mapping[int, Level]:
    """Three statements, whatever the variants."""
    ids = sorted(set(variant_ids))
    held: dict[tuple[int, str], int] = {}
    pool = Voucher.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now) | Q(status=VoucherStatus.RESERVED),
        variant__in=ids,
        status__in=[VoucherStatus.AVAILABLE, VoucherStatus.RESERVED],
    )
    for variant, status, count in pool.values_list("variant_id", "status").annotate(n=Count("pk")):
        held[variant, status] = count
    sold = (
        Voucher.objects.filter(variant__in=ids, sold_at__gt=now - WEEK, partner=None)
        .values_list("variant_id")
        .annotate(week=Count("pk"), day=Count("pk", filter=Q(sold_at__gt=now - DAY)))
    )
    paces = {variant: (day, week) for variant, week, day in sold}
    thresholds = dict(Variant.objects.filter(pk__in=ids).values_list("pk", "low_stock_threshold"))
    return {
        pk: Level(
            held.get((pk, VoucherStatus.AVAILABLE), 0),
            held.get((pk, VoucherStatus.RESERVED), 0),
            *paces.get(pk, (0, 0)),
            thresholds.get(pk),
        )
        for pk in ids
    }


def watched_variants() -> Sequence[Variant]:
    """On sale from the pool, with a threshold."""
    rows = Variant.objects.filter(is_active=True, low_stock_threshold__isnull=False)
    variants = list(rows.select_related("product").order_by("pk"))
    sources = sources_by_variant(variant.pk for variant in variants)
    return [each for each in variants if is_preloaded(sources.get(each.pk, ()))]


def states_of_batch(batch: Batch) -> Mapping[str, int]:
    """How many of a batch's codes are in each state; one statement."""
    rows = batch.vouchers.values_list("status").annotate(n=Count("*"))
    counted = dict(rows)
    return {status.value: counted.get(status, 0) for status in VoucherStatus}

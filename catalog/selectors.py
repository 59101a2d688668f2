"""Reading the catalogue: what may be bought, for how much, and from where."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import F, Prefetch, Q, QuerySet

from catalog.models import Partner, PartnerSource, Product, Variant
from catalog.states import FulfillmentType, ProductStatus, StockSource, StockStatus

MAX_ID_DIGITS: Final = 18


def public_products() -> QuerySet[Product]:
    """Active products of active brands: all a customer may know of."""
    return Product.objects.filter(status=ProductStatus.ACTIVE, brand__is_active=True)


def with_all_shown(products: QuerySet[Product]) -> QuerySet[Product]:
    """Brand, categories, tags and active variants (cheapest first), in four statements."""
    variants = Variant.objects.filter(is_active=True).order_by("price", "pk")
    return products.select_related("brand").prefetch_related(
        "categories", "tags", Prefetch("variants", queryset=variants)
    )


def find_product(key: str) -> Product | None:
    """A public product by id or slug; digits are an id before they are a slug."""
    rows = with_all_shown(public_products())
    if key.isascii() and key.isdigit() and len(key) <= MAX_ID_DIGITS:
        found = rows.filter(pk=int(key)).first()
        if found is not None:
            return found
    return rows.filter(slug=key).first()


def priced_variants(variant_ids: Iterable[int]) -> Mapping[int, Variant]:
    """The variants that can be ordered now, with product and brand; one statement."""
    rows = Variant.objects.filter(
        pk__in=set(variant_ids),
        is_active=True,
        product__status=ProductStatus.ACTIVE,
        product__brand__is_active=True,
    )
    return {variant.pk: variant for variant in rows.select_related("product")}


def sources_by_variant(variant_ids: Iterable[int]) -> Mapping[int, Sequence[PartnerSource]]:
    """Active sources of each variant, the first to be asked first; one statement."""
    rows = (
        PartnerSource.objects.filter(variant__in=set(variant_ids), is_active=True)
        .filter(Q(partner__isnull=True) | Q(partner__is_active=True))
        .select_related("partner")
        .order_by("variant_id", "priority", "pk")
    )
    sources: dict[int, list[PartnerSource]] = defaultdict(list)
    for source in rows:
        sources[source.variant_id].append(source)
    return sources


def is_preloaded(sources: Sequence[PartnerSource]) -> bool:
    """Whether the winning source is the pool: then stock is rows, reserved at the order (D14)."""
    return not sources or sources[0].fulfillment_type == FulfillmentType.PRELOADED


def buyable_sources(variant: Variant) -> Sequence[PartnerSource]:
    """Partner sources within the price ceiling, by priority (D19)."""
    rows = PartnerSource.objects.filter(
        variant=variant,
        is_active=True,
        fulfillment_type=FulfillmentType.API,
        partner__is_active=True,
    ).select_related("partner")
    if variant.max_cost is not None:
        rows = rows.filter(Q(cost__isnull=True) | Q(cost__lte=F("variant__max_cost")))
    return list(rows.order_by("priority", "pk"))


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock envelope of a variant (contract page bdvoucher, section 3.1)."""

    status: StockStatus
    source: StockSource
    level: int | None
    threshold: int | None

    @property
    def in_stock(self) -> bool:
        """Whether an order would be accepted now."""
        return self.status not in (StockStatus.OUT_OF_STOCK, StockStatus.UNTRACKED)

    @property
    def low(self) -> bool:
        return self.status == StockStatus.LOW_STOCK


def stock_of(
    variant: Variant, sources: Sequence[PartnerSource], *, free: int, ordered: int
) -> Stock:
    """What is left: `free` codes in the pool, or the winning source's cap less `ordered` today.

    Nothing delivers a variant without source and without codes, so it is `untracked` and can't
    be ordered; codes alone make it a preloaded one, as the order sees it (`is_preloaded`).
    """
    threshold = variant.low_stock_threshold
    if is_preloaded(sources):
        if not sources and not free:
            return Stock(StockStatus.UNTRACKED, StockSource.UNTRACKED, None, threshold)
        return _counted(StockSource.PRELOADED, free, threshold)
    cap = sources[0].stock_cap
    if cap is None:
        return Stock(StockStatus.UNLIMITED, StockSource.API, None, threshold)
    return _counted(StockSource.API, max(0, cap - ordered), threshold)


def _counted(source: StockSource, level: int, threshold: int | None) -> Stock:
    if level == 0:
        status = StockStatus.OUT_OF_STOCK
    elif threshold is not None and level <= threshold:
        status = StockStatus.LOW_STOCK
    else:
        status = StockStatus.IN_STOCK
    return Stock(status, source, level, threshold)


def unknown_partners(partner_ids: Iterable[int]) -> list[int]:
    """Which of these are no partners of ours; no statement where none is named."""
    wanted = set(partner_ids)
    if not wanted:
        return []
    known = Partner.objects.filter(pk__in=wanted).values_list("pk", flat=True)
    return sorted(wanted.difference(known))

"""Reading the catalogue: what may be bought, for how much, and from where."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import F, Q, QuerySet

from catalog.models import PartnerSource, Product, Variant
from catalog.states import FulfillmentType, ProductStatus


def public_products() -> QuerySet[Product]:
    """Active products of active brands: all a customer may know of."""
    return Product.objects.filter(status=ProductStatus.ACTIVE, brand__is_active=True)


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

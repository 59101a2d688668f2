"""What a customer may ask of the own vouchers (seed Voucher Redemption, "List vouchers")."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Q, QuerySet

from core.api.lists import whole
from core.errors import BadRequest
from vouchers.ciphers import fingerprint, words_of
from vouchers.models import Voucher

SORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "newest": ("-sold_at", "-id"),
    "price_asc": ("order_item__unit_price", "-id"),
    "price_desc": ("-order_item__unit_price", "-id"),
}
MAX_SEARCH: Final = 100
BIGGEST: Final = 2**62


def narrowed(rows: QuerySet[Voucher], params: Mapping[str, str]) -> QuerySet[Voucher]:
    """The rows that match category, brand, partner and search, in the order asked for.

    Raises:
        BadRequest: a parameter can't be meant; it is named.
    """
    for name, path in (
        ("categoryId", "variant__product__categories"),
        ("brandId", "variant__product__brand"),
        ("partnerId", "partner"),
    ):
        if name in params:
            rows = rows.filter(**{path: whole(params, name, default=0, least=1, most=BIGGEST)})
    if params.get("search"):
        rows = rows.filter(matching(params["search"]))
    sort = params.get("sort", "newest")
    if sort not in SORTS:
        raise BadRequest.at("sort", f"sort must be one of: {', '.join(SORTS)}.")
    return rows.order_by(*SORTS[sort])


def matching(text: str) -> Q:
    """Codes by the whole code or by its groups, products and variants by a part of their name.

    The codes themselves stay sealed: they are found by their keyed fingerprints (D20).
    """
    wanted = text.strip()
    if len(wanted) > MAX_SEARCH or "\0" in wanted:
        raise BadRequest.at("search", f"search must be text of at most {MAX_SEARCH} characters.")
    found = (
        Q(order_item__product_name__icontains=wanted)
        | Q(order_item__variant_name__icontains=wanted)
        | Q(fingerprint=fingerprint(wanted))
    )
    words: list[Any] = words_of(wanted)
    return found | Q(words__contains=words) if words else found

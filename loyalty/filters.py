"""Narrowing the programmes' lists (contract page ascenda-fulfillment-orders, section 3.4)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet
from django.utils.dateparse import parse_datetime

from catalog.models import Variant
from core.api.lists import Page, page_of
from core.errors import BadRequest
from core.money import CURRENCY
from loyalty.models import FulfillmentOrder
from loyalty.refusals import USER_NOT_UUID, WRONG_PARAMETER_TYPE, ContractRefusal, invalid
from loyalty.selectors import in_state, uuid_of
from loyalty.states import ItemState, ItemType

M = TypeVar("M", bound=Model)
LIMIT: Final = 25
SORTS: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("name", "pk"),
    "name:asc": ("name", "pk"),
    "name:desc": ("-name", "-pk"),
}


def page(rows: QuerySet[M], params: Mapping[str, str]) -> Page[M]:
    """The page asked for.

    Raises:
        ContractRefusal: AF2001, `page` or `limit` is not a whole number in its range.
    """
    try:
        return page_of(rows, params, default_limit=LIMIT)
    except BadRequest as exc:
        raise ContractRefusal(WRONG_PARAMETER_TYPE, exc.message) from exc


def meta(found: Page[Any]) -> dict[str, int]:
    return {
        "page": found.page,
        "limit": found.limit,
        "total": found.total,
        "total_pages": -(-found.total // found.limit),
    }


def narrowed_cards(rows: QuerySet[Variant], params: Mapping[str, str]) -> QuerySet[Variant]:
    """Gift cards by name, categories and currency.

    Raises:
        ContractRefusal: `user_id` is no UUID, or `sort` is none of ours.
    """
    if "user_id" in params and uuid_of(params["user_id"]) is None:
        raise invalid(USER_NOT_UUID)
    sort = params.get("sort", "name")
    if sort not in SORTS:
        raise ContractRefusal(WRONG_PARAMETER_TYPE, "sort must be name, name:asc or name:desc")
    if "currency" in params and params["currency"].upper() != CURRENCY:
        return rows.none()
    for word in params.get("name", "").replace("\0", "").split():
        rows = rows.filter(name__icontains=word) | rows.filter(product__name__icontains=word)
    slugs = [each for each in params.get("categories", "").replace("\0", "").split(",") if each]
    if slugs:
        rows = rows.filter(product__categories__slug__in=slugs).distinct()
    return rows.order_by(*SORTS[sort])


def narrowed_orders(
    rows: QuerySet[FulfillmentOrder], params: Mapping[str, str]
) -> QuerySet[FulfillmentOrder]:
    """Orders by reference, user, type, outcome and time.

    Raises:
        ContractRefusal: a value is none that there is.
    """
    if "reference" in params:
        rows = rows.filter(reference=params["reference"].replace("\0", ""))
    if "user_id" in params:
        user_id = uuid_of(params["user_id"])
        if user_id is None:
            raise invalid(USER_NOT_UUID)
        rows = rows.filter(user_id=user_id)
    if "type" in params:
        rows = rows.filter(item_type=_one_of(params, "type", ItemType.values))
    if "status" in params:
        rows = rows.filter(in_state(ItemState(_one_of(params, "status", ItemState.values))))
    if "created_from" in params:
        rows = rows.filter(created_at__gte=_moment(params, "created_from"))
    if "created_to" in params:
        rows = rows.filter(created_at__lt=_moment(params, "created_to"))
    return rows


def _one_of(params: Mapping[str, str], name: str, offered: list[str]) -> str:
    if params[name] not in offered:
        raise invalid(f"{name} must be one of: {', '.join(offered)}")
    return params[name]


def _moment(params: Mapping[str, str], name: str) -> datetime:
    try:
        found = parse_datetime(params[name].replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ContractRefusal(
            WRONG_PARAMETER_TYPE, f"{name} must be a time such as 2026-04-27T14:22:00Z"
        )
    return found

"""What a list of products may be narrowed down to, and how it may be sorted."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from catalog.models import Product, Variant
from catalog.selectors import MAX_ID_DIGITS
from catalog.states import SORTS
from core.api.lists import once_each
from core.errors import BadRequest, Detail

#: Each word of a text is a condition of its own; more would only cost.
MAX_WORDS: Final = 8
#: Numbers and choices: nothing is not one of them. An empty text only asks for nothing.
NEVER_EMPTY: Final = ("min_price", "max_price", "in_stock", "sort")


def _amount() -> forms.DecimalField:
    return forms.DecimalField(required=False, min_value=0, max_digits=12, decimal_places=2)


class ProductQuery(forms.Form):
    category = forms.CharField(required=False, max_length=140)
    brand = forms.CharField(required=False, max_length=140)
    tag = forms.CharField(required=False, max_length=80)
    q = forms.CharField(required=False, max_length=100)
    min_price = _amount()
    max_price = _amount()
    in_stock = forms.ChoiceField(required=False, choices=[("true", "true"), ("false", "false")])
    sort = forms.ChoiceField(required=False, choices=[(name, name) for name in SORTS])


def read_query(params: Mapping[str, str]) -> dict[str, Any]:
    """The conditions asked for, clean.

    Raises:
        BadRequest: one of them can't be meant; names of others are left alone.
    """
    once_each(params)
    for name in NEVER_EMPTY:
        if not params.get(name, "-").strip():
            raise BadRequest.at(name, _("Leave it out, or give it a value."), code="empty")
    form = ProductQuery(params)
    if form.is_valid():
        return form.cleaned_data
    details = [
        Detail(name, str(error.code or "invalid"), str(error.messages[0]))
        for name, errors in form.errors.as_data().items()
        for error in errors
    ]
    raise BadRequest(_("Invalid query."), details=details)


def narrowed(products: QuerySet[Product], query: Mapping[str, Any]) -> QuerySet[Product]:
    """All conditions but stock, which is known further up."""
    if query["category"]:
        products = products.filter(_named("categories", query["category"]))
    if query["brand"]:
        products = products.filter(_named("brand", query["brand"]))
    if query["tag"]:
        products = products.filter(_named("tags", query["tag"]))
    for word in query["q"].split()[:MAX_WORDS]:
        products = products.filter(
            Q(name__icontains=word)
            | Q(short_description__icontains=word)
            | Q(brand__name__icontains=word)
        )
    prices = Q()
    if query["min_price"] is not None:
        prices &= Q(price__gte=query["min_price"])
    if query["max_price"] is not None:
        prices &= Q(price__lte=query["max_price"])
    if prices:
        variants = Variant.objects.filter(prices, product=OuterRef("pk"), is_active=True)
        products = products.filter(Exists(variants))
    return products


def sorted_by(products: QuerySet[Product], sort: str) -> QuerySet[Product]:
    """Products without a price come last; equals are the newest first."""
    cheapest = Variant.objects.filter(product=OuterRef("pk"), is_active=True).order_by("price")
    price = Subquery(cheapest.values("price")[:1])
    if sort == "price_asc":
        return products.order_by(price.asc(nulls_last=True), "-pk")
    if sort == "price_desc":
        return products.order_by(price.desc(nulls_last=True), "-pk")
    if sort == "name":
        return products.order_by(F("name").asc(), "-pk")
    return products.order_by("-created_at", "-pk")


def _named(relation: str, value: str) -> Q:
    """By id if it is a number, else by slug."""
    if value.isascii() and value.isdigit() and len(value) <= MAX_ID_DIGITS:
        return Q(**{relation: int(value)})
    return Q(**{f"{relation}__slug": value})

"""The public catalogue, and what checkout must ask a customer for."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.filters import narrowed, read_query, sorted_by
from catalog.models import CATALOGUE, Brand, Category, Product, Variant
from catalog.selectors import (
    Stock,
    find_product,
    is_preloaded,
    priced_variants,
    public_products,
    sources_by_variant,
    stock_of,
    with_all_shown,
)
from catalog.serializers import (
    BRAND,
    CATEGORY,
    FIELDS,
    FILTERS,
    NAMES_A_PAGE,
    PRODUCT,
    PRODUCTS_A_PAGE,
    BrandSerializer,
    FieldSerializer,
    NamedSerializer,
    PartnerFieldsSerializer,
    ProductDetailSerializer,
    ProductSerializer,
    brand_data,
    checkout_data,
    named_data,
    product_data,
    product_detail,
    stock_data,
    with_stock,
)
from core.api.envelope import ok
from core.api.lists import once_each, page_of
from core.api.schema import answers, example, in_path, page_of_one, page_schema, paging
from core.errors import NotFound
from orders.selectors import ordered_today
from vouchers.selectors import available_by_variant

PAGING: Final = ("page", "limit")
M = TypeVar("M", bound=Model)


def stocks_of(variants: Iterable[Variant]) -> dict[int, Stock]:
    """Stock of these variants; three statements, whatever their number."""
    rows = list(variants)
    now = timezone.now()
    sources = sources_by_variant(row.pk for row in rows)
    pooled = [row.pk for row in rows if is_preloaded(sources.get(row.pk, ()))]
    free = available_by_variant(pooled, now=now)
    ordered = ordered_today({row.pk for row in rows}.difference(pooled), now=now)
    return {
        row.pk: stock_of(
            row,
            sources.get(row.pk, ()),
            free=free.get(row.pk, 0),
            ordered=ordered.get(row.pk, 0),
        )
        for row in rows
    }


def stocked(products: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with what is left of each variant, at most `CATALOGUE_STOCK_SECONDS` old."""
    keys = [str(each["variant_id"]) for product in products for each in product["variants"]]
    stocks = CATALOGUE.kept_many(keys, _stocks, seconds=settings.CATALOGUE_STOCK_SECONDS)
    return with_stock(products, stocks)


def _stocks(keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    stocks = stocks_of(Variant.objects.filter(pk__in=[int(key) for key in keys]))
    return {str(pk): stock_data(stock) for pk, stock in stocks.items()}


def seconds_kept(query: Mapping[str, Any], params: Mapping[str, str]) -> int:
    """Only what menus ask is kept: nobody repeats a free text or a price."""
    if query["q"] or query["min_price"] is not None or query["max_price"] is not None:
        return 0
    if len(params.get("page", "")) > 1:
        return 0
    name = "CATALOGUE_STOCK_SECONDS" if query["in_stock"] else "CATALOGUE_CACHE_SECONDS"
    return int(getattr(settings, name))


def key_of(request: Request, *names: str) -> str:
    """One key for all spellings of a question: its path, and of the query what is read."""
    asked = [(name, request.query_params[name]) for name in names if name in request.query_params]
    return json.dumps([request.path, asked])


def in_stock(products: QuerySet[Product], *, wanted: bool) -> QuerySet[Product]:
    """Products of which a variant can be ordered now, or of which none can."""
    variants = Variant.objects.filter(product__in=products, is_active=True)
    stocks = stocks_of(variants)
    buyable = {row.product_id for row in variants if stocks[row.pk].in_stock}
    return products.filter(pk__in=buyable) if wanted else products.exclude(pk__in=buyable)


@method_decorator(conditional_page, name="dispatch")
class CatalogueView(APIView):
    """For everybody. Clients keep answers and ask whether they still hold (ETag, 304)."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        final: Any = super().finalize_response(request, response, *args, **kwargs)
        final.setdefault("Cache-Control", "public, no-cache")
        return final  # type: ignore[no-any-return]


class ProductListView(CatalogueView):
    @extend_schema(
        operation_id="catalogProducts",
        tags=["Catalogue"],
        summary="Products on sale",
        description="Active products of active brands, with their active variants, stock and "
        "what a variant is delivered to. The answer carries an `ETag`; send it back in "
        "`If-None-Match` to get a 304 without body.",
        parameters=FILTERS,
        responses=answers("ProductList", page_schema("Product", ProductSerializer), 400),
        examples=[example("Products", page_of_one(PRODUCT, limit=PRODUCTS_A_PAGE))],
    )
    def get(self, request: Request) -> Response:
        query = read_query(request.query_params)

        def read() -> dict[str, Any]:
            products = narrowed(public_products(), query)
            if query["in_stock"]:
                products = in_stock(products, wanted=query["in_stock"] == "true")
            rows = with_all_shown(sorted_by(products, query["sort"]))
            page = page_of(rows, request.query_params, default_limit=PRODUCTS_A_PAGE)
            sources = sources_by_variant(
                variant.pk for product in page.rows for variant in product.variants.all()
            )
            return page.as_data(lambda product: product_data(product, sources))

        seconds = seconds_kept(query, request.query_params)
        data = CATALOGUE.kept(key_of(request, *query, *PAGING), read, seconds=seconds)
        return ok({**data, "items": stocked(data["items"])})


class ProductView(CatalogueView):
    @extend_schema(
        operation_id="catalogProduct",
        tags=["Catalogue"],
        summary="One product",
        description="By id or slug; with description, redeem instructions and the fields that "
        "checkout must ask for.",
        parameters=[
            OpenApiParameter(
                "key",
                {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$", "maxLength": 220},
                OpenApiParameter.PATH,
                description="Id or slug.",
            )
        ],
        responses=answers("Product", ProductDetailSerializer(), 404),
        examples=[
            example(
                "Product",
                {
                    **PRODUCT,
                    "description": "A wallet code for any account of the region.",
                    "redeem_instructions": "Steam > Account details > Add funds.",
                    "fields": FIELDS,
                },
            )
        ],
    )
    def get(self, request: Request, key: str) -> Response:
        def read() -> dict[str, Any]:
            product = find_product(key)
            if product is None:
                raise NotFound("There is no such product.")
            sources = sources_by_variant(variant.pk for variant in product.variants.all())
            return product_detail(product, sources)

        kept = CATALOGUE.kept(key_of(request), read, seconds=settings.CATALOGUE_CACHE_SECONDS)
        return ok(stocked([kept])[0])


def names(request: Request, rows: QuerySet[M], shape: Callable[[M], Any]) -> dict[str, Any]:
    """A page of what menus show."""
    once_each(request.query_params)

    def read() -> dict[str, Any]:
        return page_of(rows, request.query_params, default_limit=NAMES_A_PAGE).as_data(shape)

    seconds = settings.CATALOGUE_CACHE_SECONDS
    return CATALOGUE.kept(key_of(request, *PAGING), read, seconds=seconds)


class BrandListView(CatalogueView):
    @extend_schema(
        operation_id="catalogBrands",
        tags=["Catalogue"],
        summary="Brands",
        description="Active ones, by name. For everybody; reads only. Carries an `ETag`.",
        parameters=paging(NAMES_A_PAGE),
        responses=answers("BrandList", page_schema("Brand", BrandSerializer), 400),
        examples=[example("Brands", page_of_one(BRAND, limit=NAMES_A_PAGE))],
    )
    def get(self, request: Request) -> Response:
        rows = Brand.objects.filter(is_active=True).order_by("name", "pk")
        return ok(names(request, rows, brand_data))


class CategoryListView(CatalogueView):
    @extend_schema(
        operation_id="catalogCategories",
        tags=["Catalogue"],
        summary="Categories",
        description="All, by name. For everybody; reads only. Carries an `ETag`.",
        parameters=paging(NAMES_A_PAGE),
        responses=answers("CategoryList", page_schema("Category", NamedSerializer), 400),
        examples=[example("Categories", page_of_one(CATEGORY, limit=NAMES_A_PAGE))],
    )
    def get(self, request: Request) -> Response:
        rows = Category.objects.order_by("name", "pk")
        return ok(names(request, rows, named_data))


class FulfillmentFieldsView(APIView):
    @extend_schema(
        operation_id="fulfillmentFields",
        tags=["Catalogue"],
        summary="What checkout must ask for",
        description="The keys that an item's `fulfillment_input` may hold for this variant, and "
        "which of them each partner can't do without.",
        parameters=[in_path("variant_id", "From the catalogue.", int)],
        responses=answers(
            "FulfillmentFields",
            inline_serializer(
                "FulfillmentFieldsData",
                {
                    "variant_id": serializers.IntegerField(),
                    "fields": FieldSerializer(many=True),
                    "partner_fields": PartnerFieldsSerializer(many=True),
                },
            ),
            401,
            404,
        ),
        examples=[
            example(
                "Free Fire",
                {
                    "variant_id": 22402,
                    "fields": FIELDS,
                    "partner_fields": [
                        {
                            "partner_code": "ZENDIT",
                            "external_offer_id": "FF_100_DIAMONDS",
                            "required_fields": ["player_id"],
                        }
                    ],
                },
            )
        ],
    )
    def get(self, request: Request, variant_id: int) -> Response:  # noqa: ARG002
        variant = priced_variants([variant_id]).get(variant_id)
        if variant is None:
            raise NotFound("There is no such variant.")
        sources = sources_by_variant([variant_id]).get(variant_id, ())
        return ok(checkout_data(variant, sources))

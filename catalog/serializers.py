"""How goods look outside (contract page bdvoucher, sections 3 and 4).

Some of the contract's names are also attributes of a DRF field; declared fields never become
attributes of their class, so nothing is shadowed, whatever the type checker must assume.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from catalog.models import Brand, Category, PartnerSource, Product, Tag, Variant
from catalog.selectors import Stock, is_preloaded
from catalog.states import IDENTIFIERS, SORTS, FulfillmentType, StockSource, StockStatus
from core.api.fields import number
from core.api.schema import paging
from core.money import CURRENCY


class NamedSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()


class BrandSerializer(NamedSerializer):
    logo_url = serializers.CharField(allow_null=True)


class StockSerializer(serializers.Serializer[Any]):
    in_stock = serializers.BooleanField(help_text="The variant can be ordered now.")
    status = serializers.ChoiceField(StockStatus.choices)
    level = serializers.IntegerField(
        allow_null=True, help_text="Units available now; null for `unlimited` and `untracked`."
    )
    low_stock = serializers.BooleanField()
    low_stock_threshold = serializers.IntegerField(allow_null=True)
    source = serializers.ChoiceField(StockSource.choices)  # type: ignore[assignment]


class IdentifierSerializer(serializers.Serializer[Any]):
    key = serializers.ChoiceField(IDENTIFIERS)
    label = serializers.CharField()  # type: ignore[assignment]
    required = serializers.BooleanField()  # type: ignore[assignment]


class FulfillmentSerializer(serializers.Serializer[Any]):
    engine = serializers.ChoiceField(FulfillmentType.choices)
    identifier = IdentifierSerializer(allow_null=True)


class VariantSerializer(serializers.Serializer[Any]):
    variant_id = serializers.IntegerField(help_text="What an order's item names.")
    name = serializers.CharField()
    price = serializers.FloatField(help_text="BDT a unit.")
    currency = serializers.CharField()
    stock = StockSerializer()
    fulfillment = FulfillmentSerializer()


class ProductSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    short_description = serializers.CharField(allow_blank=True)
    brand = BrandSerializer()
    categories = NamedSerializer(many=True)
    tags = NamedSerializer(many=True)
    is_new = serializers.BooleanField()
    is_popular = serializers.BooleanField()
    variants = VariantSerializer(many=True, help_text="Active ones, the cheapest first.")


class FieldSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The key in `fulfillment_input`.")
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]


class ProductDetailSerializer(ProductSerializer):
    description = serializers.CharField(allow_blank=True)
    redeem_instructions = serializers.CharField(allow_blank=True)
    fields = FieldSerializer(many=True)  # type: ignore[assignment]


class PartnerFieldsSerializer(serializers.Serializer[Any]):
    partner_code = serializers.CharField()
    external_offer_id = serializers.CharField()
    required_fields = serializers.ListField(child=serializers.CharField())


Sources = Mapping[int, Sequence[PartnerSource]]


def named_data(row: Category | Tag) -> dict[str, Any]:
    return {"id": row.pk, "name": row.name, "slug": row.slug}


def brand_data(brand: Brand) -> dict[str, Any]:
    logo = brand.logo_url or None
    return {"id": brand.pk, "name": brand.name, "slug": brand.slug, "logo_url": logo}


def product_data(product: Product, sources: Sources) -> dict[str, Any]:
    """One row but for its stock (`with_stock`); reads only what `with_all_shown` has fetched."""
    tags = list(product.tags.all())
    slugs = {tag.slug for tag in tags}
    return {
        "id": product.pk,
        "name": product.name,
        "slug": product.slug,
        "short_description": product.short_description,
        "brand": brand_data(product.brand),
        "categories": [named_data(category) for category in product.categories.all()],
        "tags": [named_data(tag) for tag in tags],
        "is_new": "new" in slugs,
        "is_popular": "popular" in slugs,
        "variants": [
            variant_data(variant, product, sources.get(variant.pk, ()))
            for variant in product.variants.all()
        ],
    }


def product_detail(product: Product, sources: Sources) -> dict[str, Any]:
    return {
        **product_data(product, sources),
        "description": product.description,
        "redeem_instructions": product.redeem_instructions,
        "fields": fields_data(product),
    }


def variant_data(
    variant: Variant, product: Product, sources: Sequence[PartnerSource]
) -> dict[str, Any]:
    preloaded = is_preloaded(sources)
    fields = fields_data(product)
    identifier = next((field for field in fields if field["name"] in IDENTIFIERS), None)
    return {
        "variant_id": variant.pk,
        "name": variant.name,
        "price": number(variant.price),
        "currency": CURRENCY,
        "stock": None,
        "fulfillment": {
            "engine": (FulfillmentType.PRELOADED if preloaded else FulfillmentType.API).value,
            "identifier": identifier
            and {
                "key": identifier["name"],
                "label": identifier["label"],
                "required": identifier["required"],
            },
        },
    }


def stock_data(stock: Stock) -> dict[str, Any]:
    return {
        "in_stock": stock.in_stock,
        "status": stock.status.value,
        "level": stock.level,
        "low_stock": stock.low,
        "low_stock_threshold": stock.threshold,
        "source": stock.source.value,
    }


def with_stock(
    products: Sequence[Mapping[str, Any]], stocks: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows with each variant's stock in its place; what is kept is not touched."""
    return [
        {
            **product,
            "variants": [
                {**variant, "stock": stocks[str(variant["variant_id"])]}
                for variant in product["variants"]
                if str(variant["variant_id"]) in stocks
            ],
        }
        for product in products
    ]


def fields_data(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "name": str(field["name"]),
            "label": str(field.get("label") or field["name"]),
            "type": str(field.get("type") or "text"),
            "required": bool(field.get("required")),
        }
        for field in product.fulfillment_config.get("fields", [])
    ]


def checkout_data(variant: Variant, sources: Sequence[PartnerSource]) -> dict[str, Any]:
    """What checkout must ask for, and which of it each partner can't do without."""
    fields = fields_data(variant.product)
    required = [field["name"] for field in fields if field["required"]]
    return {
        "variant_id": variant.pk,
        "fields": fields,
        "partner_fields": [
            {
                "partner_code": source.partner.slug.upper(),
                "external_offer_id": source.external_offer_id,
                "required_fields": [
                    name for name in required if not source.field_map or name in source.field_map
                ],
            }
            for source in sources
            if source.partner is not None and source.fulfillment_type == FulfillmentType.API
        ],
    }


# How it is documented
PRODUCTS_A_PAGE = 20
#: Menus want all of them at once.
NAMES_A_PAGE = 100
BRAND = {"id": 2, "name": "Steam", "slug": "steam", "logo_url": None}
CATEGORY = {"id": 2, "name": "Gift cards", "slug": "gift-cards"}
VARIANT = {
    "variant_id": 22402,
    "name": "USD 10 Steam Wallet",
    "price": 1100,
    "currency": "BDT",
    "stock": {
        "in_stock": True,
        "status": "in_stock",
        "level": 47,
        "low_stock": False,
        "low_stock_threshold": 5,
        "source": "preloaded",
    },
    "fulfillment": {
        "engine": "PRELOADED",
        "identifier": {"key": "player_id", "label": "Free Fire Player ID", "required": True},
    },
}
PRODUCT = {
    "id": 102,
    "name": "Steam Wallet",
    "slug": "steam-wallet",
    "short_description": "A wallet code.",
    "brand": BRAND,
    "categories": [CATEGORY],
    "tags": [{"id": 2, "name": "Popular", "slug": "popular"}],
    "is_new": False,
    "is_popular": True,
    "variants": [VARIANT],
}
FIELDS = [
    {"name": "player_id", "label": "Free Fire Player ID", "type": "text", "required": True},
    {"name": "zone_id", "label": "Zone ID", "type": "text", "required": False},
]


AMOUNT = {"type": "number", "minimum": 0, "maximum": 9_999_999_999, "multipleOf": 0.01}
FILTERS = [
    OpenApiParameter("category", OpenApiTypes.STR, description="Id or slug."),
    OpenApiParameter("brand", OpenApiTypes.STR, description="Id or slug."),
    OpenApiParameter("tag", OpenApiTypes.STR, description="Id or slug."),
    OpenApiParameter(
        "q", OpenApiTypes.STR, description="Words in name, short description or brand."
    ),
    OpenApiParameter("min_price", AMOUNT, description="BDT; one variant lies in the range."),
    OpenApiParameter("max_price", AMOUNT, description="BDT; one variant lies in the range."),
    OpenApiParameter("in_stock", OpenApiTypes.BOOL, description="A variant can be ordered now."),
    OpenApiParameter("sort", OpenApiTypes.STR, enum=SORTS, description="Default `newest`."),
    *paging(PRODUCTS_A_PAGE),
]

"""What is sold and where it comes from: kept here (D48), switched off rather than deleted."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.models import Brand, Category, Partner, PartnerSource, Product, Tag, Variant
from core.admin import KeptAdmin
from vouchers.selectors import low_in_stock


class VariantInline(admin.TabularInline[Variant, Product]):
    model = Variant
    extra = 0
    show_change_link = True

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:  # noqa: ARG002
        return False


class SourceInline(admin.TabularInline[PartnerSource, Variant]):
    model = PartnerSource
    extra = 0
    fields = (
        "partner",
        "fulfillment_type",
        "external_offer_id",
        "cost",
        "priority",
        "stock_cap",
        "is_active",
    )

    def has_delete_permission(self, request: HttpRequest, obj: Variant | None = None) -> bool:  # noqa: ARG002
        return False


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(
        self,
        request: HttpRequest,  # noqa: ARG002
        model_admin: admin.ModelAdmin[Any],  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        return [("low", "Low")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Variant]) -> QuerySet[Variant]:  # noqa: ARG002
        if self.value() != "low":
            return queryset
        return queryset.filter(pk__in=[row.variant_id for row in low_in_stock(now=timezone.now())])


@admin.register(Product)
class ProductAdmin(KeptAdmin[Product]):
    list_display = ("name", "state", "brand", "updated_at")
    list_filter = ("status", "brand")
    list_select_related = ("brand",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    filter_horizontal = ("categories", "tags")
    inlines = (VariantInline,)


@admin.register(Variant)
class VariantAdmin(KeptAdmin[Variant]):
    list_display = ("name", "product", "price", "is_active")
    list_filter = (StockFilter, "is_active")
    list_select_related = ("product",)
    search_fields = ("name", "product__name")
    autocomplete_fields = ("product",)
    inlines = (SourceInline,)


@admin.register(PartnerSource)
class PartnerSourceAdmin(KeptAdmin[PartnerSource]):
    list_display = ("__str__", "variant", "fulfillment_type", "priority", "cost", "is_active")
    list_filter = ("is_active", "fulfillment_type", "partner")
    list_select_related = ("variant__product", "partner")
    autocomplete_fields = ("variant",)
    search_fields = ("external_offer_id",)


@admin.register(Brand)
class BrandAdmin(KeptAdmin[Brand]):
    list_display = ("name", "slug", "is_active")
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Category)
class CategoryAdmin(KeptAdmin[Category]):
    list_display = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Tag)
class TagAdmin(KeptAdmin[Tag]):
    list_display = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Partner)
class PartnerAdmin(KeptAdmin[Partner]):
    list_display = ("name", "slug", "is_active")

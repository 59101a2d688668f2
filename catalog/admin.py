"""What is sold and where it comes from: kept here (D48), switched off rather than deleted."""

from django.contrib import admin
from django.http import HttpRequest

from catalog.models import Brand, Category, Partner, PartnerSource, Product, Tag, Variant
from core.admin import KeptAdmin


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
    list_filter = ("is_active",)
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

"""What is sold and where it comes from: kept here (D48), switched off rather than deleted."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.models import Brand, Category, Partner, PartnerSource, Product, Tag, Variant
from core.admin import BulkAdmin, KeptAdmin
from core.templatetags.shop import pill, when
from fulfillment.services import check_connection, has_adapter
from vouchers.selectors import low_in_stock


class VariantInline(admin.TabularInline[Variant, Product]):
    model = Variant
    extra = 0
    fields = ("name", "price", "max_cost", "low_stock_threshold", "is_active")
    show_change_link = True

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:  # noqa: ARG002
        return False


class SourceInline(admin.TabularInline[PartnerSource, Variant]):
    model = PartnerSource
    extra = 0
    autocomplete_fields = ("partner",)
    show_change_link = True
    fields = (
        "partner",
        "fulfillment_type",
        "external_offer_id",
        "send_value",
        "send_divisor",
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
    list_filter = ("status",)
    list_select_related = ("brand",)
    search_fields = ("name", "slug", "brand__name")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("brand", "categories", "tags")
    inlines = (VariantInline,)


@admin.register(Variant)
class VariantAdmin(BulkAdmin[Variant]):
    """Prices, ceilings and thresholds are edited in the list, each with the form's checks."""

    list_display = ("name", "product", "price", "max_cost", "low_stock_threshold", "is_active")
    list_editable = ("price", "max_cost", "low_stock_threshold", "is_active")
    list_filter = (StockFilter, "is_active", "product__status")
    list_select_related = ("product",)
    search_fields = ("name", "product__name")
    autocomplete_fields = ("product",)
    inlines = (SourceInline,)


@admin.register(PartnerSource)
class PartnerSourceAdmin(BulkAdmin[PartnerSource]):
    list_display = (
        "offer", "variant", "priority", "cost", "stock_cap", "is_active", "health",
    )  # fmt: skip
    list_editable = ("priority", "cost", "stock_cap", "is_active")
    list_filter = ("is_active", "fulfillment_type", "partner")
    list_select_related = ("variant__product", "partner__health")
    autocomplete_fields = ("variant", "partner")
    search_fields = ("external_offer_id", "variant__name", "variant__product__name")
    fieldsets = (
        (None, {"fields": ("variant", "fulfillment_type", "partner", "external_offer_id")}),
        ("Any value in a range", {"fields": ("send_value", "send_divisor")}),
        ("Terms", {"fields": ("cost", "priority", "stock_cap", "is_active", "field_map")}),
    )

    @admin.display(description="Source")
    def offer(self, row: PartnerSource) -> str:
        return str(row)

    @admin.display(description="Health")
    def health(self, row: PartnerSource) -> SafeString | str:
        return health_of(row.partner)


@admin.register(Brand)
class BrandAdmin(KeptAdmin[Brand]):
    list_display = ("name", "slug", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Category)
class CategoryAdmin(KeptAdmin[Category]):
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Tag)
class TagAdmin(KeptAdmin[Tag]):
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Partner)
class PartnerAdmin(KeptAdmin[Partner]):
    list_display = ("name", "slug", "health", "balance", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("health",)
    search_fields = ("name", "slug")
    actions: Any = ("ask",)

    @admin.display(description="Health")
    def health(self, row: Partner) -> SafeString | str:
        return health_of(row)

    @admin.display(description="Balance")
    def balance(self, row: Partner) -> SafeString | str:
        health = getattr(row, "health", None)
        if health is None or health.balance is None:
            return "-"
        amount = f"{health.balance:,.2f} {health.balance_currency}"
        return format_html('{} <span class="soft">{}</span>', amount, when(health.balance_at))

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("fulfillment.reset_breaker"))

    @admin.action(description="Check the connection (buys nothing)", permissions=["reset"])
    def ask(self, request: HttpRequest, queryset: QuerySet[Partner]) -> None:
        """Asks for our balance: it proves the address and the credentials."""
        for partner in queryset:
            if not has_adapter(partner):
                messages.warning(request, f"{partner} is not asked by us: it has no API here.")
                continue
            health = check_connection(partner)
            if health is None:
                messages.error(request, f"{partner} could not be asked: see its settings and logs.")
            else:
                left = f"{health.balance:,.2f} {health.balance_currency}"
                messages.success(request, f"{partner} answers. Balance: {left}.")


def health_of(partner: Any) -> SafeString | str:
    """How a partner answers purchases; the pool needs nobody's answer."""
    if partner is None:
        return "-"
    if not partner.is_active:
        return pill("Switched off", "quiet")
    health = getattr(partner, "health", None)
    if health is None:
        return pill("Not asked yet", "quiet")
    state = health.state(now=timezone.now())
    words = {
        "closed": ("Answers", "good"),
        "open": ("Paused", "bad"),
        "half_open": ("Tried", "warn"),
    }
    return pill(*words[state], health.last_error)

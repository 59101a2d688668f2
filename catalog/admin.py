"""What is sold and where it comes from: kept here (D48), switched off rather than deleted."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

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
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "slug", "status", "brand", "categories", "tags")}),
        ("What customers read", {
            "fields": ("short_description", "description", "redeem_instructions"),
        }),
        ("At checkout", {"fields": ("fulfillment_config",)}),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )  # fmt: skip
    helps = {
        "status": "Only an active product of an active brand is shown and sold.",
        "redeem_instructions": "Stands in the mail beside the codes.",
        "fulfillment_config": 'What the customer is asked for: {"fields": [{"name": "player_id", '
        '"label": "Player ID", "type": "text", "required": true}]}.',
    }


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
    fieldsets = (
        (None, {"fields": ("product", "name", "is_active")}),
        ("Money", {"fields": ("price", "max_cost")}),
        ("Stock", {"fields": ("low_stock_threshold",)}),
    )
    helps = {
        "is_active": "Switched off it can't be ordered; paid orders are still delivered.",
        "price": "BDT a unit. Orders already placed keep theirs.",
        "max_cost": "A source that costs more is never bought from by itself. Empty: any cost.",
        "low_stock_threshold": "At so many codes in the pool, or fewer, there is an alert.",
    }


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
    helps = {
        "fulfillment_type": "The pool needs no partner; an API source needs one and its offer.",
        "external_offer_id": "The partner's own name of what is bought.",
        "send_value": "Only for offers that sell any value in a range.",
        "send_divisor": "Minor units in one of that currency, as the offer says.",
        "cost": "BDT a unit, as last known; compared with the variant's ceiling.",
        "priority": "The lowest is asked first.",
        "stock_cap": "Units that may be ordered from it a day. Empty: no limit.",
        "is_active": "Switched off nobody buys there; what is on its way still comes.",
        "field_map": 'Our input -> the partner\'s field: {"player_id": "userId"}.',
    }

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
    list_display = ("name", "slug", "answers", "balance", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("health",)
    search_fields = ("name", "slug")
    readonly_fields = ("answers", "balance", "last_error")
    actions: Any = ("ask",)
    change_form_template = "admin/catalog/partner/change_form.html"
    helps = {
        "slug": "Names the adapter: zendit, reloadly. Any other is a supplier without an API.",
        "is_active": "Switched off nobody buys there, whatever the sources say.",
    }

    def get_fieldsets(self, request: HttpRequest, obj: Partner | None = None) -> Any:  # noqa: ARG002
        kept = (None, {"fields": ("name", "slug", "is_active")})
        told = ("How it answers", {"fields": ("answers", "balance", "last_error")})
        return (kept, told) if obj else (kept,)

    def get_urls(self) -> list[URLPattern]:
        asked = self.admin_site.admin_view(require_POST(self.check_page))
        own = path("<int:pk>/check/", asked, name="catalog_partner_check")
        return [own, *super().get_urls()]

    def check_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The button of a partner's page; the list has the same as an action."""
        if not self.has_reset_permission(request):
            raise PermissionDenied
        self.ask(request, Partner.objects.filter(pk=pk))
        return HttpResponseRedirect(reverse("admin:catalog_partner_change", args=[pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        partner = kwargs.get("obj")
        may = partner is not None and has_adapter(partner) and self.has_reset_permission(request)
        return super().render_change_form(request, context | {"may_check": may}, *args, **kwargs)

    @admin.display(description="Last error")
    def last_error(self, row: Partner) -> str:
        health = getattr(row, "health", None)
        return health.last_error if health and health.last_error else "-"

    @admin.display(description="Health")
    def answers(self, row: Partner) -> SafeString | str:
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

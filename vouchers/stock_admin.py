"""What is left of each variant in the pool, and for how long."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin import LookAdmin
from core.templatetags.shop import pill
from vouchers.models import Stock
from vouchers.stock import Level, levels_of

DAY_HOURS, WARN_HOURS = 48, 24


class StockList(ChangeList):
    """The levels of the page's rows, in three statements for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        levels = levels_of([row.pk for row in rows], now=timezone.now())
        for row in rows:
            row.stock_level = levels[row.pk]
        self.result_list = rows


class ThresholdFilter(admin.SimpleListFilter):
    title = "threshold"
    parameter_name = "watched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("yes", "Watched"), ("no", "Not watched")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Stock]) -> QuerySet[Stock]:  # noqa: ARG002
        if self.value() is None:
            return queryset
        return queryset.filter(low_stock_threshold__isnull=self.value() == "no")


@admin.register(Stock)
class StockAdmin(LookAdmin[Stock]):
    list_display = (
        "variant", "free", "reserved", "threshold", "sold_day", "sold_week", "lasts", "more",
    )  # fmt: skip
    list_display_links = None
    list_filter = (ThresholdFilter, "is_active")
    list_select_related = ("product",)
    search_fields = ("name", "product__name")
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return StockList

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return bool(request.user.has_perm("catalog.view_variant"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.display(description="Variant")
    def variant(self, row: Stock) -> SafeString:
        address = reverse("admin:catalog_variant_change", args=[row.pk])
        return format_html('<a href="{}">{}</a>', address, row)

    @admin.display(description="Free")
    def free(self, row: Stock) -> SafeString | str:
        level = _level(row)
        count = f"{level.free:,}"
        return pill(f"{count} left", "bad" if not level.free else "warn") if level.low else count

    @admin.display(description="Reserved")
    def reserved(self, row: Stock) -> str:
        return f"{_level(row).reserved:,}"

    @admin.display(description="Threshold")
    def threshold(self, row: Stock) -> str:
        return "-" if row.low_stock_threshold is None else f"{row.low_stock_threshold:,}"

    @admin.display(description="Sold, 24 h")
    def sold_day(self, row: Stock) -> str:
        return f"{_level(row).sold_day:,}"

    @admin.display(description="7 days")
    def sold_week(self, row: Stock) -> str:
        return f"{_level(row).sold_week:,}"

    @admin.display(description="Lasts")
    def lasts(self, row: Stock) -> SafeString | str:
        hours = _level(row).hours_left
        if hours is None:
            return "-"
        words = f"{hours:,.0f} h" if hours < DAY_HOURS else f"{hours / 24:,.0f} days"
        return pill(words, "warn") if hours < WARN_HOURS else words

    @admin.display(description="")
    def more(self, row: Stock) -> SafeString:
        address = f"{reverse('admin:vouchers_batch_import')}?variant={row.pk}"
        return format_html('<a href="{}">Import codes</a>', address)


def _level(row: Any) -> Level:
    level: Level = row.stock_level
    return level

"""Discount codes on the operators' site: by the same services as by API, under the same rules."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from core.admin import ShopModelAdmin
from core.errors import DomainError
from core.templatetags.shop import pill, when
from orders.discount_serializers import DiscountSerializer
from orders.discounts import change_discount, create_discount, delete_discount, must_fit
from orders.models import DiscountCode, DiscountType, Order


class DiscountForm(forms.ModelForm):  # type: ignore[type-arg]
    code = forms.RegexField(r"^[A-Za-z0-9_-]{2,40}$", max_length=40, help_text="As customers type "
                            "it; capitals or not is the same.")  # fmt: skip

    class Meta:
        model = DiscountCode
        exclude = ("used_count",)  # noqa: DJ006 - the rest is for staff to say

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).upper()

    def clean(self) -> dict[str, Any]:
        """In the words of the service; the database has the same rules."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                must_fit(DiscountCode(**given, used_count=self.instance.used_count))
            except DomainError as exc:
                for detail in exc.details:
                    self.add_error(detail.field, detail.message)
        return given


class StandingFilter(admin.SimpleListFilter):
    title = "standing"
    parameter_name = "standing"
    words: ClassVar = {"good": "Good now", "later": "Not yet", "over": "Over", "used_up": "Used up"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return list(self.words.items())

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[DiscountCode],
    ) -> QuerySet[DiscountCode]:
        now = timezone.now()
        later, over = Q(starts_at__gt=now), Q(ends_at__lte=now)
        used_up = Q(usage_limit__isnull=False, used_count__gte=F("usage_limit"))
        match self.value():
            case "later":
                return queryset.filter(later)
            case "over":
                return queryset.filter(over)
            case "used_up":
                return queryset.filter(used_up)
            case "good":
                rows = queryset.filter(is_active=True).exclude(used_up)
                return rows.filter(Q(starts_at=None) | ~later, Q(ends_at=None) | ~over)
        return queryset


@admin.register(DiscountCode)
class DiscountCodeAdmin(ShopModelAdmin[DiscountCode]):
    form = DiscountForm
    list_display = ("code", "takes_off", "used", "from_to", "standing", "description")
    list_filter = (StandingFilter, "is_active", "discount_type")
    search_fields = ("code", "description")
    readonly_fields = ("used", "created_at")
    actions: Any = None
    helps = {
        name: str(field.help_text or "") for name, field in DiscountSerializer().fields.items()
    } | {"is_active": "Switched off it is refused at once; orders that used it keep their price."}
    fieldsets = (
        (None, {"fields": ("code", "description", "is_active")}),
        ("What it takes off", {"fields": ("discount_type", "discount_value", "maximum_amount")}),
        ("For which orders", {"fields": ("minimum_subtotal", "starts_at", "ends_at")}),
        ("How often", {"fields": ("usage_limit", "per_user_limit", "used", "created_at")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: DiscountCode | None = None) -> bool:
        """One that an order used is switched off: the order's price tells of it (I21)."""
        free = obj is None or not Order.objects.filter(discount=obj).exists()
        return free and super().has_delete_permission(request, obj)

    def save_model(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: DiscountCode,
        form: Any,
        change: bool,
    ) -> None:
        """Only what was changed is written: customers use the code while the page is open."""
        fields = {name: getattr(obj, name) for name in form.changed_data}
        if change:
            change_discount(obj.pk, fields)
        else:
            obj.pk = create_discount(fields).pk

    def delete_model(self, request: HttpRequest, obj: DiscountCode) -> None:  # noqa: ARG002
        delete_discount(obj.pk)

    @admin.display(description="Takes off", ordering="discount_value")
    def takes_off(self, row: DiscountCode) -> str:
        percent = row.discount_type == DiscountType.PERCENTAGE
        words = f"{_plain(row.discount_value)} {'%' if percent else 'BDT'}"
        most = row.maximum_amount
        return words if most is None else f"{words}, at most {_plain(most)} BDT"

    @admin.display(description="Used", ordering="used_count")
    def used(self, row: DiscountCode) -> str:
        most = "" if row.usage_limit is None else f" of {row.usage_limit:,}"
        return f"{row.used_count or 0:,}{most}"

    @admin.display(description="From / to", ordering="ends_at")
    def from_to(self, row: DiscountCode) -> SafeString | str:
        if row.starts_at and row.starts_at > timezone.now():
            return when(row.starts_at)
        return when(row.ends_at) if row.ends_at else "No end"

    @admin.display(description="Now")
    def standing(self, row: DiscountCode) -> SafeString:
        now = timezone.now()
        if not row.is_active:
            return pill("Switched off", "quiet")
        if row.ends_at and row.ends_at <= now:
            return pill("Over", "quiet")
        if row.usage_limit is not None and row.used_count >= row.usage_limit:
            return pill("Used up", "warn")
        if row.starts_at and row.starts_at > now:
            return pill("Not yet", "warn")
        return pill("Good", "good")


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"

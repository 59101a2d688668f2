"""The audit trail and the purchases behind it, for who looks something up; nobody edits them."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import User
from catalog.models import Partner
from core.actors import Actor
from core.admin import KeptAdmin, LookAdmin
from core.templatetags.shop import when
from fulfillment import run_admin  # noqa: F401 - registers its page
from fulfillment.breaker import reset
from fulfillment.models import FulfillmentAttempt, PartnerHealth, PartnerTransaction


class PartnerFilter(admin.SimpleListFilter):
    """Attempts that bought, or tried to buy, at a partner."""

    title = "partner"
    parameter_name = "partner"

    def lookups(
        self,
        request: HttpRequest,  # noqa: ARG002
        model_admin: admin.ModelAdmin[Any],  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        return list(Partner.objects.order_by("name").values_list("slug", "name"))

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[FulfillmentAttempt],
    ) -> QuerySet[FulfillmentAttempt]:
        if not self.value():
            return queryset
        bought = PartnerTransaction.objects.filter(attempt=OuterRef("pk"))
        return queryset.filter(Exists(bought.filter(partner__slug=self.value())))


class OperatorFilter(admin.SimpleListFilter):
    title = "operator"
    parameter_name = "operator"

    def lookups(
        self,
        request: HttpRequest,  # noqa: ARG002
        model_admin: admin.ModelAdmin[Any],  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        people = User.objects.filter(is_staff=True).order_by("name", "email")[:50]
        return [("nobody", "The shop itself"), *((str(each.pk), str(each)) for each in people)]

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[FulfillmentAttempt],
    ) -> QuerySet[FulfillmentAttempt]:
        value = self.value() or ""
        if value == "nobody":
            return queryset.filter(admin_user=None)
        return queryset.filter(admin_user=int(value)) if value.isdigit() else queryset


@admin.register(FulfillmentAttempt)
class FulfillmentAttemptAdmin(LookAdmin[FulfillmentAttempt]):
    """The history: what was tried for which order, by whom, and how it ended."""

    list_display = ("number", "order_page", "type", "state", "by", "mask", "made")
    list_display_links = ("number",)
    list_filter = ("status", "type", "created_at", PartnerFilter, OperatorFilter)
    list_select_related = ("order", "admin_user")
    search_fields = ("correlation_id__exact", "order__order_number__exact")
    search_help_text = "Order number or correlation id; exact."

    @admin.display(description="By")
    def by(self, row: FulfillmentAttempt) -> str:
        return str(row.admin_user or "the shop itself")

    @admin.display(description="Codes")
    def mask(self, row: FulfillmentAttempt) -> str:
        return row.codes_mask

    @admin.display(description="Attempt", ordering="pk")
    def number(self, row: FulfillmentAttempt) -> int:
        return row.pk


@admin.register(PartnerTransaction)
class PartnerTransactionAdmin(LookAdmin[PartnerTransaction]):
    list_display = ("reference", "state", "partner", "source", "error", "made")
    list_display_links = ("reference",)
    list_filter = ("status", "partner")
    list_select_related = ("partner", "source__partner")
    search_fields = ("reference__exact", "partner_transaction_id__exact")
    search_help_text = "Our reference or the partner's; exact."
    found_within = {"reference__exact": Q(partner__in=Partner.objects.all())}

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartnerTransaction]:
        return super().get_queryset(request).select_related("partner", "source__partner")


@admin.register(PartnerHealth)
class PartnerHealthAdmin(KeptAdmin[PartnerHealth]):
    """Circuit breaker and balance; only the balance's limit is a person's to set."""

    list_display = ("partner", "breaker", "failures", "last_error", "money_left", "asked")
    fields = ("low_balance",)
    list_select_related = ("partner",)
    actions: Any = ("let_through",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("fulfillment.reset_breaker"))

    @admin.display(description="Purchases")
    def breaker(self, row: PartnerHealth) -> str:
        words = {"closed": "Let through", "open": "Paused", "half_open": "Next one is a probe"}
        return words[row.state(now=timezone.now())]

    @admin.display(description="Balance asked")
    def asked(self, row: PartnerHealth) -> SafeString | str:
        return when(row.balance_at)

    @admin.display(description="Balance")
    def money_left(self, row: PartnerHealth) -> str:
        return "" if row.balance is None else f"{row.balance:,.2f} {row.balance_currency}"

    @admin.action(description="Let purchases through again", permissions=["reset"])
    def let_through(self, request: HttpRequest, queryset: QuerySet[PartnerHealth]) -> None:
        operator = Actor.of(cast("User", request.user))
        for health in queryset.select_related("partner"):
            reset(health.partner, operator=operator, now=timezone.now())
        messages.success(request, "Purchases are let through; waiting orders are served.")

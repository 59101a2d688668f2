"""Programmes and their rules, clients and their secrets, and what was ordered."""

from collections.abc import Mapping
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple, MultipleChoiceField
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from core.actors import Actor
from core.admin import (
    KeptAdmin,
    LookAdmin,
    ReasonForm,
    ShopModelAdmin,
    link_to_order,
    reason_given,
)
from core.templatetags.shop import pill
from loyalty.models import (
    ClientSecret,
    FulfillmentOrder,
    LoyaltyClient,
    LoyaltyProgram,
    MembershipRule,
    PointsAccount,
    PointsTransfer,
    ProgramMember,
)
from loyalty.services import (
    end_former_secrets,
    give_up_now,
    new_client_id,
    new_secret,
    settle_now,
)
from loyalty.states import ItemState, ItemType, Scope

OUTCOME_TONES: Final[Mapping[ItemState, str]] = {
    ItemState.PENDING: "info",
    ItemState.PROCESSING: "info",
    ItemState.FULFILLED: "good",
    ItemState.CANCELLED: "quiet",
    ItemState.FAILED: "bad",
}


def _operator(request: HttpRequest) -> Actor:
    return Actor.of(cast("User", request.user))


class RulesInline(admin.StackedInline[MembershipRule, LoyaltyProgram]):
    """The Validation Engine of the programme."""

    model = MembershipRule
    extra = 0
    fields = (
        ("kind", "position", "is_active"),
        "pattern",
        ("shortest", "longest"),
        "check_digit",
        "message",
    )


class ChoicesField(MultipleChoiceField):
    """Several of a closed set of words, as boxes to tick."""

    widget = CheckboxSelectMultiple


@admin.register(LoyaltyProgram)
class LoyaltyProgramAdmin(KeptAdmin[LoyaltyProgram]):
    list_display = ("name", "code", "item_types", "partner", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "code")
    ordering = ("name",)
    filter_horizontal = ("categories",)
    prepopulated_fields = {"code": ("name",)}
    inlines = (RulesInline,)
    fieldsets = (
        (None, {"fields": ("name", "code", "description", "is_active")}),
        ("What its members order through us", {"fields": ("item_types", "categories")}),
        (
            "How points are credited to it",
            {"fields": (
                "partner", "partner_program_code", "points_name", "least_amount", "most_amount",
            )},
        ),
    )  # fmt: skip

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "item_types":
            return ChoicesField(choices=ItemType.choices, required=False)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(ProgramMember)
class ProgramMemberAdmin(ShopModelAdmin[ProgramMember]):
    list_display = ("member_id", "program", "name", "standing", "note")
    list_filter = ("standing", "program")
    list_select_related = ("program",)
    search_fields = ("=member_id",)
    search_help_text = "Membership id; exact, upper case, without blanks."


@admin.register(PointsAccount)
class PointsAccountAdmin(KeptAdmin[PointsAccount]):
    list_display = ("id", "program", "user_id", "label", "is_active")
    list_filter = ("program", "is_active")
    list_select_related = ("program",)
    search_fields = ("=id", "=user_id")
    search_help_text = "Id of the account or of its user; exact."
    ordering = ("-created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: PointsAccount | None = None) -> Any:  # noqa: ARG002
        return ("id", "program", "user_id") if obj else ()


@admin.register(LoyaltyClient)
class LoyaltyClientAdmin(KeptAdmin[LoyaltyClient]):
    """A new client's secret is shown once, on the page after saving, and kept only as a hash."""

    list_display = ("name", "program", "client_id", "is_active", "secrets_left")
    list_filter = ("program", "is_active")
    list_select_related = ("program",)
    fields = (
        "name", "program", "client_id", "scopes", "rate_limit", "webhook", "is_active",
        "secrets_left",
    )  # fmt: skip
    readonly_fields = ("client_id", "secrets_left")
    actions: Any = ("rotate", "end_former")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoyaltyClient]:
        return super().get_queryset(request).prefetch_related("secrets")

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "scopes":
            return ChoicesField(choices=Scope.choices, initial=Scope.values)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="Secrets")
    def secrets_left(self, row: LoyaltyClient) -> str:
        if not row.client_id:
            return "The first one is made when you save."
        now = timezone.now()
        good = [s for s in row.secrets.all() if s.good_until is None or s.good_until > now]
        return ", ".join(_about(secret) for secret in good) or "none"

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("loyalty.rotate_secret"))

    def save_model(self, request: HttpRequest, obj: LoyaltyClient, form: Any, change: bool) -> None:
        if not change:
            obj.client_id = new_client_id()
        super().save_model(request, obj, form, change)
        if not change:
            _show(request, obj, new_secret(obj, now=timezone.now()))

    @admin.action(description="New secret; the former ones end in a day", permissions=["rotate"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[LoyaltyClient]) -> None:
        for client in queryset:
            _show(request, client, new_secret(client, now=timezone.now()))

    @admin.action(description="End the former secrets and their tokens now", permissions=["rotate"])
    def end_former(self, request: HttpRequest, queryset: QuerySet[LoyaltyClient]) -> None:
        count = sum(end_former_secrets(client, now=timezone.now()) for client in queryset)
        messages.success(request, f"{count} former secret(s) ended.")


def _about(secret: ClientSecret) -> str:
    until = f" until {secret.good_until:%d %b %H:%M} UTC" if secret.good_until else ""
    return f"{secret}{until}"


def _show(request: HttpRequest, client: LoyaltyClient, secret: str) -> None:
    words = "Secret of {} (client id {}), shown this once: {}"
    messages.warning(request, format_html(words, client.name, client.client_id, secret))


@admin.register(FulfillmentOrder)
class FulfillmentOrderAdmin(LookAdmin[FulfillmentOrder]):
    list_display = ("reference", "outcome", "item_type", "client", "shop_order", "created_at")
    list_display_links = ("reference",)
    list_filter = ("item_type", "client")
    list_select_related = ("client", "order", "transfer")
    search_fields = ("=reference", "=id", "=user_id", "=order__order_number")
    search_help_text = "The client's reference, our id, the user's id or an order number; exact."
    ordering = ("-created_at",)
    fields = (
        "reference", "outcome", "item_type", "client", "order", "transfer_page", "user_id",
        "points_account", "recipient_name", "submitted_at", "created_at",
    )  # fmt: skip
    readonly_fields = ("outcome", "transfer_page")
    action_form = ReasonForm
    actions: Any = ("give_up",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FulfillmentOrder]:
        return super().get_queryset(request).select_related("client", "order", "transfer")

    @admin.display(description="Outcome")
    def outcome(self, row: FulfillmentOrder) -> SafeString:
        state = row.item_state
        return pill(state.label, OUTCOME_TONES[state])

    @admin.display(description="Points transfer")
    def transfer_page(self, row: FulfillmentOrder) -> SafeString | str:
        if row.order is not None:
            return ""
        address = reverse("admin:loyalty_pointstransfer_change", args=[row.transfer.pk])
        return format_html('<a href="{}">{}</a>', address, row.transfer)

    @admin.display(description="Order")
    def shop_order(self, row: FulfillmentOrder) -> SafeString | str:
        return link_to_order(row.order) if row.order else ""

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("loyalty.settle_transfer"))

    @admin.action(
        description="Give up: nothing more is delivered, points go back", permissions=["settle"]
    )
    def give_up(self, request: HttpRequest, queryset: QuerySet[FulfillmentOrder]) -> None:
        reason = reason_given(request)
        if reason:
            rows, operator = list(queryset), _operator(request)
            done, refusals = give_up_now(rows, operator=operator, reason=reason)
            _tell(request, f"{done} order(s) given up.", refusals)


@admin.register(PointsTransfer)
class PointsTransferAdmin(LookAdmin[PointsTransfer]):
    list_display = ("reference", "state", "program", "amount", "tries", "error", "made")
    list_display_links = ("reference",)
    list_filter = ("status", "program")
    list_select_related = ("program",)
    search_fields = ("=reference", "=partner_transaction_id", "=fulfillment__reference")
    search_help_text = "Our reference, the partner's or the client's; exact."
    action_form = ReasonForm
    actions: Any = ("credited", "not_credited")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("loyalty.settle_transfer"))

    @admin.action(description="I asked the partner: it was credited", permissions=["settle"])
    def credited(self, request: HttpRequest, queryset: QuerySet[PointsTransfer]) -> None:
        self._settle(request, queryset, credited=True)

    @admin.action(description="I asked the partner: it was not credited", permissions=["settle"])
    def not_credited(self, request: HttpRequest, queryset: QuerySet[PointsTransfer]) -> None:
        self._settle(request, queryset, credited=False)

    def _settle(
        self, request: HttpRequest, queryset: QuerySet[PointsTransfer], *, credited: bool
    ) -> None:
        reason = reason_given(request)
        if not reason:
            return
        done, refusals = settle_now(
            list(queryset.values_list("pk", flat=True)),
            credited=credited,
            operator=_operator(request),
            reason=reason,
        )
        _tell(request, f"{done} transfer(s) closed.", refusals)


def _tell(request: HttpRequest, done: str, refusals: list[str]) -> None:
    messages.success(request, done)
    for refusal in refusals[:5]:
        messages.warning(request, refusal)

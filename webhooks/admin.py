"""Endpoints and their secrets, the delivery log, and the replay of what nobody took."""

import json
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.forms import CheckboxSelectMultiple, MultipleChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.models import User
from core.actors import Actor
from core.admin import KeptAdmin, LookAdmin, ReasonForm, reason_given
from core.errors import DomainError
from core.templatetags.shop import pill, when
from webhooks.models import Delivery, DeliveryAttempt, Endpoint
from webhooks.services import end_former_secret, first_secret, replay, rotate_secret
from webhooks.states import DeliveryStatus, EventType

REPLAY: Final = "webhooks.replay_delivery"
#: As many as a person's patience allows in one request.
MOST_AT_ONCE: Final = 500


class TypesField(MultipleChoiceField):
    widget = CheckboxSelectMultiple


@admin.register(Endpoint)
class EndpointAdmin(KeptAdmin[Endpoint]):
    """A new endpoint's secret is shown once, on the page after saving, and kept sealed."""

    list_display = ("name", "audience", "url", "is_active", "waiting", "dead")
    list_filter = ("audience", "is_active")
    search_fields = ("name",)
    fields = ("name", "audience", "url", "event_types", "is_active", "secrets")
    readonly_fields = ("secrets",)
    actions: Any = ("rotate", "end_former")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        rows = super().get_queryset(request).defer("secret", "former_secret")
        return rows.annotate(
            waiting_count=_counted(DeliveryStatus.PENDING), dead_count=_counted(DeliveryStatus.DEAD)
        )

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "event_types":
            return TypesField(choices=EventType.choices)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:  # noqa: ARG002
        return ("audience", *self.readonly_fields) if obj else self.readonly_fields

    @admin.display(description="Waiting")
    def waiting(self, row: Any) -> int:
        return row.waiting_count or 0

    @admin.display(description="Failed for good")
    def dead(self, row: Any) -> SafeString | str:
        return pill(row.dead_count, "bad") if row.dead_count else "0"

    @admin.display(description="Secret")
    def secrets(self, row: Endpoint) -> SafeString | str:
        if not row.created_at:
            return "Made when you save, and shown once."
        if row.former_until is not None and row.former_until > timezone.now():
            return format_html("In use; the former one signs too until {}", when(row.former_until))
        return "In use"

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("webhooks.rotate_endpoint"))

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)
            return
        secret = first_secret(obj)
        super().save_model(request, obj, form, change)
        _show(request, obj, secret)

    @admin.action(
        description="New secret; the former one signs beside it for a day", permissions=["rotate"]
    )
    def rotate(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for row in queryset:
            _show(request, row, rotate_secret(row.pk, now=timezone.now()))

    @admin.action(description="End the former secret now", permissions=["rotate"])
    def end_former(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        count = sum(end_former_secret(row.pk) for row in queryset)
        messages.success(request, f"{count} former secret(s) ended.")


def _counted(status: DeliveryStatus) -> Subquery:
    """How many deliveries of an endpoint stand so; the states that are asked for have an index."""
    rows = Delivery.objects.filter(endpoint=OuterRef("pk"), status=status)
    return Subquery(rows.order_by().values("endpoint").annotate(n=Count("pk")).values("n"))


def _show(request: HttpRequest, row: Endpoint, secret: str) -> None:
    words = "Secret of {}, shown this once: {}"
    messages.warning(request, format_html(words, row.name, secret))


class AttemptsInline(admin.TabularInline[DeliveryAttempt, Delivery]):
    model = DeliveryAttempt
    verbose_name_plural = "tries"
    fields = ("number", "at", "answer_status", "milliseconds", "error")
    readonly_fields = fields
    extra = max_num = 0
    can_delete = False


@admin.register(Delivery)
class DeliveryAdmin(LookAdmin[Delivery]):
    """Browsed; the only thing to do is to have a dead letter told again."""

    list_display = ("event_type", "state", "endpoint", "subject", "tries", "error", "made")
    list_display_links = ("event_type",)
    list_filter = ("status", "endpoint", "event_type")
    list_select_related = ("endpoint",)
    search_fields = ("subject__exact", "event_id__exact")
    search_help_text = "Order number, reference, or eventId; exact."
    fields = (
        "event_type", "state", "endpoint", "subject", "event_id", "told", "tries", "next_try_at",
        "delivered_at", "error", "replayed_at", "replayed_by", "replay_reason", "correlation_id",
        "created_at",
    )  # fmt: skip
    readonly_fields = ("state", "told")
    inlines = (AttemptsInline,)
    action_form = ReasonForm
    actions: Any = ("replay",)
    change_form_template = "admin/webhooks/delivery/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.replay_one))
        name = "webhooks_delivery_replay"
        return [path("<int:pk>/replay/", view, name=name), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        dead = row is not None and row.status == DeliveryStatus.DEAD
        context = {"may_replay": dead and self.has_replay_permission(request)}
        shown: HttpResponse = super().change_view(
            request, object_id, form_url, context | (extra_context or {})
        )
        return shown

    @admin.display(description="What is told")
    def told(self, row: Delivery) -> SafeString:
        text = json.dumps(json.loads(row.body), indent=2, ensure_ascii=False)
        return format_html('<pre class="mono">{}</pre>', text)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(REPLAY))

    @admin.action(description="Replay: tell it again", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        ids = queryset.filter(status=DeliveryStatus.DEAD).order_by("pk")
        self._replayed(request, list(ids.values_list("pk", flat=True)[:MOST_AT_ONCE]))

    def replay_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The button of a delivery's page."""
        if self.has_replay_permission(request):
            self._replayed(request, [pk])
        else:
            messages.error(request, "You may not replay.")
        return HttpResponseRedirect(reverse("admin:webhooks_delivery_change", args=[pk]))

    def _replayed(self, request: HttpRequest, ids: list[int]) -> None:
        reason = reason_given(request)
        if not reason:
            return
        operator, done = Actor.of(cast("User", request.user)), 0
        for pk in ids:
            try:
                replay(pk, operator=operator, reason=reason, now=timezone.now())
                done += 1
            except DomainError as refused:
                messages.warning(request, refused.message)
        messages.success(request, f"{done} event(s) are told again.")

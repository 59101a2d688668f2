"""Mails to customers, and alerts to ourselves."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from core.actors import Actor
from core.admin import LookAdmin
from notifications.alerts import acknowledge, resolve
from notifications.mail_admin import EmailMessageAdmin, StoreEmailPolicyAdmin
from notifications.models import AdminAlert
from notifications.states import CLOSE_BY_THEMSELVES

__all__ = ["AdminAlertAdmin", "EmailMessageAdmin", "StoreEmailPolicyAdmin"]


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "open"

    def lookups(
        self,
        request: HttpRequest,  # noqa: ARG002
        model_admin: admin.ModelAdmin[Any],  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        return [("yes", "Open"), ("no", "Closed")]

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[AdminAlert],
    ) -> QuerySet[AdminAlert]:
        if self.value() is None:
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() == "yes")


@admin.register(AdminAlert)
class AdminAlertAdmin(LookAdmin[AdminAlert]):
    list_display = ("kind", "message", "order_page", "made", "seen_by", "closed")
    list_display_links = ("kind",)
    list_filter = (OpenFilter, "kind")
    list_select_related = ("order", "acknowledged_by")
    search_fields = ("order__order_number__exact",)
    actions: Any = ("acknowledge", "resolve")

    @admin.display(description="Seen by")
    def seen_by(self, row: AdminAlert) -> str:
        return str(row.acknowledged_by or "")

    @admin.display(description="Closed", boolean=True)
    def closed(self, row: AdminAlert) -> bool:
        return row.resolved_at is not None

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Handling an alert is more than looking at it, and less than editing it."""
        return bool(request.user.has_perm("notifications.change_adminalert"))

    @admin.action(description="I have seen it", permissions=["handle"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[AdminAlert]) -> None:
        rows = queryset.filter(acknowledged_at=None, resolved_at=None)
        count = len(
            [acknowledge(pk, operator=_me(request), now=timezone.now()) for pk in _ids(rows)]
        )
        messages.success(request, f"{count} alert(s) marked as seen.")

    @admin.action(description="It is dealt with: close it", permissions=["handle"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[AdminAlert]) -> None:
        still = queryset.filter(resolved_at=None, kind__in=CLOSE_BY_THEMSELVES).count()
        rows = queryset.filter(resolved_at=None).exclude(kind__in=CLOSE_BY_THEMSELVES)
        note, now = "Closed by hand.", timezone.now()
        count = len([resolve(pk, operator=_me(request), note=note, now=now) for pk in _ids(rows)])
        messages.success(request, f"{count} alert(s) closed.")
        if still:
            words = "stay open: they close when the order is delivered or the money is dealt with."
            messages.warning(request, f"{still} alert(s) {words}")


def _me(request: HttpRequest) -> Actor:
    return Actor.of(cast("User", request.user))


def _ids(rows: QuerySet[AdminAlert]) -> list[int]:
    return list(rows.values_list("pk", flat=True))

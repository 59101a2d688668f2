"""Subscriptions on the operators' site: kept by hand, renewed by the shop."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.inputs import msisdn_of
from accounts.models import User
from core.admin import KeptAdmin
from core.errors import DomainError
from core.states import IllegalTransition
from orders.models import Subscription
from orders.services import change_subscription
from orders.states import SubscriptionStatus


class CustomerField(forms.CharField):
    """A customer by number or e-mail, as people give them; nobody knows the id of an account."""

    def clean(self, value: Any) -> User:
        text = str(super().clean(value)).strip()
        rows = User.objects.filter(is_staff=False, is_active=True)
        try:
            found = list(rows.filter(msisdn=msisdn_of(text)))
        except ValueError:
            found = list(rows.filter(email__iexact=text)[:2])
        if len(found) != 1:
            raise forms.ValidationError("No single customer has this number or e-mail address.")
        return found[0]


class SubscriptionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A subscription begins active, or paused until its first day."""

    customer = CustomerField(
        max_length=254, help_text="The customer's mobile number or e-mail address."
    )

    class Meta:
        model = Subscription
        exclude = ("billing_day", "attempts")  # noqa: DJ006 - the rest is for staff to say

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "status" in self.fields:
            status: Any = self.fields["status"]
            status.choices = [
                (each.value, each.label)
                for each in (SubscriptionStatus.ACTIVE, SubscriptionStatus.SUSPENDED)
            ]


@admin.register(Subscription)
class SubscriptionAdmin(KeptAdmin[Subscription]):
    form = SubscriptionForm
    autocomplete_fields = ("variant",)
    list_display = ("__str__", "customer", "variant", "billing", "next_billing_at", "state")
    list_filter = ("status", "billing", "interval")
    list_select_related = ("customer", "variant__product")
    search_fields = ("recipient_email__exact", "customer__msisdn__exact")
    actions: Any = ("pause", "resume", "end")

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Subscription | None = None,
    ) -> tuple[str, ...]:
        return ("customer", "status", "attempts") if obj else ()

    @admin.action(description="Pause: offered to resume when next due", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._become(request, queryset, SubscriptionStatus.SUSPENDED)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._become(request, queryset, SubscriptionStatus.ACTIVE)

    @admin.action(description="End", permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._become(request, queryset, SubscriptionStatus.CANCELLED)

    def _become(
        self, request: HttpRequest, queryset: QuerySet[Subscription], new: SubscriptionStatus
    ) -> None:
        for pk in queryset.values_list("pk", flat=True):
            try:
                change_subscription(pk, new)
            except (DomainError, IllegalTransition) as refused:
                messages.error(request, f"Subscription {pk}: {refused}")
            else:
                messages.success(request, f"Subscription {pk}: {new.label.lower()}.")

"""The buttons of the order's page. Each calls what the API calls, by POST, once per form."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone

from catalog.models import PartnerSource
from core.actors import Actor
from fulfillment.recovery import (
    GivenCode,
    RecoveryResult,
    close_purchase,
    resend_codes,
    retry_with_partner,
)
from fulfillment.services import release_order
from notifications.selectors import alerts_of
from notifications.services import acknowledge, resolve
from orders.admin.base import OrderDoor, Said, acted, post, staff
from orders.desk import CANCEL, HANDLE, RECOVER, RELEASE, RESEND, resend_form, retry_form
from orders.forms import AlertForm, ClosePurchaseForm, NoteForm, ReasonForm
from orders.services import note
from payments.services import cancel_by_staff


class ActsDoor(OrderDoor):
    def act_routes(self) -> list[URLPattern]:
        return [
            self.route("<int:pk>/retry/", post(self.retry), "retry"),
            self.route("<int:pk>/resend/", post(self.resend), "resend"),
            self.route("<int:pk>/release/", post(self.release), "release"),
            self.route("<int:pk>/cancel/", post(self.cancel), "cancel"),
            self.route("<int:pk>/note/", post(self.note), "note"),
            self.route("<int:pk>/purchases/<int:purchase>/close/", post(self.close), "close"),
            self.route("<int:pk>/alerts/<int:alert>/", post(self.handle_alert), "alert"),
        ]

    def retry(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self.order_for(request, pk, right=RECOVER)
        items = list(order.items.all())
        form = retry_form(
            [(item.pk, item) for item in items],
            [(source.pk, source) for source in PartnerSource.objects.filter(
                variant__in=[item.variant_id for item in items])],
            data=request.POST,
        )  # fmt: skip
        return acted(request, order, form, lambda data: _told(retry_with_partner(
            order.pk, data["item"], source_id=data["source"],
            operator=Actor.of(staff(request)), notes=data["notes"],
        )))  # fmt: skip

    def resend(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self.order_for(request, pk, right=RESEND)
        form = resend_form(order, staff(request), data=request.POST)
        to = form.data.get("to", "").strip()
        if to and to.lower() != order.recipient_email.lower() and not form.may_override:
            raise PermissionDenied
        return acted(request, order, form, lambda data: _told(resend_codes(
            order.pk, operator=Actor.of(staff(request)), notes=data["notes"], recipient=data["to"],
        )))  # fmt: skip

    def release(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Held as risky (D44): a person has decided, and says why."""
        order = self.order_for(request, pk, right=RELEASE)

        def let_go(data: Any) -> Said:
            operator = Actor.of(staff(request))
            release_order(order.pk, operator=operator, reason=data["notes"], now=timezone.now())
            return messages.SUCCESS, "The order is released; its delivery has started."

        return acted(request, order, ReasonForm(request.POST), let_go)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self.order_for(request, pk, right=CANCEL)

        def give_up(data: Any) -> Said:
            operator = Actor.of(staff(request))
            cancel_by_staff(order.pk, operator=operator, reason=data["notes"], now=timezone.now())
            return messages.SUCCESS, "The order is cancelled; what was held for it is free again."

        return acted(request, order, ReasonForm(request.POST), give_up)

    def note(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self.order_for(request, pk, right=RESEND)

        def write(data: Any) -> Said:
            note(order.pk, data["text"], actor=Actor.of(staff(request)), now=timezone.now())
            return messages.SUCCESS, "The note is kept."

        return acted(request, order, NoteForm(request.POST), write)

    def close(self, request: HttpRequest, pk: int, purchase: int) -> HttpResponse:
        """The partner's people told how an open purchase ended (D39)."""
        order = self.order_for(request, pk, right=RECOVER)

        def write_down(data: Any) -> Said:
            bought = data["outcome"] == "bought"
            code = GivenCode(data["code"], pin=data["pin"]) if data["code"] else None
            operator = Actor.of(staff(request))
            closed = close_purchase(
                order.pk, purchase, bought=bought, reason=data["notes"], operator=operator,
                code=code,
            )  # fmt: skip
            return messages.SUCCESS, f"Purchase {closed.reference} is closed; the order goes on."

        return acted(request, order, ClosePurchaseForm(request.POST), write_down)

    def handle_alert(self, request: HttpRequest, pk: int, alert: int) -> HttpResponse:
        order = self.order_for(request, pk, right=HANDLE)
        if not alerts_of(order).filter(pk=alert).exists():
            raise Http404

        def handle(data: Any) -> Said:
            operator, now = Actor.of(staff(request)), timezone.now()
            if data["act"] == "seen":
                acknowledge(alert, operator=operator, now=now)
                return messages.SUCCESS, "The others see that you have seen it."
            note = data["notes"] or "Closed by hand."
            resolve(alert, operator=operator, note=note, now=now)
            return messages.SUCCESS, "The alert is closed."

        return acted(request, order, AlertForm(request.POST), handle)


def _told(result: RecoveryResult) -> Said:
    error = f": {result.error_message}" if result.error_message else ""
    level = messages.SUCCESS if result.success else messages.WARNING
    return level, f"{result.message}{error} · {result.correlation_id}"

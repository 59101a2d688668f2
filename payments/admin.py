"""Payments at the operators' site: found, looked at, asked about again, paid back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from core.actors import Actor
from core.admin import ChoiceFilter, LookAdmin, new_form_key, spend_form_key
from core.errors import DomainError
from notifications.states import AlertKind
from payments.forms import RefundForm, SettleForm
from payments.models import CarrierConsent, GatewayCallback, Payment, Refund
from payments.refunding import (
    RefundWish,
    carry_out,
    request_refund,
    settle_by_hand,
)
from payments.selectors import (
    callbacks_of,
    exchanges_of,
    money_left,
    refundable_units,
    refunds_of,
)
from payments.states import (
    CHANNELS,
    INTERNAL_METHODS,
    OPEN,
    REFUND_OPEN,
    PaymentStatus,
    RefundStatus,
)
from payments.verification import verify

REFUND: Final = "payments.refund_payment"
STUCK_AFTER: Final = timedelta(minutes=10)
Back = HttpResponseRedirect
METHOD_CHOICES: Final = tuple((slug, slug) for slug in [*CHANNELS, *sorted(INTERNAL_METHODS)])


class TroubleFilter(admin.SimpleListFilter):
    """What a person looks for in a list of payments."""

    title = "needs a look"
    parameter_name = "trouble"

    def lookups(
        self,
        request: HttpRequest,  # noqa: ARG002
        model_admin: admin.ModelAdmin[Any],  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        return [
            ("stuck", "Stuck: undecided for 10 minutes"),
            ("late", "Paid late"),
            ("duplicate", "Paid twice"),
            ("mismatched", "Wrong sum"),
            ("risky", "Held as risky"),
            ("refund", "Refund under way"),
            ("refunded", "Paid back"),
        ]

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Payment],
    ) -> QuerySet[Payment]:
        late = Q(order__alerts__kind=AlertKind.LATE_PAYMENT, effective=True)
        wanted = {
            "stuck": Q(status__in=OPEN, created_at__lt=timezone.now() - STUCK_AFTER),
            "late": late,
            "duplicate": Q(status=PaymentStatus.SUCCEEDED, effective=False),
            "mismatched": Q(status=PaymentStatus.AMOUNT_MISMATCH),
            "risky": Q(order__held_for_risk=True, effective=True),
            "refund": Q(refunds__status__in=REFUND_OPEN),
            "refunded": Q(refunds__status=RefundStatus.SUCCEEDED),
        }.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted).distinct()


class MethodFilter(ChoiceFilter):
    title = parameter_name = "method"
    choices_known = METHOD_CHOICES


class GatewayFilter(ChoiceFilter):
    title = parameter_name = "gateway"
    choices_known = METHOD_CHOICES


@admin.register(Payment)
class PaymentAdmin(LookAdmin[Payment]):
    list_display = (
        "reference", "state", "order_page", "method", "sum", "gateway_transaction_id", "made",
    )  # fmt: skip
    list_display_links = ("reference",)
    list_filter = (TroubleFilter, "status", MethodFilter)
    list_select_related = ("order",)
    search_fields = (
        "reference__exact",
        "gateway_reference__exact",
        "gateway_transaction_id__exact",
    )
    search_help_text = "Our reference, or the gateway's; exact."
    found_within = {  # the gateway's own references are indexed by method
        "gateway_reference__exact": Q(method__in=[*CHANNELS]),
        "gateway_transaction_id__exact": Q(method__in=[*CHANNELS]),
    }
    exclude = ("redirect_url",)  # opens the customer's session at the gateway

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"payments_payment_{name}")

        post, read = require_POST, require_http_methods(["GET", "HEAD"])
        return [
            page("<int:pk>/change/", read(self.page), "change"),
            page("<int:pk>/verify/", post(self.verify), "verify"),
            page("<int:pk>/refund/", post(self.refund), "refund"),
            page("<int:pk>/settle/<int:refund_id>/", post(self.settle), "settle"),
            *super().get_urls(),
        ]

    def _payment(self, request: HttpRequest, pk: int, *, right: str = "") -> Payment:
        may = self.has_view_permission(request) and (not right or _staff(request).has_perm(right))
        if not may:
            raise PermissionDenied
        return get_object_or_404(Payment.objects.select_related("order"), pk=pk)

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        payment = self._payment(request, pk)
        refunds = list(refunds_of(payment))
        left = money_left(payment, refunds)
        under_way = [each for each in refunds if each.status in REFUND_OPEN]
        context = self.admin_site.each_context(request) | {
            "title": f"Payment {payment.reference}",
            "opts": self.opts,
            "payment": payment,
            "order": payment.order,
            "refunds": refunds,
            "left": left,
            "exchanges": list(exchanges_of(payment)[:100]),
            "callbacks": list(callbacks_of(payment)[:100]),
            "why_not": self._why_not(request, left, under_way),
            "refund_form": RefundForm(
                units=refundable_units(payment), initial={"form_key": new_form_key()}
            ),
            "settle_form": SettleForm(initial={"form_key": new_form_key()}),
            "to_settle": under_way if _staff(request).has_perm(REFUND) else [],
            "verify_key": new_form_key(),
        }
        return TemplateResponse(request, "admin/payments/payment/page.html", context)

    def _why_not(self, request: HttpRequest, left: Any, under_way: list[Refund]) -> str:
        if not _staff(request).has_perm(REFUND):
            return "Your account does not have the right to do this."
        if under_way:
            return f"Refund {under_way[0].reference} is still under way."
        return "" if left else "There is no money to pay back."

    def verify(self, request: HttpRequest, pk: int) -> HttpResponse:
        payment = self._payment(request, pk)

        def ask() -> tuple[int, str]:
            settlement = verify(payment.pk, actor=Actor.of(_staff(request)))
            if settlement.changed:
                return messages.SUCCESS, f"The payment is {settlement.payment.status} now."
            if settlement.answered:
                return messages.SUCCESS, "The gateway's answer changed nothing."
            return messages.WARNING, "The gateway gave no clear answer; it is asked again by plan."

        return _acted(request, payment, request.POST.get("form_key", ""), ask)

    def refund(self, request: HttpRequest, pk: int) -> HttpResponse:
        payment = self._payment(request, pk, right=REFUND)
        form = RefundForm(request.POST, units=refundable_units(payment))
        if not form.is_valid():
            return _refused(request, payment, form)

        def pay_back() -> tuple[int, str]:
            wish = RefundWish(
                reason=form.cleaned_data["reason"],
                amount=form.cleaned_data["amount"],
                items=form.items(),
                revoking=form.cleaned_data["revoke"],
            )
            operator = Actor.of(_staff(request))
            refund = request_refund(payment.pk, wish, operator=operator, now=timezone.now())
            return _told(carry_out(refund.pk))

        return _acted(request, payment, str(form.cleaned_data["form_key"]), pay_back)

    def settle(self, request: HttpRequest, pk: int, refund_id: int) -> HttpResponse:
        payment = self._payment(request, pk, right=REFUND)
        refund = get_object_or_404(Refund, pk=refund_id, payment=payment)
        form = SettleForm(request.POST)
        if not form.is_valid():
            return _refused(request, payment, form)
        data = form.cleaned_data
        return _acted(request, payment, str(data["form_key"]), lambda: _told(settle_by_hand(
            refund.pk, paid=data["outcome"] == "paid", hand_reference=data["reference"],
            operator=Actor.of(_staff(request)), notes=data["notes"], now=timezone.now(),
        )))  # fmt: skip


def _staff(request: HttpRequest) -> User:
    return cast("User", request.user)


def _told(refund: Refund) -> tuple[int, str]:
    words = f"Refund {refund.reference} of {refund.amount} BDT"
    match refund.status:
        case RefundStatus.SUCCEEDED:
            return messages.SUCCESS, f"{words}: paid back."
        case RefundStatus.FAILED:
            return messages.ERROR, f"{words} was refused: {refund.error}"
        case _ if refund.by_hand:
            return messages.WARNING, f"{words}: pay it back by hand, then mark it as paid below."
        case _:
            return messages.SUCCESS, f"{words} is under way."


def _refused(request: HttpRequest, payment: Payment, form: Any) -> HttpResponse:
    told = "; ".join(str(error) for errors in form.errors.values() for error in errors)
    messages.error(request, f"Nothing was done: {told}")
    return Back(reverse("admin:payments_payment_change", args=[payment.pk]))


def _acted(
    request: HttpRequest, payment: Payment, form_key: str, act: Callable[[], tuple[int, str]]
) -> HttpResponse:
    """Do it once, tell how it went, and go back to the payment."""
    try:
        spend_form_key(_staff(request).pk, form_key)
        level, said = act()
    except DomainError as exc:
        level, said = messages.ERROR, exc.message
    messages.add_message(request, level, said)
    if request.GET.get("back") == "order":  # the button of the order's page
        return Back(reverse("admin:orders_order_change", args=[payment.order_id]))
    return Back(reverse("admin:payments_payment_change", args=[payment.pk]))


@admin.register(Refund)
class RefundAdmin(LookAdmin[Refund]):
    list_display = ("reference", "state", "payment", "sum", "by_hand", "requested_by", "made")
    list_display_links = ("reference",)
    list_filter = ("status", "by_hand")
    list_select_related = ("payment", "requested_by")
    search_fields = ("reference__exact", "payment__reference__exact", "gateway_refund_id__exact")
    search_help_text = "Our reference, or the gateway's; exact."


@admin.register(GatewayCallback)
class GatewayCallbackAdmin(LookAdmin[GatewayCallback]):
    list_display = ("__str__", "gateway", "payment", "times", "last_received_at")
    list_filter = (GatewayFilter,)
    list_select_related = ("payment",)
    exclude = ("digest", "headers")  # headers hold the gateway's shared secret


@admin.register(CarrierConsent)
class CarrierConsentAdmin(LookAdmin[CarrierConsent]):
    """The log of consent: what an operator asks for when a payer denies a charge."""

    list_display = ("__str__", "payment", "passwords", "given_at", "made")
    list_filter = ("carrier",)
    list_select_related = ("payment",)
    search_fields = ("payment__reference__exact", "subscriber__exact", "internal_id__exact")
    exclude = ("digest",)

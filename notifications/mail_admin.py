"""The operators' pages of mails: list, one mail with its events and its look, sending again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from core.actors import Actor
from core.admin import ChoiceFilter, LookAdmin, new_form_key, spend_form_key
from core.errors import DomainError, RateLimited
from core.templatetags.shop import pill
from fulfillment.recovery import resend_codes
from notifications.composing import LOCAL_PART
from notifications.models import EmailMessage, StoreEmailPolicy
from notifications.notices import rendered_mail
from notifications.rendering import ForeignCode, Rendered
from notifications.selectors import failed_mails
from notifications.services import EmailRequest, resend_email
from notifications.states import VOUCHERS, Template
from orders.models import Order
from payments.selectors import facts_of
from vouchers.reading import REVEAL, codes_for_staff
from vouchers.selectors import codes_of_order

RESEND: Final = "fulfillment.resend_codes"
OVERRIDE: Final = "fulfillment.override_recipient"
#: A mail's styles are its own; nothing else of it may do anything here.
MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
)
#: As many as a person's patience allows in one request; the rest are asked for again.
MOST_AT_ONCE: Final = 50
LOCAL: Final = {"type": "datetime-local"}
LOCAL_FORMAT: Final = "%Y-%m-%dT%H:%M"
TONES: Final = {
    "QUEUED": "info",
    "SENT": "good",
    "DELIVERED": "good",
    "OPENED": "good",
    "BOUNCED": "bad",
    "COMPLAINED": "warn",
    "FAILED": "bad",
}


class SendForm(forms.Form):
    """One business mail of an order."""

    form_key = forms.UUIDField()
    template = forms.CharField(max_length=60)
    to = forms.EmailField(max_length=254, required=False)
    reason = forms.CharField(max_length=500, required=False)

    def clean_to(self) -> str:
        to: str = self.cleaned_data["to"]
        if len(to.rpartition("@")[0]) > LOCAL_PART:
            raise forms.ValidationError("This is no e-mail address.")
        return to


class WindowForm(forms.Form):
    """Mails that failed from one moment to another."""

    since = forms.DateTimeField(
        label="Failed since", widget=forms.DateTimeInput(LOCAL, format=LOCAL_FORMAT)
    )
    until = forms.DateTimeField(
        label="Until", widget=forms.DateTimeInput(LOCAL, format=LOCAL_FORMAT)
    )


class TemplateFilter(ChoiceFilter):
    title = parameter_name = "template"
    choices_known = ((VOUCHERS, "Vouchers"), *Template.choices)


@admin.register(EmailMessage)
class EmailMessageAdmin(LookAdmin[EmailMessage]):
    list_display = ("subject", "known", "order_page", "recipient", "tries", "error", "made")
    list_display_links = ("subject",)
    list_filter = ("status", TemplateFilter)
    list_select_related = ("order",)
    search_fields = (
        "recipient__iexact",
        "message_id__exact",
        "external_id__exact",
        "order__order_number__exact",
    )
    search_help_text = "Recipient, order number, Message-ID or the provider's id; exact."
    change_list_template = "admin/notifications/emailmessage/change_list.html"

    @admin.display(description="Mail")
    def subject(self, row: EmailMessage) -> str:
        return row.definition or row.template

    @admin.display(description="State", ordering="status")
    def known(self, row: EmailMessage) -> SafeString:
        return pill(row.standing.capitalize(), TONES[row.standing], row.status)

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            return path(route, wrapped, name=f"notifications_emailmessage_{name}")

        read = require_http_methods(["GET", "HEAD"])
        return [
            page("failed/", self.failed, "failed"),
            page("<int:pk>/change/", read(self.page), "change"),
            page("<int:pk>/preview/", xframe_options_sameorigin(self.preview), "preview"),
            page("send/<int:order_id>/", require_POST(self.send), "send"),
            *super().get_urls(),
        ]

    def _mail(self, request: HttpRequest, pk: int) -> EmailMessage:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = EmailMessage.objects.select_related("order__subscription", "resend_of")
        return get_object_or_404(rows, pk=pk)

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        message = self._mail(request, pk)
        try:
            rendered: Rendered | None = rendered_mail(message, mask_codes=True)
        except ForeignCode:
            rendered = None
        context = {
            **self.admin_site.each_context(request),
            "title": f"Mail {message.message_id}",
            "opts": self.opts,
            "mail": message,
            "tone": TONES[message.standing],
            "events": list(message.events.all()),
            "rendered": rendered,
            "may_reveal": message.template == VOUCHERS and _staff(request).has_perm(REVEAL),
        }
        return TemplateResponse(request, "admin/notifications/emailmessage/page.html", context)

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The mail as its customer's client shows it; a POST shows the codes, and is recorded."""
        message = self._mail(request, pk)
        full = request.method == "POST"
        try:
            if full:
                self._record_reading(request, message)
            html = rendered_mail(message, mask_codes=not full).html
        except ForeignCode:
            html = "<p>A code of this mail is no longer one of its order.</p>"
        except RateLimited as refused:
            html = f"<p>{escape(refused.message)}</p>"
        answer = HttpResponse(html)
        answer["Content-Security-Policy"] = MAIL_POLICY
        answer["Cache-Control"] = "no-store"
        return answer

    def _record_reading(self, request: HttpRequest, message: EmailMessage) -> None:
        reader = _staff(request)
        if not reader.has_perm(REVEAL):
            raise PermissionDenied
        listed = set(message.voucher_ids)
        codes = [each for each in codes_of_order(message.order_id) if each.voucher_id in listed]
        codes_for_staff(codes, reader=reader, reason=f"mail {message.message_id} in the admin")

    def send(self, request: HttpRequest, order_id: int) -> HttpResponse:
        """The order page's buttons: the same act as the resend endpoint."""
        reader = _staff(request)
        if not reader.has_perm(RESEND):
            raise PermissionDenied
        order = get_object_or_404(Order, pk=order_id)
        form = SendForm(request.POST)
        back = HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))
        if not form.is_valid():
            wrong = " ".join(str(each) for errors in form.errors.values() for each in errors)
            messages.error(request, wrong)
            return back
        data = form.cleaned_data
        try:
            spend_form_key(reader.pk, str(data["form_key"]))
            resent = resend_email(
                order.pk,
                EmailRequest(data["template"], data["to"], "", data["reason"]),
                money=facts_of(order),
                actor=Actor.of(reader),
                may_override=reader.has_perm(OVERRIDE),
                now=timezone.now(),
            )
        except DomainError as refused:
            messages.error(request, refused.message)
        else:
            level = messages.SUCCESS if resent.accepted else messages.WARNING
            messages.add_message(request, level, resent.note)
        return back

    def failed(self, request: HttpRequest) -> HttpResponse:
        """What failed in a time window, and all of it sent again."""
        reader = _staff(request)
        if not (self.has_view_permission(request) and reader.has_perm(RESEND)):
            raise PermissionDenied
        now = timezone.localtime()
        start = {"since": now - timedelta(days=1), "until": now + timedelta(minutes=1)}
        given = request.POST or request.GET
        form = WindowForm(given if "since" in given else None, initial=start)
        window = form.cleaned_data if form.is_bound and form.is_valid() else start
        rows = failed_mails(window["since"], window["until"])[:MOST_AT_ONCE]
        results = []
        if request.method == "POST" and form.is_valid():
            try:
                spend_form_key(reader.pk, request.POST.get("form_key", "")[:64])
                results = [(row, *_sent_again(row, reader)) for row in rows]
            except DomainError as refused:
                messages.error(request, refused.message)
        context = {
            **self.admin_site.each_context(request),
            "title": "Mails that failed",
            "opts": self.opts,
            "form": form,
            "rows": rows,
            "results": results,
            "most": MOST_AT_ONCE,
            "form_key": new_form_key(),
        }
        return TemplateResponse(request, "admin/notifications/emailmessage/failed.html", context)


def _sent_again(message: EmailMessage, reader: User) -> tuple[bool, str]:
    """Whether it is on its way, and in words what came of it."""
    actor, reason = Actor.of(reader), "Sent again with all that failed"
    try:
        if message.template == VOUCHERS:
            result = resend_codes(message.order_id, operator=actor, notes=reason)
            return result.success, result.message
        resent = resend_email(
            message.order_id,
            EmailRequest(message.template, "", "", reason),
            money=facts_of(message.order),
            actor=actor,
            may_override=False,
            now=timezone.now(),
        )
    except DomainError as refused:
        return False, refused.message
    return resent.accepted, resent.note


@admin.register(StoreEmailPolicy)
class StoreEmailPolicyAdmin(admin.ModelAdmin[StoreEmailPolicy]):
    """One row: which business mails this store sends."""

    fields = ("confirmation_by_itself", "cancellation_by_itself", "non_recurring_communications")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not StoreEmailPolicy.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: StoreEmailPolicy,
        form: Any,
        change: bool,
    ) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)


def _staff(request: HttpRequest) -> User:
    return cast("User", request.user)

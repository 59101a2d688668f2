"""Orders on the operators' site: the list, the page of one order, and its buttons."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from catalog.models import Partner, PartnerSource
from catalog.selectors import sources_by_variant
from core.actors import Actor
from core.admin import KeptAdmin, LookAdmin, new_form_key, spend_form_key
from core.errors import DomainError
from fulfillment.recovery import (
    GivenCode,
    ItemCodes,
    RecoveryResult,
    enter_codes_for_order,
    resend_codes,
    retry_with_partner,
)
from fulfillment.selectors import attempts_of, purchases_of, standings_of
from fulfillment.services import release_order
from notifications.selectors import alerts_of, mails_of, open_alert_kinds, open_alerts_of_orders
from notifications.services import mail_choices
from orders.desk import (
    AUDIT,
    RECOVER,
    RELEASE,
    RESEND,
    buttons_of,
    cards_of,
    cause_of,
    resend_form,
    retry_form,
)
from orders.forms import CodesForm, ReleaseForm, ResendForm, RetryForm
from orders.listing import OrderColumns, found_by
from orders.models import DiscountCode, Order
from orders.subscription_admin import SubscriptionAdmin
from payments.selectors import all_payments_of, facts_of
from vouchers.selectors import units_of_order, vouchers_by_code

__all__ = ["DiscountCodeAdmin", "OrderAdmin", "SubscriptionAdmin"]
Back = HttpResponseRedirect


class OrderList(ChangeList):
    """A page of the list with what is shown of each row, in two statements for all rows."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        alerts = open_alerts_of_orders(row.pk for row in rows)
        for row in rows:
            row.open_alerts = alerts.get(row.pk, ())
        self.result_list = rows


class CauseFilter(admin.SimpleListFilter):
    title = "open alert"
    parameter_name = "cause"

    def lookups(
        self,
        request: HttpRequest,  # noqa: ARG002
        model_admin: admin.ModelAdmin[Any],  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        return [(each.kind, f"{each.kind.label} ({each.count})") for each in open_alert_kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:  # noqa: ARG002
        if not self.value():
            return queryset
        return queryset.filter(alerts__kind=self.value(), alerts__resolved_at=None)


@admin.register(Order)
class OrderAdmin(OrderColumns, LookAdmin[Order]):
    list_display = ("number", "cause", "items_sold", "total", "recipient", "waiting")
    list_display_links = ("number",)
    list_filter = ("status", CauseFilter)
    list_select_related = ("customer",)
    search_fields = ("order_number",)
    ordering = ("-id",)
    sortable_by = ()
    change_list_template = "admin/orders/order/change_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return OrderList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).prefetch_related("items")

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"orders_order_{name}")

        post, read = require_POST, require_http_methods(["GET", "HEAD"])
        return [
            page("find/", post(self.find), "find"),
            page("<int:pk>/change/", read(self.page), "change"),
            page("<int:pk>/enter-codes/", self.codes_page, "codes"),
            page("<int:pk>/retry/", post(self.retry), "retry"),
            page("<int:pk>/resend/", post(self.resend), "resend"),
            page("<int:pk>/release/", post(self.release), "release"),
            *super().get_urls(),
        ]

    def find(self, request: HttpRequest) -> HttpResponse:
        """By POST, so that a code searched for is in no address and no access log (D20)."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        term = request.POST.get("q", "").strip()
        listed = reverse("admin:orders_order_changelist")
        row = next(iter(vouchers_by_code([term]).values()), None) if term else None
        item = row and (row.order_item or row.former_item)
        if item:
            return Back(_address(item.order_id))
        found = found_by(Order.objects.all(), term).values_list("pk", flat=True)[:2]
        if found:
            many = f"{listed}?{urlencode({'q': term})}"
            return Back(_address(found[0]) if len(found) == 1 else many)
        if term:
            where = "is a code in our pool, sold to nobody." if row else "is in no order."
            messages.warning(request, f"What you searched for {where}")
        return Back(listed)

    def _order(self, request: HttpRequest, pk: int, *, right: str = "") -> Order:
        may = self.has_view_permission(request) and (not right or _staff(request).has_perm(right))
        if not may:
            raise PermissionDenied
        return get_object_or_404(Order.objects.select_related("customer", "subscription"), pk=pk)

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._order(request, pk)
        context = self.admin_site.each_context(request) | self._told(request, order)
        return TemplateResponse(request, "admin/orders/order/page.html", context)

    def _told(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        """Everything the page shows; about fifteen statements, whatever the order's size."""
        reader = _staff(request)
        standings = standings_of(order)
        attempts, mails = list(attempts_of(order)), list(mails_of(order))
        payments = list(all_payments_of(order))
        sources = sources_by_variant(each.item.variant_id for each in standings)
        cards = cards_of(standings, units_of_order(order.pk), attempts, sources, now=timezone.now())
        cause = cause_of(order, cards, attempts, mails)
        buttons = buttons_of(order, cards, cause, reader=reader)
        alerts = list(alerts_of(order))
        units = sum(card.item.quantity for card in cards)
        saved = sum(card.delivered for card in cards)
        return {
            "title": f"Order #{order.order_number}",
            "opts": self.opts,
            "order": order,
            "cards": cards,
            "cause": cause,
            "buttons": buttons,
            "payments": payments,
            "payment": next((each for each in payments if each.effective), None)
            or next(iter(payments), None),
            "mails": mails,
            "mail": next(iter(mails), None),
            "attempts": attempts if reader.has_perm(AUDIT) else None,
            "purchases": list(purchases_of(order)),
            "open_alerts": [each for each in alerts if each.resolved_at is None],
            "closed_alerts": [each for each in alerts if each.resolved_at is not None],
            "mail_choices": mail_choices(order, facts_of(order), now=timezone.now()),
            "may_send_mails": reader.has_perm(RESEND),
            "events": list(order.events.order_by("-pk")),
            "codes_text": f"{saved} of {units} saved",
            "codes_tone": "good" if saved == units else "bad" if cause.action else "quiet",
            "retry_form": retry_form(
                [(card.item.pk, card.label) for card in cards if not card.no_retry],
                [source for card in cards if not card.no_retry for source in card.sources],
                initial={"form_key": new_form_key()},
            ),
            "release_form": ReleaseForm(initial={"form_key": new_form_key()}),
            "resend_form": resend_form(order, reader, initial={"form_key": new_form_key()}),
        }

    @method_decorator(sensitive_post_parameters())
    def codes_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET draws the boxes, POST saves what was typed and mails it; errors stay at their box."""
        order = self._order(request, pk, right=RECOVER)
        told = self._told(request, order)
        if why_not := told["buttons"]["codes"].why_not:
            messages.warning(request, why_not)
            return Back(_address(pk))
        cards = {card.item.pk: card for card in told["cards"] if card.owed}
        form = CodesForm(
            request.POST if request.method == "POST" else None,
            initial={"form_key": new_form_key()},
            owed={item: card.owed for item, card in cards.items()},
            partners=list(Partner.objects.filter(is_active=True).values_list("pk", "name")),
        )
        done: set[int] = set()
        if form.is_valid():
            done = _entered(request, order, form)
            if form.is_valid():
                return Back(_address(pk))
        boxes = [
            (card, form[f"codes_{item}"], form[f"partner_{item}"])
            for item, card in cards.items()
            if item not in done
        ]
        context = self.admin_site.each_context(request) | told
        context |= {"form": form, "boxes": boxes, "title": f"Enter codes · #{order.order_number}"}
        return TemplateResponse(request, "admin/orders/order/codes.html", context)

    def retry(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._order(request, pk, right=RECOVER)
        items = list(order.items.all())
        form = retry_form(
            [(item.pk, item) for item in items],
            PartnerSource.objects.filter(variant__in=[item.variant_id for item in items]),
            data=request.POST,
        )
        return _acted(request, order, form, lambda data: retry_with_partner(
            order.pk, data["item"], source_id=data["source"],
            operator=Actor.of(_staff(request)), notes=data["notes"],
        ))  # fmt: skip

    def release(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Held as risky (D44): a person has decided, and says why."""
        order = self._order(request, pk, right=RELEASE)
        form = ReleaseForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Nothing was done: say why the order is released.")
            return Back(_address(order.pk))
        operator, reason = Actor.of(_staff(request)), form.cleaned_data["notes"]
        try:
            spend_form_key(_staff(request).pk, str(form.cleaned_data["form_key"]))
            release_order(order.pk, operator=operator, reason=reason, now=timezone.now())
        except DomainError as exc:
            messages.error(request, exc.message)
        else:
            messages.success(request, "The order is released; its delivery has started.")
        return Back(_address(order.pk))

    def resend(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._order(request, pk, right=RESEND)
        form = resend_form(order, _staff(request), data=request.POST)
        to = form.data.get("to", "").strip()
        if to and to.lower() != order.recipient_email.lower() and not form.may_override:
            raise PermissionDenied
        return _acted(request, order, form, lambda data: resend_codes(
            order.pk, operator=Actor.of(_staff(request)), notes=data["notes"], recipient=data["to"],
        ))  # fmt: skip


def _staff(request: HttpRequest) -> User:
    return cast("User", request.user)


def _address(pk: int) -> str:
    return reverse("admin:orders_order_change", args=[pk])


def _acted(
    request: HttpRequest,
    order: Order,
    form: RetryForm | ResendForm,
    act: Callable[[Mapping[str, Any]], RecoveryResult],
) -> HttpResponse:
    """Do it once, tell how it went, and go back to the order."""
    if not form.is_valid():
        told = "; ".join(str(error) for errors in form.errors.values() for error in errors)
        messages.error(request, f"Nothing was done: {told}")
        return Back(_address(order.pk))
    try:
        spend_form_key(_staff(request).pk, str(form.cleaned_data["form_key"]))
        result = act(form.cleaned_data)
    except DomainError as exc:
        messages.error(request, exc.message)
        return Back(_address(order.pk))
    error = f": {result.error_message}" if result.error_message else ""
    level = messages.SUCCESS if result.success else messages.WARNING
    messages.add_message(request, level, f"{result.message}{error} · {result.correlation_id}")
    return Back(_address(order.pk))


def _entered(request: HttpRequest, order: Order, form: CodesForm) -> set[int]:
    """Save and mail what was typed; the items that were taken. Refusals stand at their box."""
    data, user = form.cleaned_data, _staff(request)
    form.renew(new_form_key())  # whatever comes of it, this key is spent
    rows = [
        ItemCodes(item, [GivenCode(c, pin=p, partner_id=data[f"partner_{item}"]) for c, p in codes])
        for item, codes in data["given"].items()
    ]
    try:
        spend_form_key(user.pk, str(data["form_key"]))
        result = enter_codes_for_order(order.pk, rows, operator=Actor.of(user), notes=data["notes"])
    except DomainError as exc:
        form.add_error(None, exc.message)
        return set()
    done = set()
    for row in result.rows:
        if row.attempt_id is None:
            form.add_error(f"codes_{row.order_item_id}", row.message)
            continue
        done.add(row.order_item_id)
        level = messages.SUCCESS if row.success else messages.WARNING
        messages.add_message(request, level, f"{row.message} · {result.correlation_id}")
    return done


@admin.register(DiscountCode)
class DiscountCodeAdmin(KeptAdmin[DiscountCode]):
    list_display = ("code", "discount_type", "discount_value", "used_count", "ends_at", "is_active")
    list_filter = ("is_active", "discount_type")
    search_fields = ("code",)
    readonly_fields = ("used_count",)

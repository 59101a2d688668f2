"""The page of one order: everything about it on one screen, and its mails as they went out."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone

from accounts.models import User
from catalog.models import PartnerSource
from catalog.selectors import sources_by_variant
from core.admin import new_form_key
from fulfillment.queue import neighbours, orders_wished
from fulfillment.selectors import attempts_of, health_of, purchases_of, standings_of
from notifications.selectors import alerts_of, mails_of
from notifications.services import mail_choices
from orders.admin.base import read, staff
from orders.admin.codes import CodesDoor
from orders.admin.queue import wish_of
from orders.claims import holder_of
from orders.desk import (
    AUDIT,
    HANDLE,
    RESEND,
    buttons_of,
    cards_of,
    cause_of,
    resend_form,
    retry_form,
    source_choices,
)
from orders.forms import AlertForm, ClosePurchaseForm, NoteForm, ReasonForm
from orders.models import Order
from orders.telling import (
    alert_lines,
    attempt_lines,
    event_lines,
    exchange_lines,
    mail_lines,
    newest_first,
    operators_named,
    purchase_lines,
    reveal_lines,
    told_by,
)
from payments.selectors import (
    all_payments_of,
    exchanges_of_order,
    facts_of,
    refunds_of_order,
)
from vouchers.selectors import (
    available_by_variant,
    former_units_of,
    reveals_of_order,
    units_of_order,
)


class PageDoor(CodesDoor):
    def page_routes(self) -> list[URLPattern]:
        return [self.route("<int:pk>/change/", read(self.page), "change")]

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self.order_for(request, pk)
        context = self.admin_site.each_context(request) | self.told(request, order)
        context |= self._place(request, order)
        return TemplateResponse(request, "admin/orders/order/page.html", context)

    def _place(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        """Where the order stands in the queue it was reached from."""
        if not request.GET:
            return {"query": ""}
        wish, given = wish_of(request)
        before, after = neighbours(orders_wished(wish), order.pk, oldest_first=wish.tab != "all")
        return {"before": before, "after": after, "query": request.GET.urlencode(), "tab": given}

    def told(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        """Everything the page shows; a fixed number of statements, whatever the order's size."""
        reader, now = staff(request), timezone.now()
        standings = standings_of(order)
        attempts, mails = list(attempts_of(order)), list(mails_of(order))
        payments, purchases = list(all_payments_of(order)), list(purchases_of(order))
        sources = sources_by_variant(each.item.variant_id for each in standings)
        units = units_of_order(order.pk)
        pool = available_by_variant([each.item.variant_id for each in standings], now=now)
        health = _health(sources.values())
        cards = cards_of(standings, units, attempts, sources, pool=pool, health=health, now=now)
        alerts = list(alerts_of(order))
        open_alerts = [each for each in alerts if each.resolved_at is None]
        cause = cause_of(order, cards, attempts, mails, open_alerts)
        count = sum(card.item.quantity for card in cards)
        saved = sum(card.delivered for card in cards)
        askable = [card for card in cards if not card.no_retry]
        exchanges, reveals = list(exchanges_of_order(order.pk)), list(reveals_of_order(order.pk))
        events = list(order.events.order_by("-pk"))
        people = User.objects.filter(pk__in=operators_named(events))
        names = {user.pk: str(user) for user in people}
        return {
            "title": f"Order #{order.order_number}",
            "opts": self.opts,
            "order": order,
            "cards": cards,
            "former": list(former_units_of(order.pk)),
            "cause": cause,
            "buttons": buttons_of(order, cards, cause, payments, reader=reader),
            "payments": payments,
            "refunds": list(refunds_of_order(order.pk)),
            "exchanges": _by_payment(exchanges),
            "payment": next((each for each in payments if each.effective), None)
            or next(iter(payments), None),
            "mails": mails,
            "mail": next(iter(mails), None),
            "attempts": attempts if reader.has_perm(AUDIT) else None,
            "purchases": purchases,
            "open_alerts": open_alerts,
            "closed_alerts": [each for each in alerts if each.resolved_at is not None],
            "notes": [(each, told_by(each.actor, names)) for each in events if each.kind == "note"],
            "timeline": newest_first(
                event_lines(events, names),
                attempt_lines(attempts),
                purchase_lines(purchases),
                mail_lines(mails),
                alert_lines(alerts),
                exchange_lines(exchanges),
                reveal_lines(reveals),
            ),
            "codes_text": f"{saved} of {count} saved",
            "codes_tone": "good" if saved == count else "bad" if cause.action else "quiet",
            "claim": holder_of(order, now=now),
            "mail_choices": mail_choices(order, facts_of(order), now=now),
            "may_send_mails": reader.has_perm(RESEND),
            "me": reader,
            "may_claim": reader.has_perm(RESEND),
            "may_handle": reader.has_perm(HANDLE),
            "retry_form": retry_form(
                [(card.item.pk, card.label) for card in askable],
                source_choices(askable, health, now=now),
                initial={"form_key": new_form_key()},
            ),
            "reason_form": ReasonForm(initial={"form_key": new_form_key()}),
            "note_form": NoteForm(initial={"form_key": new_form_key()}),
            "close_form": ClosePurchaseForm(initial={"form_key": new_form_key()}),
            "alert_form": AlertForm(initial={"form_key": new_form_key()}),
            "resend_form": resend_form(order, reader, initial={"form_key": new_form_key()}),
            "act_key": new_form_key(),
        }


def _health(sources: Iterable[Iterable[PartnerSource]]) -> Any:
    return health_of(each.partner_id for group in sources for each in group if each.partner_id)


def _by_payment(exchanges: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for each in exchanges:
        found[each.payment_id].append(each)
    return dict(found)

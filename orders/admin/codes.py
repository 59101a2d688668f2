"""Codes on screen: typed in for a whole order, shown for a reason, replaced when bad."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from catalog.models import Partner
from core.actors import Actor
from core.admin import new_form_key, spend_form_key
from core.errors import DomainError, RateLimited
from fulfillment.recovery import GivenCode, ItemCodes, enter_codes_for_order, replace_code
from orders.admin.base import Back, OrderDoor, address, back_to, post, read, staff
from orders.desk import RECOVER, REPLACE, REVEAL
from orders.forms import CodesForm, ReplaceForm, RevealForm
from orders.models import Order
from vouchers.pasting import read_pasted
from vouchers.reading import codes_for_staff
from vouchers.selectors import (
    DeliveredCode,
    codes_of_order,
    judged,
    reveals_of,
    units_of_order,
)


class CodesDoor(OrderDoor):
    def code_routes(self) -> list[URLPattern]:
        one = "<int:pk>/codes/<int:voucher>/"
        return [
            self.route("<int:pk>/enter-codes/", self.codes_page, "codes"),
            self.route(one, read(self.code_page), "code"),
            self.route(f"{one}reveal/", post(self.reveal), "reveal"),
            self.route(f"{one}replace/", post(self.replace), "replace"),
        ]

    @method_decorator(sensitive_post_parameters())
    def codes_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET draws the boxes; POST reads what was pasted, or saves and mails what was typed."""
        order = self.order_for(request, pk, right=RECOVER)
        told = self.told(request, order)
        if why_not := told["buttons"]["codes"].why_not:
            messages.warning(request, why_not)
            return back_to(request, pk)
        cards = {card.item.pk: card for card in told["cards"] if card.owed}
        reading = request.method == "POST" and "read" in request.POST
        form = CodesForm(
            request.POST if request.method == "POST" else None,
            initial={"form_key": new_form_key()},
            owed={item: card.owed for item, card in cards.items()},
            partners=list(Partner.objects.filter(is_active=True).values_list("pk", "name")),
        )
        pasted = _read(form, request.POST.get("paste", ""), cards) if reading else None
        done: set[int] = set()
        if not reading and form.is_valid():
            done = _entered(request, order, form)
            if form.is_valid():
                return back_to(request, pk)
        boxes = [
            (card, form[f"codes_{item}"], form[f"partner_{item}"],
             _checked(form, item, card) if reading else [])
            for item, card in cards.items()
            if item not in done
        ]  # fmt: skip
        context = self.admin_site.each_context(request) | told | {
            "form": form, "boxes": boxes, "pasted": pasted,
            "title": f"Enter codes · #{order.order_number}",
        }  # fmt: skip
        return _unkept(TemplateResponse(request, "admin/orders/order/codes.html", context))

    def told(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        """Everything the order's page shows; the page itself says it."""
        raise NotImplementedError

    def code_page(self, request: HttpRequest, pk: int, voucher: int) -> HttpResponse:
        order = self.order_for(request, pk)
        user = staff(request)
        if not (user.has_perm(REVEAL) or user.has_perm(REPLACE)):
            raise PermissionDenied
        return self._code(request, order, voucher)

    def _code(self, request: HttpRequest, order: Order, voucher: int, **more: Any) -> HttpResponse:
        unit = next((u for u in units_of_order(order.pk) if u.voucher_id == voucher), None)
        if unit is None:
            raise Http404
        item = order.items.get(pk=unit.item_id)
        user = staff(request)
        context = self.admin_site.each_context(request) | {
            "title": f"Code {unit.mask} · #{order.order_number}",
            "opts": self.opts, "order": order, "unit": unit, "item": item,
            "may_reveal": user.has_perm(REVEAL) and not unit.revoked,
            "may_replace": user.has_perm(REPLACE) and not unit.revoked,
            "reveals": list(reveals_of(voucher)),
            "reveal_form": RevealForm(initial={"form_key": new_form_key()}),
            "replace_form": ReplaceForm(initial={"form_key": new_form_key()}),
        }  # fmt: skip
        page = TemplateResponse(request, "admin/orders/order/code.html", context | more)
        return _unkept(page)

    def reveal(self, request: HttpRequest, pk: int, voucher: int) -> HttpResponse:
        """The code stands in this one answer: in no session, no address, no cache."""
        order = self.order_for(request, pk, right=REVEAL)
        form = RevealForm(request.POST)
        code = _delivered(order, voucher)
        if code is None or not form.is_valid():
            why = "it is not held by the customer" if code is None else "say why you need it"
            messages.error(request, f"The code stays hidden: {why}.")
            return Back(address(pk))
        try:
            codes_for_staff([code], reader=staff(request), reason=form.cleaned_data["reason"])
        except RateLimited as refused:
            messages.error(request, f"The code stays hidden. {refused.message}")
            return Back(address(pk))
        return self._code(request, order, voucher, shown=code)

    @method_decorator(sensitive_post_parameters())
    def replace(self, request: HttpRequest, pk: int, voucher: int) -> HttpResponse:
        order = self.order_for(request, pk, right=REPLACE)
        form = ReplaceForm(request.POST)
        if not form.is_valid():
            return self._code(request, order, voucher, replace_form=form)
        data = form.cleaned_data
        code = GivenCode(data["code"], pin=data["pin"]) if data["code"] else None
        try:
            spend_form_key(staff(request).pk, str(data["form_key"]))
            result = replace_code(
                order.pk, voucher,
                code=code, reason=data["notes"], operator=Actor.of(staff(request)),
            )  # fmt: skip
        except DomainError as exc:
            form.renew(new_form_key())
            form.add_error(None, exc.message)
            return self._code(request, order, voucher, replace_form=form)
        level = messages.SUCCESS if result.success else messages.WARNING
        messages.add_message(request, level, f"{result.message} · {result.correlation_id}")
        return Back(address(pk))


def _unkept(response: TemplateResponse) -> TemplateResponse:
    add_never_cache_headers(response)
    return response


def _delivered(order: Order, voucher: int) -> DeliveredCode | None:
    return next((c for c in codes_of_order(order.pk) if c.voucher_id == voucher), None)


def _read(form: CodesForm, text: str, cards: Any) -> Any:
    """Deal a pasted text out to the boxes; nothing is saved."""
    labels = {pk: (c.item.product_name, c.item.variant_name) for pk, c in cards.items()}
    pasted = read_pasted(text[:200_000], owed=form.owed, labels=labels, now=timezone.now())
    boxes = {f"codes_{pk}": "\n".join(c.line for c in codes) for pk, codes in pasted.codes.items()}
    form.renew(new_form_key(), **boxes)
    return pasted


def _checked(form: CodesForm, item_id: int, card: Any) -> list[tuple[Any, str, str, str]]:
    """What would become of each line of an item's box: unit, mask, tone, words."""
    codes = [code for code, _ in form.typed(item_id)]
    units = card.missing_units
    rows: list[tuple[Any, str, str, str]] = []
    verdicts = judged(codes, item_id=item_id, variant_id=card.item.variant_id)
    for place, verdict in enumerate(verdicts):
        if place >= len(units):
            rows.append(("", verdict.mask, "bad", "one too many"))
        else:
            tone = "good" if verdict.good else "bad"
            rows.append((units[place], verdict.mask, tone, verdict.words))
    rows += [(unit, "", "warn", "no code yet") for unit in units[len(codes) :]]
    return rows


def _entered(request: HttpRequest, order: Order, form: CodesForm) -> set[int]:
    """Save and mail what was typed; the items that were taken. Refusals stand at their box."""
    data, user = form.cleaned_data, staff(request)
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

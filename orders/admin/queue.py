"""The queue: which orders need a person, by cause, whose they are, and how one is found."""

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.http import urlencode

from core.errors import DomainError
from fulfillment.queue import (
    MOST_COUNTED,
    NONE,
    TAB_LABELS,
    Wish,
    found_by,
    incidents,
    orders_wished,
    page_of_queue,
    tab_counts,
)
from notifications.selectors import kind_words
from orders.admin.base import Back, OrderDoor, address, back_to, post, staff
from orders.claims import claim_order, hand_back
from orders.forms import QueueForm
from orders.models import Order
from payments.selectors import orders_by_gateway_id
from vouchers.selectors import vouchers_by_code

PAGE: Final = 50
#: Our words for what the plan of a run is asked.
RUN_WORDS: Final = {
    "tab": "tab", "partner": "partner", "cause": "cause", "q": "search", "status": "status",
    "method": "payment_method", "from": "placed_from", "to": "placed_to",
}  # fmt: skip
TIMES: Final = ("from", "to", "paid_from", "paid_to")
CLAIMS: Final = {"mine": "Mine", "free": "Nobody's"}


def wish_of(request: HttpRequest) -> tuple[Wish, dict[str, str]]:
    """What the address asks for, and the same as clean parameters; a word nobody knows is none."""
    form = QueueForm(request.GET)
    form.is_valid()
    given = {name: value for name, value in form.cleaned_data.items() if value not in ("", None)}
    narrow = given.keys() - {"tab", "after"}
    given.setdefault("tab", "all" if narrow - {"claim"} else "needs_attention")
    claim = given.get("claim")
    wish = Wish(
        tab=given["tab"],
        search=given.get("q", ""),
        status=given.get("status", ""),
        payment_method=given.get("method", ""),
        partner=given.get("partner", ""),
        cause=given.get("cause", ""),
        alert=given.get("alert", ""),
        claimed_by=staff(request).pk if claim == "mine" else None,
        unclaimed_at=timezone.now() if claim == "free" else None,
        placed_from=given.get("from"),
        placed_to=given.get("to"),
        paid_from=given.get("paid_from"),
        paid_to=given.get("paid_to"),
    )
    shown = {name: str(request.GET.get(name, value)) for name, value in given.items()}
    return wish, shown


class QueueDoor(OrderDoor):
    """The list of orders is the queue; its address is the saved filter."""

    def queue_routes(self) -> list[URLPattern]:
        return [
            self.route("find/", post(self.find), "find"),
            self.route("<int:pk>/claim/", post(self.claim), "claim"),
            self.route("<int:pk>/hand-back/", post(self.hand_back), "hand_back"),
        ]

    def changelist_view(
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        wish, given = wish_of(request)
        after = given.pop("after", None)
        page = page_of_queue(
            orders_wished(wish),
            limit=PAGE,
            after=int(after) if after else None,
            oldest_first=wish.tab != "all",
        )
        plain = given.keys() <= {"tab"} and not after
        chips = [(_chip(name, value), _without(given, name)) for name, value in given.items()
                 if name not in ("tab", "claim")]  # fmt: skip
        context = self.admin_site.each_context(request) | {
            "title": "Orders",
            "opts": self.opts,
            "page": page,
            "most": MOST_COUNTED,
            "now": timezone.now(),
            "tabs": tab_counts(),
            "tab": wish.tab,
            "tab_label": TAB_LABELS[wish.tab],
            "chips": chips,
            "claims": [(words, word, given.get("claim") == word, _toggled(given, "claim", word))
                       for word, words in CLAIMS.items()],
            "incidents": incidents() if wish.tab == "needs_attention" and plain else [],
            "query": urlencode(given),
            "run": _run(given),
            "after": after,
            "form": QueueForm(initial={"tab": wish.tab, **given}),
            "given": given,
        }  # fmt: skip
        return TemplateResponse(request, "admin/orders/order/queue.html", context)

    def find(self, request: HttpRequest) -> HttpResponse:
        """By POST, so that a code searched for is in no address and no access log (D20)."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        term = request.POST.get("q", "").replace("\0", "").strip()[:500]
        listed = reverse("admin:orders_order_changelist")
        if not term:
            return Back(listed)
        found = list(found_by(Order.objects.all(), term).values_list("pk", flat=True)[:2])
        found = found or list(orders_by_gateway_id(term)[:2])
        if len(found) == 1:
            return Back(address(found[0]))
        if found:
            return Back(f"{listed}?{urlencode({'tab': 'all', 'q': term})}")
        in_pool = bool(vouchers_by_code([term]))
        where = "is a code in our pool, sold to nobody." if in_pool else "is in no order."
        messages.warning(request, f"What you searched for {where}")
        return Back(listed)

    def claim(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self.order_for(request, pk, right="fulfillment.resend_codes")
        try:
            claim_order(order.pk, operator=staff(request), now=timezone.now())
        except DomainError as exc:
            messages.warning(request, exc.message)
        return back_to(request, pk)

    def hand_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self.order_for(request, pk, right="fulfillment.resend_codes")
        hand_back(order.pk, operator=staff(request))
        return back_to(request, pk)


def _run(given: dict[str, str]) -> str:
    """The filter in the words of a bulk run's plan; empty where a run can't be so picky."""
    if given["tab"] == "all" or given.keys() - RUN_WORDS.keys():
        return ""
    return urlencode({RUN_WORDS[name]: value for name, value in given.items()})


def _chip(name: str, value: str) -> str:
    words = {"q": "Search", "method": "Paid by", "from": "Placed from", "to": "Placed before"}
    told = kind_words(value) if name == "alert" else "none" if value == NONE else value
    if name in TIMES:
        told = told.replace("T", " ")
    return f"{words.get(name, name.capitalize().replace('_', ' '))}: {told}"


def _without(given: dict[str, str], name: str) -> str:
    return urlencode({key: value for key, value in given.items() if key != name})


def _toggled(given: dict[str, str], name: str, value: str) -> str:
    if given.get(name) == value:
        return _without(given, name)
    return urlencode({**given, name: value})

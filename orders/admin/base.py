"""What the pages of an order share: who may open it, and how an act is told."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from core.admin import LookAdmin, spend_form_key
from core.errors import DomainError
from orders.models import Order

Back = HttpResponseRedirect
Said = tuple[int, str]
"""How an act went: a level of messages, and a sentence."""
read = require_http_methods(["GET", "HEAD"])
post = require_POST


class OrderDoor(LookAdmin[Order]):
    def route(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        return path(route, self.admin_site.admin_view(view), name=f"orders_order_{name}")

    def order_for(self, request: HttpRequest, pk: int, *, right: str = "") -> Order:
        may = self.has_view_permission(request) and (not right or staff(request).has_perm(right))
        if not may:
            raise PermissionDenied
        return get_object_or_404(Order.objects.select_related("customer", "subscription"), pk=pk)


def staff(request: HttpRequest) -> User:
    return cast("User", request.user)


def address(pk: int, query: str = "") -> str:
    place = reverse("admin:orders_order_change", args=[pk])
    return f"{place}?{query}" if query else place


def back_to(request: HttpRequest, pk: int) -> HttpResponse:
    """The order's page, in the queue it was reached from."""
    return Back(address(pk, request.GET.urlencode()))


def acted(
    request: HttpRequest, order: Order, form: Any, act: Callable[[Any], Said]
) -> HttpResponse:
    """Do it once, tell how it went, and go back to the order."""
    if not form.is_valid():
        told = "; ".join(str(error) for errors in form.errors.values() for error in errors)
        messages.error(request, f"Nothing was done: {told}")
        return back_to(request, order.pk)
    try:
        spend_form_key(staff(request).pk, str(form.cleaned_data["form_key"]))
        level, said = act(form.cleaned_data)
    except DomainError as exc:
        level, said = messages.ERROR, exc.message
    messages.add_message(request, level, said)
    return back_to(request, order.pk)

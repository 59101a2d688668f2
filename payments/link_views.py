"""Pages of the links in mails, each with one button, for who has not signed in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.errors import DomainError
from core.limits import client_address
from orders.links import order_of, subscription_of
from orders.models import Order
from orders.states import LIVING, PAYABLE
from payments.renewals import end_by_customer
from payments.services import initiate_payment


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """A GET changes nothing: programs that look through mails follow links too."""
    order = order_of(token)
    if order is None or order.customer_id is None:
        return render(request, "payments/pay.html", {"order": None}, status=404)
    context: dict[str, Any] = {
        "order": order,
        "items": list(order.items.all()),
        "language": order.language,
        "payable": order.status in PAYABLE,
    }
    if request.method == "POST" and context["payable"]:
        context["address"] = _opened(order, client_address(request))
        context["failed"] = not context["address"]
    return render(request, "payments/pay.html", context)


def _opened(order: Order, address: str) -> str:
    """The gateway's page; empty where none could be opened."""
    try:
        result = initiate_payment(
            order.customer_id or 0,
            order.order_number,
            method=None,
            amount=None,
            currency=None,
            description="",
            now=timezone.now(),
            address=address,
        )
    except DomainError:
        return ""
    return result.payment.redirect_url if result.payment else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end_subscription(request: HttpRequest, token: str) -> HttpResponse:
    """A GET changes nothing here either."""
    subscription = subscription_of(token)
    if subscription is None:
        return render(request, "payments/end.html", {"subscription": None}, status=404)
    if request.method == "POST" and subscription.status in LIVING:
        end_by_customer(subscription.pk, now=timezone.now())
        subscription.refresh_from_db()
    context = {
        "subscription": subscription,
        "language": subscription.customer.language,
        "living": subscription.status in LIVING,
    }
    return render(request, "payments/end.html", context)

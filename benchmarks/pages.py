"""Searches and the operators' pages: server time of each, in this process, on one size."""

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.test import Client

from accounts.authentication import CLIENT, tokens_for
from accounts.models import User
from orders.models import Order
from vouchers.ciphers import unseal_secret
from vouchers.models import Voucher

BUYS_MOST: Final = 1
"""The customer with most orders (see `seed_sql.chunk`)."""
_LISTS: Final = {
    "payments": "payments/payment", "refunds": "payments/refund",
    "callbacks": "payments/gatewaycallback", "attempts": "fulfillment/fulfillmentattempt",
    "purchases": "fulfillment/partnertransaction", "bulk runs": "fulfillment/recoveryrun",
    "mails": "notifications/emailmessage", "alerts": "notifications/adminalert",
    "vouchers": "vouchers/voucher", "batches": "vouchers/batch", "stock": "vouchers/stock",
    "products": "catalog/product", "variants": "catalog/variant",
    "sources": "catalog/partnersource", "partners": "catalog/partner",
    "discounts": "orders/discountcode", "subscriptions": "orders/subscription",
    "accounts": "accounts/user", "groups": "auth/group", "staff's acts": "accounts/staffaction",
    "books": "books/bookspage", "reconciliations": "books/reconciliation",
}  # fmt: skip
PAGES: Final = {
    "dashboard": "/admin/",
    "orders": "/admin/orders/order/",
    "orders, delivered": "/admin/orders/order/?status__exact=SUCCEEDED",
    "orders, in need": "/admin/orders/order/?status__exact=NEEDS_ATTENTION",
    "orders, by e-mail": "/admin/orders/order/?q=customer77@example.com",
    "orders, by number": "/admin/orders/order/?q={number}",
    "orders, page 150": "/admin/orders/order/?p=150",
    **{name: f"/admin/{where}/" for name, where in _LISTS.items()},
    "vouchers, free": "/admin/vouchers/voucher/?status__exact=available",
    "accounts, by e-mail": "/admin/accounts/user/?q=customer77@example.com",
    "one order": "/admin/orders/order/{pk}/change/",
    "one batch, of all codes": "/admin/vouchers/batch/1/change/",
    "books, a year by month": "/admin/books/bookspage/?first=2025-07-01&last=2026-06-30&by=month",
    "books, a month by day": "/admin/books/bookspage/?first=2026-04-01&last=2026-04-30&by=day",
}
OK: Final = (200, 302)


def timed(call: Callable[[], Any], times: int) -> float:
    """The median of a few, in milliseconds, after one that is not counted."""
    call()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def _get(client: Client, path: str, **headers: str) -> Any:
    answer = client.get(path, headers=headers)
    if answer.status_code not in OK:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.content[:300]!r}")
    return answer


def _staff() -> Client:
    users = get_user_model().objects
    operator = users.filter(email="bench@example.com").first() or users.create_superuser(
        "bench@example.com"
    )
    client = Client()
    client.force_login(operator)
    return client


def admin_pages(times: int) -> dict[str, float]:
    client, order = _staff(), Order.objects.filter(status="SUCCEEDED").order_by("-pk")[77]
    return {
        name: timed(
            lambda path=path: _get(client, path.format(number=order.order_number, pk=order.pk)),
            times,
        )
        for name, path in PAGES.items()
    }


def searches(times: int) -> dict[str, float]:
    """Staff: an exact code among all. Customers: a group of a code, a product's name."""
    client = _staff()
    sold = Voucher.objects.filter(status="sold").exclude(order_item__order__customer=BUYS_MOST)
    row = sold.select_related("order_item__order__customer").order_by("-pk")[55]
    code = unseal_secret(row.secret).code
    token = f"Bearer {tokens_for(row.order_item.order.customer, door=CLIENT)[0]}"
    most = User.objects.get(pk=BUYS_MOST)
    theirs = Voucher.objects.filter(status="sold", order_item__order__customer=most).order_by("pk")
    theirs_too = theirs.select_related("order_item")[5]
    their_group = unseal_secret(theirs_too.secret).code.partition("-")[0]
    their_name = theirs_too.order_item.product_name.partition(" ")[0]
    their_token = f"Bearer {tokens_for(most, door=CLIENT)[0]}"

    def find() -> None:
        answer = client.post("/admin/orders/order/find/", {"q": code})
        if str(row.order_item.order_id) not in answer.headers.get("Location", ""):
            raise RuntimeError(f"The code was not found: {answer.status_code}")

    def mine(text: str, bearer: str) -> Callable[[], None]:
        def search() -> None:
            found = _get(client, f"/api/v1/vouchers?search={text}", authorization=bearer).json()
            if not found["data"]["items"]:
                raise RuntimeError("The voucher was not found.")

        return search

    name = row.order_item.product_name.partition(" ")[0]
    return {
        "staff, exact code": timed(find, times),
        "customer, code group": timed(mine(code.partition("-")[0], token), times),
        "customer, product name": timed(mine(name, token), times),
        "buys most, code group": timed(mine(their_group, their_token), times),
        "buys most, product name": timed(mine(their_name, their_token), times),
    }

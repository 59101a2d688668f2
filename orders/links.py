"""Signed links to an order, for whoever got the mail: they show no code and open no account."""

from django.conf import settings
from django.core import signing

from orders.models import Order, Subscription

PAY_SALT = "orders.pay"
END_SALT = "orders.subscription.end"


def pay_link(order: Order) -> str:
    """Where this order can be paid, without signing in."""
    token = signing.dumps(order.pk, salt=PAY_SALT, compress=False)
    return f"{settings.PUBLIC_BASE_URL}/pay/{token}"


def order_of(token: str) -> Order | None:
    try:
        pk = signing.loads(token, salt=PAY_SALT)
    except signing.BadSignature:
        return None
    return Order.objects.select_related("customer").filter(pk=pk).first()


def end_link(subscription_id: int) -> str:
    """Where a customer can end a subscription, without signing in."""
    token = signing.dumps(subscription_id, salt=END_SALT, compress=False)
    return f"{settings.PUBLIC_BASE_URL}/subscriptions/end/{token}"


def subscription_of(token: str) -> Subscription | None:
    try:
        pk = signing.loads(token, salt=END_SALT)
    except signing.BadSignature:
        return None
    rows = Subscription.objects.select_related("customer", "variant__product")
    return rows.filter(pk=pk).first()

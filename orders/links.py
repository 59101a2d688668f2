"""Signed links to an order, for whoever got the mail: they show no code and open no account."""

from django.conf import settings
from django.core import signing

from orders.models import Order

PAY_SALT = "orders.pay"


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

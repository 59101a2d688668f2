"""Lists cost the same for one row and for thirty."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from fulfillment.models import FulfillmentAttempt
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from payments.models import Payment
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


def statements(url, user):
    client = APIClient()
    client.get(url, **bearer(user))  # what is loaded once a process is not the list's
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url, **bearer(user))
    assert answer.status_code == 200, answer.content
    return answer.json()["data"], len(queries)


def placed(customer):
    order = OrderFactory(paid=True, customer=customer)
    for _ in range(2):
        VoucherFactory(order_item=OrderItemFactory(order=order))
    Payment.objects.create(
        order=order, method="bkash", reference=f"BDV-{order.pk}", amount=500, created_at=PAID_AT
    )


def test_my_orders():
    customer = UserFactory()
    placed(customer)
    one, few = statements("/api/v1/orders?limit=100", customer)
    for _ in range(29):
        placed(customer)
    many, same = statements("/api/v1/orders?limit=100", customer)
    assert (len(one["items"]), len(many["items"])) == (1, 30)
    assert few == same
    assert few - 1 <= 6  # besides the sign-in


def attempted(item, user):
    FulfillmentAttempt.objects.create(
        order=item.order, item=item, type="MANUAL_CODE_INPUT", status="PARTNER_FAILED",
        admin_user=user, created_at=PAID_AT, ended_at=PAID_AT,
    )  # fmt: skip


@pytest.mark.parametrize("trait", ["operator", "support"])
def test_the_audit_trail(trait):
    item, user = OrderItemFactory(), UserFactory(**{trait: True})
    url = f"/api/v1/admin/orders/{item.order_id}/fulfillment-attempts?limit=100"
    attempted(item, user)
    one, few = statements(url, user)
    for _ in range(29):
        attempted(item, user)
    many, same = statements(url, user)
    assert (len(one["items"]), len(many["items"])) == (1, 30)
    assert few == same


def test_one_order_of_many_units():
    customer = UserFactory()
    small, large = (
        OrderFactory(paid=True, customer=customer),
        OrderFactory(paid=True, customer=customer),
    )
    VoucherFactory(order_item=OrderItemFactory(order=small))
    for _ in range(5):
        item = OrderItemFactory(order=large, quantity=6)
        for _ in range(6):
            VoucherFactory(order_item=item)
    one, few = statements(f"/api/v1/orders/{small.pk}", customer)
    many, same = statements(f"/api/v1/orders/{large.pk}", customer)
    assert (len(one["voucher_codes"]), len(many["voucher_codes"])) == (1, 30)
    assert few == same
    assert few - 1 <= 5  # besides the sign-in

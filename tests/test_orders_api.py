"""A customer's orders over HTTP (seed Orders and Voucher Redemption; D5, D6, D8, D26, D30)."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from fulfillment.processing import process
from fulfillment.tests.factories import item_of, paid_order, pool_of
from notifications.tests.smtp import no_server
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


def seen(order, key=None, status=200):
    answer = APIClient().get(f"/api/v1/orders/{key or order.pk}", **bearer(order.customer))
    assert answer.status_code == status, answer.content
    return answer.json()["data"] if status == 200 else answer.json()


def test_a_delivered_order_shows_what_was_mailed_at_both_levels():
    expires = datetime(2027, 4, 27, tzinfo=UTC)
    order = paid_order((pool_of("ABCD-1234-EFGH-5678", "WXYZ-9876-MNOP-5432"), 2))
    Voucher.objects.filter(mask="••••5678").update(expires_at=expires, serial_number="S-1")
    process(order_id=order.pk)
    data = seen(order)
    codes = ["ABCD-1234-EFGH-5678", "WXYZ-9876-MNOP-5432"]
    assert (data["status"], data["voucher_codes"]) == ("SUCCEEDED", codes)
    assert data["dispatched_email"] == order.recipient_email
    assert data["email_sent_at"].endswith("Z")
    (item,) = data["items"]
    assert (item["fulfilled"], item["fulfillment_status"], item["voucher_codes"]) == (
        True, "SUCCEEDED", codes,
    )  # fmt: skip
    assert item["fulfilled_at"] <= data["email_sent_at"]
    voucher = Voucher.objects.get(unit_no=1)
    assert item["voucher"] == {
        "id": voucher.pk,
        "code": "ABCD-1234-EFGH-5678",
        "status": "sold",
        "serial_number": "S-1",
        "expires_at": "2027-04-27T00:00:00.000Z",
    }
    assert seen(order, order.order_number) == data


def test_a_reserved_code_is_shown_to_nobody():
    item = OrderItemFactory(order=OrderFactory())
    VoucherFactory(order_item=item, status="reserved", sold_at=None, reserved_until=timezone.now())
    data = seen(item.order)
    assert (data["voucher_codes"], data["items"][0]["voucher"]) == ([], None)


def test_saved_codes_are_shown_before_the_mail_and_fulfilled_waits(settings):
    order = paid_order((pool_of("ABCD-1234"), 1))
    with no_server(settings):
        process(order_id=order.pk)
    data = seen(order)
    assert (data["status"], data["voucher_codes"]) == ("NEEDS_ATTENTION", ["ABCD-1234"])
    assert (data["dispatched_email"], data["email_sent_at"]) == (None, None)
    item = data["items"][0]
    assert (item["fulfilled"], item["fulfilled_at"], item["fulfillment_status"]) == (
        False, None, "DISPATCH_FAILED",
    )  # fmt: skip
    assert item_of(order).fulfilled_at is None


def test_the_orders_language_words_the_status():
    english = seen(OrderFactory(language="en"))
    bangla = seen(OrderFactory(language="bn"))
    assert english["status"] == bangla["status"] == "INITIATED"
    assert english["status_label"] != bangla["status_label"]
    assert english["status_message"] != bangla["status_message"]


def test_pages_of_my_orders():
    customer = UserFactory()
    orders = [OrderFactory(customer=customer) for _ in range(12)]
    OrderFactory()
    client = APIClient()
    client.credentials(**bearer(customer))
    first = client.get("/api/v1/orders").json()["data"]
    assert [each["id"] for each in first["items"]] == [each.pk for each in orders[:1:-1]]
    assert {name: first[name] for name in ("page", "limit", "total", "total_pages")} == {
        "page": 1, "limit": 10, "total": 12, "total_pages": 2,
    }  # fmt: skip
    second = client.get("/api/v1/orders?page=2").json()["data"]
    assert [each["id"] for each in second["items"]] == [orders[1].pk, orders[0].pk]
    assert client.get("/api/v1/orders?page=3").json()["data"]["items"] == []
    assert client.get("/api/v1/orders?limit=101").status_code == 400
    assert APIClient().get("/api/v1/orders").status_code == 401


@pytest.mark.parametrize("key", ["99999999", "0", "abc", "1" * 19, "%27"])
def test_what_is_not_there_is_not_found(key):
    answer = seen(OrderFactory(), key, status=404)
    assert (answer["success"], answer["error"]["code"]) == (False, "NOT_FOUND")

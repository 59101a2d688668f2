"""What the lists, the order page and the landing page tell, and what they cost."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import process
from fulfillment.tests.factories import (
    offered,
    paid_order,
    stuck_order,
)
from orders.models import Order
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from payments.models import Payment
from payments.tests.factories import PaymentFactory
from tests.admin.bulk import stuck_orders
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
CODE, PIN = "CANARY-7Q2X-9M4K-ZZ81", "5519"


def test_the_page_tells_the_whole_story(page, zendit):
    zendit.meets("A", "no_stock")
    order = paid_order((offered("A"), 2), fulfillment_input={"player_id": "777123"})
    Payment.objects.create(
        order=order, method="bkash", reference="BDV-1-1", amount=500, status="SUCCEEDED",
        effective=True, paid_at=PAID_AT, created_at=PAID_AT,
    )  # fmt: skip
    process(order_id=order.pk)
    told = page.get(order).content.decode()
    attempt, bought = FulfillmentAttempt.objects.first(), PartnerTransaction.objects.first()
    words = ["2 of 2 codes are missing", "777123", "BDV-1-1", bought.reference, "Automatic"]
    for word in [*words, attempt.correlation_id, "Status", "Not delivered"]:
        assert word in told, word


def cost_of(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(queries), answer.content.decode()


def test_an_order_costs_the_same_for_2_units_and_for_40(client, sign_in):
    sign_in("operator")
    small, large = stuck_order(2), stuck_order(20, 20)
    few, _ = cost_of(client, f"{LIST}{small.pk}/change/")
    many, _ = cost_of(client, f"{LIST}{large.pk}/change/")
    assert few == many
    assert many <= 36


def test_an_order_is_found_by_what_people_have(client, sign_in):
    sign_in("support")
    order = OrderFactory(paid=True, recipient_email="Rahim@Example.com")
    OrderFactory()
    VoucherFactory(order_item=OrderItemFactory(order=order), code=CODE)
    number, page = order.order_number, f"{LIST}{order.pk}/change/"
    terms = [
        number, f"#{number}", f"BDV-{number}-1", f"{number}I7U1T1", "rahim@example.com",
        order.customer.msisdn, f"0{order.customer.msisdn[3:]}", CODE, f" {CODE.lower()} ",
    ]  # fmt: skip
    for term in terms:
        answer = client.post(f"{LIST}find/", {"q": term})
        assert answer.url == page, term
    for term in ("nothing", "", "NO-SUCH-CODE"):
        answer = client.post(f"{LIST}find/", {"q": term})
        assert answer.url == LIST
    assert client.get(f"{LIST}find/").status_code == 405
    OrderFactory(recipient_email="rahim@example.com")
    listed = client.post(f"{LIST}find/", {"q": "rahim@example.com"}).url
    assert client.get(listed).content.decode().count('class="field-number"') == 2
    PaymentFactory(order=order, gateway_transaction_id="8N7A6D5EE7")
    assert client.post(f"{LIST}find/", {"q": "8N7A6D5EE7"}).url == page


def test_long_lists_are_not_counted_to_their_end(client, sign_in, monkeypatch):
    monkeypatch.setattr("fulfillment.queue.MOST_COUNTED", 5)
    sign_in("operator")
    stuck_orders(8)
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST)
    counts = [each["sql"] for each in queries if "COUNT(" in each["sql"]]
    assert counts
    assert all("LIMIT 5" in sql or "LIMIT 6" in sql for sql in counts)


def test_the_landing_page_tells_what_waits(client, sign_in):
    sign_in("operator")
    now = timezone.now()
    stuck = stuck_order()
    Order.objects.filter(pk=stuck.pk).update(paid_at=now - timedelta(hours=3))
    told = client.get("/admin/").content.decode()
    assert f"#{stuck.order_number}" in told
    assert "3 h 0 min" in told
    assert "tab=needs_attention&amp;cause=NO_STOCK&amp;partner=-" in told

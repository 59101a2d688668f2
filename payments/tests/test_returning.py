"""Back to the client's own page: an entry of the list to the letter, and never a code."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.checks import run_checks
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.tests.factories import VariantFactory
from orders.models import Order
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import Payment
from payments.tests.factories import PaymentFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
APP = "https://app.example.com/paid"
CODE = "RETURN-CANARY-77AA-88BB"
TRICKS = [
    "https://evil.example/paid",
    "//evil.example/paid",
    "/\\evil.example",
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/paid/",
    "https://app.example.com/paid?next=https://evil.example",
    "https://app.example.com/paid#@evil.example",
    "https://app.example.com/paid/../../evil",
    "https://app.example.com/paidx",
    "https://app.example.com.evil.example/paid",
    "https://app.example.com@evil.example/paid",
    "https://evil.example\\@app.example.com/paid",
    "https://APP.example.com/paid",
    "https://app.example.com:443/paid",
    "http://app.example.com/paid",
    "https:app.example.com/paid",
    "https:///app.example.com/paid",
    "https://\uff41pp.example.com/paid",
    "https://app.example.com/paid\u200b",
    "https://app.example.com/paid\r\nSet-Cookie: x=y",
    "javascript:alert(1)//https://app.example.com/paid",
    "data:text/html,https://app.example.com/paid",
]


@pytest.fixture(autouse=True)
def listed(settings):
    settings.RETURN_ADDRESSES = [APP]


def body(**more):
    variant = VariantFactory(preloaded=True)
    VoucherFactory(variant=variant)
    items = [{"variant_id": variant.pk, "quantity": 1}]
    return {"items": items, "payment_method": "paystation", **more}


@pytest.mark.parametrize("address", TRICKS)
def test_what_is_not_on_the_list_is_refused_before_anything_is_placed(
    customer, paystation, address
):
    answer = customer.post("orders", body(return_url=address), status=400)
    (detail,) = answer["error"]["details"]
    assert (detail["field"], detail["code"]) == ("return_url", "not_allowed")
    assert (Order.objects.count(), Payment.objects.count(), paystation.opened) == (0, 0, [])


def test_another_try_is_held_to_the_list_as_well(customer, paystation):
    order = OrderFactory(customer=customer.user)
    for path, more in ((f"payments/initiate/{order.pk}", {}),
                       ("payments/initiate", {"orderId": str(order.pk)})):  # fmt: skip
        answer = customer.post(path, {"return_url": TRICKS[0], **more}, status=400)
        assert answer["error"]["details"][0]["field"] == "return_url"
    assert Payment.objects.count() == 0
    customer.post(f"payments/initiate/{order.pk}", {"return_url": APP}, status=200)
    assert Payment.objects.get().return_url == APP


def came_back(payment):
    url = "/api/v1/payments/paystation/callback"
    return APIClient().get(url, {"invoice_number": payment.reference, "return_url": TRICKS[0]})


def test_the_browser_is_sent_there_with_number_and_status_only(customer, paystation):
    placed = customer.post("orders", body(return_url=APP), status=201)["data"]
    payment = Payment.objects.get()
    paystation.pays(payment.reference)

    where = came_back(payment)["Location"]

    assert where.partition("?")[0] == APP
    assert parse_qs(urlsplit(where).query) == {
        "order_number": [placed["order_number"]], "status": ["PENDING"],
    }  # fmt: skip


def test_of_a_delivered_order_no_code_is_told(customer, paystation):
    order = OrderFactory(paid=True, customer=customer.user, status="PENDING")
    VoucherFactory(order_item=OrderItemFactory(order=order), code=CODE)
    payment = PaymentFactory(
        order=order, status="SUCCEEDED", effective=True, paid_at=timezone.now(), return_url=APP
    )
    where = came_back(payment)["Location"]
    assert where.startswith(f"{APP}?")
    assert CODE not in where
    assert set(parse_qs(urlsplit(where).query)) == {"order_number", "status"}


def test_what_was_taken_off_the_list_is_sent_nobody(settings, paystation):
    payment = PaymentFactory(order=OrderFactory(), return_url=APP)
    settings.RETURN_ADDRESSES = []
    assert came_back(payment)["Location"].startswith("/payments/return/")


def test_without_one_it_is_our_own_page(customer, paystation):
    customer.post("orders", body(), status=201)
    assert came_back(Payment.objects.get())["Location"].startswith("/payments/return/")


@pytest.mark.parametrize(
    "entry",
    ["app.example.com/paid", "https://app.example.com", "https://x@app.example.com/paid", "",
     "https://app.example.com/paid?x=1", "javascript:alert(1)", "/paid", "https://[x/paid"],
)  # fmt: skip
def test_an_entry_nobody_could_use_is_told(settings, entry):
    settings.RETURN_ADDRESSES = [entry]
    assert [each.id for each in run_checks() if "RETURN_ADDRESSES" in each.msg] == [
        "bdvoucher.E027"
    ]

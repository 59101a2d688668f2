"""What a gateway takes: refused before anything is placed, by the field's name."""

from decimal import Decimal

import pytest
from django.core.checks import run_checks

from catalog.tests.factories import VariantFactory
from core.errors import BadRequest
from orders.models import Order
from orders.tests.factories import OrderFactory
from payments.limits import check_amount
from payments.models import Payment
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings):
    settings.GATEWAY_LIMITS = ["paystation:10-50:whole", "bkash:1-100000"]


@pytest.mark.parametrize("amount", ["10", "50.00", "11", "0"])
def test_what_is_taken(amount):
    check_amount("paystation", Decimal(amount), field="method")
    check_amount("nagad", Decimal(amount), field="method")


@pytest.mark.parametrize(
    ("amount", "code"),
    [("9.99", "amount_out_of_band"), ("51", "amount_out_of_band"), ("10.50", "not_whole_taka")],
)
def test_what_is_refused(amount, code):
    with pytest.raises(BadRequest) as refused:
        check_amount("paystation", Decimal(amount), field="method")
    assert [(each.field, each.code) for each in refused.value.details] == [("method", code)]


def test_an_order_is_refused_before_it_is_placed(customer, paystation):
    variant = VariantFactory(preloaded=True, price=Decimal(60))
    VoucherFactory(variant=variant)
    body = {"items": [{"variant_id": variant.pk, "quantity": 1}], "payment_method": "paystation"}
    answer = customer.post("orders", body, status=400)
    assert answer["error"]["details"][0]["field"] == "payment_method"
    assert "10 to 50 BDT" in answer["error"]["details"][0]["message"]
    assert (Order.objects.count(), Payment.objects.count(), paystation.opened) == (0, 0, [])
    assert customer.post("orders", {**body, "payment_method": "bkash"}, status=201)["data"]["id"]


def test_another_try_names_the_method(customer, paystation):
    order = OrderFactory(customer=customer.user, total_amount=Decimal(60))
    answer = customer.post(f"payments/initiate/{order.pk}", {"method": "paystation"}, status=400)
    assert answer["error"]["details"][0]["field"] == "method"
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("entry", ["dcb", "dcb:1", "dcb:50-1", "dcb:1-x", "dcb:1-5:half", "x:1-5"])
def test_a_limit_nobody_can_read_is_told(settings, entry):
    settings.GATEWAY_LIMITS = [entry]
    told = [each for each in run_checks() if "GATEWAY_LIMITS" in each.msg]
    assert [each.id for each in told] == ["bdvoucher.E019"]

"""`POST /api/v1/orders` and `/payments/initiate` (seed Orders; D14, D17, D24, D31 to D33, D43)."""

import hashlib
import json
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import ProductFactory, SourceFactory, VariantFactory
from core.models import IdempotencyKey
from fulfillment.models import FulfillmentAttempt
from orders.models import DiscountCode, Order, OrderEvent, OrderItem
from payments.models import Payment
from payments.tests.conftest import Customer
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def pool(units, price="100.00"):
    variant = VariantFactory(preloaded=True, price=Decimal(price))
    for _ in range(units):
        VoucherFactory(variant=variant)
    return variant


def body(*lines, **more):
    items = [{"variant_id": variant.pk, "quantity": units} for variant, units in lines]
    return {"items": items, "payment_method": "paystation", **more}


def kept():
    models = (Order, OrderItem, OrderEvent, Payment, Voucher, DiscountCode)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(customer, request, *, status=400):
    before = kept()
    answer = customer.post("orders", request, status=status)
    assert kept() == before
    assert answer["success"] is False
    return answer


def named(answer):
    return [each["field"] for each in answer["error"]["details"]]


def test_the_seeds_own_body(customer, paystation):
    player = VariantFactory(
        product=ProductFactory(asks_player=True), zendit=True, price=Decimal(100)
    )
    pooled = pool(1, "300.00")
    request = {
        "items": [
            {
                "variant_id": player.pk,
                "quantity": 2,
                "fulfillment_input": {"player_id": "123456789"},
            },
            {"variant_id": pooled.pk, "quantity": 1},
        ],
        "payment_method": "paystation",
        "recipient_email": "gift-recipient@example.com",
    }  # fmt: skip
    answer = customer.post("orders", request, status=201)
    assert (answer["success"], answer["message"]) == (True, "Payment session created")
    data, order = answer["data"], Order.objects.get()
    assert data["payment"] == {
        "transactionId": f"BDV-{order.order_number}-1",
        "status": "PENDING",
        "method": "paystation",
        "paymentGatewayUrl": f"https://www.paystation.com.bd/pay/BDV-{order.order_number}-1",
    }
    assert (data["id"], data["order_number"], data["status"]) == (
        order.pk, order.order_number, "INITIATED",
    )  # fmt: skip
    assert (data["total_amount"], data["currency"]) == (500, "BDT")
    assert (data["discount_code"], data["discount_amount"]) == (None, None)
    assert (data["voucher_codes"], data["dispatched_email"], data["email_sent_at"]) == (
        [], None, None,
    )  # fmt: skip
    first, second = data["items"]
    assert (first["variant_id"], first["quantity"], first["unit_price"]) == (player.pk, 2, 100)
    assert first["fulfillment_input"] == {"player_id": "123456789"}
    assert (second["voucher_codes"], second["voucher"], second["fulfilled"]) == ([], None, False)
    (payment,) = data["payments"]
    assert (payment["transaction_id"], payment["status"]) == (
        f"BDV-{order.order_number}-1", "PENDING",
    )  # fmt: skip
    assert order.recipient_email == "gift-recipient@example.com"
    voucher = Voucher.objects.get()
    assert (voucher.status, voucher.reserved_until) == ("reserved", order.pay_until)
    assert paystation.opened[0]["payment_amount"] == "500"
    assert FulfillmentAttempt.objects.count() == 0


def test_without_init_payment_no_gateway_is_asked(customer, paystation):
    data = customer.post("orders", body((pool(1), 1), init_payment=False), status=201)["data"]
    assert (data["payment"], data["payments"], paystation.opened) == (None, [], [])


@pytest.mark.parametrize(
    ("opening", "payment_status"),
    [("down", "INITIATED"), ("unreachable", "FAILED"), ("refused", "FAILED"),
     ("credentials", "FAILED")],
)  # fmt: skip
def test_a_gateway_that_is_down_leaves_a_good_order(customer, paystation, opening, payment_status):
    paystation.opening = opening
    answer = customer.post("orders", body((pool(1), 1)), status=201)
    assert answer["data"]["payment"] is None
    assert "can't be opened just now" in answer["message"]
    order = Order.objects.get()
    assert (order.status, Payment.objects.get().status) == ("INITIATED", payment_status)
    assert Voucher.objects.get().status == "reserved"
    paystation.opening = "open"
    again = customer.post(f"payments/initiate/{order.pk}", status=200)
    assert again["data"]["transactionId"] == f"BDV-{order.order_number}-2"
    assert again["data"]["paymentGatewayUrl"].endswith("-2")


def test_too_little_stock_names_the_item_and_what_is_left(customer, paystation):
    enough, short, gone = pool(5), pool(2), pool(0)
    answer = refused(customer, body((enough, 5), (short, 3), (gone, 1)), status=409)
    assert answer["error"]["code"] == "CONFLICT"
    assert answer["error"]["details"] == [
        {"field": "items.1.quantity", "code": "out_of_stock", "message": "Only 2 of 3 left."},
        {"field": "items.2.quantity", "code": "out_of_stock", "message": "Only 0 of 1 left."},
    ]
    assert paystation.opened == []


def test_the_same_variant_twice_is_two_items_of_one_stock(customer, paystation):
    variant = pool(3)
    answer = refused(customer, body((variant, 2), (variant, 2)), status=409)
    assert [each["message"] for each in answer["error"]["details"]] == ["Only 1 of 2 left."]
    data = customer.post("orders", body((variant, 2), (variant, 1)), status=201)["data"]
    assert [each["quantity"] for each in data["items"]] == [2, 1]
    assert Voucher.objects.filter(status="reserved").count() == 3


def test_a_partners_daily_cap_is_counted(customer, paystation):
    variant = VariantFactory()
    SourceFactory(variant=variant, stock_cap=3)
    customer.post("orders", body((variant, 2)), status=201)
    answer = refused(customer, body((variant, 2)), status=409)
    assert answer["error"]["details"][0]["message"] == "Only 1 of 2 left today."
    Order.objects.update(status="CANCELLED")
    customer.post("orders", body((variant, 3)), status=201)


def test_everything_that_is_wrong_is_named(customer, paystation):
    variant = pool(1)
    line = {"variant_id": variant.pk, "quantity": 1}
    player = VariantFactory(product=ProductFactory(asks_player=True), zendit=True)
    cases = [
        ({**body((variant, 1)), "total": 1}, ["total"]),
        ({**body(), "items": [{**line, "price": 1}]}, ["items.0.price"]),
        ({**body(), "items": []}, ["items"]),
        ({**body(), "items": [{**line, "quantity": 0}]}, ["items.0.quantity"]),
        ({**body(), "items": [{**line, "quantity": 101}]}, ["items.0.quantity"]),
        ({**body(), "items": [line] * 51}, ["items"]),
        ({**body(), "items": [{**line, "variant_id": 999999}]}, ["items.0.variant_id"]),
        (body((variant, 1), payment_method="cash"), ["payment_method"]),
        (body((variant, 1), payment_method="discount"), ["payment_method"]),
        (body((variant, 1), recipient_email="nobody"), ["recipient_email"]),
        (body((variant, 1), discount_code="NONE"), ["discount_code"]),
        (body((player, 1)), ["items.0.fulfillment_input.player_id"]),
        (
            {**body(), "items": [{**line, "fulfillment_input": {"player_id": "1"}}]},
            ["items.0.fulfillment_input.player_id"],
        ),
        ({}, ["items", "payment_method"]),
    ]
    for request, fields in cases:
        assert named(refused(customer, request)) == fields, request


def test_what_may_not_be_bought_is_not_found(customer, paystation):
    hidden = VariantFactory(product=ProductFactory(hidden=True), preloaded=True)
    off = VariantFactory(is_active=False, preloaded=True)
    answer = refused(customer, body((hidden, 1), (off, 1)))
    assert named(answer) == ["items.0.variant_id", "items.1.variant_id"]


def test_an_order_without_any_address_is_refused(paystation):
    customer = Customer(UserFactory(email=""))
    assert named(refused(customer, body((pool(1), 1)))) == ["recipient_email"]


def test_the_accounts_address_is_the_last_resort(customer, paystation):
    customer.post("orders", body((pool(1), 1)), status=201)
    assert Order.objects.get().recipient_email == "account@example.com"


# What a discount does: D17, D31.


def discount(**fields):
    return DiscountCode.objects.create(
        **{"code": "TEN", "discount_type": "percentage", "discount_value": 10, **fields}
    )


def test_a_discount_is_taken_off_and_counted(customer, paystation):
    code = discount()
    data = customer.post("orders", body((pool(3, "33.33"), 3), discount_code="ten"), status=201)[
        "data"
    ]
    assert (data["discount_code"], data["discount_amount"], data["total_amount"]) == (
        "TEN", 10, 89.99,
    )  # fmt: skip
    code.refresh_from_db()
    assert (code.used_count, paystation.opened[0]["payment_amount"]) == (1, "89.99")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"is_active": False}, "deactivated"),
        ({"starts_at": timezone.now() + timedelta(days=1)}, "not active yet"),
        ({"ends_at": timezone.now() - timedelta(days=1)}, "expired"),
        ({"usage_limit": 1, "used_count": 1}, "used up"),
        ({"minimum_subtotal": Decimal("100.01")}, "at least 100.01 BDT"),
    ],
)
def test_a_discount_that_does_not_apply_refuses_the_order(customer, paystation, fields, says):
    discount(**fields)
    answer = refused(customer, body((pool(1), 1), discount_code="TEN"))
    assert says in answer["message"]


def test_a_customers_own_limit(customer, paystation):
    discount(per_user_limit=1)
    variant = pool(3)
    customer.post("orders", body((variant, 1), discount_code="TEN"), status=201)
    answer = refused(customer, body((variant, 1), discount_code="TEN"))
    assert "as often as it may be" in answer["message"]
    other = Customer(UserFactory())
    other.post("orders", body((variant, 1), discount_code="TEN"), status=201)


def test_the_limit_of_one_code_says_nothing_of_another(customer, paystation):
    discount(per_user_limit=1)
    discount(code="SPRING", per_user_limit=1)
    variant = pool(2)
    customer.post("orders", body((variant, 1), discount_code="TEN"), status=201)
    customer.post("orders", body((variant, 1), discount_code="SPRING"), status=201)


def test_a_discount_holds_from_its_start_until_its_end(customer, paystation):
    with time_machine.travel(timezone.now(), tick=False):
        now = timezone.now()
        discount(starts_at=now, ends_at=now + timedelta(seconds=1))
        variant = pool(2)
        customer.post("orders", body((variant, 1), discount_code="TEN"), status=201)
        DiscountCode.objects.update(ends_at=now)
        answer = refused(customer, body((variant, 1), discount_code="TEN"))
        assert "expired" in answer["message"]


@pytest.mark.parametrize(
    ("fields", "total"),
    [
        ({"discount_type": "flat", "discount_value": 30}, 70),
        ({"discount_value": 50, "maximum_amount": 20}, 80),
        ({"discount_type": "flat", "discount_value": 99}, 1),
    ],
)
def test_what_is_left_to_pay(customer, paystation, fields, total):
    discount(**fields)
    data = customer.post("orders", body((pool(1), 1), discount_code="TEN"), status=201)["data"]
    assert data["total_amount"] == total


def test_nothing_left_to_pay_needs_no_gateway(customer, paystation):
    discount(discount_value=100)
    data = customer.post("orders", body((pool(1), 1), discount_code="TEN"), status=201)["data"]
    assert (data["status"], data["total_amount"]) == ("PENDING", 0)
    payment = Payment.objects.get()
    assert (payment.method, payment.status, payment.amount) == ("discount", "SUCCEEDED", 0)
    assert (payment.effective, paystation.opened) == (True, [])
    assert FulfillmentAttempt.objects.count() == 1


# The same request again (D24)


def test_the_same_key_and_body_is_one_order(customer, paystation):
    request = body((pool(2), 1))
    first = customer.post("orders", request, status=201, key="k-1")
    before = kept()
    assert customer.post("orders", request, status=201, key="k-1") == first
    assert kept() == before
    assert len(paystation.opened) == 1
    other = customer.post("orders", {**request, "init_payment": False}, status=422, key="k-1")
    assert other["error"]["code"] == "UNPROCESSABLE"
    stranger = Customer(UserFactory())
    assert stranger.post("orders", request, status=201, key="k-1")["data"] != first["data"]


def test_a_refusal_is_replayed_too(customer, paystation):
    variant = pool(0)
    first = customer.post("orders", body((variant, 1)), status=409, key="k-1")
    VoucherFactory(variant=variant)
    again = customer.post("orders", body((variant, 1)), status=409, key="k-1")
    assert again["error"]["details"] == first["error"]["details"]


@pytest.mark.parametrize(("seconds", "status"), [(0, 409), (59, 409), (61, 201)])
def test_a_request_that_still_runs_is_not_started_again(customer, paystation, seconds, status):
    request = body((pool(1), 1))
    raw = json.dumps(request, separators=(",", ":")).encode()
    now = timezone.now()
    IdempotencyKey.objects.create(
        caller=f"User:{customer.user.pk}", key="k-1",
        digest=hashlib.sha256(b"POST /api/v1/orders\n" + raw).digest(),
        claimed_at=now - timedelta(seconds=seconds),
    )  # fmt: skip
    answer = customer.post("orders", request, status=status, key="k-1")
    if status == 409:
        assert "still running" in answer["message"]
        assert Order.objects.count() == 0


def test_a_repeat_finds_its_order_when_the_first_answer_was_lost(customer, paystation):
    request = body((pool(2), 1))
    first = customer.post("orders", request, status=201, key="k-1")["data"]
    IdempotencyKey.objects.all().delete()
    again = customer.post("orders", request, status=201, key="k-1")["data"]
    assert (again["id"], again["payment"]) == (first["id"], first["payment"])
    assert Order.objects.count() == 1


@pytest.mark.parametrize("key", ["x" * 201, "tab\there"])
def test_a_key_that_is_none_is_refused(customer, paystation, key):
    before = kept()
    customer.post("orders", body((pool(0), 1)), status=400, key=key)
    assert kept()["Order"] == before["Order"]


# Another try to pay (D32, D43)


def order_of(customer, variant=None, **more):
    data = customer.post("orders", body((variant or pool(1), 1), **more), status=201)["data"]
    return Order.objects.get(pk=data["id"])


def initiate(customer, order, *, status=200, **request):
    return customer.post(f"payments/initiate/{order.pk}", request, status=status)


def test_what_is_sent_is_compared_with_the_order(customer, paystation):
    order = order_of(customer, init_payment=False)
    for request, field in (
        ({"amount": 99}, "amount"), ({"amount": 100.01}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"method": "cash"}, "method"), ({"method": "points"}, "method"), ({"sum": 1}, "sum"),
    ):  # fmt: skip
        assert named(initiate(customer, order, status=400, **request)) == [field]
    assert Payment.objects.count() == 0
    answer = initiate(
        customer, order, amount=100, currency="BDT", method="paystation", description="Order #1"
    )
    assert answer["data"]["transactionId"] == f"BDV-{order.order_number}-1"
    assert Payment.objects.get().description == "Order #1"


def test_the_order_may_be_named_in_the_body_and_by_number(customer, paystation):
    order = order_of(customer, init_payment=False)
    request = {"orderId": order.order_number, "amount": 100}
    answer = customer.post("payments/initiate", request, status=200)
    assert answer["data"]["transactionId"] == f"BDV-{order.order_number}-1"


def test_a_failed_order_takes_stock_and_discount_again(customer, paystation):
    code, variant = discount(usage_limit=1), pool(1)
    order = order_of(customer, variant, discount_code="TEN")
    paystation.refuses(f"BDV-{order.order_number}-1")
    customer.client.get(
        f"/api/v1/payments/paystation/callback?invoice_number=BDV-{order.order_number}-1"
    )
    order.refresh_from_db()
    code.refresh_from_db()
    assert (order.status, code.used_count, Voucher.objects.get().status) == (
        "FAILED", 0, "available",
    )  # fmt: skip
    Order.objects.update(pay_until=timezone.now() - timedelta(minutes=1))
    initiate(customer, order)
    order.refresh_from_db()
    code.refresh_from_db()
    assert order.pay_until > timezone.now() + timedelta(minutes=1)
    assert (order.status, code.used_count, Voucher.objects.get().status) == (
        "INITIATED", 1, "reserved",
    )  # fmt: skip
    assert order.total_amount == Decimal(90)


def test_a_failed_order_whose_stock_is_gone_stays_failed(customer, paystation):
    order = order_of(customer, pool(1))
    Order.objects.update(status="FAILED")
    Voucher.objects.update(status="available", order_item=None, unit_no=None, reserved_until=None)
    Voucher.objects.update(status="void")
    before = kept()
    answer = initiate(customer, order, status=409)
    assert answer["error"]["details"][0]["message"] == "Only 0 of 1 left."
    assert kept() == before


@pytest.mark.parametrize(
    "status", ["PENDING", "NEEDS_ATTENTION", "CANCELLED", "CARRIER_AUTHORIZED"]
)
def test_no_other_order_can_be_paid(customer, paystation, status):
    order = order_of(customer, init_payment=False)
    paid_at = order.created_at if status in ("PENDING", "NEEDS_ATTENTION") else None
    if status == "NEEDS_ATTENTION":
        Order.objects.update(status="PENDING", paid_at=paid_at)
    Order.objects.update(status=status, paid_at=paid_at)
    assert status in initiate(customer, order, status=409)["message"]
    assert Payment.objects.count() == 0


def test_a_strangers_order_and_payment_are_not_found(customer, paystation):
    order = order_of(Customer(UserFactory()))
    initiate(customer, order, status=404)
    customer.get(f"payments/status/BDV-{order.order_number}-1", status=404)
    customer.get(f"orders/{order.pk}", status=404)
    customer.get(f"orders/{order.order_number}", status=404)
    customer.post(f"orders/{order.pk}/cancel", status=404)
    assert customer.get("orders")["data"]["total"] == 0

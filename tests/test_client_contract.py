"""The customers' contract, rule by rule: the seeds Orders and Voucher Redemption, and the contract
page bdvoucher, sections 1 to 7 and 13. Bodies are sent as the seeds write them.

Rules with a test file of their own are told there: inputs (`orders/tests/test_inputs.py`), accounts
(`accounts/tests`), stock (`catalog/tests/test_stock.py`), search (`tests/test_vouchers_api.py`),
refusals (`tests/architecture/test_envelope.py`).
"""

import re
from datetime import timedelta

import pytest
import responses
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.tests.factories import PASSWORD, UserFactory
from catalog.models import Product
from catalog.tests.factories import ProductFactory, SourceFactory, VariantFactory
from fulfillment.processing import process
from fulfillment.tests.factories import paid_order, pool_of
from notifications.tests.smtp import no_server
from orders.models import DiscountCode, Order
from orders.states import OrderStatus
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import Payment
from payments.tests.conftest import Customer
from payments.tests.factories import PaymentFactory
from payments.tests.paystation import BASE, ScriptedPayStation
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db

INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
ORDER_NUMBER = re.compile(r"[1-9]\d{7}")
SEED_ORDER = {
    "items": [
        {"variant_id": 22402, "quantity": 2, "fulfillment_input": {"player_id": "123456789"}},
        {"variant_id": 22405, "quantity": 1},
    ],
    "payment_method": "paystation",
    "recipient_email": "gift-recipient@example.com",
}
SEED_INITIATE = {
    "amount": 500,
    "currency": "BDT",
    "method": "paystation",  # bkash in the seed; the session is the same
    "description": "Order #12345",
}


@pytest.fixture
def customer():
    cache.clear()
    return Customer(UserFactory(email="customer@example.com"))


@pytest.fixture
def paystation(settings):
    settings.PAYSTATION_BASE_URL = BASE
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        yield ScriptedPayStation(wire)


@pytest.fixture
def goods():
    """The seed's two variants, under the seed's own ids: 100 and 300 taka."""
    player = VariantFactory(
        pk=22402, product=ProductFactory(asks_player=True), preloaded=True, price=100
    )
    plain = VariantFactory(pk=22405, preloaded=True, price=300)
    for variant, units in ((player, 2), (plain, 1)):
        VoucherFactory.create_batch(units, variant=variant)
    return player, plain


# Seed Orders, "Order response fields" and "Item-level fields"; type, and whether null is stated.

ORDER_FIELDS = {
    "id": (int, False),
    "order_number": (ORDER_NUMBER, False),
    "status": (str, False),
    "status_label": (str, False),
    "status_message": (str, False),
    "total_amount": ((int, float), False),
    "currency": (str, False),
    "discount_code": (str, True),
    "discount_amount": ((int, float), True),
    "voucher_codes": (list, False),
    "dispatched_email": (str, True),
    "email_sent_at": (INSTANT, True),
    "items": (list, False),
    "payments": (list, False),
    "created_at": (INSTANT, False),
    "updated_at": (INSTANT, False),
}
ITEM_FIELDS = {
    "variant_id": (int, False),
    "quantity": (int, False),
    "unit_price": ((int, float), False),
    "fulfilled": (bool, False),
    "fulfilled_at": (INSTANT, True),
    "fulfillment_status": (str, True),
    "voucher_codes": (list, False),
    "voucher": (dict, True),
}
VOUCHER_FIELDS = {
    "id": (int, False),
    "code": (str, False),
    "status": (str, False),
    "serial_number": (str, True),
    "expires_at": (INSTANT, True),
}
PAYMENT_FIELDS = {
    "status": (str, False),
    "transaction_id": (re.compile(r"BDV-[1-9]\d{7}-\d+"), False),
    "payment_method": (str, False),
}


def fits(shown, fields):
    for name, (kind, null) in fields.items():
        value = shown[name]
        if value is None:
            assert null, f"{name} is never null"
        elif isinstance(kind, re.Pattern):
            assert kind.fullmatch(value), (name, value)
        else:
            assert isinstance(value, kind), (name, value)
            assert kind is bool or not isinstance(value, bool), (name, value)


def fits_as_a_whole(order):
    fits(order, ORDER_FIELDS)
    assert order["currency"] == "BDT"
    assert order["status"] in OrderStatus.values
    for item in order["items"]:
        fits(item, ITEM_FIELDS)
        assert item["fulfillment_status"] in {
            None,
            "SUCCEEDED",
            "DISPATCH_FAILED",
            "PARTNER_FAILED",
        }
        if item["voucher"] is not None:
            fits(item["voucher"], VOUCHER_FIELDS)
            assert item["voucher"]["code"] == item["voucher_codes"][0]
    for payment in order["payments"]:
        fits(payment, PAYMENT_FIELDS)
    flat = [code for item in order["items"] for code in item["voucher_codes"]]
    assert order["voucher_codes"] == flat
    assert len(set(flat)) == len(flat)


def nulls(shown):
    return {name for name, value in shown.items() if value is None}


def test_the_seeds_order_as_it_stands(customer, paystation, goods):
    answer = customer.post("orders", SEED_ORDER, status=201)
    assert (answer["success"], answer["message"]) == (True, "Payment session created")
    order = answer["data"]
    fits_as_a_whole(order)
    assert (order["status"], order["total_amount"]) == ("INITIATED", 500)
    assert nulls(order) == {"discount_code", "discount_amount", "dispatched_email", "email_sent_at"}
    assert nulls(order["items"][0]) == {"fulfilled_at", "fulfillment_status", "voucher"}
    assert order["payment"]["paymentGatewayUrl"].startswith("https://")  # pattern A
    assert Order.objects.get().recipient_email == "gift-recipient@example.com"
    listed = customer.get("orders?page=1&limit=10")["data"]
    assert (listed["page"], listed["limit"], listed["total"]) == (1, 10, 1)
    shown = {name: value for name, value in order.items() if name != "payment"}
    assert listed["items"] == [shown]
    for key in (order["id"], order["order_number"]):
        assert customer.get(f"orders/{key}")["data"] == shown


@pytest.mark.parametrize("by_body", [False, True])
def test_pattern_b_in_two_steps(customer, paystation, goods, by_body):
    placed = customer.post("orders", SEED_ORDER | {"init_payment": False}, status=201)["data"]
    assert (placed["payment"], placed["payments"]) == (None, [])
    path = "payments/initiate" if by_body else f"payments/initiate/{placed['id']}"
    more = {"orderId": str(placed["id"])} if by_body else {}
    answer = customer.post(path, SEED_INITIATE | more, status=200)
    assert (answer["success"], answer["message"]) == (True, "Payment session created")
    session = answer["data"]
    assert session["transactionId"] == f"BDV-{placed['order_number']}-1"
    assert session["paymentGatewayUrl"].startswith("https://")
    status = customer.get(f"payments/status/{session['transactionId']}")["data"]
    assert (status["status"], status["orderId"]) == ("PENDING", placed["id"])
    assert paystation.opened[0]["payment_amount"] == "500"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 499}, "amount"),
        ({"amount": "much"}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"method": "cash"}, "method"),
        ({"method": "discount"}, "method"),
        ({"method": "points"}, "method"),
        ({"description": "x" * 201}, "description"),
        ({"total": 1}, "total"),
    ],
)
def test_what_is_sent_beside_an_order_is_compared(customer, paystation, goods, change, field):
    placed = customer.post("orders", SEED_ORDER | {"init_payment": False}, status=201)["data"]
    path = f"payments/initiate/{placed['id']}"
    answer = customer.post(path, SEED_INITIATE | change, status=400)
    assert [each["field"] for each in answer["error"]["details"]] == [field]
    assert Payment.objects.count() == 0


def changed(**changes):
    return SEED_ORDER | changes


def with_item(**changes):
    first, second = SEED_ORDER["items"]
    return SEED_ORDER | {"items": [first | changes, second]}


ITEM = "items.0"
INPUT = f"{ITEM}.fulfillment_input"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        # contract 6.1: what must be there, of which kind
        (changed(items=[]), ["items"]),
        (changed(items=None), ["items"]),
        (changed(items={}), ["items"]),
        ({"payment_method": "paystation"}, ["items"]),
        ({"items": SEED_ORDER["items"]}, ["payment_method"]),
        (changed(payment_method="visa"), ["payment_method"]),
        (changed(payment_method="PAYSTATION"), ["payment_method"]),
        (changed(payment_method="points"), ["payment_method"]),
        (changed(recipient_email="nobody"), ["recipient_email"]),
        (changed(recipient_email=None), ["recipient_email"]),
        (changed(init_payment="perhaps"), ["init_payment"]),
        (changed(discount_code=""), ["discount_code"]),
        (changed(discount_code="NOPE"), ["discount_code"]),
        (changed(coupon="NOPE"), ["coupon"]),
        (with_item(variant_id=None), [f"{ITEM}.variant_id"]),
        (with_item(variant_id="many"), [f"{ITEM}.variant_id"]),
        (with_item(variant_id=99999), [f"{ITEM}.variant_id"]),
        (with_item(quantity=0), [f"{ITEM}.quantity"]),
        (with_item(quantity=1.5), [f"{ITEM}.quantity"]),
        (with_item(quantity=101), [f"{ITEM}.quantity"]),
        (with_item(quantity=None), [f"{ITEM}.quantity"]),
        (with_item(price=1), [f"{ITEM}.price"]),
        # contract 3.2 and 4: what the product asks for
        (with_item(fulfillment_input={}), [f"{INPUT}.player_id"]),
        (with_item(fulfillment_input={"zone_id": "1"}), [f"{INPUT}.player_id"]),
        (with_item(fulfillment_input={"player_id": ""}), [f"{INPUT}.player_id"]),
        (with_item(fulfillment_input={"player_id": ["1"]}), [f"{INPUT}.player_id"]),
        (with_item(fulfillment_input={"player_id": True}), [f"{INPUT}.player_id"]),
        (with_item(fulfillment_input={"player_id": "1", "user_id": "2"}), [f"{INPUT}.user_id"]),
        (with_item(fulfillment_input={"uid": "2"}), [f"{INPUT}.uid", f"{INPUT}.player_id"]),
        (
            with_item(fulfillment_input={"player_id": "1", "uid": "2"}),
            [INPUT, f"{INPUT}.uid"],
        ),
        (with_item(fulfillment_input="1"), [INPUT]),
    ],
)
def test_an_order_that_cannot_be_placed_says_where(customer, paystation, goods, body, fields):
    answer = customer.post("orders", body, status=400)
    assert answer["error"]["code"] == "BAD_REQUEST"
    assert [each["field"] for each in answer["error"]["details"]] == fields
    assert all(each["message"] and each["code"] for each in answer["error"]["details"])
    assert Order.objects.count() == Payment.objects.count() == 0
    assert set(Voucher.objects.values_list("status", flat=True)) == {"available"}


def test_numbers_become_text_and_supporting_fields_are_kept(customer, paystation, goods):
    given = {"player_id": 123456789, "zone_id": 2.5}
    order = customer.post("orders", with_item(fulfillment_input=given), status=201)["data"]
    kept = {"player_id": "123456789", "zone_id": "2.5"}
    assert order["items"][0]["fulfillment_input"] == kept


# Seed Voucher Redemption: "Order-level" and "Item-level voucher fields".


def test_a_delivered_order_as_the_seed_shows_it(customer):
    order = paid_order(
        (pool_of("ABCD-1234-EFGH-5678", "WXYZ-9876-MNOP-5432"), 2), (pool_of("THIRD-0001"), 1),
        customer=customer.user,
    )  # fmt: skip
    PaymentFactory(order=order, status="SUCCEEDED", effective=True, paid_at=order.paid_at)
    process(order_id=order.pk)
    shown = customer.get(f"orders/{order.pk}")["data"]
    fits_as_a_whole(shown)
    assert shown["status"] == "SUCCEEDED"
    assert shown["voucher_codes"] == ["ABCD-1234-EFGH-5678", "WXYZ-9876-MNOP-5432", "THIRD-0001"]
    assert shown["dispatched_email"] == "customer@example.com"
    item = shown["items"][0]
    assert (item["fulfilled"], item["quantity"], len(item["voucher_codes"])) == (True, 2, 2)
    assert item["fulfillment_status"] == "SUCCEEDED"
    assert item["fulfilled_at"] <= shown["email_sent_at"]
    assert (item["voucher"]["status"], item["voucher"]["serial_number"]) == ("sold", None)
    assert nulls(shown) == {"discount_code", "discount_amount"}
    rows = customer.get("vouchers?page=1&limit=10&sort=newest")["data"]
    assert (rows["total"], rows["limit"]) == (3, 10)  # a row for each unit
    assert {row["code"] for row in rows["items"]} == set(shown["voucher_codes"])
    for row in rows["items"]:
        fits(row, VOUCHER_FIELDS | {"sold_at": (INSTANT, False), "used_at": (INSTANT, True)})
        assert customer.get(f"vouchers/{row['id']}")["data"] == row
    used = customer.post(f"vouchers/{item['voucher']['id']}/mark-used", status=200)["data"]
    assert (used["status"], nulls({"used_at": used["used_at"]})) == ("used", set())
    again = customer.get(f"orders/{order.pk}")["data"]
    assert again["items"][0]["voucher"]["status"] == "used"
    assert again["voucher_codes"] == shown["voucher_codes"]


def test_null_until_the_mail_has_gone(customer, settings):
    order = paid_order((pool_of("ABCD-1234"), 1), customer=customer.user)
    with no_server(settings):
        process(order_id=order.pk)
    shown = customer.get(f"orders/{order.pk}")["data"]
    fits_as_a_whole(shown)
    assert {"dispatched_email", "email_sent_at"} <= nulls(shown)
    item = shown["items"][0]
    assert (item["fulfilled"], item["fulfillment_status"]) == (False, "DISPATCH_FAILED")
    assert customer.get("vouchers")["data"]["items"] == []  # of fulfilled items only (D41)


@pytest.mark.parametrize("status", OrderStatus.values)
@pytest.mark.parametrize("language", ["en", "bn"])
def test_every_status_has_words_that_promise_nothing_false(customer, status, language):
    paid = status in {"PENDING", "SUCCEEDED", "NEEDS_ATTENTION"}
    sent = {"dispatched_email": "a@b.example", "email_sent_at": timezone.now()}
    order = OrderFactory(
        customer=customer.user, status=status, language=language,
        paid_at=timezone.now() - timedelta(hours=1) if paid else None,
        **(sent if status == "SUCCEEDED" else {}),
    )  # fmt: skip
    shown = customer.get(f"orders/{order.pk}")["data"]
    fits_as_a_whole(shown)
    assert shown["status"] == status
    assert re.search("[\u0980-\u09ff]", shown["status_label"]) is None or language == "bn"
    if status == "NEEDS_ATTENTION":
        words = f"{shown['status_label']} {shown['status_message']}".lower()
        for internal in ("fail", "error", "partner", "needs_attention", "operator", "stock"):
            assert internal not in words


# Contract 5: discount codes.


SAVE20 = {"code": "SAVE20", "discount_type": "percentage", "discount_value": 20}
NOW = timezone.now()
REFUSALS = [
    ({"is_active": False}, 'Discount code "SAVE20" is not valid or has been deactivated.'),
    ({"code": "OTHER"}, 'Discount code "SAVE20" is not valid or has been deactivated.'),
    ({"starts_at": NOW + timedelta(days=1)}, 'Discount code "SAVE20" is not active yet.'),
    ({"ends_at": NOW - timedelta(days=1)}, 'Discount code "SAVE20" has expired.'),
    ({"usage_limit": 2, "used_count": 2}, 'Discount code "SAVE20" has been used up.'),
    ({"minimum_subtotal": 501}, 'Discount code "SAVE20" needs an order of at least 501 BDT.'),
]


@pytest.mark.parametrize(("fields", "message"), REFUSALS)
def test_the_same_words_in_preview_and_order(customer, paystation, goods, fields, message):
    DiscountCode.objects.create(**SAVE20 | fields)
    preview = customer.get("discounts/validate?code=save20&subtotal=500", status=400)
    order = customer.post("orders", SEED_ORDER | {"discount_code": "save20"}, status=400)
    for answer, field in ((preview, "code"), (order, "discount_code")):
        said = answer["message"].replace(".00 BDT", " BDT")
        assert said == message
        assert [each["field"] for each in answer["error"]["details"]] == [field]
    assert Order.objects.count() == 0


def test_a_preview_as_the_contract_shows_it_and_the_order_that_follows(customer, paystation, goods):
    code = DiscountCode.objects.create(**SAVE20)
    assert customer.get("discounts/validate?code=SAVE20&subtotal=500")["data"] == {
        "code": "SAVE20", "discount_type": "percentage", "discount_value": 20,
        "discount_amount": 100, "final_total": 400, "description": None,
    }  # fmt: skip
    order = customer.post("orders", SEED_ORDER | {"discount_code": "save20"}, status=201)["data"]
    fits_as_a_whole(order)
    assert (order["discount_code"], order["discount_amount"], order["total_amount"]) == (
        "SAVE20", 100, 400,
    )  # fmt: skip
    code.refresh_from_db()
    assert (code.used_count, paystation.opened[0]["payment_amount"]) == (1, "400")
    customer.post(f"orders/{order['id']}/cancel", status=200)
    code.refresh_from_db()
    assert code.used_count == 0


# Contract 2, 3, 7 and the lists.


def test_the_client_login_as_the_contract_shows_it(customer):
    body = {"msisdn": customer.user.msisdn, "password": PASSWORD}
    answer = customer.post("auth/sign-in", body, status=200)
    assert (answer["success"], answer["message"]) == (True, "Login successful")
    data = answer["data"]
    assert set(data) == {"accessToken", "refreshToken", "user"}
    assert set(data["user"]) == {"id", "msisdn", "name", "email"}
    assert re.fullmatch(r"8801\d{9}", data["user"]["msisdn"])
    renewed = customer.post(
        "auth/refresh-token", {"refreshToken": data["refreshToken"]}, status=200
    )
    assert {"accessToken", "refreshToken"} <= set(renewed["data"])


def test_the_five_channels_have_fixed_ids(customer):
    rows = customer.get("payments/channels")["data"]
    assert [(row["id"], row["slug"]) for row in rows] == [
        (1, "sslcommerz"), (2, "bkash"), (3, "paystation"), (4, "dcb"), (5, "nagad"),
    ]  # fmt: skip


def test_fulfilment_fields_of_the_seeds_variant(customer, goods):
    SourceFactory(variant=goods[0], external_offer_id="FF_100_DIAMONDS", priority=2)
    data = customer.get("orders/fulfillment-fields/22402")["data"]
    assert set(data) == {"variant_id", "fields", "partner_fields"}
    assert data["fields"][0] == {
        "name": "player_id", "label": "Free Fire Player ID", "type": "text", "required": True,
    }  # fmt: skip
    assert data["partner_fields"] == [
        {
            "partner_code": "ZENDIT",
            "external_offer_id": "FF_100_DIAMONDS",
            "required_fields": ["player_id"],
        }
    ]


@pytest.mark.parametrize(
    ("path", "limit"), [("orders", 10), ("vouchers", 20), ("catalog/products", 20)]
)
def test_lists_begin_at_one_with_their_default(customer, path, limit):
    data = customer.get(path)["data"]
    assert data == {"items": [], "page": 1, "limit": limit, "total": 0, "total_pages": 0}
    assert customer.get(f"{path}?page=9&limit=100")["data"]["items"] == []
    for wrong in ("page=0", "limit=0", "limit=101", "page=x"):
        answer = customer.get(f"{path}?{wrong}", status=400)
        assert [each["field"] for each in answer["error"]["details"]] == [wrong.split("=")[0]]


def test_another_customers_things_are_not_found(customer):
    item = OrderItemFactory(order=OrderFactory())
    payment = PaymentFactory(order=item.order)
    for path in (
        f"orders/{item.order_id}", f"orders/{item.order.order_number}",
        f"payments/status/{payment.reference}",
    ):  # fmt: skip
        assert customer.get(path, status=404)["error"]["code"] == "NOT_FOUND"
    customer.post(f"orders/{item.order_id}/cancel", status=404)
    customer.post(f"payments/initiate/{item.order_id}", status=404)


@pytest.mark.parametrize(
    ("config", "fine"),
    [
        ({}, True),
        ({"fields": []}, True),
        ({"fields": [{"name": "email", "required": True}, {"name": "region"}]}, True),
        ({"fields": [{"name": "email"}, {"name": "uid"}]}, False),
        ({"fields": [{"name": "zone_id"}, {"name": "zone_id"}]}, False),
        ({"fields": [{"name": "Zone ID"}]}, False),
        ({"fields": [{"label": "Zone"}]}, False),
        ({"fields": ["player_id"]}, False),
        ({"fields": "player_id"}, False),
        ([], False),
    ],
)
def test_staff_can_only_ask_for_what_the_contract_knows(config, fine):
    product = Product(fulfillment_config=config)
    if fine:
        product.clean()
    else:
        with pytest.raises(ValidationError, match="fulfillment_config"):
            product.clean()

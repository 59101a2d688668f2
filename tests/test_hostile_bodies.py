"""Bodies that no client sends by mistake: a clear 400, never a 500."""

import json

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from catalog.tests.factories import VariantFactory
from fulfillment.tests.factories import item_of, stuck_order
from orders.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


def post(url, user, body):
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return APIClient().post(url, text, content_type="application/json", **bearer(user))


def order_of(**changes):
    item = {"variant_id": VariantFactory(preloaded=True).pk, "quantity": 1}
    return {"items": [item | changes.pop("item", {})], "payment_method": "paystation"} | changes


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"items":' * 50_000,
        b"\xff\xfe\x00",
        "null",
        "[]",
        '"text"',
        "12",
        "",
        '{"items": NaN}',
        '{"items": [{"variant_id": 1e400, "quantity": 1}], "payment_method": "paystation"}',
    ],
)
def test_what_is_no_order_at_all(body):
    answer = post("/api/v1/orders", UserFactory(), body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BAD_REQUEST"
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"item": {"quantity": 10**30}},
        {"item": {"quantity": True}},
        {"item": {"quantity": "1; drop"}},
        {"item": {"variant_id": 2**70}},
        {"item": {"variant_id": "\u0000"}},
        {"item": {"fulfillment_input": {"player_id": "a\u0000b"}}},
        {"item": {"fulfillment_input": {"\u0000": "b"}}},
        {"item": {"fulfillment_input": {"player_id": {"deep": [[[]]]}}}},
        {"item": {"fulfillment_input": {f"k{n}": "v" for n in range(99)}}},
        {"item": {"fulfillment_input": "text"}},
        {"recipient_email": "a@b\r\nBcc: c@d.example"},
        {"recipient_email": "a\u0000@example.com"},
        {"discount_code": "A\u0000"},
        {"payment_method": "points"},
        {"payment_method": {"a": 1}},
        {"total_amount": 1},
        {"status": "SUCCEEDED"},
        {"items": []},
    ],
)
def test_what_an_order_may_not_hold(changes):
    answer = post("/api/v1/orders", UserFactory(), order_of(**changes))
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["details"]
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "A\u0000B"},
        {"codes": [{"code": "A-1", "metadata": {"a": "\u0000"}}]},
        {"codes": [{"code": "A-1", "expiresAt": "never"}]},
        {"codes": [{"code": "A-1", "redemptionUrl": "javascript:alert(1)"}]},
        {"codes": [{"code": "x" * 501}]},
        {"codes": "A-1"},
        {"code": "A-1", "partnerId": 2**70},
        {"code": "A-1", "partnerId": 999_999},
        {"code": "A-1", "notes": "\u0000"},
        {"code": "A-1", "orderItemId": 2**70},
    ],
)
def test_what_a_repair_may_not_hold(changes):
    order = stuck_order()
    body = {"orderItemId": item_of(order).pk} | changes
    url = f"/admin/orders/{order.pk}/fulfillment/manual-code"
    answer = post(url, UserFactory(operator=True), body)
    assert answer.status_code in (400, 404), answer.content
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"


@pytest.mark.parametrize("key", ["0" * 30, "9" * 18, "-1", "1e3", "٣", "1\u0000", "%00", "..", "a"])
def test_odd_keys_find_nothing(key):
    answer = APIClient().get(f"/api/v1/orders/{key}", **bearer(UserFactory()))
    assert answer.status_code == 404


@pytest.mark.parametrize("gateway", ["paystation", "bkash", "nagad"])
@pytest.mark.parametrize("body", ["[" * 50_000, b"\xff\x00", "", "a=%00&b=%FF", "{}"])
def test_odd_callbacks_are_kept_and_change_nothing(gateway, body):
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        answer = APIClient().post(f"/api/v1/payments/{gateway}/callback", body, content_type=kind)
        assert answer.status_code in (200, 302), answer.content
    answer = APIClient().get(f"/api/v1/payments/{gateway}/callback?paymentID=%00&status=%FF")
    assert answer.status_code == 302

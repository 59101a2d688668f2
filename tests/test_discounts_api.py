"""Discount codes over HTTP (contract page bdvoucher, section 5; D17)."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from orders.models import DiscountCode
from orders.tests.factories import OrderFactory

pytestmark = pytest.mark.django_db
PREVIEW = "/api/v1/discounts/validate"
NEW = {"code": "save20", "discount_type": "percentage", "discount_value": 20}


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


@pytest.fixture
def operator():
    return UserFactory(operator=True)


def code(**fields):
    given = {"code": "SAVE20", "discount_type": "percentage", "discount_value": 20}
    return DiscountCode.objects.create(**(given | fields))


def preview(query, **headers):
    return APIClient().get(f"{PREVIEW}?{query}", **headers)


def test_a_preview_consumes_nothing_and_needs_no_token():
    discount = code(description="Twenty off")
    answer = preview("code=save20&subtotal=500")
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "code": "SAVE20",
        "discount_type": "percentage",
        "discount_value": 20,
        "discount_amount": 100,
        "final_total": 400,
        "description": "Twenty off",
    }
    discount.refresh_from_db()
    assert discount.used_count == 0


NOW = timezone.now()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"is_active": False}, 'Discount code "SAVE20" is not valid or has been deactivated.'),
        ({"starts_at": NOW + timedelta(days=1)}, 'Discount code "SAVE20" is not active yet.'),
        ({"ends_at": NOW - timedelta(days=1)}, 'Discount code "SAVE20" has expired.'),
        ({"usage_limit": 1, "used_count": 1}, 'Discount code "SAVE20" has been used up.'),
        (
            {"minimum_subtotal": 600},
            'Discount code "SAVE20" needs an order of at least 600.00 BDT.',
        ),
    ],
)
def test_a_code_that_cannot_be_used_says_why(fields, message):
    code(**fields)
    answer = preview("code=SAVE20&subtotal=500")
    assert (answer.status_code, answer.json()["message"]) == (400, message)


def test_an_unknown_code_and_bad_questions():
    answer = preview("code=NOPE&subtotal=500")
    assert answer.json()["message"] == (
        'Discount code "NOPE" is not valid or has been deactivated.'
    )
    for query, field in (
        ("subtotal=500", "code"),
        ("code=A", "subtotal"),
        ("code=A&subtotal=-1", "subtotal"),
        ("code=A&subtotal=NaN", "subtotal"),
        ("code=A&subtotal=x", "subtotal"),
    ):
        refused = preview(query)
        assert refused.status_code == 400
        assert [each["field"] for each in refused.json()["error"]["details"]] == [field]


@pytest.mark.parametrize(
    ("fields", "amount"),
    [
        ({"maximum_amount": 30}, 30),
        ({"discount_type": "flat", "discount_value": 50}, 50),
        ({"discount_type": "flat", "discount_value": 900}, 500),
    ],
)
def test_what_comes_off_is_bounded(fields, amount):
    code(**fields)
    data = preview("code=SAVE20&subtotal=500").json()["data"]
    assert (data["discount_amount"], data["final_total"]) == (amount, 500 - amount)


def test_the_limit_per_customer_counts_with_a_token():
    customer, discount = UserFactory(), code(per_user_limit=1)
    OrderFactory(customer=customer, discount=discount, holds_discount=True)
    assert preview("code=SAVE20&subtotal=500").status_code == 200
    assert preview("code=SAVE20&subtotal=500", **bearer(customer)).status_code == 400


def test_guessing_codes_is_limited():
    for _ in range(60):
        preview("code=GUESS&subtotal=1")
    refused = preview("code=GUESS&subtotal=1")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


@pytest.mark.parametrize("prefix", ["/admin", "/api/v1/admin"])
def test_operators_create_read_change_and_delete(operator, prefix):
    client, staff = APIClient(), bearer(operator)
    made = client.post(f"{prefix}/discounts", NEW, format="json", **staff)
    assert (made.status_code, made.json()["data"]["code"]) == (201, "SAVE20")
    one = f"{prefix}/discounts/{made.json()['data']['id']}"
    assert client.get(one, **staff).json()["data"]["used_count"] == 0
    changed = client.patch(one, {"is_active": False}, format="json", **staff)
    assert changed.json()["data"]["is_active"] is False
    replaced = client.put(one, {**NEW, "discount_value": 10}, format="json", **staff)
    assert replaced.json()["data"]["discount_value"] == 10
    assert len(client.get(f"{prefix}/discounts", **staff).json()["data"]["items"]) == 1
    assert client.delete(one, **staff).status_code == 200
    assert client.get(one, **staff).status_code == 404


def test_put_replaces_and_patch_changes(operator):
    discount = code(
        description="Twenty off", maximum_amount=30, usage_limit=5, starts_at=NOW, is_active=False
    )
    one, client, staff = f"/api/v1/admin/discounts/{discount.pk}", APIClient(), bearer(operator)
    changed = client.patch(one, {"maximum_amount": 40}, format="json", **staff).json()["data"]
    assert (changed["maximum_amount"], changed["usage_limit"]) == (40, 5)
    replaced = client.put(one, NEW, format="json", **staff).json()["data"]
    assert {name: replaced[name] for name in replaced if name not in ("id", "created_at")} == {
        "code": "SAVE20",
        "description": None,
        "discount_type": "percentage",
        "discount_value": 20,
        "minimum_subtotal": None,
        "maximum_amount": None,
        "starts_at": None,
        "ends_at": None,
        "usage_limit": None,
        "per_user_limit": None,
        "used_count": 0,
        "is_active": True,
    }
    for missing in NEW:
        body = {name: value for name, value in NEW.items() if name != missing}
        refused = client.put(one, body, format="json", **staff)
        assert refused.status_code == 400
        assert [each["field"] for each in refused.json()["error"]["details"]] == [missing]


@pytest.mark.parametrize("field", ["usage_limit", "per_user_limit"])
def test_a_limit_that_no_column_holds_is_refused(operator, field):
    body, staff = {**NEW, field: 2**31}, bearer(operator)
    refused = APIClient().post("/admin/discounts", body, format="json", **staff)
    assert refused.status_code == 400
    assert [each["field"] for each in refused.json()["error"]["details"]] == [field]


def test_a_used_code_is_kept_and_tells_its_orders(operator):
    discount = code()
    order = OrderFactory(discount=discount, discount_code="SAVE20")
    one = f"/admin/discounts/{discount.pk}"
    refused = APIClient().delete(one, **bearer(operator))
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert DiscountCode.objects.count() == 1
    rows = APIClient().get(f"{one}/orders", **bearer(operator)).json()["data"]["items"]
    assert [row["order_number"] for row in rows] == [order.order_number]
    assert rows[0]["voucher_codes"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "a b"}, "code"),
        ({"discount_type": "half"}, "discount_type"),
        ({"discount_value": 0}, "discount_value"),
        ({"discount_value": 101}, "discount_value"),
        ({"usage_limit": 0}, "usage_limit"),
        ({"starts_at": "2026-02-01T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}, "ends_at"),
        ({"used_count": 5}, "used_count"),
    ],
)
def test_bad_codes_are_refused_by_field(operator, change, field):
    answer = APIClient().post("/admin/discounts", NEW | change, format="json", **bearer(operator))
    assert answer.status_code == 400
    assert field in {each["field"] for each in answer.json()["error"]["details"]}
    assert DiscountCode.objects.count() == 0


def test_the_same_code_twice_is_a_conflict(operator):
    code()
    answer = APIClient().post("/admin/discounts", NEW, format="json", **bearer(operator))
    assert answer.status_code == 409


def test_customers_and_support_change_nothing(operator):
    discount = code()
    one = f"/admin/discounts/{discount.pk}"
    assert APIClient().get(one).status_code == 401
    assert APIClient().get(one, **bearer(UserFactory())).status_code in (401, 403)
    support = bearer(UserFactory(support=True))
    assert APIClient().patch(one, {"is_active": False}, **support).status_code == 403
    discount.refresh_from_db()
    assert discount.is_active is True

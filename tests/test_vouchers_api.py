"""A customer's vouchers over HTTP (seed Voucher Redemption; D41)."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from catalog.tests.factories import CategoryFactory, PartnerFactory, ProductFactory, VariantFactory
from fulfillment.processing import process
from fulfillment.tests.factories import paid_order
from payments.models import Payment
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/vouchers"


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


@pytest.fixture
def customer():
    return UserFactory()


def goods(name, price, *codes, **product):
    """A variant with exactly these codes in its pool."""
    variant = VariantFactory(
        preloaded=True, price=price, product=ProductFactory(name=name, **product)
    )
    for code in codes:
        VoucherFactory(variant=variant, code=code)
    return variant


def bought(customer, variant, quantity=1, method="bkash"):
    order = paid_order((variant, quantity), customer=customer)
    Payment.objects.create(
        order=order,
        method=method,
        reference=f"BDV-{order.order_number}-1",
        amount=order.total_amount,
        status="SUCCEEDED",
        effective=True,
        paid_at=order.paid_at,
        created_at=order.paid_at,
    )
    process(order_id=order.pk)
    return order


def listed(customer, query="", status=200):
    answer = APIClient().get(f"{URL}?{query}", **bearer(customer))
    assert answer.status_code == status, answer.content
    return answer.json()


def codes(customer, query=""):
    return [row["code"] for row in listed(customer, query)["data"]["items"]]


def test_every_unit_is_a_row_of_its_own(customer):
    order = bought(customer, goods("Steam Wallet", 300, "AAAA-1111", "BBBB-2222", "CCCC-3333"), 3)
    data = listed(customer)["data"]
    assert (data["page"], data["limit"], data["total"], data["total_pages"]) == (1, 20, 3, 1)
    voucher = Voucher.objects.get(unit_no=1)
    row = next(each for each in data["items"] if each["id"] == voucher.pk)
    assert row["code"] == "AAAA-1111"
    assert (row["status"], row["price"], row["product_name"]) == ("sold", 300, "Steam Wallet")
    assert (row["order_id"], row["order_number"]) == (order.pk, order.order_number)


def test_nobody_sees_anothers_nor_what_is_not_fulfilled(customer):
    bought(UserFactory(), goods("Steam", 100, "OTHER-0001"))
    paid_order((goods("Netflix", 100, "WAITS-0001"), 1), customer=customer)
    assert listed(customer)["data"]["items"] == []
    foreign = Voucher.objects.get(status="sold")
    for path in (f"{URL}/{foreign.pk}", f"{URL}/{foreign.pk}/mark-used"):
        method = APIClient().post if path.endswith("used") else APIClient().get
        assert method(path, **bearer(customer)).status_code == 404
    assert APIClient().get(URL).status_code == 401


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ABCD-1234-EFGH-5678", ["ABCD-1234-EFGH-5678"]),
        ("abcd 1234 efgh 5678", ["ABCD-1234-EFGH-5678"]),
        ("efgh", ["ABCD-1234-EFGH-5678"]),
        ("netflix", ["WXYZ-9876-MNOP-5432"]),
        ("5678-EFGH", ["ABCD-1234-EFGH-5678"]),
        ("EFG", []),
        ("nothing like it", []),
    ],
)
def test_search_over_code_and_product_name(customer, search, found):
    bought(customer, goods("Steam Wallet", 300, "ABCD-1234-EFGH-5678"))
    bought(customer, goods("Netflix", 500, "WXYZ-9876-MNOP-5432"))
    assert codes(customer, f"search={search}") == found


def test_each_filter_narrows(customer):
    games, partner = CategoryFactory(), PartnerFactory()
    first = goods("Game", 100, "GAME-0001", categories=[games])
    second = goods("Film", 900, "FILM-0001")
    Voucher.objects.filter(variant=second).update(partner=partner)
    bought(customer, first, method="bkash")
    bought(customer, second, method="paystation")
    brand = second.product.brand_id
    assert codes(customer, f"categoryId={games.pk}") == ["GAME-0001"]
    assert codes(customer, f"brandId={brand}") == ["FILM-0001"]
    assert codes(customer, f"partnerId={partner.pk}") == ["FILM-0001"]
    assert codes(customer, "paymentChannelId=2") == ["GAME-0001"]
    assert codes(customer, "paymentChannelId=3") == ["FILM-0001"]
    assert codes(customer, "paymentChannelId=5") == []
    assert codes(customer, f"brandId={brand}&paymentChannelId=2") == []


def test_each_sort_orders(customer):
    for name, price in (("A", 500), ("B", 100), ("C", 300)):
        bought(customer, goods(name, price, f"CODE-{name}"))
    assert codes(customer) == ["CODE-C", "CODE-B", "CODE-A"]
    assert codes(customer, "sort=newest") == ["CODE-C", "CODE-B", "CODE-A"]
    assert codes(customer, "sort=price_asc") == ["CODE-B", "CODE-C", "CODE-A"]
    assert codes(customer, "sort=price_desc") == ["CODE-A", "CODE-C", "CODE-B"]


@pytest.mark.parametrize(
    "query",
    ["page=0", "limit=101", "sort=cheapest", "categoryId=x", "brandId=0", "paymentChannelId=-1"],
)
def test_what_cannot_be_meant_is_refused_by_name(customer, query):
    answer = listed(customer, query, status=400)
    assert [each["field"] for each in answer["error"]["details"]] == [query.split("=")[0]]


def test_marked_as_used_once_by_its_owner(customer):
    bought(customer, goods("Steam", 100, "USED-0001"))
    voucher = Voucher.objects.get()
    path = f"{URL}/{voucher.pk}/mark-used"
    answer = APIClient().post(path, **bearer(customer))
    assert answer.status_code == 200
    assert answer.json()["data"]["status"] == "used"
    assert answer.json()["data"]["used_at"].endswith("Z")
    assert APIClient().post(path, **bearer(customer)).status_code == 409
    assert APIClient().get(f"{URL}/{voucher.pk}", **bearer(customer)).json()["data"]["code"] == (
        "USED-0001"
    )


def test_the_number_of_statements_does_not_grow(customer):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            listed(customer, "limit=100")
        return len(queries)

    bought(customer, goods("Steam", 100, "FIRST-0001"))
    statements()
    few = statements()
    bought(customer, goods("Film", 100, *(f"MANY-{n:04d}" for n in range(29))), 29)
    assert statements() == few

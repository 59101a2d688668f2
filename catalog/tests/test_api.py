"""The catalogue over HTTP. Codes and orders come in with the stories in `tests/`: the apps that
own them are above this one, so stock here is told by what their selectors would say.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from catalog.states import ProductStatus
from catalog.tests.factories import (
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    SourceFactory,
    VariantFactory,
)

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture
def api():
    return APIClient()


@pytest.fixture
def pool(monkeypatch):
    """Variant id -> free codes."""
    free = {}
    monkeypatch.setattr("catalog.views.available_by_variant", lambda ids, now: free)
    return free


def products(api, **params):
    answer = api.get(f"{V1}/catalog/products", params)
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def names(api, **params):
    return [row["name"] for row in products(api, **params)["items"]]


def test_a_product_as_the_contract_shows_it(api, pool):
    product = ProductFactory(
        asks_player=True, categories=[CategoryFactory(slug="games", name="Games")], tags=["new"]
    )
    variant = VariantFactory(
        product=product, name="100 Diamonds", price="100.50", preloaded=True, low_stock_threshold=5
    )
    pool[variant.pk] = 47
    data = products(api)
    assert {key: data[key] for key in ("page", "limit", "total", "total_pages")} == {
        "page": 1, "limit": 20, "total": 1, "total_pages": 1,
    }  # fmt: skip
    row = data["items"][0]
    assert (row["is_new"], row["is_popular"]) == (True, False)
    assert row["categories"][0]["slug"] == "games"
    assert row["variants"] == [
        {
            "variant_id": variant.pk,
            "name": "100 Diamonds",
            "price": 100.5,
            "currency": "BDT",
            "stock": {
                "in_stock": True, "status": "in_stock", "level": 47, "low_stock": False,
                "low_stock_threshold": 5, "source": "preloaded",
            },
            "fulfillment": {
                "engine": "PRELOADED",
                "identifier": {
                    "key": "player_id", "label": "Free Fire Player ID", "required": True,
                },
            },
        }
    ]  # fmt: skip
    for key in (product.pk, product.slug):
        detail = api.get(f"{V1}/catalog/products/{key}").json()["data"]
        assert [field["name"] for field in detail["fields"]] == ["player_id", "zone_id"]
        assert detail["variants"] == row["variants"]


def test_only_active_variants_of_active_products_of_active_brands(api):
    shown = VariantFactory(zendit=True)
    VariantFactory(product=shown.product, is_active=False)
    for hidden in (
        *(ProductFactory(status=status) for status in ProductStatus if status != "active"),
        ProductFactory(brand=BrandFactory(is_active=False)),
    ):
        assert api.get(f"{V1}/catalog/products/{hidden.pk}").status_code == 404
        assert api.get(f"{V1}/catalog/products/{hidden.slug}").status_code == 404
    data = products(api)
    assert data["total"] == 1
    assert [row["variant_id"] for row in data["items"][0]["variants"]] == [shown.pk]
    brands = api.get(f"{V1}/catalog/brands").json()["data"]
    assert shown.product.brand.slug in {row["slug"] for row in brands["items"]}
    assert brands["total"] == 5  # one brand for each product made here, but the switched off one
    assert api.get(f"{V1}/catalog/categories").json()["data"]["items"] == []


def test_filters(api, pool):
    games = CategoryFactory(slug="games")
    steam = BrandFactory(slug="steam", name="Steam")
    wallet = ProductFactory(name="Wallet", brand=steam, categories=[games], tags=["popular"])
    pool[VariantFactory(product=wallet, price=300, preloaded=True).pk] = 5
    VariantFactory(product=wallet, price=900, preloaded=True)
    card = ProductFactory(name="Gift card", short_description="for anything")
    VariantFactory(product=card, price=500, preloaded=True)
    assert names(api, category="games") == names(api, category=games.pk) == ["Wallet"]
    assert names(api, brand="steam") == names(api, brand=steam.pk) == ["Wallet"]
    assert names(api, tag="popular") == ["Wallet"]
    assert names(api, q="STEAM wal") == ["Wallet"]
    assert names(api, q="anything") == ["Gift card"]
    assert names(api, q="%") == []
    assert names(api, min_price=400, max_price=600) == ["Gift card"]
    assert names(api, max_price="299.99") == []
    assert names(api, in_stock="true") == ["Wallet"]
    assert names(api, in_stock="false") == ["Gift card"]
    assert names(api, category="nowhere") == []


def test_sorts_and_pages(api):
    for name, price in (("B", 300), ("C", 100), ("A", 200)):
        VariantFactory(product=ProductFactory(name=name), price=price)
    ProductFactory(name="D")  # nothing to buy yet
    assert names(api) == ["D", "A", "C", "B"]
    assert names(api, sort="newest") == ["D", "A", "C", "B"]
    assert names(api, sort="price_asc") == ["C", "A", "B", "D"]
    assert names(api, sort="price_desc") == ["B", "A", "C", "D"]
    assert names(api, sort="name") == ["A", "B", "C", "D"]
    assert names(api, sort="name", page=2, limit=3) == ["D"]
    assert names(api, page=9) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"), ("page", "x"), ("limit", "101"), ("limit", "-1"), ("min_price", "NaN"),
        ("max_price", "-1"), ("min_price", "1e99"), ("sort", "cost"), ("in_stock", "maybe"),
        ("q", "\x00"), ("q", "x" * 101), ("brand", "\x00"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_meant_is_refused_by_name(api, name, value):
    answer = api.get(f"{V1}/catalog/products", {name: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["field"] == name


@pytest.mark.parametrize("params", [{}, {"in_stock": "true"}, {"sort": "price_asc"}])
def test_the_number_of_queries_does_not_grow(api, params):
    def make(count):
        for _ in range(count):
            product = ProductFactory(tags=["new"], categories=[CategoryFactory()])
            VariantFactory(product=product, preloaded=True)
            VariantFactory(product=product, zendit=True)
            SourceFactory(variant=VariantFactory(product=product), stock_cap=5)

    counts = []
    for count in (1, 29):
        make(count)
        with CaptureQueriesContext(connection) as queries:
            products(api, limit=100, **params)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


def test_an_answer_that_still_holds_is_not_sent_again(api):
    variant = VariantFactory(zendit=True)
    url = f"{V1}/catalog/products"
    first = api.get(url)
    assert first["Cache-Control"] == "public, no-cache"
    again = api.get(url, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    variant.price = 999
    variant.save()
    assert api.get(url, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


def test_a_stale_token_does_not_keep_anyone_from_looking(api):
    for header in ("Bearer stale", "Bearer"):
        assert api.get(f"{V1}/catalog/brands", HTTP_AUTHORIZATION=header).status_code == 200


@pytest.mark.parametrize("key", ["nothing", "0", "9" * 18, "9" * 40, "%00", "a%20b", "é"])
def test_no_such_product_is_404_in_the_envelope(api, key):
    answer = api.get(f"{V1}/catalog/products/{key}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_fulfillment_fields_as_the_contract_shows_them(api):
    variant = VariantFactory(product=ProductFactory(asks_player=True))
    SourceFactory(variant=variant, external_offer_id="FF_100_DIAMONDS")
    SourceFactory(variant=variant, preloaded=True, priority=2)
    url = f"{V1}/orders/fulfillment-fields/{variant.pk}"
    assert api.get(url).status_code == 401
    customer = bearer(UserFactory())
    assert api.get(url, **customer).json()["data"] == {
        "variant_id": variant.pk,
        "fields": [
            {"name": "player_id", "label": "Free Fire Player ID", "type": "text", "required": True},
            {"name": "zone_id", "label": "Zone ID", "type": "text", "required": False},
        ],
        "partner_fields": [
            {
                "partner_code": "ZENDIT",
                "external_offer_id": "FF_100_DIAMONDS",
                "required_fields": ["player_id"],
            }
        ],
    }
    for missing in (0, 10**30):
        url = f"{V1}/orders/fulfillment-fields/{missing}"
        assert api.get(url, **customer).status_code == 404
    hidden = VariantFactory(product=ProductFactory(hidden=True))
    url = f"{V1}/orders/fulfillment-fields/{hidden.pk}"
    assert api.get(url, **customer).status_code == 404

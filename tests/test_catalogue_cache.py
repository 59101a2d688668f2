"""What of the catalogue is kept in Redis, and what puts it aside."""

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as NoRedis
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory
from catalog.models import Brand, Category, Product, Variant
from catalog.tests.factories import (
    CategoryFactory,
    ProductFactory,
    SourceFactory,
    TagFactory,
    VariantFactory,
)
from core import kept
from payments.tests.conftest import Customer
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/api/v1/catalog/products"


@pytest.fixture(autouse=True)
def _kept(settings, monkeypatch):
    settings.CATALOGUE_CACHE_SECONDS, settings.CATALOGUE_STOCK_SECONDS = 60, 60
    monkeypatch.setitem(kept._rest, "until", 0.0)
    cache.clear()


@pytest.fixture
def variant():
    product = ProductFactory(name="Steam", slug="steam", categories=[CategoryFactory(slug="games")])
    made = VariantFactory(product=product, preloaded=True, name="10", price=100)
    VoucherFactory(variant=made)
    return made


def asked(url=LIST):
    """What is answered, and how many statements that took."""
    with CaptureQueriesContext(connection) as queries:
        answer = APIClient().get(url)
    assert answer.status_code == 200, answer.content
    return answer.json()["data"], len(queries)


URLS = [
    LIST,
    f"{LIST}?category=games&sort=price_asc&page=1&limit=50",
    f"{LIST}?in_stock=true",
    f"{LIST}/steam",
    "/api/v1/catalog/brands",
    "/api/v1/catalog/categories",
]


@pytest.mark.parametrize("url", URLS)
def test_a_second_question_costs_no_statement(variant, url):
    first, some = asked(url)
    again, none = asked(url)
    assert some > 0
    assert (again, none) == (first, 0)


def rename(variant):
    variant.product.name = "Steam Wallet"
    variant.product.save()


def reprice(variant):
    variant.price = 200
    variant.save()


def retag(variant):
    variant.product.tags.add(TagFactory(slug="new"))


def recategorise(variant):
    variant.product.categories.set([CategoryFactory(slug="cards")])


CHANGES = {
    "a product": rename,
    "a variant": reprice,
    "a tag": retag,
    "a category": recategorise,
    "a brand": lambda variant: Brand.objects.filter(pk=variant.product.brand_id).update(name="V"),
    "a brand switched off": lambda variant: Brand.objects.update(is_active=False),
    "a bulk statement": lambda variant: Variant.objects.filter(pk=variant.pk).update(name="X"),
    "a related manager": lambda variant: variant.product.variants.update(is_active=False),
    "a new variant": lambda variant: Variant.objects.bulk_create(
        [Variant(product=variant.product, name="20", price=200)]
    ),
    "a new source": lambda variant: SourceFactory(variant=variant, priority=0),
    "a category that is gone": lambda variant: Category.objects.all().delete(),
    "a product withdrawn": lambda variant: Product.objects.update(status="archived"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_of_the_catalogue_is_seen_at_once(variant, change):
    before, _ = asked()
    change(variant)
    after, _ = asked()
    assert after != before
    cache.clear()
    assert asked()[0] == after


def test_a_change_is_seen_when_it_is_committed_and_not_before(variant):
    before, _ = asked()
    with transaction.atomic():
        rename(variant)
        assert asked()[1] == 0
    assert asked()[0] != before
    asked()
    with transaction.atomic():
        reprice(variant)
        transaction.set_rollback(True)
    assert asked()[1] == 0  # what was rolled back has put nothing aside


def test_what_was_read_before_a_change_is_never_found_after_it():
    shelf = kept.Shelf("test")

    def slow():
        shelf.turn()  # somebody commits while we read
        return "old"

    assert shelf.kept("k", slow, seconds=60) == "old"
    assert shelf.kept("k", lambda: "new", seconds=60) == "new"


def test_an_etag_holds_until_a_change(variant):
    first = APIClient().get(LIST)
    assert APIClient().get(LIST, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    reprice(variant)
    assert APIClient().get(LIST, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


@pytest.mark.parametrize("query", ["q=steam", "min_price=1", "max_price=999", "page=10"])
def test_what_nobody_repeats_is_not_kept(variant, query):
    url = f"{LIST}?{query}"
    asked(url)
    assert asked(url)[1] > 0


def test_a_level_is_no_older_than_it_may_be(variant, settings):
    def level():
        return asked()[0]["items"][0]["variants"][0]["stock"]["level"]

    assert level() == 1
    Voucher.objects.update(status="void", void_reason="expired")
    assert level() == 1
    settings.CATALOGUE_STOCK_SECONDS = 0
    assert level() == 0
    assert asked()[1] == 3  # variants, their sources, the pool: the rest is kept


def test_placing_an_order_counts_anew(variant):
    customer = Customer(UserFactory())
    asked()
    Voucher.objects.update(status="void", void_reason="expired")
    assert asked()[0]["items"][0]["variants"][0]["stock"]["in_stock"] is True
    body = {
        "items": [{"variant_id": variant.pk, "quantity": 1}],
        "payment_method": "paystation",
    }
    answer = customer.post("orders", body, status=409)
    assert answer["error"]["details"][0]["field"] == "items.0.quantity"


@pytest.mark.parametrize("url", URLS)
def test_without_redis_the_catalogue_is_read_anew(variant, url, monkeypatch):
    expected, _ = asked(url)

    class Down:
        calls = 0

        def _fail(self, *args, **kwargs):
            Down.calls += 1
            raise NoRedis

        get = add = get_many = set_many = _fail

    monkeypatch.setattr(kept, "cache", Down())
    assert asked(url)[0] == expected
    assert asked(url)[0] == expected
    assert Down.calls == 1  # a server that hangs is not asked again for a while
    rename(variant)  # nor does it keep anybody from working

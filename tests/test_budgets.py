"""What a job may cost in SQL statements, BEGIN and COMMIT included; more is a defect."""

from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.factories import UserFactory
from fulfillment.issuing import issue
from fulfillment.processing import MailWish, finish
from fulfillment.tests.factories import paid_order, pool_of
from orders.services import Buyer, Cart, Line
from payments.models import Payment
from payments.services import checkout

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def counted():
    """The statements of the block, as PostgreSQL receives them."""
    with CaptureQueriesContext(connection) as queries:
        yield (said := [])
    said += [each["sql"] for each in queries.captured_queries]


def commits(statements):
    return sum(each == "COMMIT" for each in statements)


def listed(statements):
    return "\n".join(f"{number:3} {each[:150]}" for number, each in enumerate(statements, 1))


def pool(units):
    return pool_of(*(f"CODE-{timezone.now().timestamp()}-{n:04d}" for n in range(units)))


def placed(*quantities):
    customer = UserFactory()
    lines = [Line(pool(each).pk, each) for each in quantities]
    cart = Cart(lines, "paystation", "gift@example.com")
    buyer = Buyer(customer.pk, customer.email, "en")
    with counted() as statements:
        checkout(cart, buyer, init_payment=True, now=timezone.now())
    assert Payment.objects.filter(order__customer=customer).count() == 1
    return statements[: statements.index("COMMIT") + 1]  # then the gateway is asked


@pytest.fixture(autouse=True)
def _gateway_down(settings):
    settings.PAYSTATION_BASE_URL = "http://127.0.0.1:1"


def issued(*quantities):
    order = paid_order(*((pool(each), each) for each in quantities))
    with counted() as statements:
        round_ = issue(order.pk)
    with counted() as afterwards:
        finish(round_, MailWish())
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    return statements, afterwards


def test_placing_an_order_of_two_items():
    statements = placed(2, 1)
    assert commits(statements) == 1
    assert len(statements) <= 12, listed(statements)


def test_placing_an_order_costs_the_same_for_any_items_and_units():
    assert len(placed(2, 1)) == len(placed(40, 10)) == len(placed(1, 1, 1, 1))


def test_fulfilling_two_items_of_three_codes():
    statements, afterwards = issued(2, 1)
    assert commits(statements) == 1
    assert len(statements) <= 20, listed(statements)
    assert commits(afterwards) == 1, listed(afterwards)


def test_fulfilment_grows_by_items_and_not_by_units():
    two, three = issued(2, 1)[0], issued(2, 1, 1)[0]
    many = issued(30, 20)[0]
    assert len(three) - len(two) <= 3, listed(three)
    assert len(many) == len(two), listed(many)

"""Many equal calls of a programme at once make one order, one sold code, one credit."""

import uuid

import pytest
from rest_framework.test import APIClient

from fulfillment.tests.factories import pool_of
from loyalty.models import FulfillmentOrder, PointsTransfer
from loyalty.processing import process
from loyalty.tests.bank import Bank
from loyalty.tests.factories import ClientFactory, programme_bearer
from orders.models import Order
from payments.models import Payment
from tests.races.crowd import at_once
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 20


@pytest.fixture
def bank():
    return Bank(ClientFactory())


def crowd(bank, body, **headers):
    sent = programme_bearer(bank.client) | headers

    def call(number):
        return APIClient().post("/fulfillment-orders", body, format="json", **sent)

    return at_once(CROWD, call)


def kept():
    return Order.objects.count(), Payment.objects.count(), FulfillmentOrder.objects.count()


def test_twenty_equal_calls_for_the_last_card(bank):
    body = bank.card(pool_of("LAST-0001"))
    answers = crowd(bank, body)
    codes = sorted(
        "201" if answer.status_code == 201 else answer.json()["error"]["code"] for answer in answers
    )
    assert codes == ["201", *["NN1011"] * (CROWD - 1)]
    assert kept() == (1, 1, 1)
    assert Voucher.objects.get().status == "reserved"


def test_twenty_equal_calls_with_one_key(bank):
    body = bank.card(pool_of("A-0001", "A-0002", "A-0003"))
    answers = crowd(bank, body, HTTP_IDEMPOTENCY_KEY=uuid.uuid4().hex)
    made = [answer.json()["data"]["id"] for answer in answers if answer.status_code == 201]
    rest = {answer.json()["error"]["code"] for answer in answers if answer.status_code != 201}
    assert len(set(made)) == 1
    assert rest <= {"CONFLICT"}  # the first one was still running
    assert kept() == (1, 1, 1)


def test_twenty_workers_credit_once(bank, simulator, settings):
    settings.POINTS_BRIDGE_BASE_URL = f"{simulator.url}/points"
    settings.POINTS_BRIDGE_API_KEY = "sim-points-key"
    bank.order(bank.points())
    (transfer,) = PointsTransfer.objects.all()
    at_once(CROWD, lambda number: process(transfer.pk))
    assert PointsTransfer.objects.get().status == "SUCCEEDED"
    (row,) = simulator.read("points/ledger")["credits"]
    assert (row["charges"], row["asked"]) == (1, 1)

"""A programme's client is told how its orders ended: fulfilled, cancelled, failed; once."""

import json
from typing import Any

import pytest
from django.utils import timezone

from core.actors import SYSTEM
from fulfillment.processing import process as fulfil
from fulfillment.tests.factories import pool_of
from loyalty.models import FulfillmentOrder
from loyalty.processing import process
from loyalty.services import give_up, settle_transfer
from loyalty.tests.factories import ClientFactory, transfer_of
from webhooks.models import Delivery
from webhooks.tests.factories import EndpointFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(bank: Any) -> Any:
    """What was told to the bank so far: type, and the order's item."""
    bank.client.webhook = EndpointFactory(audience="programme")
    bank.client.save()
    EndpointFactory()  # a client of the shop, who is told of the shop's own orders alone
    return lambda: [
        (row.event_type, json.loads(row.body)["data"]["order"]["order_items"][0])
        for row in Delivery.objects.order_by("pk")
    ]


def item(told: Any) -> tuple[str, str, bool]:
    ((kind, item),) = told()
    return kind, item["status"], item["points_to_be_returned"]


def gift_card(bank: Any, *codes: str) -> FulfillmentOrder:
    answer = bank.order(bank.card(pool_of("CANARY-77")))
    assert answer.status_code == 201, answer.content
    return FulfillmentOrder.objects.get()


def test_a_gift_card_that_is_delivered(bank, told):
    row = gift_card(bank)
    assert told() == [], "taken is no news"
    fulfil(order_id=row.order_id)
    assert item(told) == ("fulfillment_order.fulfilled", "fulfilled", False)
    delivery = Delivery.objects.get()
    data = json.loads(delivery.body)["data"]["order"]
    assert (data["id"], data["reference"]) == (str(row.pk), row.reference)
    assert delivery.endpoint == bank.client.webhook
    assert "CANARY" not in delivery.body
    assert "example.com" not in delivery.body


def test_a_gift_card_that_is_given_up(bank, told):
    row = gift_card(bank)
    give_up(row, operator=SYSTEM, reason="discontinued", now=timezone.now())
    assert item(told) == ("fulfillment_order.cancelled", "cancelled", True)


def test_points_that_are_credited(bank, points, told):
    order = transfer_of(bank.client)
    process(order.transfer.pk)
    process(order.transfer.pk)
    assert item(told) == ("fulfillment_order.fulfilled", "fulfilled", False)


def test_points_that_are_refused(bank, points, told):
    points.fault("points", "credit", "rejected")
    process(transfer_of(bank.client).transfer.pk)
    assert item(told) == ("fulfillment_order.failed", "failed", True)


def test_an_unknown_outcome_is_no_news_until_it_is_known(bank, points, told):
    points.fault("points", "credit", "cut_after", times=1)
    order = transfer_of(bank.client)
    process(order.transfer.pk)
    assert told() == []
    settle_transfer(order.transfer.pk, credited=False, operator=SYSTEM, reason="they said no")
    assert item(told) == ("fulfillment_order.failed", "failed", True)


def test_points_that_are_given_up(bank, told):
    order = transfer_of(bank.client)
    give_up(order, operator=SYSTEM, reason="the bank asked", now=timezone.now())
    assert item(told) == ("fulfillment_order.cancelled", "cancelled", True)


def test_who_has_no_endpoint_is_told_nothing(bank, points, told):
    process(transfer_of(ClientFactory()).transfer.pk)
    endpoint = bank.client.webhook
    endpoint.event_types = ["fulfillment_order.failed"]
    endpoint.save()
    process(transfer_of(bank.client).transfer.pk)
    endpoint.event_types, endpoint.is_active = ["fulfillment_order.fulfilled"], False
    endpoint.save()
    process(transfer_of(bank.client).transfer.pk)
    assert told() == []

"""What is told, to whom, in the transaction of what happened; and what it costs."""

import json
import uuid

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.factories import UserFactory
from core import kept
from core.actors import SYSTEM
from fulfillment.processing import process
from fulfillment.tests.factories import paid_order, pool_of, stuck_order
from orders.models import OrderEvent
from orders.services import advance, locked
from orders.states import OrderStatus
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.gateways.base import Outcome, Verdict
from payments.models import Refund
from payments.settlement import settle
from payments.tests.factories import PaymentFactory
from webhooks.models import Delivery
from webhooks.services import Event, announce
from webhooks.states import EventType
from webhooks.tests.factories import EndpointFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _redis_is_asked():
    kept._rest["until"] = 0.0
    yield
    kept._rest["until"] = 0.0


def told(event_type):
    return [json.loads(row.body) for row in Delivery.objects.filter(event_type=event_type)]


def test_an_order_that_is_delivered():
    EndpointFactory()
    order = paid_order((pool_of("CANARY-1234"), 1))
    process(order_id=order.pk)
    (row,) = Delivery.objects.all()
    order.refresh_from_db()
    body = json.loads(row.body)
    assert body["type"] == row.event_type == "order.succeeded"
    assert body["eventId"] == str(row.event_id)
    assert body["data"]["order"] == {
        "id": order.pk, "order_number": order.order_number, "status": "SUCCEEDED",
        "total_amount": float(order.total_amount), "currency": "BDT",
        "paid_at": body["data"]["order"]["paid_at"],
    }  # fmt: skip
    assert (row.subject, row.status) == (order.order_number, "PENDING")
    assert "CANARY" not in row.body
    assert order.recipient_email not in row.body


def test_an_order_that_needs_attention():
    EndpointFactory()
    stuck_order()
    (body,) = told("order.needs_attention")
    assert body["data"]["order"]["status"] == "NEEDS_ATTENTION"


@pytest.mark.parametrize(
    ("outcome", "kinds"),
    [
        (Outcome.PAID, {"payment.succeeded"}),
        (Outcome.FAILED, {"payment.failed", "order.failed"}),
        (Outcome.CANCELLED, {"payment.failed", "order.cancelled"}),
    ],
)
def test_what_becomes_of_a_payment(outcome, kinds):
    EndpointFactory()
    order = OrderFactory()
    OrderItemFactory(order=order, quantity=1)
    payment = PaymentFactory(order=order, status="PENDING", paid_at=None, effective=False)
    verdict = Verdict(outcome, amount=payment.amount, currency="BDT")
    for _ in range(2):  # a second verdict is no second event
        settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=timezone.now())
    assert {row.event_type for row in Delivery.objects.all()} - {"order.needs_attention"} == kinds
    payment.refresh_from_db()
    (body,) = told(next(kind for kind in kinds if kind.startswith("payment")))
    assert body["data"]["payment"]["transactionId"] == payment.reference
    assert body["data"]["payment"]["status"] == payment.status


def test_one_change_is_one_event_for_each_endpoint_and_has_one_id():
    one, other = EndpointFactory(), EndpointFactory()
    event = Event(EventType.PAYMENT_SUCCEEDED, "BDV-1-1", "BDV-1-1", {})
    announce(event, now=timezone.now())
    announce(event, now=timezone.now())
    assert event.id == uuid.uuid5(
        uuid.UUID("5d9f0f3e-6f5b-4e0c-9d3a-6b1c1f0b7a11"), "payment.succeeded:BDV-1-1"
    )
    assert sorted(Delivery.objects.values_list("endpoint", "event_id")) == sorted(
        [(one.pk, event.id), (other.pk, event.id)]
    )


def test_only_what_is_listened_to():
    EndpointFactory(event_types=["order.failed"])
    EndpointFactory(is_active=False)
    EndpointFactory(audience="programme")
    process(order_id=paid_order((pool_of("A-1"), 1)).pk)
    assert not Delivery.objects.exists()


class UndoneError(Exception):
    """Something went wrong later in the same transaction."""


@transaction.atomic
def moved_and_undone(order):
    now = timezone.now()
    new = OrderStatus.NEEDS_ATTENTION
    advance(locked(order.pk), new, actor=SYSTEM, reason="", now=now)
    assert Delivery.objects.exists()
    raise UndoneError


def test_a_change_that_is_rolled_back_is_told_to_nobody():
    EndpointFactory()
    order = OrderFactory(paid=True)
    with pytest.raises(UndoneError):
        moved_and_undone(order)
    assert not Delivery.objects.exists()
    assert not OrderEvent.objects.filter(order=order, new="NEEDS_ATTENTION").exists()


def test_the_same_arrow_twice_in_an_orders_life_is_two_events():
    EndpointFactory()
    order, now = OrderFactory(), timezone.now()
    for new in (OrderStatus.FAILED, OrderStatus.INITIATED, OrderStatus.FAILED):
        advance(locked(order.pk), new, actor=SYSTEM, reason="", now=now)
    assert len({row.event_id for row in Delivery.objects.filter(event_type="order.failed")}) == 2


def cost_of_an_arrow(settings, order):
    settings.WEBHOOK_LISTENERS_SECONDS = 30
    with transaction.atomic():
        row = locked(order.pk)
        with CaptureQueriesContext(connection) as queries:
            advance(row, OrderStatus.FAILED, actor=SYSTEM, reason="", now=timezone.now())
    return len(queries)


def test_where_nobody_listens_an_event_costs_no_statement(settings):
    cache.clear()
    first, second = OrderFactory(), OrderFactory()
    cost_of_an_arrow(settings, first)  # who listens is read, and kept
    assert cost_of_an_arrow(settings, second) == 2  # the order, and the line of its timeline


@pytest.mark.django_db(transaction=True)
def test_a_new_endpoint_hears_the_very_next_event(settings):
    cache.clear()
    cost_of_an_arrow(settings, OrderFactory())
    endpoint = EndpointFactory()
    assert cost_of_an_arrow(settings, OrderFactory()) == 5  # who listens, to whom, the row
    assert cost_of_an_arrow(settings, OrderFactory()) == 4
    assert Delivery.objects.count() == 2
    endpoint.is_active = False
    endpoint.save()
    cost_of_an_arrow(settings, OrderFactory())
    assert cost_of_an_arrow(settings, OrderFactory()) == 2


def test_without_redis_nothing_is_missed(settings):
    settings.CACHES = settings.CACHES | {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }
    EndpointFactory()
    cost_of_an_arrow(settings, OrderFactory())
    assert Delivery.objects.count() == 1


def test_money_that_went_back():
    from payments.telling import announce_refund

    EndpointFactory()
    order = OrderFactory(paid=True)
    payment = PaymentFactory(
        order=order, status="SUCCEEDED", paid_at=timezone.now(), received_amount=500,
        received_currency="BDT",
    )  # fmt: skip
    refund = Refund.objects.create(
        payment=payment, reference=f"{payment.reference}-R1", amount=120, reason="why",
        by_hand=True, requested_by=UserFactory(finance=True), created_at=timezone.now(),
    )  # fmt: skip
    refund = Refund.objects.select_related("payment__order").get(pk=refund.pk)
    announce_refund(refund.payment.order, refund, now=timezone.now())
    (body,) = told("payment.refunded")
    assert body["data"]["refund"] == {"reference": refund.reference, "amount": 120}
    assert body["data"]["payment"]["order_number"] == payment.order.order_number

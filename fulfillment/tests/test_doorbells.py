"""Who rings for the worker never fails because nobody hears the bell: the sweep finds the row."""

import pytest
from celery.app.task import Task
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.tests.factories import UserFactory
from catalog.models import PartnerSource
from core.actors import Actor
from fulfillment.models import FulfillmentAttempt
from fulfillment.purchasing import open_purchase
from fulfillment.recovery.purchases import close_purchase
from fulfillment.services import request_fulfilment, wake_import
from fulfillment.tests.factories import item_of, offered, paid_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead_broker(monkeypatch):
    """What was rung for in vain."""
    rung = []

    def refuse(task, args=None, kwargs=None, **_):
        rung.append((task.name.rpartition(".")[2], kwargs))
        raise OperationalError("no broker")

    monkeypatch.setattr(Task, "apply_async", refuse)
    return rung


def unknown_purchase():
    order = paid_order((offered("A"), 1))
    FulfillmentAttempt.objects.update(claimed_at=timezone.now())
    attempt = FulfillmentAttempt.objects.get()
    purchase = open_purchase(attempt, item_of(order), 1, PartnerSource.objects.get())
    purchase.status = "UNKNOWN"
    purchase.save()
    return order, purchase


def test_a_closed_purchase_wakes_the_worker(dead_broker, django_capture_on_commit_callbacks):
    (order, purchase), operator = unknown_purchase(), Actor.of(UserFactory(operator=True))
    with django_capture_on_commit_callbacks(execute=True):
        close_purchase(order.pk, purchase.pk, bought=False, reason="never seen", operator=operator)
    assert dead_broker == [("fulfil_order", {"order_id": order.pk})]
    purchase.refresh_from_db()
    assert purchase.status == "FAILED"


def test_a_paid_order_wakes_the_worker(dead_broker, django_capture_on_commit_callbacks):
    order = paid_order()
    with django_capture_on_commit_callbacks(execute=True):
        request_fulfilment(order, now=timezone.now())
    assert dead_broker == [("fulfil_order", {"order_id": order.pk})]


def test_an_import_wakes_the_worker(dead_broker, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        wake_import(7)
    assert dead_broker == [("import_codes", {"batch_id": 7})]


def test_a_bell_that_breaks_is_told_and_rings_no_less_for_the_others(
    dead_broker, django_capture_on_commit_callbacks, caplog
):
    """Of a payment several follow; the commit's caller has done their work, and is told so."""
    order = paid_order()
    with django_capture_on_commit_callbacks(execute=True):
        wake_import(7)
        request_fulfilment(order, now=timezone.now())
    assert [name for name, _ in dead_broker] == ["import_codes", "fulfil_order"]
    assert caplog.text.count("Error calling Task.delay") == 2

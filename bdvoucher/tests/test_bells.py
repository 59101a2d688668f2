"""A shop that has fallen behind is not rung at harder: the broker's own queue is looked at."""

import pytest
from celery import Celery

from bdvoucher import health
from bdvoucher.bells import ENOUGH, RINGS_IN, ShopTask
from bdvoucher.celery import app
from catalog.tests.factories import VariantFactory
from fulfillment.tasks import fulfil_order, sweep_orders
from fulfillment.tests.factories import paid_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue():
    """The real broker's list of what waits for a worker; there is no worker here."""
    with health.broker_client() as client:
        client.delete("money")
        yield client
        client.delete("money")


def test_a_sweep_rings_for_what_was_forgotten(queue):
    paid_order((VariantFactory(), 1))
    sweep_orders()
    assert queue.llen("money") == 1


def test_a_sweep_adds_nothing_to_a_queue_that_is_long(queue):
    paid_order((VariantFactory(), 1))
    for number in range(ENOUGH):
        fulfil_order.delay(order_id=10**9 + number)
    sweep_orders()
    assert queue.llen("money") == ENOUGH
    queue.ltrim("money", 0, ENOUGH - 2)
    sweep_orders()
    assert queue.llen("money") == ENOUGH


def test_without_a_broker_nothing_is_known_to_wait():
    nowhere = Celery(
        "nowhere", broker="redis://127.0.0.1:1/0", task_cls=ShopTask, set_as_current=False
    )
    nowhere.conf.broker_transport_options = app.conf.broker_transport_options

    @nowhere.task(name="payments.tasks.sweep_payments")
    def ring():
        return "rang"

    assert ring() == "rang"


def test_every_sweep_that_rings_is_known_by_its_name_and_queue():
    ours = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert set(RINGS_IN) <= ours
    queues = {route["queue"] for route in app.conf.task_routes.values()}
    assert set(RINGS_IN.values()) <= queues | {app.conf.task_default_queue}

"""A payer who presses many times at once, and one who pays and leaves in the same moment."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from orders.models import OrderEvent
from payments.gateways.tests.conftest import simulator
from payments.models import Payment
from payments.tests.carrier import BANGLALINK, Payer, opened, phone_of, point_to
from tests.races.crowd import at_once

__all__ = ["simulator"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payer(simulator, settings):
    cache.clear()
    simulator.reset("dcb")
    settings.PAYMENT_METHODS = ["dcb"]
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    settings.CUSTOMER_WAIT_SECONDS = 10.0
    settings.PAYMENT_DEADLINE = timedelta(minutes=30)
    point_to(simulator, settings)
    return Payer(simulator, opened())


def crowd(payer, count, action, **fields):
    def press(number):
        client = Client(REMOTE_ADDR=f"198.51.100.{number}")
        return client.post(payer.path, {"action": action, **fields}).status_code

    return at_once(count, press)


def test_one_password_typed_twenty_times_at_once_is_one_charge(payer):
    payer.send()
    crowd(payer, 20, "confirm", password=payer.password())
    assert payer.state() == ("SUCCEEDED", "PENDING")
    assert payer.charges() == 1
    assert Payment.objects.count() == 1
    assert OrderEvent.objects.filter(kind="consent").count() == 1


def test_an_operators_password_typed_at_once_is_handed_on_once(payer):
    payer.send(BANGLALINK)
    crowd(payer, 10, "confirm", password=phone_of(payer.simulator, BANGLALINK))
    assert payer.simulator.read("dcb/calls")["counts"]["otp"] == 1
    assert payer.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")


def test_an_operators_first_step_pressed_at_once_is_sent_once(payer):
    crowd(payer, 6, "send", number=BANGLALINK)
    assert payer.simulator.read("dcb/calls")["counts"]["start"] == 1


def test_paying_and_leaving_at_once_ends_in_one_of_them(payer):
    payer.send()
    password = payer.password()

    def both(number):
        client = Client(REMOTE_ADDR=f"198.51.100.{number}")
        action = "confirm" if number % 2 else "cancel"
        return client.post(payer.path, {"action": action, "password": password}).status_code

    at_once(10, both)
    assert (payer.state(), payer.charges()) in (
        (("SUCCEEDED", "PENDING"), 1),
        (("CANCELLED", "CANCELLED"), 0),
    )


def test_fifty_notifications_at_once_are_one_payment(payer):
    payer.send(BANGLALINK)
    payer.does("confirm", password=phone_of(payer.simulator, BANGLALINK))
    body = {
        "externalTrxId": payer.payment.gateway_reference,
        "internalTrxId": payer.consent().internal_id,
        "TotalAmount": "500.00",
        "paidAmount": "500.00",
        "balanceDue": "0.00",
        "currency": "BDT",
        "statusCode": "S1000",
    }
    where = "/api/v1/payments/dcb/callback"
    answers = at_once(50, lambda _: Client().post(where, body, "application/json").status_code)
    assert answers == [200] * 50
    assert payer.state() == ("SUCCEEDED", "PENDING")
    assert OrderEvent.objects.filter(kind="payment", new="SUCCEEDED").count() == 1

"""A payer who leaves bKash's page: told at once, and never against money."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from fulfillment.partners.tests.simulator import ANSWER_SECONDS, Simulator
from payments.models import Payment
from payments.tests import test_bkash_matrix

pytestmark = pytest.mark.django_db
Hands = test_bkash_matrix.TestBkashMatrix


@pytest.fixture
def bkash(simulator: Simulator, settings: Any) -> Any:
    """The matrix' hands: open, press, notify."""
    hands = Hands()
    settings.PAYMENT_METHODS = ["bkash"]
    settings.CUSTOMER_WAIT_SECONDS = ANSWER_SECONDS
    hands.simulator, hands.settings = simulator, settings
    simulator.reset("bkash")
    cache.clear()
    hands.connect(simulator, settings)
    return hands


def left(payment: Payment, status: str) -> None:
    """The browser comes back."""
    query = {"paymentID": payment.gateway_reference, "status": status}
    assert Client().get("/api/v1/payments/bkash/callback", query).status_code == 302


@pytest.mark.parametrize(
    ("action", "status", "end"), [("fail", "failure", "FAILED"), ("cancel", "cancel", "CANCELLED")]
)
def test_the_order_ends_at_once(bkash: Any, action: str, status: str, end: str) -> None:
    payment = bkash.opened()
    bkash.press(payment, action)
    left(payment, status)
    assert bkash.state(payment) == (end, end)


@pytest.mark.parametrize("status", ["failure", "cancel"])
def test_a_forged_end_of_a_confirmed_payment_takes_the_money(bkash: Any, status: str) -> None:
    payment = bkash.opened()
    bkash.press(payment)
    left(payment, status)
    assert bkash.state(payment)[0] == "SUCCEEDED"


def test_after_a_forged_end_nothing_is_taken(bkash: Any) -> None:
    """Who confirms all the same keeps the money, and may pay again."""
    payment = bkash.opened()
    left(payment, "cancel")
    bkash.press(payment)
    left(payment, "success")
    assert bkash.state(payment) == ("CANCELLED", "CANCELLED")
    rows = bkash.simulator.read("bkash/ledger")["payments"]
    assert [row["charges"] for row in rows] == [0]


def test_an_end_that_meets_a_capture_decides_nothing(bkash: Any) -> None:
    payment = bkash.opened()
    Payment.objects.filter(pk=payment.pk).update(capture_sent_at=timezone.now())
    left(payment, "cancel")
    assert bkash.state(payment) == ("PENDING", "INITIATED")


def test_no_answer_is_no_end(bkash: Any) -> None:
    payment = bkash.opened()
    bkash.fault({"operation": "query", "fault": "error_500"})
    left(payment, "cancel")
    assert bkash.state(payment) == ("PENDING", "INITIATED")


def test_a_capture_that_never_left_is_sent_later(bkash: Any) -> None:
    payment = bkash.opened()
    bkash.press(payment)
    bkash.fault({"operation": "execute", "fault": "rate_limited", "times": 1})
    left(payment, "success")
    assert bkash.state(payment)[0] == "PENDING"
    assert Payment.objects.get().capture_sent_at is None
    bkash.swept(payment)
    assert bkash.state(payment)[0] == "SUCCEEDED"

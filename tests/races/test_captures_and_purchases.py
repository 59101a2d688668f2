"""Several at once on the way out: money is taken, paid back and spent by one of them."""

import threading
from datetime import timedelta

import pytest
import responses
from django.conf import settings as shop
from django.core.cache import cache
from django.utils import timezone

from catalog.models import PartnerSource
from core.actors import SYSTEM
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.partners.tests.simulator import ANSWER_SECONDS
from fulfillment.purchasing import follow, open_purchase
from fulfillment.tests.factories import codes_of, item_of, offered, paid_order
from fulfillment.tests.partner import BASE, ScriptedZendit
from payments.models import Payment
from payments.refunding import RefundWish, carry_out, request_refund
from payments.tests import test_bkash_matrix
from payments.verification import verify
from tests.races.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bkash(simulator, settings):
    hands = test_bkash_matrix.TestBkashMatrix()
    settings.PAYMENT_METHODS = ["bkash"]
    settings.CUSTOMER_WAIT_SECONDS = 5.0
    hands.simulator, hands.settings = simulator, settings
    simulator.reset("bkash")
    cache.clear()
    hands.connect(simulator, settings)
    return hands


def asked(bkash, operation):
    return bkash.simulator.read("bkash/calls")["counts"].get(operation, 0)


def test_a_confirmed_payment_is_executed_by_one_of_many(bkash):
    payment = bkash.opened()
    bkash.press(payment)
    bkash.fault({"operation": "execute", "fault": "slow", "seconds": ANSWER_SECONDS})
    answers = at_once(6, lambda _: verify(payment.pk))
    assert not [each for each in answers if isinstance(each, Exception)]
    verify(payment.pk)
    assert (bkash.state(payment)[0], asked(bkash, "execute")) == ("SUCCEEDED", 1)


def test_a_refund_is_sent_by_one_of_many(bkash):
    """In part: the gateway would carry out a second one, too."""
    payment = bkash.opened()
    bkash.press(payment)
    verify(payment.pk)
    payment = Payment.objects.get()
    order = payment.order
    Payment.objects.update(effective=False)  # paid twice, say: any part of it can go back
    half = RefundWish("why", amount=payment.amount / 2)
    assert order.paid_at is not None
    refund = request_refund(payment.pk, half, operator=SYSTEM, now=timezone.now())
    bkash.fault({"operation": "refund", "fault": "slow", "seconds": ANSWER_SECONDS})
    answers = at_once(6, lambda _: carry_out(refund.pk).status)
    assert set(answers) <= {"PENDING", "SUCCEEDED"}
    (row,) = bkash.simulator.read("bkash/ledger")["payments"]
    assert len(row["refunds"]) == 1


class Meeting(ScriptedZendit):
    """Two look up at once: none hears its answer before the other has asked."""

    both = threading.Barrier(2)

    def _tell(self, request):
        self.both.wait(30)
        return super()._tell(request)


def test_a_reference_the_partner_never_knew_is_sent_again_by_one(settings):
    settings.ZENDIT_BASE_URL = BASE
    order = paid_order((offered("A"), 1))
    FulfillmentAttempt.objects.update(claimed_at=timezone.now())
    attempt = FulfillmentAttempt.objects.get()
    open_purchase(attempt, item_of(order), 1, PartnerSource.objects.get())
    long_ago = timezone.now() - shop.PARTNER_UNKNOWN_WINDOW - timedelta(seconds=1)
    PartnerTransaction.objects.update(status="UNKNOWN", sent_at=long_ago)
    rows = PartnerTransaction.objects.select_related(
        "item__order", "item__variant", "partner", "source__partner"
    )
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        zendit = Meeting(wire)
        both = [rows.get(), rows.get()]
        answers = at_once(2, lambda number: follow(both[number]))
    assert not [each for each in answers if isinstance(each, Exception)]
    assert len(zendit.sold) == 1
    assert len(codes_of(order)) == 1

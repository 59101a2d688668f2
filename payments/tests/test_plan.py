"""The plan in the row, as shipped: a lost callback costs minutes, never the payment."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as shipped
from django.utils import timezone

from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import Payment
from payments.selectors import due_payments
from payments.services import initiate_payment
from payments.tasks import verify_payment

pytestmark = pytest.mark.django_db
FIVE_MINUTES = 300


def opened():
    order = OrderFactory(pay_until=timezone.now() + shipped.PAYMENT_DEADLINE)
    OrderItemFactory(order=order)
    result = initiate_payment(
        order.customer_id, order.order_number, method=None, amount=None, currency=None,
        description="", now=timezone.now(),
    )  # fmt: skip
    return result.payment


@pytest.mark.parametrize("paid_after", [0, 20, 61, 125, 299, 400, 601, 900, 1200, 1500, 1790])
def test_paid_without_a_callback_is_settled_within_five_minutes(paystation, paid_after):
    """The sweep's beat may fall anywhere: its worst case is a whole interval late."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        payment, started = opened(), timezone.now()
        while (timezone.now() - started).total_seconds() < paid_after + FIVE_MINUTES:
            clock.shift(timedelta(seconds=shipped.SWEEP_PAYMENTS_SECONDS))
            passed = (timezone.now() - started).total_seconds()
            if passed > paid_after:
                paystation.pays(payment.reference)
            for pk in due_payments(now=timezone.now()).values_list("pk", flat=True):
                verify_payment(payment_id=pk)
            if Payment.objects.get().status == "SUCCEEDED":
                break
        assert Payment.objects.get().status == "SUCCEEDED"
        assert passed - paid_after <= FIVE_MINUTES


def test_quick_first_then_slower(paystation):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        payment, waits = opened(), []
        for _ in range(8):
            due = Payment.objects.get().next_check_at
            waits.append(round((due - timezone.now()).total_seconds()))
            clock.move_to(due)
            verify_payment(payment_id=payment.pk)
        assert waits == [60, 15, 30, 60, 120, 180, 240, 240]
        assert len(paystation.asked) == 8

"""Which rows of payments a question means, and none beside them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.tests.factories import OrderFactory
from payments.models import Payment
from payments.selectors import orders_by_gateway_id, orders_paid_through, payments_to_remind_of
from payments.services import open_session
from payments.states import CHANNELS
from payments.tests.factories import PaymentFactory

pytestmark = pytest.mark.django_db


def paid(**fields):
    order = OrderFactory(paid=True)
    return PaymentFactory(
        order=order, status="SUCCEEDED", paid_at=timezone.now(), **({"effective": True} | fields)
    )


def test_a_channel_paid_the_orders_whose_payment_counts():
    """A second payment, which bought nothing, came through a channel as well."""
    first = paid(method="bkash")
    PaymentFactory(order=first.order, status="SUCCEEDED", paid_at=timezone.now())
    PaymentFactory(method="bkash")
    paid(method="nagad")
    assert list(orders_paid_through(CHANNELS["bkash"])) == [first.order_id]
    assert list(orders_paid_through(CHANNELS["paystation"])) == []
    assert list(orders_paid_through(10**6)) == []


def test_an_order_is_found_by_either_id_of_its_gateway_and_by_no_other():
    one, other = PaymentFactory(), PaymentFactory()
    Payment.objects.filter(pk=one.pk).update(gateway_transaction_id="TRX-1")
    for term in ("TRX-1", one.gateway_reference):
        assert list(orders_by_gateway_id(term)) == [one.order_id]
    assert list(orders_by_gateway_id(other.gateway_reference)) == [other.order_id]
    assert list(orders_by_gateway_id("TRX-2")) == []


def test_a_reminder_is_for_who_left_a_while_ago_and_not_for_ever_ago(settings):
    """An order may be tried again for weeks: its first tries are nothing to be reminded of."""
    now = timezone.now()
    order = OrderFactory(pay_until=now + timedelta(hours=1))
    tries = {
        "just now": now - settings.PAYMENT_REMINDER + timedelta(seconds=1),
        "a while ago": now - settings.PAYMENT_REMINDER,
        "long ago": now - settings.PAYMENT_REMINDER - settings.PAYMENT_DEADLINE,
    }
    rows = {name: PaymentFactory(order=order, created_at=at) for name, at in tries.items()}
    assert payments_to_remind_of(now=now) == [rows["a while ago"].pk]


def test_an_order_without_an_account_can_be_paid(paystation):
    payment = PaymentFactory(order=OrderFactory(customer=None), status="INITIATED")
    assert open_session(payment).redirect_url.endswith(payment.reference)
    assert paystation.opened[0].get("cust_name", "") == ""

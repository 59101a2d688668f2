"""Fifty different notices at once; browser, notice and sweep at the same instant."""

import json

import pytest
from django.core import mail
from rest_framework.test import APIClient

from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.factories import codes_of, pool_of
from orders.models import Order, OrderEvent
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import GatewayCallback, Payment
from payments.tasks import close_order, verify_payment
from payments.tests.factories import PaymentFactory
from tests.races.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/payments/paystation/callback"


def to_pay():
    payment = PaymentFactory(order=OrderFactory())
    for code in ("A-0001", "B-0001"):
        OrderItemFactory(order=payment.order, variant=pool_of(code))
    return payment


def one_of_each(payment):
    payment.refresh_from_db()
    assert (payment.status, payment.effective) == ("SUCCEEDED", True)
    assert Payment.objects.count() == 1
    assert OrderEvent.objects.filter(kind="payment").count() == 1
    assert FulfillmentAttempt.objects.count() == 2
    at_once(4, lambda _: process(order_id=payment.order_id))
    process(order_id=payment.order_id)
    order = Order.objects.get()
    assert (order.status, len(mail.outbox)) == ("SUCCEEDED", 1)
    assert codes_of(order) == ["A-0001", "B-0001"]


def test_fifty_mixed_notices(paystation):
    payment = to_pay()
    paystation.pays(payment.reference)

    def notice(number):
        """Browsers that say yes, no and nothing; IPNs, right, wrong and not ours."""
        name, words = payment.reference, ("Successful", "Failed", "Canceled", "")
        match number % 5:
            case 0 | 1:
                query = {"invoice_number": name, "status": words[number % 4], "n": number}
                return APIClient().get(URL, query).status_code
            case 2:
                ipn = {"invoice_number": name, "trx_status": "Success", "trx_amount": number}
            case 3:
                ipn = {"invoice_number": name, "trx_status": words[number % 4], "n": number}
            case _:
                ipn = {"invoice_number": f"BDV-{number}-9", "trx_status": "Success"}
        body = json.dumps(ipn)
        return APIClient().post(URL, body, content_type="application/json").status_code

    answers = at_once(50, notice)

    assert sorted(set(answers)) == [200, 302]
    assert GatewayCallback.objects.count() == 50
    one_of_each(payment)


def test_browser_notice_poll_sweep_and_closing_at_the_same_instant(paystation):
    payment = to_pay()
    paystation.pays(payment.reference)
    name = payment.reference
    ipn = json.dumps({"invoice_number": name, "trx_status": "Success"})
    jobs = [
        lambda: APIClient().get(URL, {"invoice_number": name, "status": "Failed"}).status_code,
        lambda: APIClient().post(URL, ipn, content_type="application/json").status_code,
        lambda: verify_payment(payment_id=payment.pk),
        lambda: close_order(order_id=payment.order_id),
    ]

    answers = at_once(12, lambda number: jobs[number % 4]())

    assert not [each for each in answers if isinstance(each, Exception)]
    one_of_each(payment)

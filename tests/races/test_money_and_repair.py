"""The same news fifty times at once; two operators with the same codes."""

import threading

import pytest
from django.core import mail
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.desk import Desk
from fulfillment.tests.factories import codes_of, item_of, pool_of, stuck_order
from orders.models import Order, OrderEvent
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import GatewayCallback, Payment
from payments.tests.factories import PaymentFactory
from tests.races.crowd import at_once
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/payments/paystation/callback"


def two_items_to_pay():
    payment = PaymentFactory(order=OrderFactory())
    for code in ("A-0001", "B-0001"):
        OrderItemFactory(order=payment.order, variant=pool_of(code))
    return payment


def test_fifty_identical_callbacks_are_one_payment_one_delivery_and_one_mail(paystation):
    payment = two_items_to_pay()
    paystation.pays(payment.reference)
    query = {"invoice_number": payment.reference, "status": "Successful"}
    answers = at_once(50, lambda _: APIClient().get(URL, query).status_code)
    assert answers == [302] * 50
    payment.refresh_from_db()
    assert (payment.status, payment.effective) == ("SUCCEEDED", True)
    assert Payment.objects.count() == 1
    assert GatewayCallback.objects.get().times == 50
    assert OrderEvent.objects.filter(kind="payment").count() == 1
    trail = FulfillmentAttempt.objects.values_list("item__position", "status")
    assert sorted(trail) == [(0, "IN_PROGRESS"), (1, "IN_PROGRESS")]
    assert set(at_once(8, lambda _: process(order_id=payment.order_id))) == {None}
    process(order_id=payment.order_id)
    order = Order.objects.get()
    assert (order.status, len(mail.outbox)) == ("SUCCEEDED", 1)
    assert codes_of(order) == ["A-0001", "B-0001"]
    assert set(FulfillmentAttempt.objects.values_list("status", flat=True)) == {"SUCCESS"}
    assert FulfillmentAttempt.objects.count() == 2


def test_twin_without_the_orders_lock_starts_every_delivery():
    payment = two_items_to_pay()
    looked = threading.Barrier(10)

    def naive(_):
        undecided = Payment.objects.get(pk=payment.pk).status == "PENDING"
        looked.wait(30)
        return undecided  # and would go on to deliver

    assert at_once(10, naive) == [True] * 10


def test_two_operators_with_the_same_codes():
    order = stuck_order(2)
    item = item_of(order)
    desks = [Desk(UserFactory(operator=True)) for _ in range(2)]
    body = {"orderItemId": item.pk, "codes": [{"code": "ABCD-1234"}, {"code": "EFGH-5678"}]}

    def enters(number):
        where = f"/api/v1/admin/orders/{order.pk}/fulfillment/manual-code"
        answer = desks[number].client.post(where, body, format="json")
        return answer.status_code, answer.json()

    answers = sorted(at_once(2, enters), key=lambda answer: answer[0])
    assert [status for status, _ in answers] == [200, 409]
    assert answers[0][1]["data"]["status"] == "DISPATCHED"
    assert answers[1][1]["error"]["code"] == "CONFLICT"
    ended = FulfillmentAttempt.objects.filter(type="MANUAL_CODE_INPUT")
    assert [each.status for each in ended] == ["DISPATCHED"]
    assert Voucher.objects.count() == 2
    assert len(mail.outbox) == 1


def test_twin_that_checks_before_it_locks_lets_both_through_to_the_last_guard():
    order, user = stuck_order(), UserFactory(operator=True)
    item, now = item_of(order), timezone.now()
    checked = threading.Barrier(2)

    def naive(_):
        free = not FulfillmentAttempt.objects.filter(item=item, status="DISPATCHED").exists()
        checked.wait(30)
        assert free
        FulfillmentAttempt.objects.create(
            order=order, item=item, type="MANUAL_CODE_INPUT", status="DISPATCHED", admin_user=user,
            created_at=now, ended_at=now,
        )  # fmt: skip
        return "dispatched"

    answers = at_once(2, naive)
    assert answers.count("dispatched") == 1
    (refused,) = [each for each in answers if isinstance(each, IntegrityError)]
    assert refused.__cause__.diag.constraint_name == "attempt_dispatched_once"

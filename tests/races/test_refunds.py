"""A refund against a code that comes at the same instant: exactly one of the two wins (D42)."""

import threading

import pytest
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from catalog.tests.factories import VariantFactory
from core.actors import SYSTEM
from fulfillment.processing import process
from fulfillment.selectors import standings_of
from fulfillment.tests.desk import Desk
from fulfillment.tests.factories import item_of, pool_of
from orders.models import Order, OrderItem
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.gateways.base import Outcome, Verdict
from payments.models import Refund
from payments.settlement import settle
from payments.tests.factories import PaymentFactory
from tests.races.crowd import at_once
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db(transaction=True)


def paid(variant, *, stuck=False):
    order = OrderFactory()
    OrderItemFactory(order=order, variant=variant)
    payment = PaymentFactory(order=order)
    verdict = Verdict(Outcome.PAID, amount=order.total_amount, gateway_transaction_id="PS-1")
    settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=timezone.now())
    if stuck:
        process(order_id=order.pk)
    return payment


def asks_for_its_money(payment, user):
    url = f"/api/v1/admin/payments/{payment.pk}/refund"
    return APIClient().post(url, {"reason": "waited long"}, format="json", **bearer(user))


def exactly_one(payment):
    order = Order.objects.get(pk=payment.order_id)
    delivered = Voucher.objects.filter(status="sold", revoked_at=None).count()
    refunds = Refund.objects.count()
    assert (delivered, refunds) in {(1, 0), (0, 1)}
    assert item_of(order).refunded_units == ([1] if refunds else [])
    assert order.status == ("NEEDS_ATTENTION" if refunds else "SUCCEEDED")
    return refunds


@pytest.mark.parametrize("_", range(3))
def test_against_a_running_delivery(_):
    payment, user = paid(pool_of("A-0001")), UserFactory(finance=True)
    jobs = [lambda: process(order_id=payment.order_id), lambda: asks_for_its_money(payment, user)]

    answers = at_once(4, lambda number: jobs[number % 2]())

    assert not [each for each in answers if isinstance(each, Exception)]
    codes = sorted(each.status_code for each in answers if each is not None)
    process(order_id=payment.order_id)
    refunds = exactly_one(payment)
    assert codes == ([200, 409] if refunds else [409, 409])


@pytest.mark.parametrize("_", range(3))
def test_against_a_late_code(_):
    payment, user = paid(VariantFactory(), stuck=True), UserFactory(finance=True)
    order = Order.objects.get(pk=payment.order_id)
    where = f"/api/v1/admin/orders/{order.pk}/fulfillment/manual-code"
    body = {"orderItemId": item_of(order).pk, "codes": [{"code": "LATE-0001"}]}
    desk = Desk(UserFactory(operator=True))
    jobs = [
        lambda: desk.client.post(where, body, format="json"),
        lambda: asks_for_its_money(payment, user),
    ]

    answers = at_once(2, lambda number: jobs[number]().status_code)

    assert sorted(answers) == [200, 409]
    exactly_one(payment)


def test_twin_that_looks_before_it_locks_does_both():
    """What the order's lock is for: without it code and refund see the same unit owed."""
    payment = paid(VariantFactory(), stuck=True)
    order = Order.objects.get(pk=payment.order_id)
    item, looked = item_of(order), threading.Barrier(2)
    from vouchers.tests.factories import VoucherFactory

    def naive(number):
        with transaction.atomic():
            owed = standings_of(order)[0].owed
            looked.wait(30)
            assert owed == [1]
            if number:
                OrderItem.objects.filter(pk=item.pk).update(refunded_units=[1])
            else:
                VoucherFactory(
                    variant=item.variant, status="sold", order_item=item, unit_no=1,
                    sold_at=timezone.now(),
                )  # fmt: skip
            looked.wait(30)
        return "done"

    assert at_once(2, naive) == ["done", "done"]
    assert Voucher.objects.filter(status="sold").count() == 1
    assert item_of(order).refunded_units == [1]


def test_the_same_refund_ten_times_at_once():
    payment, user = paid(VariantFactory(), stuck=True), UserFactory(finance=True)

    answers = at_once(10, lambda _: asks_for_its_money(payment, user).status_code)

    assert sorted(answers) == [200] + [409] * 9
    assert Refund.objects.get().amount == item_of(Order.objects.get()).unit_price

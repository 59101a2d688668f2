"""Fifty buyers, ten codes. Each test has a twin without the lock that must fail."""

import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import VariantFactory
from core.errors import BadRequest, Conflict
from fulfillment.tests.factories import pool_of
from orders.models import DiscountCode, Order, OrderItem
from orders.services import Buyer, Cart, Line
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.services import checkout
from tests.races.crowd import at_once, kinds
from vouchers.models import Voucher
from vouchers.services import _free, assign, reserve
from vouchers.states import VoucherStatus

pytestmark = pytest.mark.django_db(transaction=True)


def ten_codes():
    return pool_of(*(f"RACE-{n:04d}" for n in range(10)))


def buys(variants, customer_id, discount_code=""):
    cart = Cart([Line(each.pk, 1) for each in variants], "paystation", "a@b.example", discount_code)
    buyer = Buyer(customer_id, "", "en")
    return checkout(cart, buyer, init_payment=False, now=timezone.now())


def test_fifty_buyers_of_ten_codes():
    variant, customer = ten_codes(), UserFactory()
    answers = at_once(50, lambda _: buys([variant], customer.pk))
    assert kinds(answers) == {"CheckoutResult": 10, "Conflict": 40}
    refusals = {each.details[0].message for each in answers if isinstance(each, Conflict)}
    assert refusals == {"Only 0 of 1 left."}
    assert Order.objects.count() == 10
    rows = Voucher.objects.filter(status="reserved").values_list("order_item", "unit_no")
    assert len(set(rows)) == 10


def test_buyers_of_two_goods_in_either_order_do_not_deadlock():
    one, two, customer = ten_codes(), pool_of(*(f"MORE-{n:04d}" for n in range(10))), UserFactory()
    answers = at_once(
        30, lambda number: buys([one, two] if number % 2 else [two, one], customer.pk)
    )
    assert kinds(answers) == {"CheckoutResult": 10, "Conflict": 20}
    assert Voucher.objects.filter(status="available").count() == 0


def test_twin_without_a_lock_sells_one_code_many_times():
    variant = ten_codes()
    items = [OrderItemFactory(order=OrderFactory(), variant=variant) for _ in range(10)]
    looked = threading.Barrier(10)

    def naive(number):
        code = Voucher.objects.filter(variant=variant, status="available").order_by("pk").first()
        looked.wait(30)
        Voucher.objects.filter(pk=code.pk).update(
            status="reserved", order_item=items[number], unit_no=1, reserved_until=timezone.now()
        )
        return code.pk

    sold = at_once(10, naive)
    assert len(sold) == 10
    assert len(set(sold)) == 1
    assert Voucher.objects.filter(status="reserved").count() == 1


def rollers_and_buyers(take_one):
    """Ten hold every code and give up; fifteen come meanwhile. Who of these was served?"""
    variant = ten_codes()
    items = [OrderItemFactory(order=OrderFactory(), variant=variant) for _ in range(25)]
    all_held, held = threading.Event(), threading.Semaphore(0)

    def act(number):
        if number < 10:
            with transaction.atomic():
                reserve([items[number]], until=timezone.now(), now=timezone.now())
                held.release()
                all_held.wait(30)
                time.sleep(0.4)
                transaction.set_rollback(True)
            return "gave up"
        if number == 10:
            for _ in range(10):
                held.acquire(timeout=30)
            all_held.set()
        all_held.wait(30)
        with transaction.atomic():
            take_one(items[number])
        return "served"

    answers = at_once(25, act)
    free = Voucher.objects.filter(variant=variant, status=VoucherStatus.AVAILABLE).count()
    return answers.count("served"), kinds(answers).get("Conflict", 0), free


def test_nobody_is_told_no_stock_while_others_give_theirs_up():
    def honest(item):
        reserve([item], until=timezone.now(), now=timezone.now())

    assert rollers_and_buyers(honest) == (10, 5, 0)


def test_twin_without_the_second_look_refuses_buyers_while_codes_are_free():
    def hasty(item):
        now = timezone.now()
        rows = _free([item.variant_id], [1], now=now, skip_locked=True)
        if not rows:
            raise Conflict("Not enough stock.")
        assign({item.pk: {1: rows[0][1]}}, VoucherStatus.RESERVED, until=now, now=now)

    assert rollers_and_buyers(hasty) == (0, 15, 10)


# The last use of a discount


def last_use():
    return DiscountCode.objects.create(
        code="LAST", discount_type="flat", discount_value=10, usage_limit=1
    )


def test_thirty_orders_for_the_last_use_of_a_discount():
    discount, variant, customer = last_use(), VariantFactory(zendit=True), UserFactory()
    answers = at_once(30, lambda _: buys([variant], customer.pk, "LAST"))
    assert kinds(answers) == {"CheckoutResult": 1, "BadRequest": 29}
    says = {each.message for each in answers if isinstance(each, BadRequest)}
    assert says == {'Discount code "LAST" has been used up.'}
    discount.refresh_from_db()
    assert (discount.used_count, OrderItem.objects.count()) == (1, 1)


def test_twin_that_reads_and_then_writes_gives_one_use_to_many():
    discount = last_use()
    looked = threading.Barrier(10)

    def naive(_):
        used = DiscountCode.objects.get(pk=discount.pk).used_count
        looked.wait(30)
        if used >= 1:
            raise BadRequest("used up")
        DiscountCode.objects.filter(pk=discount.pk).update(used_count=used + 1)
        return "discounted"

    assert at_once(10, naive) == ["discounted"] * 10
    assert connection.vendor == "postgresql"

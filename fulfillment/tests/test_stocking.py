"""What follows when codes come in: the oldest waiting orders are served; low stock is told."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog.tests.factories import SourceFactory, VariantFactory
from fulfillment.processing import process
from fulfillment.selectors import orders_stock_came_for
from fulfillment.stocking import serve_waiting, watch_stock, work_on_import
from fulfillment.tests.factories import codes_of, paid_order, pool_of
from notifications.models import AdminAlert
from vouchers.imports import About, begin_import
from vouchers.models import Voucher
from vouchers.stock import levels_of
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def waiting_orders(variant, count, quantity=1):
    orders = []
    for number in range(count):
        order = paid_order((variant, quantity))
        process(order_id=order.pk)
        type(order).objects.filter(pk=order.pk).update(
            paid_at=timezone.now() - timedelta(hours=count - number)
        )
        orders.append(order)
    return orders


def test_an_import_serves_the_oldest_orders_as_far_as_it_goes():
    variant = pool_of()
    oldest, second, youngest = waiting_orders(variant, 3)
    batch = begin_import(
        About(variant, "Acme"), b'[{"code": "NEW-0001"}, {"code": "NEW-0002"}]',
        file_name="(API)", by_id=None, asks=False,
    )  # fmt: skip

    more, served = work_on_import(batch.pk)
    assert (more, served) == (False, variant.pk)
    woken = serve_waiting(variant.pk, now=timezone.now())

    assert woken == [oldest.pk, second.pk]
    for order_id in woken:
        process(order_id=order_id)
    assert sorted(codes_of(oldest) + codes_of(second)) == ["NEW-0001", "NEW-0002"]
    assert len(codes_of(oldest)) == 1
    assert codes_of(youngest) == []
    youngest.refresh_from_db()
    assert youngest.status == "NEEDS_ATTENTION"
    assert orders_stock_came_for(now=timezone.now()) == []


def test_an_order_that_owes_more_takes_its_turn():
    variant = pool_of()
    first, _ = waiting_orders(variant, 2, quantity=2)
    VoucherFactory.create_batch(2, variant=variant)
    assert orders_stock_came_for(now=timezone.now()) == [first.pk]


def test_low_stock_is_told_once_and_the_alert_closes_when_codes_come():
    variant = pool_of("A-1", "A-2", low_stock_threshold=2)
    pool_of(low_stock_threshold=None)
    bought = VariantFactory(zendit=True, low_stock_threshold=5)
    assert bought.sources.count() == 1

    assert watch_stock(now=timezone.now()) == 1
    watch_stock(now=timezone.now())
    alert = AdminAlert.objects.get(kind="low_stock", resolved_at=None)
    assert str(variant) in alert.message
    VoucherFactory.create_batch(3, variant=variant)
    assert watch_stock(now=timezone.now()) == 0
    alert.refresh_from_db()
    assert (alert.resolution_notes, alert.resolved_at is None) == ("5 codes are free.", False)


def test_how_long_the_stock_lasts():
    variant = pool_of(*[f"L-{n}" for n in range(12)])
    order = paid_order((variant, 3))
    process(order_id=order.pk)
    level = levels_of([variant.pk], now=timezone.now())[variant.pk]
    assert (level.free, level.sold_day, level.sold_week) == (9, 3, 3)
    assert level.hours_left == 72.0
    VoucherFactory(variant=variant, expires_at=timezone.now() - timedelta(days=1))
    assert levels_of([variant.pk], now=timezone.now())[variant.pk].free == 9
    assert Voucher.objects.filter(variant=variant, status="available").count() == 10


def test_a_range_offer_is_bought_with_its_divisor(zendit):
    variant = VariantFactory()
    SourceFactory(
        variant=variant, external_offer_id="RANGE", send_value=Decimal("12.5"), send_divisor=1000
    )
    order = paid_order((variant, 1))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert zendit.bodies[0]["value"] == {"type": "ZEND", "value": 12500}

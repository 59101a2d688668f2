"""Closed days: the sums are what they would be without them, whatever happens afterwards."""

import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings as told, strategies as st

from books import sums
from books.closing import close_day, close_days, days_to_close
from books.days import MOST_SPANS, Period, split, whole
from books.models import ChangedDay, ClosedDay, DaySales
from books.sums import spending, stock, takings
from books.tasks import sweep_days
from books.tests.test_sums import NOON, Shop, paid, refunded
from catalog.models import PartnerSource
from fulfillment.models import PartnerTransaction
from orders.models import Order
from orders.tests.factories import OrderFactory
from payments.models import Payment, Refund
from vouchers.models import Batch, Voucher

DAY = date(2026, 4, 27)
APRIL = Period(date(2026, 4, 1), date(2026, 4, 30))
LATER = datetime(2026, 4, 29, tzinfo=UTC)


@contextmanager
def nothing_closed(monkeypatch):
    """The sums as they are when every row is added up now."""
    with monkeypatch.context() as patch:
        patch.setattr(sums, "split", whole)
        yield


def figures():
    return (
        takings(APRIL, by="day"),
        takings(APRIL),
        spending(APRIL),
        [
            (row.variant.pk, row.sold, row.revenue, row.cost, row.without_cost, row.margin)
            for row in sorted(stock(APRIL), key=lambda row: row.variant.pk)
        ],
    )


def agree(monkeypatch):
    kept = figures()
    with nothing_closed(monkeypatch):
        assert kept == figures()
    return kept


def close(*days):
    for day in days or (DAY,):
        assert close_day(day, now=LATER)


def is_closed(day=DAY):
    return day in split(Period(day, day)).closed


class Life:
    """What may come to a day after it is over, each by an update that the real parts make."""

    def __init__(self):
        self.shop = Shop()
        self.shop.batch(4)
        self.shop.hold(3, total=70)
        self.shop.sell(2)
        self.shop.bought(1)
        self.shop.typed(1)
        self.paid = paid()
        self.wrong = paid("300.00", came="299.00", method="bkash")
        Payment.objects.filter(pk=self.wrong.pk).update(created_at=NOON)

    def sell(self):
        self.shop.sell(1)

    def buy(self):
        self.shop.bought(1, cost="0.333333333333")

    def buy_in_taka(self):
        self.shop.bought(1)
        last = PartnerTransaction.objects.latest("pk")
        last.response = {"cost": "61.5", "costCurrency": "BDT"}
        last.save(update_fields=["response"])

    def type(self):
        self.shop.typed(1)

    def revoke(self):
        free = Voucher.objects.filter(status="sold", revoked_at=None).first()
        if free:
            Voucher.objects.filter(pk=free.pk).update(revoked_at=LATER, revoked_reason="x")

    def use(self):
        free = Voucher.objects.filter(status="sold").values("pk")[:1]
        Voucher.objects.filter(pk__in=free).update(status="used", used_at=LATER)

    def replace(self):
        free = Voucher.objects.filter(status="sold", batch__isnull=False).values("pk")[:1]
        Voucher.objects.filter(pk__in=free).update(
            status="void", order_item=None, unit_no=None, void_reason="bad"
        )

    def pay(self):
        paid(at=NOON - timedelta(days=1))

    def refund(self):
        Refund.objects.filter(payment=self.paid).exists() or refunded(self.paid, Decimal(10))

    def pay_wrong(self):
        payment = paid("90.00", came="91.00")
        Payment.objects.filter(pk=payment.pk).update(created_at=NOON)

    def cost(self):
        Batch.objects.update(unit_cost=55)
        PartnerSource.objects.filter(pk=self.shop.source.pk).update(cost=44)

    def close(self):
        close(DAY - timedelta(days=1), DAY)


ACTS = sorted(name for name in vars(Life) if not name.startswith("_"))


@pytest.mark.django_db
@told(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(ACTS), min_size=2, max_size=8))
def test_kept_sums_are_the_sums_whatever_happened_since(monkeypatch, acts):
    with transaction.atomic():
        life = Life()
        close(DAY)
        for act in acts:
            getattr(life, act)()
            agree(monkeypatch)
        life.close()
        assert is_closed()
        agree(monkeypatch)
        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize("act", sorted({*ACTS} - {"close", "cost", "use", "pay"}))
def test_what_changes_a_closed_day_opens_it(monkeypatch, act):
    life = Life()
    close(DAY)
    before = figures()
    assert is_closed()
    getattr(life, act)()
    assert not is_closed()
    assert agree(monkeypatch) != before


@pytest.mark.django_db
def test_what_changes_no_sum_leaves_it_closed(monkeypatch):
    life = Life()
    close(DAY)
    before = figures()
    life.use()
    Payment.objects.filter(pk=life.paid.pk).update(reason="looked at again", checks=7)
    assert is_closed()
    assert agree(monkeypatch) == before


@pytest.mark.django_db
def test_a_corrected_cost_shows_in_a_closed_day():
    shop = Shop()
    shop.batch(1)
    shop.hold(1)
    shop.sell(1)
    close()
    Batch.objects.update(unit_cost=12)
    assert is_closed()
    assert shop.row().cost == 12


@pytest.mark.django_db
def test_kept_lines_are_read_and_not_the_rows():
    """The other tests would pass if nothing were ever kept."""
    shop = Shop()
    shop.typed(2)
    close()
    DaySales.objects.update(sold=7)
    assert shop.row().sold == 7
    assert (shop.row().came, shop.row().delivered) == (2, 2)  # codes are counted, never kept


@pytest.mark.django_db
def test_days_are_closed_hours_after_their_end_and_once():
    now = datetime(2026, 4, 28, 22, tzinfo=UTC)  # 04:00 of the 29th in Dhaka
    order = OrderFactory()
    Order.objects.filter(pk=order.pk).update(created_at=NOON)
    ChangedDay.objects.all().delete()
    early = now - timedelta(seconds=1)
    assert days_to_close(now=early) == [DAY]
    assert days_to_close(now=now) == [DAY + timedelta(days=1), DAY]
    assert close_days(now=now) == 2
    assert close_days(now=now) == 0
    ChangedDay.objects.create(day=DAY)
    assert days_to_close(now=now) == [DAY]
    assert close_days(now=now) == 1
    assert not ChangedDay.objects.exists()


@pytest.mark.django_db
def test_today_is_never_closed_and_its_sales_write_no_note():
    shop, now = Shop(), timezone.now()
    ChangedDay.objects.all().delete()
    shop.batch(1)
    shop.hold(1)
    Voucher.objects.filter(status="reserved").update(status="sold", sold_at=now)
    paid(at=now)
    assert not ChangedDay.objects.exists()
    sweep_days()
    assert not ClosedDay.objects.filter(day__gte=now.date()).exists()


@pytest.mark.django_db
def test_many_holes_are_read_as_one():
    days = [APRIL.first + timedelta(days=n) for n in range(30)]
    for day in days[1::2]:
        close(day)
    assert len(split(APRIL).spans) == 15
    for place in range(MOST_SPANS * 2 + 6):
        close(date(2026, 5, 1) + timedelta(days=2 * place))
    long = split(Period(APRIL.first, date(2026, 7, 31)))
    assert len(long.spans) == 1
    assert all(not long.spans[0][0].date() <= day for day in long.closed)


@pytest.mark.django_db(transaction=True)
def test_who_changes_a_day_and_who_closes_it_never_miss_each_other(monkeypatch):
    """Uncommitted: it can't be closed. Committed: it is seen, or the day is open again."""
    life = Life()
    close(DAY)
    changed, go = threading.Event(), threading.Event()

    def writer():
        try:
            with transaction.atomic():
                life.revoke()
                changed.set()
                assert go.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        assert changed.wait(20)
        assert not close_day(DAY, now=LATER)  # somebody is at it
        before = figures()
    finally:
        go.set()
        thread.join(20)
    assert not is_closed()
    assert agree(monkeypatch) != before
    close(DAY)
    agree(monkeypatch)

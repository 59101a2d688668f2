"""The sums, beside rows made by the real parts; and codes in = codes out + on hand, always."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings as told, strategies as st

from books.days import Period
from books.sums import spending, stock, stock_totals, takings, totals
from catalog.tests.factories import SourceFactory, VariantFactory
from core.actors import SYSTEM
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment, Refund
from payments.settlement import settle
from payments.tests.factories import PaymentFactory
from vouchers.ciphers import Secret
from vouchers.models import Batch, Voucher
from vouchers.services import (
    NewCode,
    import_batch,
    release,
    reserve,
    sell_reserved,
    store_issued,
    store_surplus,
)

pytestmark = pytest.mark.django_db
DAY = date(2026, 4, 27)
APRIL = Period(date(2026, 4, 1), date(2026, 4, 30))
NOON = datetime(2026, 4, 27, 6, tzinfo=UTC)


def paid(amount="500.00", *, at=NOON, came=None, **fields):
    payment = PaymentFactory(order=OrderFactory(total_amount=Decimal(amount)), **fields)
    verdict = Verdict(
        Outcome.PAID, amount=Decimal(came or amount), gateway_transaction_id=f"T{payment.pk}"
    )
    settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=at)
    payment.refresh_from_db()
    return payment


def refunded(payment, amount, *, at=NOON):
    return Refund.objects.create(
        payment=payment, reference=f"{payment.reference}-R1", amount=amount, reason="x",
        status="SUCCEEDED", sent_at=at, ended_at=at, created_at=at, correlation_id="x",
    )  # fmt: skip


def rows_of(period=APRIL, by="month"):
    return [
        (row.period, row.method, row.paid_count, row.paid, row.refunded, row.net)
        for row in takings(period, by=by)
    ]


def test_paid_refunded_and_net_by_method():
    back = paid("500.00")
    paid("250.50")
    paid("100.00", method="bkash")
    refunded(back, Decimal("120.00"))
    first = date(2026, 4, 1)
    assert rows_of() == [
        (first, "bkash", 1, Decimal("100.00"), 0, Decimal("100.00")),
        (first, "paystation", 2, Decimal("750.50"), Decimal("120.00"), Decimal("630.50")),
    ]
    (all_of_it,) = totals(takings(APRIL))
    assert (all_of_it.paid_count, all_of_it.net) == (3, Decimal("730.50"))


def test_days_are_of_dhaka():
    paid(at=datetime(2026, 4, 26, 17, 59, 59, tzinfo=UTC))  # 23:59 on the 26th
    paid(at=datetime(2026, 4, 26, 18, 0, tzinfo=UTC))  # midnight of the 27th
    assert [row[0] for row in rows_of(by="day")] == [date(2026, 4, 26), DAY]
    assert [row[2] for row in rows_of(Period(DAY, DAY))] == [1]


def test_money_in_a_wrong_sum_came_all_the_same():
    payment = paid("500.00", came="450.00")
    assert payment.status == "AMOUNT_MISMATCH"
    Payment.objects.filter(pk=payment.pk).update(created_at=NOON)
    assert [row[3] for row in rows_of()] == [Decimal("450.00")]


def test_full_discounts_are_listed_and_are_no_money():
    order = OrderFactory(total_amount=0, paid=True)
    PaymentFactory(
        order=order, method="discount", amount=0, status="SUCCEEDED", paid_at=NOON, effective=True
    )
    (row,) = takings(APRIL)
    assert (row.method, row.is_money) == ("discount", False)
    assert list(totals([row])) == []


def test_a_period_without_anything():
    paid(at=NOON - timedelta(days=90))
    assert rows_of() == []


class Shop:
    """A variant, and everything that may happen to its codes, by the services that do it."""

    def __init__(self):
        self.variant = VariantFactory(preloaded=True, price=100)
        self.source = SourceFactory(variant=self.variant, cost=80, priority=2)
        self.serial = 0
        self.held = []

    def code(self, **more):
        self.serial += 1
        return NewCode(secret=Secret(f"CODE-{self.variant.pk}-{self.serial:04d}"), **more)

    def item(self, total=100):
        order = OrderFactory(
            paid=True, subtotal_amount=100, total_amount=total, discount_amount=100 - total
        )
        return OrderItemFactory(order=order, variant=self.variant)

    def batch(self, n):
        batch, _ = import_batch(self.variant, [self.code() for _ in range(n)], supplier="S")
        Batch.objects.filter(pk=batch.pk).update(unit_cost=70)

    def again(self, n):
        """A file with codes that we hold: doubles are no codes that came in."""
        codes = [self.code() for _ in range(n)]
        import_batch(self.variant, codes, supplier="S")
        import_batch(self.variant, codes, supplier="S")

    def bought(self, n, *, surplus=False, cost="0.60"):
        for _ in range(n):
            item = self.item()
            attempt = FulfillmentAttempt.objects.create(
                order=item.order, item=item, type="AUTO", status="SUCCESS",
                created_at=NOON, ended_at=NOON,
            )  # fmt: skip
            code = self.code(partner_id=self.source.partner_id)
            voucher = (
                store_surplus(self.variant, code, former_item=item, personal=False)
                if surplus
                else store_issued(item, 1, code, now=NOON)
            )
            PartnerTransaction.objects.create(
                item=item, unit_no=1, source=self.source, partner=self.source.partner,
                attempt=attempt, reference=f"{item.order.order_number}I{item.pk}U1T1",
                status="SUCCEEDED", voucher=voucher, sent_at=NOON, created_at=NOON, ended_at=NOON,
                response={"cost": cost, "costCurrency": "USD"} if cost else {},
            )  # fmt: skip

    def surplus(self, n):
        self.bought(n, surplus=True)

    def typed(self, n):
        for _ in range(n):
            store_issued(self.item(), 1, self.code(), now=NOON)

    def hold(self, n, total=100):
        for _ in range(n):
            if not Voucher.objects.filter(variant=self.variant, status="available").exists():
                return
            item = self.item(total)
            reserve([item], until=timezone.now() + timedelta(hours=1), now=timezone.now())
            self.held.append(item.order)

    def sell(self, n):
        for order in self.held[:n]:
            sell_reserved(order, now=NOON)
        del self.held[:n]

    def give_back(self, n):
        for order in self.held[:n]:
            release(order)
        del self.held[:n]

    def void(self, n):
        free = Voucher.objects.filter(variant=self.variant, status="available")[:n]
        Voucher.objects.filter(pk__in=[each.pk for each in free]).update(
            status="void", void_reason="broken"
        )

    def row(self):
        (row,) = [row for row in stock(APRIL) if row.variant.pk == self.variant.pk]
        return row


ACTS = ("batch", "again", "bought", "surplus", "typed", "hold", "sell", "give_back", "void")


@told(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 3)), min_size=1, max_size=12))
def test_codes_in_are_codes_out_and_on_hand_whatever_happened(history):
    shop = Shop()
    came = {"batch": 0, "again": 0, "bought": 0, "surplus": 0, "typed": 0}
    for act, n in history:
        getattr(shop, act)(n)
        if act in came:
            came[act] += n
    if not sum(came.values()):
        return
    row = shop.row()
    assert row.batches == came["batch"] + came["again"]
    assert row.purchases == came["bought"] + came["surplus"]
    assert row.by_hand == came["typed"]
    assert row.came == sum(came.values())
    assert row.out + row.on_hand == row.came
    assert row.difference == 0


def test_a_code_that_went_missing_shows():
    shop = Shop()
    shop.batch(3)
    Batch.objects.filter(variant=shop.variant).update(rows=4)
    assert shop.row().difference == 1
    assert stock(APRIL)[0].variant == shop.variant  # first, before those that add up


def test_cost_and_margin_of_the_period():
    shop = Shop()
    shop.batch(2)  # 70 each
    shop.hold(2)
    shop.sell(2)
    shop.bought(1)  # the partner charges dollars: 80 by the source
    shop.typed(1)  # nobody knows
    row = shop.row()
    assert (row.sold, row.revenue, row.cost, row.without_cost) == (4, 400, 220, 1)
    assert row.margin == 300 - 220
    may = next(iter(stock(Period(date(2026, 5, 1), date(2026, 5, 31)))))
    assert (may.sold, may.revenue, may.came) == (0, 0, 4)


def test_a_discount_lowers_what_codes_brought_and_a_revoked_code_brought_nothing():
    shop = Shop()
    shop.batch(2)
    shop.hold(1, total=75)
    shop.hold(1)
    shop.sell(2)
    second = Voucher.objects.filter(variant=shop.variant).order_by("order_item_id").last()
    Voucher.objects.filter(pk=second.pk).update(revoked_at=NOON, revoked_reason="paid back")
    row = shop.row()
    assert (row.sold, row.revenue, row.cost) == (2, 75, 140)


def test_what_partners_charged_in_their_currency_and_in_taka():
    shop = Shop()
    shop.bought(2)
    shop.bought(1, cost="")
    rows = {(row.partner, row.currency): row for row in spending(APRIL)}
    dollars, silent = rows["zendit", "USD"], rows["zendit", ""]
    assert (dollars.purchases, dollars.cost, dollars.cost_bdt) == (2, Decimal("1.20"), 160)
    assert (silent.purchases, silent.cost, silent.cost_bdt) == (1, None, 80)


def test_the_sums_take_the_same_statements_for_one_variant_and_for_ten(
    django_assert_num_queries,
):
    for n in (1, 9):
        for _ in range(n):
            shop = Shop()
            shop.batch(1)
            shop.bought(1)
        paid()
        with django_assert_num_queries(8):
            stock(APRIL)
        with django_assert_num_queries(2):
            takings(APRIL)
        with django_assert_num_queries(2):
            spending(APRIL)
    assert stock_totals(stock(APRIL)).came == 20
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM vouchers")
        assert cursor.fetchone() == (20,)

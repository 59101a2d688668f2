"""What a verdict does to a payment and its order (D15, D43, D44; I5, I6, I7, I25)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog.tests.factories import VariantFactory
from core.actors import SYSTEM
from fulfillment.models import FulfillmentAttempt
from notifications.models import AdminAlert
from orders.models import DiscountCode, OrderEvent
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from payments.closing import close
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment
from payments.settlement import settle
from payments.tests.factories import PaymentFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db

VERDICTS = {
    "paid": Verdict(Outcome.PAID, amount=Decimal(500), gateway_transaction_id="TRX-1"),
    "too_little": Verdict(Outcome.PAID, amount=Decimal("499.99"), gateway_transaction_id="TRX-1"),
    "too_much": Verdict(Outcome.PAID, amount=Decimal(501), gateway_transaction_id="TRX-1"),
    "no_sum": Verdict(Outcome.PAID, gateway_transaction_id="TRX-1"),
    "dollars": Verdict(Outcome.PAID, Decimal(500), "USD", gateway_transaction_id="TRX-1"),
    "authorized": Verdict(Outcome.AUTHORIZED, amount=Decimal(500)),
    "pending": Verdict(Outcome.PENDING),
    "failed": Verdict(Outcome.FAILED),
    "cancelled": Verdict(Outcome.CANCELLED),
    "unknown": Verdict(Outcome.UNKNOWN),
    "refunded": Verdict(Outcome.REFUNDED, reason="status 'Cancelled'"),
    "foreign": Verdict(Outcome.FOREIGN, reason="an answer about another invoice"),
}
#: Payment -> the order it leaves behind when it is the only one.
ORDER_OF = {
    "INITIATED": "INITIATED",
    "PENDING": "INITIATED",
    "AUTHORIZED": "CARRIER_AUTHORIZED",
    "FAILED": "FAILED",
    "CANCELLED": "CANCELLED",
    "AMOUNT_MISMATCH": "INITIATED",
    "SUCCEEDED": "PENDING",
}
WRONG = {
    "INITIATED": ("AMOUNT_MISMATCH", "INITIATED", "amount_mismatch"),
    "PENDING": ("AMOUNT_MISMATCH", "INITIATED", "amount_mismatch"),
    "AUTHORIZED": ("AMOUNT_MISMATCH", "CARRIER_AUTHORIZED", "amount_mismatch"),
    "FAILED": ("AMOUNT_MISMATCH", "FAILED", "amount_mismatch"),
    "CANCELLED": ("AMOUNT_MISMATCH", "CANCELLED", "amount_mismatch"),
}
#: Verdict -> payment before -> payment, order and alert after; what is not here moves nothing.
MOVES = {
    "paid": {
        "INITIATED": ("SUCCEEDED", "PENDING", None),
        "PENDING": ("SUCCEEDED", "PENDING", None),
        "AUTHORIZED": ("SUCCEEDED", "PENDING", None),
        "FAILED": ("SUCCEEDED", "PENDING", "late_payment"),
        "CANCELLED": ("SUCCEEDED", "PENDING", "late_payment"),
        "AMOUNT_MISMATCH": ("SUCCEEDED", "PENDING", None),
    },
    "too_little": WRONG,
    "too_much": WRONG,
    "no_sum": WRONG,
    "dollars": WRONG,
    "authorized": {
        "INITIATED": ("AUTHORIZED", "CARRIER_AUTHORIZED", None),
        "PENDING": ("AUTHORIZED", "CARRIER_AUTHORIZED", None),
    },
    "failed": {
        "INITIATED": ("FAILED", "FAILED", None),
        "PENDING": ("FAILED", "FAILED", None),
        "AUTHORIZED": ("FAILED", "FAILED", None),
        "AMOUNT_MISMATCH": ("FAILED", "FAILED", None),
    },
    "cancelled": {
        "INITIATED": ("CANCELLED", "CANCELLED", None),
        "PENDING": ("CANCELLED", "CANCELLED", None),
    },
}


WRONG_SUMS = ("too_little", "too_much", "no_sum", "dollars")


def waiting(status, order_status=None, **order):
    """A payment of a one-item order, both in these states."""
    order_status = order_status or ORDER_OF[status]
    paid = order_status in ("PENDING", "NEEDS_ATTENTION")
    item = OrderItemFactory(
        order=OrderFactory(status=order_status, paid_at=PAID_AT if paid else None, **order)
    )
    return PaymentFactory(
        order=item.order, status=status, paid_at=PAID_AT if status == "SUCCEEDED" else None
    )


def judged(payment, verdict):
    result = settle(
        payment_id=payment.pk,
        verdict=VERDICTS[verdict] if isinstance(verdict, str) else verdict,
        actor=SYSTEM,
        now=timezone.now(),
    )
    payment.refresh_from_db()
    return result


def alerts():
    return sorted(AdminAlert.objects.filter(resolved_at=None).values_list("kind", flat=True))


@pytest.mark.parametrize("before", ORDER_OF)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_on_every_payment(verdict, before):
    payment = waiting(before)
    after = MOVES.get(verdict, {}).get(before)
    result = judged(payment, verdict)
    told = {"foreign": "payment_foreign", "refunded": "partner_anomaly"}
    alert = told.get(verdict, after and after[2])
    assert result.changed is (after is not None)
    assert (payment.status, payment.order.status) == (after or (before, ORDER_OF[before]))[:2]
    assert alerts() == ([alert] if alert else [])
    started = after is not None and after[0] == "SUCCEEDED"
    assert FulfillmentAttempt.objects.count() == int(started)
    assert payment.effective is started
    assert (payment.paid_at is not None) is (payment.status == "SUCCEEDED")
    if after is not None:  # what is decided is asked about no more
        assert (payment.next_check_at is not None) is (payment.status == "AUTHORIZED")
        paid = VERDICTS[verdict] if "paid" in verdict or verdict in WRONG_SUMS else None
        assert payment.received_currency == (paid.currency if paid else "")
    if after is None:
        assert not OrderEvent.objects.exists()
        assert payment.gateway_transaction_id == ""


@pytest.mark.parametrize("order_status", ["PENDING", "NEEDS_ATTENTION"])
def test_a_second_payment_is_an_alert_and_no_second_delivery(order_status):
    second = waiting("PENDING", order_status)
    PaymentFactory(order=second.order, status="SUCCEEDED", paid_at=PAID_AT, effective=True)
    judged(second, "paid")
    assert (second.status, second.effective) == ("SUCCEEDED", False)
    assert second.order.status == order_status
    assert alerts() == ["duplicate_payment"]
    assert second.reference in AdminAlert.objects.get().message
    assert FulfillmentAttempt.objects.count() == 0


def test_one_payment_paid_twice_at_the_gateway_is_told_and_delivered_once():
    payment = waiting("PENDING")
    twice = Verdict(
        Outcome.PAID, amount=Decimal(500), gateway_transaction_id="TRX-1", also_paid=("TRX-2",)
    )
    judged(payment, twice)
    assert (payment.status, payment.order.status) == ("SUCCEEDED", "PENDING")
    assert alerts() == ["duplicate_payment"]
    assert "TRX-2" in AdminAlert.objects.get().message
    assert FulfillmentAttempt.objects.count() == 1


@pytest.mark.parametrize("verdict", ["failed", "cancelled"])
def test_a_refusal_of_another_try_leaves_a_paid_order_alone(verdict):
    other = waiting("PENDING", "PENDING")
    judged(other, verdict)
    assert other.order.status == "PENDING"


@pytest.mark.parametrize("verdict", ["failed", "cancelled"])
def test_the_order_falls_with_its_last_open_payment(verdict):
    first = waiting("PENDING")
    second = PaymentFactory(order=first.order)
    judged(first, verdict)
    assert (first.status, first.order.status) == (verdict.upper(), "INITIATED")
    judged(second, verdict)
    second.order.refresh_from_db()
    assert second.order.status == verdict.upper()


def test_a_refused_order_gives_stock_and_discount_back():
    discount = DiscountCode.objects.create(
        code="TEN", discount_type="flat", discount_value=10, used_count=1
    )
    payment = waiting("PENDING", discount=discount, discount_code="TEN", holds_discount=True)
    item = payment.order.items.get()
    held = VoucherFactory(
        order_item=item, status="reserved", sold_at=None, reserved_until=timezone.now()
    )
    judged(payment, "failed")
    held.refresh_from_db()
    discount.refresh_from_db()
    assert (held.status, held.order_item_id, held.reserved_until) == ("available", None, None)
    assert discount.used_count == 0
    judged(payment, "paid")
    discount.refresh_from_db()
    payment.order.refresh_from_db()
    assert (discount.used_count, payment.order.holds_discount) == (1, True)
    assert payment.order.status == "PENDING"


def test_late_money_keeps_its_price_when_the_discount_is_used_up():
    discount = DiscountCode.objects.create(
        code="TEN", discount_type="flat", discount_value=10, used_count=1, usage_limit=1
    )
    payment = waiting(
        "CANCELLED", discount=discount, discount_code="TEN", discount_amount=Decimal(10),
        subtotal_amount=Decimal(510), total_amount=Decimal(500),
    )  # fmt: skip
    judged(payment, "paid")
    discount.refresh_from_db()
    payment.order.refresh_from_db()
    assert (payment.order.status, payment.order.holds_discount) == ("PENDING", False)
    assert (discount.used_count, payment.order.total_amount) == (1, Decimal(500))


def test_a_transaction_id_used_before_is_not_about_this_payment():
    first, second = waiting("PENDING"), waiting("PENDING")
    judged(first, "paid")
    result = judged(second, "paid")
    assert result.changed is False
    assert (second.status, second.order.status) == ("PENDING", "INITIATED")
    assert (second.gateway_transaction_id, second.effective) == ("", False)
    assert alerts() == ["payment_foreign"]
    assert FulfillmentAttempt.objects.filter(order=second.order).count() == 0


def test_the_same_id_at_another_gateway_is_another_transaction():
    first, second = waiting("PENDING"), waiting("PENDING")
    Payment.objects.filter(pk=second.pk).update(method="bkash")
    judged(first, "paid")
    assert judged(second, "paid").changed is True
    assert second.status == "SUCCEEDED"


def test_risky_money_is_kept_and_nothing_is_fulfilled():
    payment = waiting("PENDING")
    risky = Verdict(Outcome.PAID, amount=Decimal(500), gateway_transaction_id="TRX-1", risky=True)
    judged(payment, risky)
    assert (payment.status, payment.effective) == ("SUCCEEDED", True)
    assert (payment.order.status, payment.order.held_for_risk) == ("NEEDS_ATTENTION", True)
    assert FulfillmentAttempt.objects.count() == 0
    assert alerts() == ["payment_risk"]
    steps = OrderEvent.objects.filter(kind="status").values_list("old", "new")
    assert list(steps) == [("INITIATED", "PENDING"), ("PENDING", "NEEDS_ATTENTION")]


def test_fifty_identical_verdicts_are_one_payment_and_one_wish_an_item():
    payment = waiting("PENDING")
    OrderItemFactory(order=payment.order, variant=VariantFactory())
    changes = [judged(payment, "paid").changed for _ in range(50)]
    assert changes == [True, *[False] * 49]
    items = FulfillmentAttempt.objects.values_list("item__position", "type", "status")
    assert list(items) == [(0, "AUTO", "IN_PROGRESS"), (1, "AUTO", "IN_PROGRESS")]
    assert OrderEvent.objects.filter(kind="payment").count() == 1
    assert alerts() == []


def test_when_the_answer_came_in_is_when_it_was_paid():
    payment = waiting("PENDING")
    now = timezone.now() - timedelta(seconds=3)
    settle(payment_id=payment.pk, verdict=VERDICTS["paid"], actor=SYSTEM, now=now)
    payment.refresh_from_db()
    assert (payment.paid_at, payment.order.paid_at, payment.next_check_at) == (now, now, None)


def test_who_left_the_page_decides_nothing_while_money_may_move():
    """The capture was claimed between the question and its answer."""
    payment = waiting("PENDING")
    Payment.objects.update(capture_sent_at=timezone.now())
    assert not judged(payment, Verdict(Outcome.CANCELLED, unless_captured=True)).changed
    assert (payment.status, payment.order.status) == ("PENDING", "INITIATED")


def test_a_closed_order_is_asked_about_no_more():
    payment = waiting("PENDING")
    refused = PaymentFactory(order=payment.order, status="FAILED", reason="no money on it")
    assert close(payment.order_id, actor=SYSTEM, reason="x" * 400, now=timezone.now())
    payment.refresh_from_db()
    refused.refresh_from_db()
    assert (payment.status, payment.next_check_at, payment.reason) == ("CANCELLED", None, "x" * 300)
    assert (refused.status, refused.reason) == ("FAILED", "no money on it")

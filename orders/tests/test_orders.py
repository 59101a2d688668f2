"""Orders of their own: the number, the arrows, the timeline, the look-up (D4, I18, I28)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import VariantFactory
from core import correlation
from core.actors import SYSTEM, Actor
from core.errors import BadRequest, Conflict
from core.states import IllegalTransition
from orders import services
from orders.discounts import give_back, take_again
from orders.models import DiscountCode, Order, OrderEvent
from orders.selectors import find_order, ordered_today, orders_of
from orders.services import Buyer, Cart, Line, advance, note, place_order, tell
from orders.states import ARROWS, OrderStatus
from orders.tests.factories import OrderFactory, OrderItemFactory
from orders.wording import label_and_message

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def placed(*quantities, key=None, email="a@b.example"):
    lines = [Line(VariantFactory().pk, each) for each in quantities]
    buyer = Buyer(UserFactory().pk, email, "bn", key)
    return place_order(Cart(lines, "bkash"), buyer, now=NOW)


def test_an_order_is_written_down_with_its_items_and_first_event():
    order, items = placed(2, 1)
    order.refresh_from_db()
    assert (order.subtotal_amount, order.total_amount) == (Decimal(300), Decimal(300))
    assert (order.status, order.language, order.recipient_email) == (
        "INITIATED", "bn", "a@b.example",
    )  # fmt: skip
    assert order.pay_until == NOW + timedelta(minutes=30)
    assert [(each.position, each.quantity, each.unit_price) for each in items] == [
        (0, 2, Decimal(100)), (1, 1, Decimal(100)),
    ]  # fmt: skip
    event = OrderEvent.objects.get()
    assert (event.kind, event.new, event.reason, event.at) == ("status", "INITIATED", "placed", NOW)


def test_a_number_in_use_is_not_given_again(monkeypatch):
    drawn = iter([5, 5, 7])
    monkeypatch.setattr(services.secrets, "randbelow", lambda _: next(drawn))
    assert [placed(1)[0].order_number for _ in range(2)] == ["10000005", "10000007"]


def test_a_request_places_one_order():
    placed(1, key="1:same")
    with pytest.raises(Conflict, match="placed its order already"):
        placed(1, key="1:same")
    assert Order.objects.count() == 1


@pytest.mark.parametrize("old", OrderStatus)
@pytest.mark.parametrize("new", OrderStatus)
def test_only_drawn_arrows_are_followed(old, new):
    paid = old in ("PENDING", "NEEDS_ATTENTION")
    order = OrderFactory(status=old, paid_at=NOW if paid else None) if old != "SUCCEEDED" else None
    if order is None:
        assert ARROWS[old] == frozenset()
        return
    if new == "SUCCEEDED":
        assert (new in ARROWS[old]) is paid
        return
    if new not in ARROWS[old]:
        with pytest.raises(IllegalTransition):
            advance(order, new, actor=SYSTEM, reason="", now=NOW)
        order.refresh_from_db()
        assert (order.status, OrderEvent.objects.count()) == (old, 0)
        return
    advance(order, new, actor=Actor("operator", 7, "operator:7"), reason="why", now=NOW)
    order.refresh_from_db()
    event = OrderEvent.objects.get()
    assert (order.status, event.old, event.new, event.actor, event.reason) == (
        new, old, new, "operator:7", "why",
    )  # fmt: skip
    assert (order.paid_at == NOW) is (new in ("PENDING", "NEEDS_ATTENTION"))


def test_an_event_carries_the_correlation_id():
    with correlation.correlated("corr-00000042"):
        tell(OrderFactory(), "note", actor=SYSTEM, reason="x" * 600, now=NOW)
    event = OrderEvent.objects.get()
    assert (event.correlation_id, len(event.reason)) == ("corr-00000042", 500)


def test_eight_digits_are_a_number_before_they_are_an_id():
    by_id = OrderFactory(id=12345678)
    assert find_order(Order.objects.all(), "12345678") == by_id
    by_number = OrderFactory(order_number="12345678")
    assert find_order(Order.objects.all(), "12345678") == by_number
    assert find_order(Order.objects.all(), str(by_number.pk)) == by_number


@pytest.mark.parametrize("key", ["", "abc", "-1", "1" * 19, "１２３", "1.0", "0"])
def test_what_is_no_key_finds_nothing(key):
    OrderFactory()
    assert find_order(Order.objects.all(), key) is None


def test_a_customer_sees_their_own_newest_first():
    customer = UserFactory()
    first, second = OrderFactory(customer=customer), OrderFactory(customer=customer)
    OrderFactory()
    assert list(orders_of(customer.pk)) == [second, first]


def test_a_day_begins_at_midnight_in_dhaka():
    items = {}
    variant = VariantFactory()
    for name, status, at in (
        ("yesterday", "INITIATED", NOW.replace(hour=17, minute=59) - timedelta(days=1)),
        ("today", "INITIATED", NOW.replace(hour=18) - timedelta(days=1)),
        ("failed", "FAILED", NOW),
        ("cancelled", "CANCELLED", NOW),
    ):
        order = OrderFactory(status=status)
        Order.objects.filter(pk=order.pk).update(created_at=at)
        items[name] = OrderItemFactory(order=order, variant=variant, quantity=3)
    assert ordered_today([variant.pk], now=NOW) == {variant.pk: 3}


@pytest.mark.parametrize("status", OrderStatus)
def test_every_status_has_words_in_both_languages(status):
    english, bangla = label_and_message(status, "en"), label_and_message(status, "bn")
    assert all(english)
    assert all(bangla)
    assert english != bangla
    assert label_and_message(status, "fr") == english


def test_a_use_is_given_back_once_and_taken_again_if_one_is_left():
    discount = DiscountCode.objects.create(
        code="ONE", discount_type="flat", discount_value=1, usage_limit=1, used_count=1
    )
    order = OrderFactory(discount=discount, discount_code="ONE", holds_discount=True)
    give_back(order)
    give_back(order)
    discount.refresh_from_db()
    assert discount.used_count == 0
    take_again(order, strictly=True)
    take_again(order, strictly=True)
    discount.refresh_from_db()
    assert (discount.used_count, order.holds_discount) == (1, True)


@pytest.mark.django_db
def test_a_note_says_something_and_is_kept():
    order = OrderFactory()
    with pytest.raises(BadRequest):
        note(order.pk, "  ", actor=SYSTEM, now=timezone.now())
    note(order.pk, " called the customer ", actor=SYSTEM, now=timezone.now())
    assert [each.reason for each in order.events.filter(kind="note")] == ["called the customer"]

"""Workers that die, a broker that forgets, stock that comes late."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from catalog.models import PartnerSource
from catalog.tests.factories import VariantFactory
from fulfillment.issuing import issue
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import MailWish, finish, process
from fulfillment.purchasing import open_purchase
from fulfillment.selectors import orders_stock_came_for, orders_with_due_work
from fulfillment.tests.factories import (
    codes_of,
    item_of,
    offered,
    open_alerts_of,
    paid_order,
    pool_of,
    stuck_order,
    trail_of,
)
from fulfillment.tests.pipeline import processed, purchases
from fulfillment.waiting import start_again
from notifications.models import EmailMessage
from orders.models import OrderItem
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def test_what_the_broker_lost_is_found_by_its_row():
    order = paid_order((pool_of("A-0001"), 1))
    assert orders_with_due_work(now=timezone.now()) == [order.pk]
    processed(order)
    assert orders_with_due_work(now=timezone.now()) == []


def test_a_worker_that_died_after_its_claim_blocks_for_no_longer_than_the_lease(settings):
    order = paid_order((pool_of("A-0001"), 1))
    FulfillmentAttempt.objects.update(claimed_at=timezone.now())
    processed(order, after=settings.ATTEMPT_LEASE - timedelta(seconds=5))
    assert (order.status, codes_of(order)) == ("PENDING", [])
    later = timezone.now() + settings.ATTEMPT_LEASE + timedelta(seconds=1)
    assert orders_with_due_work(now=later) == [order.pk]
    processed(order, after=settings.ATTEMPT_LEASE + timedelta(seconds=1))
    assert order.status == "SUCCEEDED"


def test_a_worker_that_died_before_the_mail_is_followed_up():
    order = paid_order((pool_of("A-0001"), 1))
    issue(order.pk)
    assert mail.outbox == []
    processed(order, after=timedelta(minutes=2))
    assert (order.status, len(mail.outbox), EmailMessage.objects.count()) == ("SUCCEEDED", 1, 1)


def test_a_claim_whose_item_an_operators_resend_completed_is_ended(desk):
    order = paid_order((pool_of("A-0001"), 1))
    issue(order.pk)  # and the worker dies with its claim
    assert desk.resend(order)["data"]["status"] == "SUCCESS"
    processed(order, after=timedelta(minutes=5))
    assert order.status == "SUCCEEDED"
    assert trail_of(order) == [("AUTO", "SUCCESS"), ("RESEND_EMAIL", "SUCCESS")]
    assert orders_with_due_work(now=timezone.now() + timedelta(hours=1)) == []


@pytest.mark.parametrize("arrived", [True, False])
def test_a_worker_that_died_in_a_purchase_is_looked_up_not_bought_again(zendit, arrived):
    order = paid_order((offered("A"), 1))
    attempt = issue_claim(order)
    purchase = open_purchase(attempt, item_of(order), 1, PartnerSource.objects.get())
    if arrived:
        zendit.deliver(purchase.reference)
    processed(order, after=timedelta(seconds=90))
    if arrived:
        assert (order.status, zendit.sold) == ("SUCCEEDED", [])
    else:
        assert purchases(order) == [(1, "UNKNOWN")]
        processed(order, after=timedelta(minutes=10))
        assert (order.status, zendit.sold) == ("SUCCEEDED", [purchase.reference])


def issue_claim(order):
    """The claim alone, as a worker makes it before it asks a partner."""
    attempt = FulfillmentAttempt.objects.get(order=order)
    attempt.claimed_at = timezone.now()
    attempt.save()
    return attempt


def test_a_worker_that_wakes_after_an_operator_took_over_changes_nothing(desk):
    """Its claim ran out while the mail server was slow; the operator's attempt replaced it."""
    order = paid_order((pool_of("A-0001"), 1), (VariantFactory(), 1))
    round_ = issue(order.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=True):
        assert desk.enter(order, item_of(order), "A-0001")["data"]["status"] == "DISPATCHED"
        finish(round_, MailWish())
    order.refresh_from_db()
    ended = FulfillmentAttempt.objects.filter(item=item_of(order)).order_by("pk")
    assert [each.status for each in ended] == ["PARTNER_FAILED", "DISPATCHED"]
    assert len(mail.outbox) == 1


def test_an_unexpected_error_ends_in_attention_and_holds_nothing_else_up(zendit):
    order = paid_order(
        (offered("A"), 1), (pool_of("P-0001"), 1), fulfillment_input={"player_id": "42"}
    )
    PartnerSource.objects.filter(external_offer_id="A").update(field_map=["not", "a", "map"])
    processed(order)
    assert purchases(order) == [(1, "SENT")]
    assert not FulfillmentAttempt.objects.exclude(claimed_at=None).exists()
    for minutes in (2, 4, 30):
        processed(order, after=timedelta(minutes=minutes))
    assert order.status == "NEEDS_ATTENTION"
    assert open_alerts_of(order) == ["fulfillment_partial"]
    assert "P-0001" in mail.outbox[0].body


def test_a_purchase_refused_after_its_attempt_ended_needs_attention(zendit):
    order = processed(paid_order((offered("A"), 1)))
    zendit.meets("B", "lost")
    order = processed(paid_order((offered("B"), 1)))
    now = timezone.now()
    FulfillmentAttempt.objects.filter(order=order).update(
        status="FAILED", ended_at=now, claimed_at=None, next_try_at=None
    )
    zendit.refuse(zendit.sold[-1])
    processed(order, after=timedelta(seconds=5))
    assert purchases(order) == [(1, "FAILED")]
    assert (order.status, item_of(order).fulfillment_status) == (
        "NEEDS_ATTENTION", "PARTNER_FAILED",
    )  # fmt: skip
    assert open_alerts_of(order) == ["fulfillment_failed"]


# The waiting line (I20)


def test_stock_that_came_serves_the_oldest_order_first():
    variant = VariantFactory()
    old, new = stuck_of(variant, days=2), stuck_of(variant, days=1)
    assert orders_stock_came_for(now=timezone.now()) == []
    VoucherFactory(variant=variant, code="CAME-0001")
    now = timezone.now()
    assert orders_stock_came_for(now=now) == [old.pk]  # as far as the one code goes
    for pk in orders_stock_came_for(now=now):
        start_again(pk, now=now)
    assert orders_with_due_work(now=now) == [old.pk]
    for pk in orders_with_due_work(now=now):
        process(order_id=pk)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.status, new.status) == ("SUCCEEDED", "NEEDS_ATTENTION")
    assert orders_stock_came_for(now=timezone.now()) == []


def stuck_of(variant, *, days):
    """The younger order may have the older date of payment."""
    order = paid_order((variant, 1), paid_at=timezone.now() - timedelta(days=days))
    return processed(order)


def test_what_was_planned_for_later_is_due_when_stock_came(zendit):
    """And of the order it came for alone."""
    zendit.meets("A", "busy")
    mine, other = (processed(paid_order((offered("A"), 1))) for _ in range(2))
    now = timezone.now()
    assert start_again(mine.pk, now=now) == 0  # its planned try, not a second one
    planned = FulfillmentAttempt.objects.filter(status="IN_PROGRESS")
    assert planned.get(order=mine).next_try_at == now
    assert planned.get(order=other).next_try_at > now


def test_who_was_started_again_is_counted():
    order = stuck_order(1, 1)
    assert start_again(order.pk, now=timezone.now()) == 2
    assert start_again(order.pk, now=timezone.now()) == 0
    assert trail_of(order)[2:] == [("AUTO", "IN_PROGRESS")] * 2


def test_a_held_order_is_touched_by_no_sweep():
    order = stuck_order()
    VoucherFactory(variant=item_of(order).variant)
    order.held_for_risk = True
    order.save()
    assert orders_stock_came_for(now=timezone.now()) == []
    assert start_again(order.pk, now=timezone.now()) == 0
    fresh = paid_order((pool_of("A-0001"), 1), held_for_risk=True)
    assert fresh.pk not in orders_with_due_work(now=timezone.now())
    assert codes_of(processed(fresh)) == []


@pytest.mark.parametrize("meanwhile", ["filled", "refunded", "under way"])
def test_a_unit_that_is_not_ours_to_buy_any_more_is_left_alone(zendit, meanwhile):
    """Between the claim and the purchase somebody else may have been quicker."""
    order = paid_order((offered("offer"), 1))
    item = item_of(order)
    attempt = FulfillmentAttempt.objects.get(item=item)
    attempt.claimed_at = timezone.now()
    attempt.save()
    source = PartnerSource.objects.get(variant=item.variant)
    match meanwhile:
        case "filled":
            VoucherFactory(order_item=item)
        case "refunded":
            OrderItem.objects.filter(pk=item.pk).update(refunded_units=[1])
        case "under way":
            assert open_purchase(attempt, item, 1, source) is not None
    assert open_purchase(attempt, item, 1, source) is None
    assert zendit.sold == []

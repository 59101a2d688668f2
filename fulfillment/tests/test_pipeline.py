"""Automatic delivery: pool, partners by priority, one mail, and what survives which accident."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail
from django.db.models import F
from django.utils import timezone

from catalog.models import PartnerSource
from catalog.tests.factories import VariantFactory
from fulfillment.issuing import issue
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import MailWish, finish, process
from fulfillment.purchasing import open_purchase
from fulfillment.selectors import next_due, orders_stock_came_for, orders_with_due_work
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
from fulfillment.tests.partner import code_of
from fulfillment.waiting import start_again
from notifications.models import AdminAlert, EmailMessage
from notifications.selectors import due_voucher_mails
from notifications.tests.smtp import mail_server, no_server
from orders.models import OrderEvent, OrderItem
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"


def processed(order, *, after=None):
    """The worker comes, now or after a while."""
    with time_machine.travel(timezone.now() + (after or timedelta(0)), tick=True):
        process(order_id=order.pk)
    order.refresh_from_db()
    return order


def purchases(order):
    rows = PartnerTransaction.objects.filter(item__order=order)
    return list(rows.values_list("unit_no", "status"))


# The pool


def test_codes_of_the_pool_are_sold_mailed_once_and_the_order_is_done():
    order = processed(paid_order((pool_of("A-0001", "A-0002"), 2), (pool_of("B-0001"), 1)))
    assert order.status == "SUCCEEDED"
    assert codes_of(order) == ["A-0001", "A-0002", "B-0001"]
    (message,) = mail.outbox
    assert all(code in message.body for code in codes_of(order))
    assert trail_of(order) == [("AUTO", "SUCCESS")] * 2
    assert open_alerts_of(order) == []
    assert order.email_sent_at >= max(item.fulfilled_at for item in order.items.all())


def test_running_twice_changes_nothing():
    order = processed(paid_order((pool_of("A-0001"), 1)))
    events = OrderEvent.objects.count()
    processed(order)
    assert (len(mail.outbox), OrderEvent.objects.count()) == (1, events)


def test_the_soonest_expiry_goes_first_and_the_expired_never():
    now = timezone.now()
    variant = pool_of("NEVER-0001")
    for code, days in (("LATE-0001", 90), ("SOON-0001", 9), ("GONE-0001", -1)):
        VoucherFactory(variant=variant, code=code, expires_at=now + timedelta(days=days))
    order = processed(paid_order((variant, 3)))
    assert codes_of(order) == ["SOON-0001", "LATE-0001", "NEVER-0001"]
    assert Voucher.objects.get(order_item=None).expires_at < now


# Partners


def test_a_refusal_leads_to_the_next_source(zendit):
    zendit.meets("A", "no_stock")
    order = processed(paid_order((offered("A", "B"), 1)))
    assert order.status == "SUCCEEDED"
    assert [body["offerId"] for body in zendit.bodies] == ["A", "B"]
    assert len(set(zendit.sold)) == 2
    assert purchases(order) == [(1, "FAILED"), (1, "SUCCEEDED")]


def test_a_source_above_the_price_ceiling_is_not_asked(zendit):
    variant = offered("CHEAP", "DEAR", "UNKNOWN_COST", max_cost=Decimal(90))
    PartnerSource.objects.filter(external_offer_id="CHEAP").update(cost=90)
    PartnerSource.objects.filter(external_offer_id="DEAR").update(cost=Decimal("90.01"))
    for offer in ("CHEAP", "UNKNOWN_COST"):
        zendit.meets(offer, "no_stock")
    order = processed(paid_order((variant, 1)))
    assert [body["offerId"] for body in zendit.bodies] == ["CHEAP", "UNKNOWN_COST"]
    assert order.status == "NEEDS_ATTENTION"


def test_the_customers_input_goes_to_the_partner(zendit):
    processed(paid_order((offered("A"), 1), fulfillment_input={"player_id": "123456789"}))
    assert zendit.bodies[0]["fields"] == [{"key": "player_id", "value": "123456789"}]


def test_nobody_left_to_ask_needs_attention_and_no_plan(zendit):
    zendit.meets("A", "no_stock")
    order = processed(paid_order((offered("A"), 1)))
    assert order.status == "NEEDS_ATTENTION"
    assert item_of(order).fulfillment_status == "PARTNER_FAILED"
    assert trail_of(order) == [("AUTO", "PARTNER_FAILED")]
    assert open_alerts_of(order) == ["fulfillment_failed"]
    assert mail.outbox == []
    assert next_due(order.pk) is None


def test_a_partner_that_is_away_is_tried_five_times_and_no_more(zendit, settings):
    settings.ATTEMPT_WAITS = [30.0, 120.0]
    zendit.meets("A", "busy")
    order = paid_order((offered("A"), 1))
    waits = []
    for _ in range(7):
        processed(order, after=timedelta(hours=1) * len(waits))
        last = FulfillmentAttempt.objects.latest("pk")
        waits.append(last.next_try_at and round((last.next_try_at - last.created_at).seconds))
        FulfillmentAttempt.objects.filter(status="IN_PROGRESS").update(next_try_at=F("created_at"))
    assert waits == [30, 120, 120, 120, None, None, None]
    assert len(zendit.sold) == 5
    assert trail_of(order) == [("AUTO", "PARTNER_FAILED")] * 5
    assert order.status == "NEEDS_ATTENTION"


def test_a_planned_try_that_works_delivers_by_itself(zendit):
    zendit.meets("A", "busy", "done")
    order = processed(paid_order((offered("A"), 1)))
    assert (order.status, trail_of(order)) == (
        "NEEDS_ATTENTION", [("AUTO", "PARTNER_FAILED"), ("AUTO", "IN_PROGRESS")],
    )  # fmt: skip
    processed(order, after=timedelta(minutes=1))
    assert order.status == "SUCCEEDED"
    assert trail_of(order) == [("AUTO", "PARTNER_FAILED"), ("AUTO", "SUCCESS")]
    assert open_alerts_of(order) == []


def test_a_part_is_mailed_once_and_the_rest_with_everything(zendit):
    zendit.meets("B", "busy", "busy", "done")
    order = processed(paid_order((pool_of("A-0001"), 1), (offered("B"), 1)))
    assert order.status == "NEEDS_ATTENTION"
    assert open_alerts_of(order) == ["fulfillment_partial"]
    assert [each.fulfillment_status for each in order.items.all()] == [
        "SUCCEEDED", "PARTNER_FAILED",
    ]  # fmt: skip
    processed(order, after=timedelta(minutes=1))
    assert len(mail.outbox) == 1
    processed(order, after=timedelta(minutes=10))
    assert order.status == "SUCCEEDED"
    part, whole = mail.outbox
    assert "A-0001" in part.body
    assert "ZEN-" not in part.body
    assert all(code in whole.body for code in codes_of(order))
    assert open_alerts_of(order) == []


def test_a_second_part_is_not_mailed_before_the_whole():
    variant, other = pool_of("A-0001"), pool_of()
    order = processed(paid_order((variant, 2), (other, 1)))
    assert len(mail.outbox) == 1
    VoucherFactory(variant=variant, code="A-0002")
    start_again(order.pk, now=timezone.now())
    processed(order)
    assert codes_of(order) == ["A-0001", "A-0002"]
    assert (len(mail.outbox), order.status) == (1, "NEEDS_ATTENTION")
    VoucherFactory(variant=other, code="B-0001")
    start_again(order.pk, now=timezone.now())
    processed(order)
    assert (len(mail.outbox), order.status) == (2, "SUCCEEDED")
    assert all(code in mail.outbox[1].body for code in codes_of(order))


# Unknown and pending purchases (D18, D39)


def test_an_unknown_purchase_is_looked_up_and_never_bought_again(zendit):
    zendit.meets("A", "lost")
    order = processed(paid_order((offered("A", "B"), 1)))
    assert (order.status, purchases(order)) == ("PENDING", [(1, "UNKNOWN")])
    assert trail_of(order) == [("AUTO", "IN_PROGRESS")]
    processed(order, after=timedelta(seconds=2))
    assert (order.status, purchases(order)) == ("SUCCEEDED", [(1, "SUCCEEDED")])
    assert (len(zendit.sold), len(zendit.looked_up)) == (1, 1)
    assert codes_of(order) == [code_of(zendit.sold[0])]


def test_the_first_look_in_vain_needs_attention_and_asks_no_other_source(zendit):
    zendit.meets("A", "never_arrived")
    order = processed(paid_order((offered("A", "B"), 1)))
    zendit.deaf = True
    processed(order, after=timedelta(seconds=5))
    assert (order.status, purchases(order)) == ("NEEDS_ATTENTION", [(1, "UNKNOWN")])
    assert open_alerts_of(order) == ["fulfillment_failed"]
    assert item_of(order).fulfillment_status is None
    assert [body["offerId"] for body in zendit.bodies] == ["A"]
    processed(order, after=timedelta(hours=1))
    assert (purchases(order), len(zendit.sold)) == ([(1, "UNKNOWN")], 1)


def test_what_the_partner_never_knew_is_sent_again_under_the_same_reference(zendit):
    zendit.meets("A", "never_arrived", "done")
    order = processed(paid_order((offered("A"), 1)))
    processed(order, after=timedelta(minutes=4))
    assert (order.status, len(zendit.sold)) == ("NEEDS_ATTENTION", 1)
    processed(order, after=timedelta(minutes=10))
    assert order.status == "SUCCEEDED"
    first, second = zendit.sold
    assert first == second
    assert purchases(order) == [(1, "SUCCEEDED")]


def test_a_proven_failure_leads_to_a_new_reference_at_the_next_source(zendit):
    zendit.meets("A", "lost")
    order = processed(paid_order((offered("A", "B"), 1)))
    zendit.refuse(zendit.sold[0])
    processed(order, after=timedelta(seconds=3))
    assert order.status == "SUCCEEDED"
    assert [body["offerId"] for body in zendit.bodies] == ["A", "B"]
    assert zendit.sold[0] != zendit.sold[1]


def test_a_purchase_at_work_is_followed_and_needs_attention_after_its_grace(zendit, settings):
    settings.PARTNER_PENDING_GRACE = timedelta(minutes=15)
    zendit.meets("A", "accepted")
    order = processed(paid_order((offered("A"), 1)))
    processed(order, after=timedelta(minutes=14))
    assert (order.status, purchases(order)) == ("PENDING", [(1, "PENDING")])
    processed(order, after=timedelta(minutes=21))
    assert (order.status, purchases(order)) == ("NEEDS_ATTENTION", [(1, "PENDING")])
    assert open_alerts_of(order) == ["fulfillment_failed"]
    zendit.deliver(zendit.sold[0])
    processed(order, after=timedelta(minutes=40))
    assert order.status == "SUCCEEDED"
    assert open_alerts_of(order) == []


def test_codes_wait_for_a_unit_under_way_and_go_out_together(zendit):
    zendit.meets("B", "accepted")
    order = processed(paid_order((pool_of("A-0001"), 1), (offered("B"), 1)))
    assert (order.status, mail.outbox) == ("PENDING", [])
    zendit.deliver(zendit.sold[0])
    processed(order, after=timedelta(seconds=30))
    assert (order.status, len(mail.outbox)) == ("SUCCEEDED", 1)


def test_a_resend_meanwhile_leaves_no_attempt_behind(zendit, desk):
    zendit.meets("B", "accepted")
    order = processed(paid_order((pool_of("A-0001"), 1), (offered("B"), 1)))
    desk.resend(order)
    zendit.deliver(zendit.sold[0])
    processed(order, after=timedelta(seconds=5))
    assert order.status == "SUCCEEDED"
    assert not FulfillmentAttempt.objects.filter(status="IN_PROGRESS").exists()
    assert next_due(order.pk) is None


def test_a_code_that_comes_after_an_operators_is_surplus_and_joins_the_pool(zendit, desk):
    zendit.meets("A", "lost")
    order = processed(paid_order((offered("A"), 1)))
    desk.enter(order, item_of(order), "HAND-0001")
    processed(order, after=timedelta(seconds=30))
    assert codes_of(order) == ["HAND-0001"]
    surplus = Voucher.objects.exclude(order_item=item_of(order)).get()
    assert (surplus.status, surplus.former_item) == ("available", item_of(order))
    assert purchases(order) == [(1, "SUCCEEDED")]
    assert open_alerts_of(order) == ["surplus_code"]
    assert len(mail.outbox) == 1


def test_surplus_made_for_one_player_is_void(zendit, desk):
    zendit.meets("A", "lost")
    order = processed(paid_order((offered("A"), 1), fulfillment_input={"player_id": "42"}))
    desk.enter(order, item_of(order), "HAND-0001")
    processed(order, after=timedelta(seconds=30))
    assert Voucher.objects.get(order_item=None).status == "void"


def test_a_code_we_hold_already_is_an_anomaly_for_a_person(zendit):
    VoucherFactory(code="TWIN-0001")
    zendit.meets("A", "twin")
    zendit.twin_code = "TWIN-0001"
    order = processed(paid_order((offered("A", "B"), 1)))
    assert purchases(order) == [(1, "UNKNOWN")]
    assert PartnerTransaction.objects.get().next_check_at is None
    assert order.status == "NEEDS_ATTENTION"
    assert set(open_alerts_of(order)) == {"partner_anomaly", "fulfillment_failed"}
    processed(order, after=timedelta(days=1))
    assert (len(zendit.sold), len(zendit.looked_up), codes_of(order)) == (1, 0, [])


def test_done_without_goods_is_an_anomaly_too(zendit):
    zendit.meets("A", "empty")
    order = processed(paid_order((offered("A"), 1)))
    assert (order.status, purchases(order)) == ("NEEDS_ATTENTION", [(1, "UNKNOWN")])
    assert "partner_anomaly" in open_alerts_of(order)


# Mail that fails by itself (D13)


def test_a_failed_automatic_mail_keeps_the_codes_and_is_sent_again_by_itself(settings):
    order = paid_order((pool_of("A-0001"), 1))
    with no_server(settings):
        processed(order)
    assert (order.status, order.email_sent_at) == ("NEEDS_ATTENTION", None)
    assert item_of(order).fulfillment_status == "DISPATCH_FAILED"
    assert codes_of(order) == ["A-0001"]
    assert trail_of(order) == [("AUTO", "DISPATCH_FAILED")]
    before = EmailMessage.objects.get()
    assert due_voucher_mails(now=timezone.now() + timedelta(minutes=5)).count() == 1
    settings.EMAIL_BACKEND = LOCMEM
    processed(order, after=timedelta(minutes=5))
    assert order.status == "SUCCEEDED"
    assert trail_of(order) == [("AUTO", "DISPATCH_FAILED"), ("AUTO", "SUCCESS")]
    assert mail.outbox[0].extra_headers["Message-ID"] == before.message_id
    assert EmailMessage.objects.count() == 1
    note = AdminAlert.objects.get(order=order).resolution_notes
    ids = FulfillmentAttempt.objects.filter(order=order).values_list("correlation_id", flat=True)
    assert any(f"fa:{pk}" in note for pk in ids)


def test_a_mail_refused_for_good_is_not_sent_again(settings):
    order = paid_order((pool_of("A-0001"), 1))
    with mail_server(settings, RCPT=["550 no such box"]):
        processed(order)
    settings.EMAIL_BACKEND = LOCMEM
    processed(order, after=timedelta(hours=1))
    assert (order.status, mail.outbox) == ("NEEDS_ATTENTION", [])


# Workers that die, a broker that forgets


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

"""Automatic delivery: pool, partners by priority, one mail per order."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from catalog.models import PartnerSource
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.selectors import next_due
from fulfillment.tests.factories import (
    codes_of,
    item_of,
    offered,
    open_alerts_of,
    paid_order,
    pool_of,
    trail_of,
)
from fulfillment.tests.partner import code_of
from fulfillment.tests.pipeline import processed, purchases
from fulfillment.waiting import start_again
from notifications.models import AdminAlert, EmailMessage
from notifications.selectors import due_voucher_mails
from notifications.tests.smtp import mail_server, no_server
from orders.models import OrderEvent
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"


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

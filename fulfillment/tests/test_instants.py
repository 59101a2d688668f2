"""What comes between two steps of a delivery: seen under the order's lock, never overwritten."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import PartnerSource
from catalog.tests.factories import VariantFactory
from core.actors import Actor
from core.providers import Declined, Misconfigured, OutcomeUnknown
from fulfillment import purchasing
from fulfillment.completion import MAIL_WAIT, conclude
from fulfillment.issuing import issue
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.partners.base import IssuedCode
from fulfillment.purchasing import open_purchase, record
from fulfillment.refunds import drop_units
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
from fulfillment.tests.pipeline import processed
from notifications.models import EmailMessage
from notifications.tests.smtp import no_server
from orders.services import locked
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def claimed(order):
    """As a worker that is about to ask the partner."""
    FulfillmentAttempt.objects.filter(order=order).update(claimed_at=timezone.now())
    return FulfillmentAttempt.objects.get(order=order), PartnerSource.objects.get()


def test_who_lost_the_lease_buys_nothing():
    order = paid_order((offered("A"), 1))
    attempt, source = claimed(order)
    FulfillmentAttempt.objects.update(claimed_at=timezone.now() + timedelta(seconds=1))
    assert open_purchase(attempt, item_of(order), 1, source) is None
    assert PartnerTransaction.objects.count() == 0


def test_a_unit_that_is_paid_back_meanwhile_is_not_bought():
    order = paid_order((offered("A"), 2))
    attempt, source = claimed(order)
    item = item_of(order)
    with transaction.atomic():
        drop_units(
            locked(order.pk), {item.pk: [2]}, revoking=False, actor=Actor("operator"),
            reason="why", now=timezone.now(),
        )  # fmt: skip
    assert open_purchase(attempt, item, 2, source) is None
    assert open_purchase(attempt, item, 1, source) is not None


def test_an_answer_that_came_second_changes_nothing():
    order = paid_order((offered("A"), 1))
    attempt, source = claimed(order)
    purchase = open_purchase(attempt, item_of(order), 1, source)
    assert record(purchase.pk, IssuedCode("A-0001"), asked="purchase").status == "SUCCEEDED"
    for late in (Declined("zendit", "no such offer"), IssuedCode("A-0002")):
        assert record(purchase.pk, late, asked="lookup").status == "SUCCEEDED"
    purchase.refresh_from_db()
    assert (purchase.status, purchase.error) == ("SUCCEEDED", "")
    assert codes_of(order) == ["A-0001"]
    assert Voucher.objects.count() == 1


def test_an_answer_that_was_written_while_we_waited_for_the_order_holds(monkeypatch):
    order = paid_order((offered("A"), 1))
    attempt, source = claimed(order)
    purchase = open_purchase(attempt, item_of(order), 1, source)

    def locked_after_another(order_id):
        monkeypatch.setattr(purchasing, "locked", locked)
        record(purchase.pk, IssuedCode("A-0001"), asked="lookup")
        return locked(order_id)

    monkeypatch.setattr(purchasing, "locked", locked_after_another)
    late = record(purchase.pk, Declined("zendit", "no such offer"), asked="purchase")
    assert late.status == "SUCCEEDED"
    purchase.refresh_from_db()
    assert (purchase.status, codes_of(order)) == ("SUCCEEDED", ["A-0001"])


def waiting_for_its_partner(order):
    """The purchase, and the worker gone: the attempt waits for an answer, an hour at most."""
    attempt, source = claimed(order)
    purchase = open_purchase(attempt, item_of(order), 1, source)
    later = timezone.now() + timedelta(hours=1)
    FulfillmentAttempt.objects.update(claimed_at=None, next_try_at=later)
    return purchase, later


@pytest.mark.parametrize("answer", [Declined("zendit", "no such offer"), IssuedCode("A-0001")])
def test_the_end_of_a_purchase_makes_its_attempt_due_at_once(answer):
    purchase, _ = waiting_for_its_partner(paid_order((offered("A"), 1)))
    record(purchase.pk, answer, asked="purchase")
    assert FulfillmentAttempt.objects.get().next_try_at <= timezone.now()


def test_a_purchase_that_stays_open_wakes_nobody():
    purchase, later = waiting_for_its_partner(paid_order((offered("A"), 1)))
    record(purchase.pk, OutcomeUnknown("zendit", "no answer"), asked="purchase")
    assert FulfillmentAttempt.objects.get().next_try_at == later


def test_a_partner_has_its_whole_grace_to_answer(settings):
    order = paid_order((offered("A"), 1))
    purchase, _ = waiting_for_its_partner(order)
    end = purchase.created_at + settings.PARTNER_PENDING_GRACE
    for late, status in ((0, "PENDING"), (1, "NEEDS_ATTENTION")):
        with transaction.atomic():
            now = end + timedelta(microseconds=late)
            conclude(locked(order.pk), [], failures={}, now=now)
        order.refresh_from_db()
        assert order.status == status


def test_wrong_credentials_are_told_at_the_order():
    order = paid_order((offered("A"), 1))
    purchase, _ = waiting_for_its_partner(order)
    record(purchase.pk, Misconfigured("zendit", "401"), asked="purchase")
    assert open_alerts_of(order) == ["partner_misconfigured"]


def test_what_somebody_holds_is_not_planned_for():
    order = paid_order((pool_of(), 1))
    due = FulfillmentAttempt.objects.get().next_try_at
    assert next_due(order.pk) == due
    FulfillmentAttempt.objects.update(claimed_at=timezone.now())
    assert next_due(order.pk) is None


def test_codes_whose_mail_is_on_its_way_are_looked_at_again_soon():
    """The mail has a sender; what becomes of it is known in a moment, and not before."""
    order = paid_order((pool_of("A-0001"), 1))
    round_, now = issue(order.pk), timezone.now()
    with transaction.atomic():
        conclude(locked(order.pk), round_.attempts, failures={}, now=now)
    attempt = FulfillmentAttempt.objects.get()
    assert (attempt.status, attempt.claimed_at) == ("IN_PROGRESS", None)
    assert attempt.next_try_at == now + MAIL_WAIT


def test_an_unexpected_error_is_not_tried_again_by_itself(monkeypatch):
    order = paid_order((pool_of("A-0001"), 1))
    monkeypatch.setattr("fulfillment.issuing.sell_from_pool", lambda *_, **__: 1 / 0)
    processed(order)
    assert trail_of(order) == [("AUTO", "FAILED")]
    assert next_due(order.pk) is None


def test_an_error_that_no_attempt_can_tell_is_raised(monkeypatch):
    """Else the task would end well, and nobody would ever hear of it."""
    order = processed(paid_order((pool_of(), 1)))
    monkeypatch.setattr("fulfillment.processing.standings_of", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        processed(order)


def test_a_paid_order_gets_what_was_held_for_it():
    order = paid_order((pool_of("FREE-0001"), 1))
    VoucherFactory(
        order_item=item_of(order), code="HELD-0001", status="reserved", sold_at=None,
        reserved_until=timezone.now(),
    )  # fmt: skip
    processed(order)
    assert (order.status, codes_of(order)) == ("SUCCEEDED", ["HELD-0001"])
    assert Voucher.objects.get(order_item=None).status == "available"


def test_an_operators_attempt_ends_the_one_a_worker_left_behind(desk):
    order = paid_order((pool_of(), 1))
    FulfillmentAttempt.objects.update(claimed_at=timezone.now() - timedelta(hours=1))
    answer = desk.enter(order, item_of(order), "HAND-0001")
    left = FulfillmentAttempt.objects.get(type="AUTO")
    assert (left.status, left.claimed_at, left.next_try_at) == ("PARTNER_FAILED", None, None)
    assert left.ended_at is not None
    assert f"fa:{answer['data']['correlationId']}" in left.error_message


def test_what_is_held_for_risk_is_left_alone():
    order = paid_order((pool_of("A-0001"), 1), held_for_risk=True)
    processed(order)
    assert codes_of(order) == []
    assert Voucher.objects.get().status == "available"


def test_a_mail_that_waits_is_sent_when_it_is_due(settings, mailoutbox):
    order = paid_order((pool_of("A-0001"), 1))
    backend = settings.EMAIL_BACKEND
    with no_server(settings):
        processed(order)
    settings.EMAIL_BACKEND = backend
    assert [each.status for each in EmailMessage.objects.all()] == ["PENDING"]
    processed(order)
    processed(order, after=timedelta(seconds=5))
    assert mailoutbox == []
    processed(order, after=timedelta(hours=1))
    assert (order.status, len(mailoutbox)) == ("SUCCEEDED", 1)


def test_a_mail_with_fewer_codes_is_taken_over_by_the_next(desk, settings, mailoutbox):
    """It was refused for now; meanwhile an operator typed the code that was still owed."""
    order = paid_order((pool_of("A-0001"), 1), (VariantFactory(), 1))
    backend = settings.EMAIL_BACKEND
    with no_server(settings):
        processed(order)
    settings.EMAIL_BACKEND = backend
    assert desk.enter(order, item_of(order, 1), "HAND-0001")["data"]["emailSent"] is True
    rows = EmailMessage.objects.order_by("pk").values_list("status", "next_try_at")
    assert list(rows) == [("FAILED", None), ("SENT", None)]
    processed(order, after=timedelta(hours=2))
    assert len(mailoutbox) == 1
    assert codes_of(order) == ["A-0001", "HAND-0001"]

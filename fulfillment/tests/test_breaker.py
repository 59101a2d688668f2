"""A silent partner is paused, probed, and what waited for it is served when it is back."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from catalog.models import Partner, PartnerSource
from catalog.tests.factories import PartnerFactory, SourceFactory
from core.actors import SYSTEM
from fulfillment.breaker import allows, is_paused, note_answer, note_silence, reset
from fulfillment.models import FulfillmentAttempt, PartnerHealth
from fulfillment.processing import process
from fulfillment.selectors import orders_partner_came_back_for, orders_to_probe_with
from fulfillment.tests.factories import item_of, offered, paid_order, trail_of
from fulfillment.waiting import start_again
from notifications.models import AdminAlert

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_failures(settings):
    settings.BREAKER_FAILURES = 2
    settings.BREAKER_PAUSE = timedelta(seconds=60)


def paused(partner, *, now=None):
    for _ in range(2):
        note_silence(partner, "no answer", now=now or timezone.now())


def later(**time):
    return time_machine.travel(timezone.now() + timedelta(**time), tick=True)


def open_kinds():
    return list(AdminAlert.objects.filter(resolved_at=None).values_list("kind", flat=True))


def test_silence_in_a_row_pauses_and_one_answer_forgets_it():
    partner = PartnerFactory()
    note_silence(partner, "no answer", now=timezone.now())
    note_answer(partner, now=timezone.now())
    note_silence(partner, "no answer", now=timezone.now())
    assert allows(partner.pk, now=timezone.now())
    note_silence(partner, "no answer", now=timezone.now())
    assert not allows(partner.pk, now=timezone.now())
    assert open_kinds() == ["partner_down"]


def test_after_the_pause_one_caller_is_the_probe():
    partner = PartnerFactory()
    now = timezone.now()
    paused(partner, now=now)
    after = now + timedelta(seconds=61)
    assert [allows(partner.pk, now=after) for _ in range(3)] == [True, False, False]


def test_a_pause_has_a_beginning_and_an_end():
    partner, now = PartnerFactory(), timezone.now()
    assert not is_paused(partner.pk, now=now)
    paused(partner, now=now)
    health = PartnerHealth.objects.get(pk=partner.pk)
    assert (health.opened_at, health.open_until) == (now, now + timedelta(seconds=60))
    assert is_paused(partner.pk, now=now + timedelta(seconds=59))
    assert not is_paused(partner.pk, now=now + timedelta(seconds=60))


def test_a_probe_in_vain_pauses_again_without_a_second_alert():
    partner = PartnerFactory()
    now = timezone.now()
    paused(partner, now=now)
    after = now + timedelta(seconds=61)
    assert allows(partner.pk, now=after)
    note_silence(partner, "no answer", now=after)
    assert not allows(partner.pk, now=after + timedelta(seconds=59))
    assert open_kinds() == ["partner_down"]


def test_an_answer_closes_it_and_its_alert():
    partner = PartnerFactory()
    paused(partner)
    note_answer(partner, now=timezone.now())
    health = PartnerHealth.objects.get(pk=partner.pk)
    assert (health.failures, health.open_until, health.opened_at) == (0, None, None)
    assert open_kinds() == []


def test_other_partners_are_not_concerned():
    silent, good = PartnerFactory(), PartnerFactory(slug="good")
    paused(silent)
    assert allows(good.pk, now=timezone.now())


def test_a_paused_partner_is_not_asked_and_the_order_is_planned_again(zendit):
    order = paid_order((offered("A"), 1))
    paused(Partner.objects.get())
    process(order_id=order.pk)
    assert zendit.sold == []
    failed, planned = FulfillmentAttempt.objects.filter(order=order).order_by("pk")
    assert failed.status == "PARTNER_FAILED"
    assert failed.partner_response["status"] == "PARTNER_PAUSED"
    assert planned.status == "IN_PROGRESS"
    assert planned.next_try_at <= timezone.now() + timedelta(seconds=61)


def test_failover_passes_a_paused_partner(zendit):
    variant = offered("A", "B")
    other = PartnerFactory(slug="silent")
    PartnerSource.objects.filter(external_offer_id="A").update(partner=other)
    paused(other)
    order = paid_order((variant, 1))
    process(order_id=order.pk)
    assert [body["offerId"] for body in zendit.bodies] == ["B"]
    assert trail_of(order) == [("AUTO", "SUCCESS")]


def test_a_no_beside_a_paused_partner_is_not_the_last_word(zendit):
    variant = offered("A", "B")
    other = PartnerFactory(slug="silent")
    PartnerSource.objects.filter(external_offer_id="A").update(partner=other)
    paused(other)
    zendit.meets("B", "no_stock")
    order = paid_order((variant, 1))
    process(order_id=order.pk)
    assert trail_of(order) == [("AUTO", "PARTNER_FAILED"), ("AUTO", "IN_PROGRESS")]


def test_purchases_without_an_answer_pause_the_partner(zendit):
    zendit.meets("A", "busy")
    for _ in range(2):
        process(order_id=paid_order((offered("A"), 1)).pk)
    assert len(zendit.sold) == 2
    process(order_id=paid_order((offered("A"), 1)).pk)
    assert len(zendit.sold) == 2


def test_a_refusal_is_an_answer(zendit):
    zendit.meets("A", "no_stock")
    for _ in range(3):
        process(order_id=paid_order((offered("A"), 1)).pk)
    assert len(zendit.sold) == 3
    assert open_kinds().count("partner_down") == 0


def test_an_operator_is_never_held_up_by_it(zendit, desk):
    order = paid_order((offered("A"), 1))
    paused(Partner.objects.get())
    process(order_id=order.pk)
    answer = desk.retry(order, item_of(order))
    assert answer["data"]["status"] == "DISPATCHED"
    assert allows(Partner.objects.get().pk, now=timezone.now())


def waiting_orders(count, zendit):
    """Orders whose five tries are over, while the partner was silent."""
    variant = offered("A")
    zendit.meets("A", "busy")
    orders = [paid_order((variant, 1)) for _ in range(count)]
    for order in orders:
        process(order_id=order.pk)
    FulfillmentAttempt.objects.filter(status="IN_PROGRESS").update(
        status="PARTNER_FAILED", ended_at=timezone.now(), next_try_at=None
    )
    return orders


def test_the_oldest_order_is_the_probe_and_the_others_follow_when_it_worked(zendit):
    orders = waiting_orders(3, zendit)
    zendit.meets("A", "done")
    with later(seconds=62):
        now = timezone.now()
        assert orders_partner_came_back_for(now=now) == []
        assert orders_to_probe_with(now=now) == [orders[0].pk]
        start_again(orders[0].pk, now=now)
        process(order_id=orders[0].pk)
        now = timezone.now()
        assert orders_to_probe_with(now=now) == []
        assert orders_partner_came_back_for(now=now) == [orders[1].pk, orders[2].pk]
        for order in orders[1:]:
            start_again(order.pk, now=now)
            process(order_id=order.pk)
        assert orders_partner_came_back_for(now=timezone.now()) == []
    for order in orders:
        order.refresh_from_db()
        assert order.status == "SUCCEEDED"


def test_an_order_tried_since_the_partner_came_back_is_left_alone(zendit):
    orders = waiting_orders(2, zendit)
    reset(Partner.objects.get(), operator=SYSTEM, now=timezone.now())
    for order in orders:
        start_again(order.pk, now=timezone.now())
        process(order_id=order.pk)
    FulfillmentAttempt.objects.filter(status="IN_PROGRESS").update(
        status="PARTNER_FAILED", ended_at=timezone.now(), next_try_at=None
    )
    assert orders_partner_came_back_for(now=timezone.now()) == []


def test_who_waits_since_a_partner_came_back_long_ago_was_tried_since(zendit):
    (order,) = waiting_orders(1, zendit)
    reset(Partner.objects.get(), operator=SYSTEM, now=timezone.now())
    assert orders_partner_came_back_for(now=timezone.now()) == [order.pk]
    assert orders_partner_came_back_for(now=timezone.now() + timedelta(days=3)) == []


def test_a_source_that_stands_in_keeps_its_own_cap(zendit):
    variant = offered("A", "B")
    PartnerSource.objects.filter(external_offer_id="B").update(stock_cap=1)
    zendit.meets("A", "no_stock")
    first, second = paid_order((variant, 1)), paid_order((variant, 1))
    for order in (first, second):
        process(order_id=order.pk)
        order.refresh_from_db()
    assert (first.status, second.status) == ("SUCCEEDED", "NEEDS_ATTENTION")
    assert [body["offerId"] for body in zendit.bodies] == ["A", "B", "A"]


def test_the_first_sources_cap_was_kept_when_the_order_was_placed(zendit):
    variant = offered("A")
    SourceFactory(variant=variant, external_offer_id="Z", priority=9)
    PartnerSource.objects.filter(external_offer_id="A").update(stock_cap=1)
    for _ in range(2):
        process(order_id=paid_order((variant, 1)).pk)
    assert [body["offerId"] for body in zendit.bodies] == ["A", "A"]

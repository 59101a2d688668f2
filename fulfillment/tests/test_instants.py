"""What comes between two steps of a delivery: seen under the order's lock, never overwritten."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import PartnerSource
from catalog.tests.factories import VariantFactory
from core.actors import Actor
from core.providers import Declined
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.partners.base import IssuedCode
from fulfillment.purchasing import open_purchase, record
from fulfillment.refunds import drop_units
from fulfillment.tests.factories import codes_of, item_of, offered, paid_order, pool_of
from fulfillment.tests.pipeline import processed
from notifications.models import EmailMessage
from notifications.tests.smtp import no_server
from orders.services import locked
from vouchers.models import Voucher

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

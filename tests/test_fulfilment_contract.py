"""Contract page bdvoucher, section 9, line by line: fulfilment and the consolidated e-mail. The
customers' rules are in `tests/test_client_contract.py`, recovery in `fulfillment/tests`.
"""

import re

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from catalog.tests.factories import VariantFactory
from core.actors import SYSTEM
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.conftest import wire, zendit
from fulfillment.tests.factories import (
    codes_of,
    item_of,
    offered,
    open_alerts_of,
    paid_order,
    pool_of,
    trail_of,
)
from notifications.tests.smtp import mail_server
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment
from payments.settlement import settle
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db
__all__ = ["wire", "zendit"]


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


def delivered(order, settings):
    """The worker's turn, with a real mail server: the mails it took."""
    with mail_server(settings) as server:
        process(order_id=order.pk)
    order.refresh_from_db()
    return server.taken


def text_of(mail):
    return mail.get_body(("plain",)).get_content()


def html_of(mail):
    return mail.get_body(("html",)).get_content()


def test_payment_success_triggers_it_and_nothing_before_does(settings):
    """Line 1: codes of the pool."""
    order = OrderFactory()
    OrderItemFactory(order=order, variant=pool_of("POOL-0001"))
    payment = Payment.objects.create(
        order=order, method="paystation", status="PENDING", created_at=timezone.now(),
        reference=f"BDV-{order.order_number}-1", amount=order.total_amount,
    )  # fmt: skip
    assert delivered(order, settings) == []
    assert not FulfillmentAttempt.objects.exists()
    paid = Verdict(Outcome.PAID, amount=order.total_amount, gateway_transaction_id="T1")
    settle(payment_id=payment.pk, verdict=paid, actor=SYSTEM, now=timezone.now())
    assert len(delivered(order, settings)) == 1
    assert (order.status, codes_of(order)) == ("SUCCEEDED", ["POOL-0001"])


def test_or_the_codes_come_from_the_partner(settings, zendit):
    """Line 1: codes of a partner's API."""
    order = paid_order((offered("A"), 1))
    delivered(order, settings)
    assert (order.status, len(zendit.bodies)) == ("SUCCEEDED", 1)


def test_one_code_and_one_row_for_each_unit(settings):
    """Line 2."""
    order = paid_order((pool_of("A-0001", "A-0002", "A-0003", "A-0004"), 3))
    delivered(order, settings)
    rows = Voucher.objects.filter(order_item__order=order).order_by("unit_no")
    assert [row.unit_no for row in rows] == [1, 2, 3]
    assert len(set(codes_of(order))) == 3
    assert Voucher.objects.filter(order_item=None).count() == 1


def test_the_source_is_chosen_by_priority(settings, zendit):
    """Line 3."""
    delivered(paid_order((offered("FIRST", "SECOND"), 1)), settings)
    assert [body["offerId"] for body in zendit.bodies] == ["FIRST"]


def test_without_goods_the_order_needs_attention_with_its_alert_and_its_auto_attempt(settings):
    """Lines 5, 6 and 7: `fulfillment_failed`, and what an operator does later stands beside it."""
    order = paid_order((VariantFactory(), 1))
    assert delivered(order, settings) == []
    assert order.status == "NEEDS_ATTENTION"
    assert open_alerts_of(order) == ["fulfillment_failed"]
    assert trail_of(order) == [("AUTO", "PARTNER_FAILED")]
    operator = UserFactory(operator=True)
    with mail_server(settings) as server:
        answer = APIClient().post(
            f"/api/v1/admin/orders/{order.pk}/fulfillment/manual-code",
            {"orderItemId": item_of(order).pk, "code": "HAND-0001"},
            format="json",
            **bearer(operator),
        )
    assert answer.status_code == 200, answer.content
    assert trail_of(order) == [("AUTO", "PARTNER_FAILED"), ("MANUAL_CODE_INPUT", "DISPATCHED")]
    assert len(server.taken) == 1


def test_a_part_that_is_missing_is_fulfillment_partial(settings):
    """Line 6."""
    order = paid_order((pool_of("A-0001"), 1), (VariantFactory(), 1))
    delivered(order, settings)
    assert order.status == "NEEDS_ATTENTION"
    assert open_alerts_of(order) == ["fulfillment_partial"]


def test_exactly_one_mail_with_every_code_under_its_product_and_variant(settings):
    """Lines 8, 9, 10 and 12: title, content, grouping, and what is recorded on the order."""
    first = pool_of("A-0001", "A-0002", name="Fifty")
    second = pool_of("B-0001", name="Hundred")
    order = paid_order((first, 2), (second, 1))
    mails = delivered(order, settings)
    assert len(mails) == 1
    (mail,) = mails
    assert mail["Subject"] == f"Your vouchers — Order #{order.order_number}"
    for body in (text_of(mail), re.sub(r"<[^>]+>", " ", html_of(mail))):
        places = [body.index(code) for code in ("A-0001", "A-0002", "B-0001")]
        assert places == sorted(places)
        assert all(body.count(code) == 1 for code in codes_of(order))
        for item in order.items.all():
            assert item.product_name in body
            assert item.variant_name in body
    assert order.dispatched_email == mail["To"] == order.recipient_email
    assert order.email_sent_at is not None


def test_recovery_sends_the_same_mail(settings):
    """Line 11: what an operator sends again differs from the automatic mail in nothing."""
    order = paid_order((pool_of("A-0001"), 1))
    (automatic,) = delivered(order, settings)
    with mail_server(settings) as server:
        answer = APIClient().post(
            f"/api/v1/admin/orders/{order.pk}/fulfillment/resend-email",
            {},
            format="json",
            **bearer(UserFactory(operator=True)),
        )
    assert answer.status_code == 200, answer.content
    (again,) = server.taken
    assert again["Subject"] == automatic["Subject"]
    assert text_of(again) == text_of(automatic)
    assert html_of(again) == html_of(automatic)

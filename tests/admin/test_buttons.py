"""The three buttons of the order page, and what each leaves behind."""

import re

import pytest
from django.core import mail

from catalog.tests.factories import SourceFactory
from core.admin import new_form_key
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.factories import (
    everything,
    item_of,
    offered,
    open_alerts_of,
    paid_order,
    pool_of,
    stuck_order,
    trail_of,
)
from notifications.tests.smtp import no_server
from orders.models import Order
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
CODE, PIN = "CANARY-7Q2X-9M4K-ZZ81", "5519"


def test_codes_entered_are_delivered_by_mail(page):
    order = stuck_order(2)
    answer = page.enter(order, "ABCD-1234 | 1111", "", "EFGH-5678", notes="supplier's mail")
    assert (answer.status_code, answer.url) == (302, f"{LIST}{order.pk}/change/")
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert open_alerts_of(order) == []
    assert len(mail.outbox) == 1
    assert all(word in mail.outbox[0].body for word in ("ABCD-1234", "1111", "EFGH-5678"))
    attempt = FulfillmentAttempt.objects.get(type="MANUAL_CODE_INPUT")
    assert (attempt.status, attempt.admin_user, attempt.notes) == (
        "DISPATCHED", page.user, "supplier's mail",
    )  # fmt: skip
    assert f"2 voucher code(s) delivered to customer · {attempt.correlation_id}" in page.said(order)


def test_wrong_codes_are_told_at_their_item_and_kept(page):
    order = stuck_order(2)
    before = everything()
    answer = page.enter(order, "ABCD-1234", notes="why").content.decode()
    assert "2 needed, 1 given" in answer
    assert "ABCD-1234</textarea>" in answer
    assert "why</textarea>" in answer
    for typed, says in ((("| 11", "A-1"), "PIN but no code"), (("A" * 501, "B-1"), "too long")):
        assert says in page.enter(order, *typed).content.decode()
    assert "at least one item" in page.enter(order).content.decode()
    assert everything() == before
    assert mail.outbox == []


def test_a_refused_item_stays_open_while_the_good_one_is_delivered(page):
    VoucherFactory(order_item=OrderItemFactory(), code="SOLD-ELSEWHERE")
    order = stuck_order(1, 1)
    bad, good = item_of(order, 0), item_of(order, 1)
    fields = {f"codes_{good.pk}": "GOOD-CODE-0001"}
    answer = page.enter(order, "SOLD-ELSEWHERE", item=bad, **fields).content.decode()
    assert "already assigned to a different item" in answer
    assert "SOLD-ELSEWHERE</textarea>" in answer
    assert "GOOD-CODE-0001" not in answer
    assert len(mail.outbox) == 1
    again = {"form_key": re.search(r'name="form_key" value="([^"]+)"', answer)[1]}
    assert page.enter(order, "RIGHT-CODE-0002", item=bad, **again).status_code == 302
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"


def test_the_partner_is_asked_again(page, zendit):
    zendit.meets("A", "no_stock", "done")
    order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    item = item_of(order)
    answer = page.post(order, "retry", item=item.pk, notes="outage is over")
    assert (answer.status_code, answer.url) == (302, f"{LIST}{order.pk}/change/")
    order.refresh_from_db()
    assert (order.status, len(mail.outbox)) == ("SUCCEEDED", 1)
    assert trail_of(order)[-1] == ("PARTNER_RETRY", "DISPATCHED")
    assert "Voucher delivered via zendit" in page.said(order)


def test_a_source_is_forced_and_a_partners_no_is_told(page, zendit):
    zendit.meets("B", "no_stock")
    order = stuck_order()
    variant = item_of(order).variant
    for priority, offer in enumerate("AB", 1):
        SourceFactory(variant=variant, external_offer_id=offer, priority=priority)
    source = variant.sources.get(external_offer_id="B")
    page.post(order, "retry", item=item_of(order).pk, source=source.pk)
    assert [body["offerId"] for body in zendit.bodies] == ["B"]
    assert "Partner responded with status" in page.said(order)
    foreign = offered("C").sources.get()
    page.post(order, "retry", item=item_of(order).pk, source=foreign.pk)
    assert "Nothing was done" in page.said(order)


def test_a_retry_is_refused_while_a_purchase_may_still_be_delivered(page, zendit):
    zendit.meets("A", "accepted")
    order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    told = page.get(order).content.decode()
    assert "a purchase may still be delivered" in told.lower()
    page.post(order, "retry", item=item_of(order).pk)
    assert "nothing is bought again" in page.said(order)
    assert len(zendit.sold) == 1


def test_the_mail_is_sent_again(page, settings):
    order = paid_order((pool_of("ABCD-1234"), 1))
    with no_server(settings):
        process(order_id=order.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    told = page.get(order).content.decode()
    assert "All codes are saved, but the customer has no e-mail." in told
    assert page.post(order, "resend", to="other@example.com", notes="by phone").status_code == 302
    assert mail.outbox[0].to == ["other@example.com"]
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert "1 voucher code(s) sent again" in page.said(order)


def test_a_form_acts_once_however_often_it_is_sent(page):
    order = paid_order((pool_of("ABCD-1234"), 1))
    process(order_id=order.pk)
    mail.outbox.clear()
    key = new_form_key()
    for _ in range(2):
        assert page.post(order, "resend", form_key=key).status_code == 302
    assert len(mail.outbox) == 1
    assert "sent already" in page.said(order)
    assert page.client.post(f"{LIST}{order.pk}/resend/").status_code == 302
    assert len(mail.outbox) == 1  # nor without a key


def test_a_mail_server_that_refuses_is_told_and_the_codes_are_safe(page, settings):
    order = stuck_order()
    with no_server(settings):
        page.enter(order, "ABCD-1234")
    assert "1 voucher code(s) saved, e-mail not sent" in page.said(order)
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"
    assert page.get(order, "enter-codes").status_code == 302  # nothing is owed any more
    assert "Every code is saved; resend the e-mail." in page.get(order).content.decode()


def test_unpaid_and_risky_orders_are_left_alone(page):
    unpaid = OrderItemFactory(order=OrderFactory()).order
    assert "no successful payment" in page.get(unpaid).content.decode()
    page.post(unpaid, "retry", item=item_of(unpaid).pk)
    assert "refusing to dispatch" in page.said(unpaid)
    risky = stuck_order()
    Order.objects.filter(pk=risky.pk).update(held_for_risk=True)
    assert "flagged as risky" in page.get(risky).content.decode()

"""The desk beyond the three buttons: claims, notes, pasting, showing, replacing, closing."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory
from core.errors import Conflict
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import process
from fulfillment.queue import Wish, incidents, orders_wished
from fulfillment.tests.factories import (
    codes_of,
    everything,
    item_of,
    offered,
    paid_order,
    pool_of,
    stuck_order,
)
from notifications.models import AdminAlert
from orders.claims import claim_order, hand_back, holder_of
from orders.models import Order, OrderClaim, OrderEvent
from orders.tests.factories import OrderFactory, OrderItemFactory
from tests.admin.desk import Page
from vouchers.models import CodeReveal, Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"
TWICE = "GOOD-1111-2222\nGOOD-1111-2222\nX-33333"
WHY = "customer reads another code"


def delivered(*codes):
    order = paid_order((pool_of(*codes), len(codes)))
    process(order_id=order.pk)
    mail.outbox.clear()
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    return order


def surplus(order):
    return AdminAlert.objects.create(
        order=order, kind="surplus_code", message="m", created_at=timezone.now()
    )


def code_row(order, unit=1):
    return Voucher.objects.get(order_item__order=order, unit_no=unit)


def test_a_claim_is_seen_by_the_others_and_runs_out(page, client, settings):
    order, now = stuck_order(), timezone.now()
    page.post(order, "claim")
    assert "You are working on this order" in page.get(order).content.decode()
    other = UserFactory(operator=True, name="Nadia Night")
    with pytest.raises(Conflict, match=str(page.user)):
        claim_order(order.pk, operator=other, now=now)
    client.force_login(other)
    assert f"<strong>{page.user}</strong> is working" in page.get(order).content.decode()
    assert str(page.user) in client.get(LIST).content.decode()
    page.post(order, "claim")
    assert "is working on this order until" in page.said(order)
    assert page.enter(order, "STILL-FREE-0001").status_code == 302  # money waits for nobody
    assert holder_of(order, now=now + settings.ORDER_CLAIM + timedelta(minutes=2)) is None
    later = claim_order(order.pk, operator=other, now=now + settings.ORDER_CLAIM * 2)
    assert later.operator == other
    assert not hand_back(order.pk, operator=page.user)
    assert hand_back(order.pk, operator=other)
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderClaim.objects.create(order=order, operator=other, claimed_at=now, expires_at=now)


def test_the_queue_shows_mine_and_nobodys(page):
    mine, free, theirs = stuck_order(), stuck_order(), stuck_order()
    now = timezone.now()
    claim_order(mine.pk, operator=page.user, now=now)
    claim_order(theirs.pk, operator=UserFactory(operator=True), now=now)

    def shown(query):
        return set(
            re.findall(
                r'strong" href="[^"]+">#(\d+)', page.client.get(f"{LIST}?{query}").content.decode()
            )
        )

    assert shown("claim=mine") == {mine.order_number}
    assert shown("claim=free") == {free.order_number}
    assert shown("tab=nonsense") == {mine.order_number, free.order_number, theirs.order_number}


def test_orders_are_grouped_by_root_cause_and_each_group_leads_to_its_orders(page, zendit):
    zendit.meets("A", "no_stock", "no_stock")
    zendit.meets("B", "timeout")
    for offer in "AAB":
        order = paid_order((offered(offer), 1))
        process(order_id=order.pk)
    Order.objects.filter(status="PENDING").update(status="NEEDS_ATTENTION")
    stuck_order()
    stuck_order()
    groups = incidents()
    assert sum(each.orders for each in groups) >= 4
    for each in groups:
        wish = Wish(tab="needs_attention", cause=each.cause, partner=each.partner)
        assert orders_wished(wish).count() == each.orders, each
    told = page.client.get(LIST).content.decode()
    assert "By root cause" in told


def test_pages_by_key_and_neighbours(page, monkeypatch):
    monkeypatch.setattr("orders.admin.queue.PAGE", 2)
    orders = [stuck_order() for _ in range(3)]
    told = page.client.get(LIST).content.decode()
    after = re.search(r"after=(\d+)", told)[1]
    assert int(after) == orders[1].pk
    assert f"#{orders[2].order_number}" in page.client.get(f"{LIST}?after={after}").content.decode()
    one = page.client.get(f"{LIST}{orders[1].pk}/change/?tab=needs_attention").content.decode()
    for other in (orders[0], orders[2]):
        assert f"{LIST}{other.pk}/change/?tab=needs_attention" in one


def test_notes_are_kept_for_ever(page):
    order = stuck_order()
    page.post(order, "note", text="Called; গ্রাহক অপেক্ষা করছেন")
    told = page.get(order).content.decode()
    assert "গ্রাহক অপেক্ষা করছেন" in told
    assert str(page.user) in told
    assert "required" in (page.post(order, "note", text=" ") and page.said(order))
    event = OrderEvent.objects.get(kind="note")
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderEvent.objects.filter(pk=event.pk).update(reason="changed")


def test_a_suppliers_mail_is_read_before_anything_is_saved(page):
    taken = VoucherFactory(order_item=OrderItemFactory(), code="TAKEN-0000-0001")
    order = stuck_order(2)
    before = everything()
    item = item_of(order)
    pasted = "Dear shop,\n1. Code: GOOD-1111-2222 PIN: 4471\n2. Code: TAKEN-0000-0001\nKarim"
    answer = page.post(order, "enter-codes", paste=pasted, read="1").content.decode()
    assert "2 codes understood" in answer
    assert "2 lines without a code" in answer
    assert "GOOD-1111-2222 | 4471" in answer
    assert "belongs to another item" in answer
    again = page.post(order, "enter-codes", paste=TWICE, read="1")
    told = again.content.decode()
    assert "given twice" in told
    assert "1 more than the order needs" in told
    assert everything() == before
    assert taken.order_item_id != item.pk
    typed = {f"codes_{item.pk}": "GOOD-1111-2222 | 4471\nGOOD-3333-4444"}
    assert page.post(order, "enter-codes", **typed).status_code == 302
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"


def test_a_code_is_shown_for_a_reason_that_is_kept(page):
    order = delivered("SHOW-1234-5678")
    row = code_row(order)
    where = f"codes/{row.pk}"
    assert "SHOW-1234-5678" not in page.get(order, where).content.decode()
    page.post(order, f"{where}/reveal", reason=" ")
    assert CodeReveal.objects.count() == 0
    shown = page.post(order, f"{where}/reveal", reason=WHY)
    assert "SHOW-1234-5678" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    kept = CodeReveal.objects.get()
    assert (kept.voucher_id, kept.user, kept.reason) == (
        row.pk,
        page.user,
        "customer reads another code",
    )
    told = page.get(order).content.decode()
    assert "read in full" in told
    assert "SHOW-1234-5678" not in told
    foreign = delivered("ELSE-1234-5678")
    assert page.get(order, f"codes/{code_row(foreign).pk}").status_code == 404
    page.post(order, f"codes/{code_row(foreign).pk}/reveal", reason="x")
    assert CodeReveal.objects.count() == 1


@pytest.mark.parametrize("source", ["hand", "pool", "ours by hand"])
def test_a_bad_code_is_replaced(page, source):
    order = delivered("BAD-1111-2222", "GOOD-3333-4444")
    old = code_row(order)
    if source != "hand":
        VoucherFactory(variant=old.variant, code="NEW-5555-6666")
    fields = {"source": "pool"} if source == "pool" else {"source": "hand", "code": "NEW-5555-6666"}
    page.post(order, f"codes/{old.pk}/replace", notes="does not redeem", **fields)
    assert codes_of(order) == ["NEW-5555-6666", "GOOD-3333-4444"]
    old.refresh_from_db()
    assert (old.status, old.order_item, old.former_item.order, old.void_reason) == (
        "void", None, order, "does not redeem",
    )  # fmt: skip
    assert len(mail.outbox) == 1
    assert "NEW-5555-6666" in mail.outbox[0].body
    assert "BAD-1111-2222" not in mail.outbox[0].body
    attempt = FulfillmentAttempt.objects.get(type="RESEND_EMAIL")
    assert (attempt.status, attempt.admin_user) == ("SUCCESS", page.user)
    assert OrderEvent.objects.get(kind="code").reason == "does not redeem"
    assert "is replaced by" in page.said(order)
    assert "does not redeem" in page.get(order).content.decode()


def test_a_replacement_that_cannot_be_changes_nothing(page):
    order = delivered("BAD-1111-2222")
    old = code_row(order)
    VoucherFactory(order_item=OrderItemFactory(), code="TAKEN-0000-0001")
    VoucherFactory(code="OTHER-GOODS-01")
    before = everything()
    tries = [
        {"source": "pool", "notes": "bad"},
        {"source": "hand", "code": "TAKEN-0000-0001", "notes": "bad"},
        {"source": "hand", "code": "OTHER-GOODS-01", "notes": "bad"},
        {"source": "hand", "code": "BAD-1111-2222", "notes": "bad"},
        {"source": "hand", "code": "", "notes": "bad"},
        {"source": "hand", "code": "NEW-5555-6666", "notes": " "},
    ]
    for fields in tries:
        assert page.post(order, f"codes/{old.pk}/replace", **fields).status_code == 200, fields
    assert everything() == before
    assert mail.outbox == []


def test_a_replaced_code_can_never_be_sold_again(page):
    order = delivered("BAD-1111-2222")
    old = code_row(order)
    VoucherFactory(variant=old.variant, code="NEW-5555-6666")
    page.post(order, f"codes/{old.pk}/replace", source="pool", notes="bad")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE vouchers SET status = 'available' WHERE id = %s", [old.pk])
    assert page.get(order, f"codes/{old.pk}").status_code == 404


def test_an_open_purchase_is_closed_as_the_partner_told(page, zendit):
    zendit.meets("A", "accepted")
    order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    purchase = PartnerTransaction.objects.get()
    assert purchase.status == "PENDING"
    told = page.get(order).content.decode()
    assert "The partner told how it ended" in told
    where = f"purchases/{purchase.pk}/close"
    page.post(order, where, outcome="bought", notes="by phone")
    assert "Give the code" in page.said(order)
    page.post(
        order,
        f"purchases/{purchase.pk}/close",
        outcome="bought",
        code="FOUND-1234-99",
        notes="by phone",
    )
    purchase.refresh_from_db()
    assert (purchase.status, purchase.closed_by) == ("SUCCEEDED", page.user)


def test_an_unpaid_order_is_cancelled_with_a_reason(page):
    order = OrderItemFactory(order=OrderFactory()).order
    page.post(order, "cancel", notes=" ")
    order.refresh_from_db()
    assert order.status == "INITIATED"
    page.post(order, "cancel", notes="asked by phone")
    order.refresh_from_db()
    assert order.status == "CANCELLED"
    assert "asked by phone" in page.get(order).content.decode()
    page.post(order, "cancel", notes="again")
    assert "be cancelled any more" in page.said(order)
    stuck = stuck_order()
    page.post(stuck, "cancel", notes="no")
    stuck.refresh_from_db()
    assert stuck.status == "NEEDS_ATTENTION"


def test_alerts_are_dealt_with_on_the_orders_page(page):
    order = stuck_order()
    owed = AdminAlert.objects.get(order=order)
    other = AdminAlert.objects.create(
        order=order, kind="surplus_code", message="m", created_at=timezone.now()
    )
    page.post(order, f"alerts/{owed.pk}", act="close", notes="x")
    assert "closes by itself" in page.said(order)
    page.post(order, f"alerts/{owed.pk}", act="seen")
    page.post(order, f"alerts/{other.pk}", act="close", notes="asked the partner")
    owed.refresh_from_db()
    other.refresh_from_db()
    assert (owed.acknowledged_by, owed.resolved_at) == (page.user, None)
    assert (other.resolved_by, other.resolution_notes) == (page.user, "asked the partner")
    elsewhere = stuck_order()
    assert page.post(elsewhere, f"alerts/{other.pk}", act="seen").status_code == 404


MAY = {  # button -> who
    "claim": {"support", "operator", "owner"},
    "note": {"support", "operator", "owner"},
    "retry": {"operator", "owner"},
    "resend": {"support", "operator", "owner"},
    "release": {"operator", "owner"},
    "cancel": {"operator", "owner"},
    "enter-codes": {"operator", "owner"},
    "reveal": {"operator", "owner"},
    "replace": {"operator", "owner"},
    "purchase": {"operator", "owner"},
    "alert": {"operator", "owner"},
}


@pytest.mark.parametrize("role", ["support", "operator", "finance", "owner"])
def test_every_button_by_every_role(client, sign_in, role):
    sign_in(role)
    page, order = Page(client), delivered("CODE-1111-2222")
    alert = AdminAlert.objects.create(
        order=order, kind="surplus_code", message="m", created_at=timezone.now()
    )
    code = code_row(order).pk
    places = {
        "reveal": f"codes/{code}/reveal", "replace": f"codes/{code}/replace",
        "purchase": "purchases/1/close", "alert": f"alerts/{alert.pk}",
    }  # fmt: skip
    for button, who in MAY.items():
        answer = page.post(order, places.get(button, button), form_key="not a key")
        assert (answer.status_code != 403) is (role in who), button
        if button != "enter-codes":
            assert page.get(order, places.get(button, button)).status_code == 405, button
    assert page.get(order).status_code == 200
    seen = page.get(order, f"codes/{code}").status_code
    assert seen == (200 if role in MAY["reveal"] else 403)
    links = page.get(order).content.decode()
    assert (f"codes/{code}/" in links) is (role in MAY["reveal"])
    assert "CODE-1111-2222" not in links

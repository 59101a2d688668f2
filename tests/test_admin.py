"""The order page of the admin: its three buttons, who may press them, and what it never shows."""

import re
from datetime import timedelta

import pytest
import responses
from django.contrib import admin
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from core.admin import new_form_key
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
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
from fulfillment.tests.partner import BASE, ScriptedZendit
from notifications.models import AdminAlert, EmailMessage
from notifications.tests.smtp import no_server
from orders.models import Order
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from payments.models import Payment
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
ROLES = ["support", "operator", "finance", "owner"]
CODE, PIN = "CANARY-7Q2X-9M4K-ZZ81", "5519"


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


@pytest.fixture
def zendit(settings):
    settings.ZENDIT_BASE_URL = BASE
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        yield ScriptedZendit(wire)


@pytest.fixture
def sign_in(client):
    def as_(role):
        user = UserFactory(**{role: True})
        client.force_login(user)
        return user

    return as_


@pytest.fixture
def page(client, sign_in):
    """The desk of an operator."""
    page = Page(client)
    page.user = sign_in("operator")
    return page


class Page:
    def __init__(self, client):
        self.client = client

    def get(self, order, what="change"):
        return self.client.get(f"{LIST}{order.pk}/{what}/")

    def post(self, order, what, **fields):
        fields.setdefault("form_key", new_form_key())
        return self.client.post(f"{LIST}{order.pk}/{what}/", fields)

    def enter(self, order, *codes, item=None, **fields):
        item = item or item_of(order)
        return self.post(order, "enter-codes", **{f"codes_{item.pk}": "\n".join(codes)}, **fields)

    def said(self, order):
        """What the order page says of the last action."""
        text = self.get(order).content.decode()
        return " ".join(re.findall(r'<li class="(?:success|warning|error)">([^<]*)', text))


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
    variant = offered("A", "B")
    order = stuck_order()
    order.items.update(variant=variant)
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


RIGHTS = {  # role -> may recover, may resend, may send elsewhere
    "support": (False, True, False),
    "operator": (True, True, True),
    "finance": (False, False, False),
    "owner": (True, True, True),
}


@pytest.mark.parametrize("role", ROLES)
def test_every_button_asks_its_right(client, sign_in, role):
    may_recover, may_resend, may_elsewhere = RIGHTS[role]
    page, _ = Page(client), sign_in(role)
    stuck, done = stuck_order(), paid_order((pool_of("ABCD-1234"), 1))
    process(order_id=done.pk)
    mail.outbox.clear()
    before = everything()
    told = page.get(stuck).content.decode()
    assert ("enter-codes/" in told, "/retry/" in told) == (may_recover, may_recover)
    assert ("/resend/" in page.get(done).content.decode()) is may_resend
    assert page.get(stuck, "enter-codes").status_code == (200 if may_recover else 403)
    if not may_recover:
        assert page.enter(stuck, "A-1").status_code == 403
        assert page.post(stuck, "retry", item=item_of(stuck).pk).status_code == 403
    if not may_elsewhere:
        assert page.post(done, "resend", to="other@example.com").status_code == 403
    if not may_resend:
        assert page.post(done, "resend").status_code == 403
    assert everything() == before
    assert mail.outbox == []
    if may_resend:
        own = done.recipient_email.upper()
        assert page.post(done, "resend", to=own).status_code == 302
        assert len(mail.outbox) == 1


def test_no_action_by_get_nor_without_token_nor_for_strangers(client, sign_in):
    order, page = stuck_order(), Page(client)
    assert page.get(order).status_code == 302  # to the sign-in
    client.force_login(UserFactory())  # a customer
    assert page.get(order).status_code == 302
    user = sign_in("operator")
    assert page.get(order, "retry").status_code == 405
    assert page.get(order, "resend").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    for what in ("enter-codes", "retry", "resend"):
        assert strict.post(f"{LIST}{order.pk}/{what}/").status_code == 403
    assert client.get(f"{LIST}999999/change/").status_code == 404


def test_unpaid_and_risky_orders_are_left_alone(page):
    unpaid = OrderItemFactory(order=OrderFactory()).order
    assert "no successful payment" in page.get(unpaid).content.decode()
    page.post(unpaid, "retry", item=item_of(unpaid).pk)
    assert "refusing to dispatch" in page.said(unpaid)
    risky = stuck_order()
    Order.objects.filter(pk=risky.pk).update(held_for_risk=True)
    assert "flagged as risky" in page.get(risky).content.decode()


def test_the_page_tells_the_whole_story(page, zendit):
    zendit.meets("A", "no_stock")
    order = paid_order((offered("A"), 2), fulfillment_input={"player_id": "777123"})
    Payment.objects.create(
        order=order, method="bkash", reference="BDV-1-1", amount=500, status="SUCCEEDED",
        effective=True, paid_at=PAID_AT, created_at=PAID_AT,
    )  # fmt: skip
    process(order_id=order.pk)
    told = page.get(order).content.decode()
    attempt, bought = FulfillmentAttempt.objects.first(), PartnerTransaction.objects.first()
    words = ["2 of 2 codes are missing", "777123", "BDV-1-1", bought.reference, "Automatic"]
    for word in [*words, attempt.correlation_id, "Status", "Not delivered"]:
        assert word in told, word


def test_no_page_shows_a_code(client, page):
    order = stuck_order()
    page.enter(order, f"{CODE} | {PIN}", notes="n")
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    client.force_login(UserFactory(owner=True))
    seen = 0
    for address in every_address():
        answer = client.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode()
        assert CODE not in text, address
        assert "7Q2X" not in text, address
        assert f">{PIN}<" not in text, address
        seen += 1
    assert seen > 25
    assert "••••ZZ81" in page.get(order).content.decode()


def every_address():
    """The list and the first page of everything that is registered, and the landing page."""
    yield "/admin/"
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        row = model._default_manager.first()
        if row is not None:
            yield reverse(f"{name}_change", args=[row.pk])
        fields = [str(field) for field in page.list_display]
        assert not {"secret", "fingerprint", "words", "codes"} & set(fields)


def test_nothing_of_value_can_be_deleted_or_made_by_hand(client, sign_in, rf):
    kept = {
        "order", "payment", "gatewaycallback", "voucher", "batch", "codereveal", "emailmessage",
        "adminalert", "fulfillmentattempt", "partnertransaction",
    }  # fmt: skip
    request = rf.get("/")
    request.user = sign_in("owner")
    for model, page in admin.site._registry.items():
        if model._meta.model_name not in kept:
            continue
        kept.discard(model._meta.model_name)
        assert not page.has_delete_permission(request), model
        assert not page.has_add_permission(request), model
        assert not page.has_change_permission(request), model
    assert kept == set()


def cost_of(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(queries), answer.content.decode()


def fill(count):
    now = timezone.now()
    for _ in range(count):
        order = OrderFactory(needs_attention=True)
        OrderItemFactory(order=order)
        OrderItemFactory(order=order)
        AdminAlert.objects.create(
            order=order, kind="fulfillment_failed", message=f"why {order.pk}", created_at=now
        )
        EmailMessage.objects.create(
            order=order, template="vouchers", recipient="a@b.example", dispatch_no=1,
            message_id=f"<{order.pk}@x>",
        )  # fmt: skip
        Payment.objects.create(
            order=order, method="bkash", reference=f"BDV-{order.pk}", amount=5, created_at=now
        )
        VoucherFactory(order_item=order.items.first())


LISTS = [
    "/admin/", LIST, f"{LIST}?status__exact=NEEDS_ATTENTION", f"{LIST}?cause=fulfillment_failed",
    "/admin/payments/payment/", "/admin/notifications/adminalert/",
    "/admin/notifications/emailmessage/", "/admin/vouchers/voucher/",
    "/admin/fulfillment/fulfillmentattempt/", "/admin/catalog/variant/", "/admin/catalog/product/",
]  # fmt: skip


@pytest.mark.parametrize("address", LISTS)
def test_lists_cost_the_same_for_3_rows_and_for_30(client, sign_in, address):
    sign_in("owner")
    fill(3)
    few, _ = cost_of(client, address)
    fill(27)
    many, told = cost_of(client, address)
    assert few == many
    assert many <= 20
    if address == LIST:
        assert told.count("why ") == 30


def test_an_order_costs_the_same_for_2_units_and_for_40(client, sign_in):
    sign_in("operator")
    small, large = stuck_order(2), stuck_order(20, 20)
    few, _ = cost_of(client, f"{LIST}{small.pk}/change/")
    many, _ = cost_of(client, f"{LIST}{large.pk}/change/")
    assert few == many
    assert many <= 30


def test_an_order_is_found_by_what_people_have(client, sign_in):
    sign_in("support")
    order = OrderFactory(paid=True, recipient_email="Rahim@Example.com")
    OrderFactory()
    VoucherFactory(order_item=OrderItemFactory(order=order), code=CODE)
    number, page = order.order_number, f"{LIST}{order.pk}/change/"
    terms = [
        number, f"#{number}", f"BDV-{number}-1", f"{number}I7U1T1", "rahim@example.com",
        order.customer.msisdn, f"0{order.customer.msisdn[3:]}", CODE, f" {CODE.lower()} ",
    ]  # fmt: skip
    for term in terms:
        answer = client.post(f"{LIST}find/", {"q": term})
        assert answer.url == page, term
    for term in ("nothing", "", "NO-SUCH-CODE"):
        answer = client.post(f"{LIST}find/", {"q": term})
        assert answer.url == LIST
    assert client.get(f"{LIST}find/").status_code == 405
    OrderFactory(recipient_email="rahim@example.com")
    listed = client.post(f"{LIST}find/", {"q": "rahim@example.com"}).url
    assert client.get(listed).content.decode().count('class="field-number"') == 2


def test_long_lists_are_not_counted_to_their_end(client, sign_in, monkeypatch):
    monkeypatch.setattr("core.admin.MOST_COUNTED", 5)
    sign_in("operator")
    fill(8)
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST)
    counts = [
        each["sql"] for each in queries if "COUNT(" in each["sql"] and "alert" not in each["sql"]
    ]
    assert counts
    assert all("LIMIT 5" in sql for sql in counts)


def test_the_landing_page_tells_what_waits(client, sign_in):
    sign_in("operator")
    now = timezone.now()
    stuck = stuck_order()
    Order.objects.filter(pk=stuck.pk).update(paid_at=now - timedelta(hours=3))
    told = client.get("/admin/").content.decode()
    assert f"#{stuck.order_number}" in told
    assert "oldest waits 3 h 0 min" in told
    assert "?cause=fulfillment_failed" in told


def test_alerts_are_seen_and_closed_by_hand_but_not_those_of_an_open_debt(client, sign_in):
    stuck = stuck_order()
    owed = AdminAlert.objects.get(order=stuck)
    other = AdminAlert.objects.create(
        order=stuck, kind="surplus_code", message="m", created_at=timezone.now()
    )
    rows = {"_selected_action": [owed.pk, other.pk]}
    address = "/admin/notifications/adminalert/"
    sign_in("support")
    client.post(address, {"action": "resolve"} | rows)
    assert AdminAlert.objects.filter(resolved_at=None).count() == 2
    user = sign_in("operator")
    client.post(address, {"action": "acknowledge"} | rows)
    client.post(address, {"action": "resolve"} | rows)
    owed.refresh_from_db()
    other.refresh_from_db()
    assert (owed.acknowledged_by, owed.resolved_at) == (user, None)
    assert (other.resolved_by, other.resolution_notes) == (user, "Closed by hand.")

"""The operators' pages of mails: what they show, whom they refuse, what their buttons do."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import VariantFactory
from core.admin import new_form_key
from fulfillment.processing import process
from fulfillment.tests.factories import paid_order, pool_of
from notifications.models import EmailMessage, StoreEmailPolicy
from notifications.states import EmailStatus
from notifications.tasks import deliver_email
from notifications.tests.smtp import mail_server, no_server
from orders.models import Subscription
from tests.order_mails import DAY, an_order, asked_for, mailed, subscription_of
from vouchers.models import CodeReveal

pytestmark = pytest.mark.django_db

MAILS = "/admin/notifications/emailmessage/"
CODE = "CANARY-7Q2X-9M4K"


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


@pytest.fixture
def bell(monkeypatch):
    rung = []
    monkeypatch.setattr(deliver_email, "delay", lambda **kwargs: rung.append(kwargs["message_id"]))
    return rung


@pytest.fixture
def sign_in(client):
    def as_(role):
        user = UserFactory(**{role: True})
        client.force_login(user)
        return user

    return as_


@pytest.fixture
def delivered(settings):
    order = paid_order((pool_of(CODE), 1))
    with mail_server(settings):
        process(order_id=order.pk)
    return order.emails.get()


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_and_the_look_show_no_code(client, sign_in, delivered):
    sign_in("support")
    told = text_of(client, f"{MAILS}{delivered.pk}/change/")
    assert delivered.message_id.strip("<>") in told
    assert "Show with codes" not in told
    look = client.get(f"{MAILS}{delivered.pk}/preview/")
    assert "••••9M4K" in look.content.decode()
    for page in (told, look.content.decode()):
        assert CODE not in page
    assert "sandbox" in look["Content-Security-Policy"]
    assert look["X-Frame-Options"] == "SAMEORIGIN"
    assert client.post(f"{MAILS}{delivered.pk}/preview/").status_code == 403
    assert not CodeReveal.objects.exists()


def test_seeing_the_codes_is_a_right_and_a_record(client, sign_in, delivered):
    operator = sign_in("operator")
    assert "Show with codes" in text_of(client, f"{MAILS}{delivered.pk}/change/")
    assert CODE in client.post(f"{MAILS}{delivered.pk}/preview/").content.decode()
    reveal = CodeReveal.objects.get()
    assert (reveal.user, reveal.voucher_id) == (operator, delivered.voucher_ids[0])


def test_every_business_mail_has_a_page(client, sign_in):
    sign_in("support")
    order = an_order(paid=True)
    mail = mailed(order, "ORDERCONFIRMATION", bounced_at=timezone.now())
    mail.events.create(
        kind="bounced", provider="Mailgun", digest=b"1", reason="bounced", at=timezone.now()
    )
    told = text_of(client, f"{MAILS}{mail.pk}/change/")
    assert "Order confirmation" in told
    assert "Mailgun" in told
    assert "Bounced" in text_of(client, MAILS)


def test_the_order_page_offers_what_may_be_sent_and_says_why_not(client, sign_in, bell):
    sign_in("support")
    order = an_order(paid=True)
    page = f"/admin/orders/order/{order.pk}/change/"
    told = text_of(client, page)
    assert "The order is not cancelled." in told
    assert "The payment is completed already." in told
    form = {"template": "ORDERCONFIRMATION", "form_key": new_form_key(), "reason": "Asked by phone"}
    for _ in range(2):  # a form acts once
        assert client.post(f"{MAILS}send/{order.pk}/", form).status_code == 302
    assert bell == [order.emails.get().pk]
    assert asked_for(order)[0].reason == "Asked by phone"
    assert "sent already" in text_of(client, page)
    assert "on its way already" in text_of(client, page)


def test_another_address_needs_its_right(client, sign_in, bell):
    order = an_order(paid=True)
    form = {"template": "ORDERCONFIRMATION", "to": "other@example.com"}
    for role, sent in (("support", 0), ("operator", 1)):
        sign_in(role)
        client.post(f"{MAILS}send/{order.pk}/", {**form, "form_key": new_form_key()})
        assert len(bell) == sent
    sign_in("finance")
    answer = client.post(f"{MAILS}send/{order.pk}/", {**form, "form_key": new_form_key()})
    assert answer.status_code == 403


def test_what_failed_in_a_window_is_sent_again(client, sign_in, bell, settings):
    sign_in("support")
    bounced = mailed(an_order(paid=True), "ORDERCONFIRMATION", bounced_at=timezone.now())
    mended = an_order(paid=True)
    mailed(mended, "ORDERCONFIRMATION", EmailStatus.FAILED)
    mailed(mended, "ORDERCONFIRMATION")
    gone = mailed(an_order(status="FAILED"), "OFFLINE_PAYMENT_PENDING", EmailStatus.FAILED)
    stuck = paid_order((pool_of(CODE), 1))
    with no_server(settings):
        process(order_id=stuck.pk)
    EmailMessage.objects.filter(order=stuck).update(status="FAILED", next_try_at=None)
    told = text_of(client, f"{MAILS}failed/")
    for mail in (bounced, gone, stuck.emails.get()):
        assert mail.order.order_number in told
    assert mended.order_number not in told

    now = timezone.now().astimezone(ZoneInfo("Asia/Dhaka"))  # as the page's fields are read
    window = {"since": now - timedelta(hours=1), "until": now + timedelta(hours=1)}
    form = {name: f"{at:%Y-%m-%d %H:%M:%S}" for name, at in window.items()}
    with mail_server(settings) as server:
        page = client.post(f"{MAILS}failed/", {**form, "form_key": new_form_key()})
    assert page.status_code == 200
    assert page.content.decode().count("On its way") == 2
    assert "The payment is not pending." in page.content.decode()
    assert [EmailMessage.objects.get(pk=pk).order for pk in bell] == [bounced.order]
    assert len(server.taken) == 1  # the vouchers, at once
    stuck.refresh_from_db()
    assert stuck.status == "SUCCEEDED"
    sign_in("finance")
    assert client.get(f"{MAILS}failed/").status_code == 403


def test_the_policy_is_one_row(client, sign_in):
    sign_in("owner")
    add = "/admin/notifications/storeemailpolicy/add/"
    answer = client.post(add, {"confirmation_by_itself": "on"})
    assert answer.status_code == 302
    assert StoreEmailPolicy.objects.get().confirmation_by_itself
    assert client.get(add).status_code == 403


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("01712345678", True),
        ("+880 1712-345678", True),
        ("Buyer@Example.com", True),
        ("01812345678", False),
        ("staff@example.com", False),
        ("1", False),
        ("", False),
    ],
)
def test_a_subscription_begins_with_a_customers_number_or_address(client, sign_in, typed, known):
    sign_in("operator")
    buyer = UserFactory(msisdn="8801712345678", email="buyer@example.com")
    UserFactory(operator=True, email="staff@example.com")
    answer = client.post(
        "/admin/orders/subscription/add/",
        {
            "customer": typed,
            "variant": VariantFactory().pk,
            "quantity": "1",
            "fulfillment_input": "{}",
            "interval": "1",
            "billing": "NON_RECURRING",
            "status": "ACTIVE",
            "payment_method": "paystation",
            "recipient_email": "buyer@example.com",
            "next_billing_at_0": "2027-01-31",
            "next_billing_at_1": "10:00:00",
        },
    )
    assert answer.status_code == (302 if known else 200)
    assert [each.customer for each in Subscription.objects.all()] == [buyer] * known


def test_operators_find_a_variant_by_its_name(client, sign_in):
    sign_in("operator")
    VariantFactory(name="Twenty taka")
    query = {
        "app_label": "orders",
        "model_name": "subscription",
        "field_name": "variant",
        "term": "twenty",
    }
    found = client.get("/admin/autocomplete/", query).json()["results"]
    assert len(found) == 1
    assert "Twenty taka" in found[0]["text"]


def test_subscriptions_are_kept_by_operators(client, sign_in):
    sign_in("operator")
    subscription = subscription_of(due=9 * DAY)
    page = "/admin/orders/subscription/"
    assert str(subscription.customer) in text_of(client, page)
    for action, status in (("pause", "SUSPENDED"), ("resume", "ACTIVE"), ("end", "CANCELLED")):
        client.post(page, {"action": action, "_selected_action": subscription.pk})
        subscription.refresh_from_db()
        assert subscription.status == status
    client.post(page, {"action": "resume", "_selected_action": subscription.pk})
    assert Subscription.objects.get().status == "CANCELLED"
    assert client.post(f"{page}{subscription.pk}/delete/").status_code == 403

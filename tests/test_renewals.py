"""Subscriptions: announced, reminded of, paid by link, gone on or ended."""

from datetime import UTC, datetime, timedelta

import pytest
import responses
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import VariantFactory
from core.actors import SYSTEM, Actor
from notifications.models import AdminAlert, EmailMessage, StoreEmailPolicy
from notifications.notices import rendered_mail
from orders.links import end_link, pay_link
from orders.models import Order
from orders.services import locked
from payments.closing import close
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment, Refund
from payments.refunding import settle_by_hand
from payments.renewals import months_later, renew, renew_due
from payments.settlement import settle
from payments.tasks import remind_of_payments
from payments.tests.paystation import BASE, ScriptedPayStation
from tests.order_mails import DAY, an_order, payment_of, subscription_of

pytestmark = pytest.mark.django_db


def templates_of(order):
    return list(order.emails.order_by("pk").values_list("template", flat=True))


def renewal(subscription, *, now=None):
    renew(subscription.pk, now=now or timezone.now())
    subscription.refresh_from_db()
    return Order.objects.filter(subscription=subscription).order_by("-pk").first()


def pay_for(order, *, now):
    payment = Payment.objects.create(
        order=order, method="paystation", status="PENDING", created_at=now,
        reference=f"BDV-{order.order_number}-1", amount=order.total_amount,
    )  # fmt: skip
    verdict = Verdict(Outcome.PAID, amount=order.total_amount, gateway_transaction_id="T1")
    settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=now)
    order.refresh_from_db()


@pytest.mark.parametrize(
    ("billing", "template"),
    [("RECURRING", "PREBILLING"), ("NON_RECURRING", "NON_RECURRING_PREBILLING")],
)
def test_a_renewal_is_an_order_told_beforehand(billing, template, settings):
    subscription = subscription_of(billing=billing, due=settings.SUBSCRIPTION_NOTICE + DAY)
    assert renewal(subscription) is None
    subscription.next_billing_at = timezone.now() + settings.SUBSCRIPTION_NOTICE
    subscription.save()
    for _ in range(2):
        order = renewal(subscription)
    assert Order.objects.filter(subscription=subscription).count() == 1
    assert (order.source, order.status) == ("SUBSCRIPTION", "INITIATED")
    assert order.total_amount == subscription.variant.price
    assert order.billing_at == subscription.next_billing_at
    assert order.pay_until == order.billing_at + settings.SUBSCRIPTION_GRACE
    (mail,) = order.emails.all()
    assert (mail.template, mail.recipient) == (template, subscription.recipient_email)
    assert pay_link(order).split(":")[0] in rendered_mail(mail).text


def test_a_paused_one_is_offered_to_resume():
    subscription = subscription_of(billing="RECURRING", status="SUSPENDED")
    order = renewal(subscription)
    assert (order.source, order.offer_sub_source) == ("OFFER", "RESUME")
    assert order.emails.get().definition == "prebilling.shop.offer.resume"
    pay_for(order, now=timezone.now())
    renewal(subscription)
    assert subscription.status == "ACTIVE"


def test_reminders_follow_the_plan_and_then_it_expires(settings):
    settings.RENEWAL_REMINDERS = [0, 86400]
    subscription = subscription_of()
    order, due = renewal(subscription), subscription.next_billing_at
    for at in (due - DAY / 2, due, due, due + DAY, due + 2 * DAY):
        renewal(subscription, now=at)
    assert (
        templates_of(order) == ["NON_RECURRING_PREBILLING"] + ["NON_RECURRING_PAYMENT_ATTEMPT"] * 2
    )
    assert "2 / 2" in rendered_mail(order.emails.last()).text
    assert close(order.pk, actor=SYSTEM, reason="not paid in time", now=order.pay_until)
    for _ in range(2):
        renewal(subscription, now=order.pay_until)
    assert subscription.status == "EXPIRED"
    assert templates_of(order)[3:] == ["NON_RECURRING_PAYMENT_SUBSCRIPTION_EXPIRED"]

    order.refresh_from_db()
    pay_for(order, now=timezone.now())  # money that comes late is honoured, and so is its period
    assert renew_due(now=timezone.now()) == 1
    subscription.refresh_from_db()
    assert subscription.status == "ACTIVE"
    assert subscription.next_billing_at > due + 27 * DAY


def test_a_paid_period_moves_the_subscription_on():
    subscription = subscription_of(interval=12)
    order, due = renewal(subscription), subscription.next_billing_at
    pay_for(order, now=timezone.now())
    renewal(subscription)
    assert subscription.next_billing_at == due.replace(year=due.year + 1)
    assert (subscription.status, subscription.attempts) == ("ACTIVE", 0)
    assert renewal(subscription) == order  # the next period is far away


def test_a_store_may_do_without_the_alternative_mails(settings):
    StoreEmailPolicy.objects.create(pk=1, non_recurring_communications=False)
    subscription = subscription_of()
    order = renewal(subscription)
    renewal(subscription, now=subscription.next_billing_at)
    close(order.pk, actor=SYSTEM, reason="not paid in time", now=order.pay_until)
    renewal(subscription, now=order.pay_until)
    assert subscription.status == "EXPIRED"
    assert templates_of(order) == ["NON_RECURRING_PREBILLING"]


def test_what_cant_be_renewed_is_told_once():
    variant = VariantFactory(preloaded=True)  # and no code in the pool
    subscription = subscription_of(variant=variant)
    for _ in range(2):
        assert renew_due(now=timezone.now()) == 1
    alert = AdminAlert.objects.get()
    assert (alert.kind, alert.order) == ("renewal_blocked", None)
    assert f"Subscription {subscription.pk}" in alert.message
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("start", "months", "day", "end"),
    [
        ((2026, 1, 31), 1, 31, (2026, 2, 28)),
        ((2026, 2, 28), 1, 31, (2026, 3, 31)),
        ((2026, 11, 30), 3, 30, (2027, 2, 28)),
        ((2028, 2, 29), 12, 29, (2029, 2, 28)),
    ],
)
def test_months(start, months, day, end):
    moment = datetime(*start, 9, 30, tzinfo=UTC)
    assert months_later(moment, months, day=day) == datetime(*end, 9, 30, tzinfo=UTC)


def test_paying_by_link(settings, client):
    settings.PAYSTATION_BASE_URL = BASE
    order = renewal(subscription_of())
    path = pay_link(order).removeprefix(settings.PUBLIC_BASE_URL)
    page = client.get(path)
    assert page.status_code == 200
    assert order.order_number in page.content.decode()
    assert not Payment.objects.exists()  # looking starts nothing
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        gateway = ScriptedPayStation(wire)
        answered = client.post(path).content.decode()
    assert gateway is not None
    payment = Payment.objects.get()
    assert (payment.order, payment.status) == (order, "PENDING")
    assert payment.redirect_url in answered
    assert client.get(path[:-3] + "abc").status_code == 404


def test_the_link_of_a_closed_or_paid_order_says_so(settings):
    order = renewal(subscription_of())
    path = pay_link(order).removeprefix(settings.PUBLIC_BASE_URL)
    close(order.pk, actor=SYSTEM, reason="not paid in time", now=timezone.now())
    page = Client().post(path).content.decode()
    assert "paid any more" in page
    assert "<form" not in page
    assert not Payment.objects.exists()


@pytest.mark.parametrize("path", ["/pay/cut-off", "/subscriptions/end/cut-off"])
def test_a_link_that_was_cut_off_is_a_page_for_people(client, path):
    page = client.get(path)
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "This link is not complete" in page.content.decode()


def test_a_customer_ends_a_subscription_by_the_link_of_its_mail(settings, client):
    subscription = subscription_of()
    order = renewal(subscription)
    link = end_link(subscription.pk)
    mail = rendered_mail(order.emails.get())
    assert link in mail.text
    assert link in mail.html
    path = link.removeprefix(settings.PUBLIC_BASE_URL)
    page = client.get(path)
    assert (page.status_code, "<form" in page.content.decode()) == (200, True)
    subscription.refresh_from_db()
    assert subscription.status == "ACTIVE"  # looking ends nothing
    for _ in range(2):
        ended = client.post(path).content.decode()
        assert "has ended" in ended
        assert "<form" not in ended
    subscription.refresh_from_db()
    order.refresh_from_db()
    assert (subscription.status, order.status) == ("CANCELLED", "CANCELLED")
    assert renew_due(now=timezone.now() + 60 * DAY) == 0
    assert Order.objects.filter(subscription=subscription).count() == 1
    assert client.get(path[:-3] + "abc").status_code == 404


def test_a_renewal_that_is_paid_stays_paid_when_its_subscription_is_ended(settings, client):
    subscription = subscription_of()
    order = renewal(subscription)
    pay_for(order, now=timezone.now())
    client.post(end_link(subscription.pk).removeprefix(settings.PUBLIC_BASE_URL))
    order.refresh_from_db()
    subscription.refresh_from_db()
    assert subscription.status == "CANCELLED"
    assert order.status != "CANCELLED"


def test_the_cancellation_mail_goes_out_at_its_moment(settings):
    order = an_order()
    close(order.pk, actor=SYSTEM, reason="not paid in time", now=timezone.now())
    (mail,) = order.emails.all()
    assert (mail.template, mail.facts) == ("CANCELLATION", {"case": "deadline"})
    assert "did not arrive in time" in rendered_mail(mail).text
    StoreEmailPolicy.objects.create(pk=1, cancellation_by_itself=False)
    quiet = an_order()
    close(quiet.pk, actor=SYSTEM, reason="not paid in time", now=timezone.now())
    assert not quiet.emails.exists()


def verdict_on(order, outcome, **fields):
    payment = Payment.objects.create(
        order=order, method="dcb", status="PENDING", created_at=timezone.now(),
        reference=f"BDV-{order.order_number}-1", amount=order.total_amount,
    )  # fmt: skip
    settle(
        payment_id=payment.pk, verdict=Verdict(outcome, **fields), actor=SYSTEM, now=timezone.now()
    )
    return payment


def test_a_carriers_authorisation_is_told_once():
    order = an_order()
    payment = verdict_on(order, Outcome.AUTHORIZED)
    mail = order.emails.get()
    assert (mail.template, mail.payment_ref) == ("OFFLINE_PAYMENT_PENDING", payment.reference)
    told = rendered_mail(mail)
    assert "mobile operator has accepted" in told.text
    assert "/pay/" not in told.text  # nothing to press while the carrier confirms


def test_the_receipt_goes_out_by_itself_only_where_the_store_wants_it():
    for wanted, mails in ((False, 0), (True, 1)):
        StoreEmailPolicy.objects.update_or_create(pk=1, defaults={"confirmation_by_itself": wanted})
        order = an_order()
        verdict_on(
            order, Outcome.PAID, amount=order.total_amount, gateway_transaction_id=f"T{mails}"
        )
        found = EmailMessage.objects.filter(order=order, template="ORDERCONFIRMATION")
        assert found.count() == mails
        assert locked(order.pk).status == "PENDING"


def test_who_left_the_payment_page_is_reminded_once(settings):

    order = an_order(pay_until=timezone.now() + timedelta(minutes=10))
    payment = payment_of(order, "PENDING")
    remind_of_payments()
    assert not order.emails.exists()
    Payment.objects.filter(pk=payment.pk).update(
        created_at=timezone.now() - settings.PAYMENT_REMINDER
    )
    for _ in range(2):
        remind_of_payments()
    (mail,) = order.emails.all()
    assert mail.template == "OFFLINE_PAYMENT_PENDING"
    assert "/pay/" in rendered_mail(mail).text


@pytest.mark.parametrize(("amount", "template"), [(500, "CANCELLATION"), (100, "PARTIAL_REFUND")])
def test_the_customer_is_told_when_money_has_gone_back(amount, template):
    order = an_order(needs_attention=True)
    payment = order.payments.get()
    now = timezone.now()
    refund = Refund.objects.create(
        payment=payment, reference=f"{payment.reference}-R1", reason="out of stock", by_hand=True,
        amount=amount, created_at=now, correlation_id="c",
    )  # fmt: skip
    assert not order.emails.exists()
    settle_by_hand(
        refund.pk, paid=True, hand_reference="BANK-1", notes="", now=now,
        operator=Actor.of(UserFactory(finance=True)),
    )  # fmt: skip
    mail = order.emails.get()
    assert (mail.template, mail.recipient) == (template, order.recipient_email)
    assert f"BDT {amount}.00" in rendered_mail(mail).text

"""`POST /ordersv2/{id}/email/send`: every answer of the contract, over HTTP (A1 to A7, D22)."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError

from notifications.delivery import deliver
from notifications.models import EmailEvent, EmailMessage, StoreEmailPolicy
from notifications.states import EmailStatus, Template
from notifications.tasks import deliver_email
from notifications.tests.smtp import mail_server
from tests.order_mails import (
    DAY,
    Desk,
    an_order,
    asked_for,
    cancelled,
    mailed,
    payment_of,
    refunded,
    renewal_of,
    subscription_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


@pytest.fixture
def bell(monkeypatch):
    """The broker's doorbell: what was rung, in place of a worker that would answer it."""
    rung = []
    monkeypatch.setattr(deliver_email, "delay", lambda **kwargs: rung.append(kwargs["message_id"]))
    return rung


@pytest.fixture
def desk(bell):
    return Desk()


@pytest.fixture
def paid(db):
    return an_order(paid=True)


SIX = {"emailId", "templateName", "templateDefinitionName", "recipient", "paymentId", "createDate"}


@pytest.mark.parametrize("mount", ["/ordersv2", "/api/v1/admin/ordersv2"])
def test_accepted(mount, desk, bell, paid, settings):
    answer = desk.send(paid, "ORDERCONFIRMATION", mount=mount, query="?reason=Customer%20lost%20it")
    assert answer.status_code == 202
    data = answer.json()["data"]
    assert (data["id"], data["emailConfirmationStatus"]) == (paid.pk, "PENDING")
    (email,) = data["emails"]
    assert set(email) >= SIX
    payment = paid.payments.get()
    assert email["emailId"] is None
    assert email["templateName"] == "ORDERCONFIRMATION"
    assert email["templateDefinitionName"] == "orderconfirmation.shop.purchase"
    assert (email["recipient"], email["paymentId"]) == (paid.recipient_email, payment.reference)
    assert (email["createDate"][-1], email["status"]) == ("Z", "QUEUED")
    (event,) = asked_for(paid)
    assert (event.new, event.reason) == ("REQUESTED", "Customer lost it")
    assert event.actor == f"operator:{desk.user.pk}"

    (pk,) = bell
    with mail_server(settings) as server:
        deliver(pk)
    (mail,) = server.taken
    assert mail["Subject"] == f"Order confirmation — Order #{paid.order_number}"
    assert mail["X-Correlation-ID"] == event.correlation_id
    assert answer.headers["X-Correlation-ID"] == event.correlation_id
    later = desk.order(paid)
    assert later["emailConfirmationStatus"] == "COMPLETED"
    assert later["emails"][0]["emailId"] == EmailMessage.objects.get(pk=pk).message_id
    assert [each.new for each in asked_for(paid)] == ["REQUESTED", "SENT"]


def test_a1_unknown_order(desk, bell):
    answer = desk.send(98765432, "ORDERCONFIRMATION")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert desk.client.get("/ordersv2/98765432").status_code == 404
    assert (bell, EmailMessage.objects.count()) == ([], 0)


@pytest.mark.parametrize("template", ["INVOICE", "vouchers", "orderconfirmation", "x" * 60])
def test_a2_unsupported_template(template, desk, bell, paid):
    answer = desk.send(paid, template)
    assert answer.status_code == 400
    (detail,) = answer.json()["error"]["details"]
    assert (detail["field"], detail["code"]) == ("template", "unsupported")
    assert (bell, paid.emails.count()) == ([], 0)
    # recorded before it was judged, and the judgement after it
    assert [(e.new, e.detail["template"]) for e in asked_for(paid)] == [
        ("REQUESTED", template), ("REFUSED", template),
    ]  # fmt: skip
    assert asked_for(paid)[0].reason == "Resend requested by staff; no reason given"


NON_RECURRING = "NON_RECURRING_PAYMENT"


def recurring(**fields):
    return renewal_of(subscription_of(billing="RECURRING"), **fields)


def due(**fields):
    return renewal_of(subscription_of(due=-DAY), **fields)


def pending_payment(status, **fields):
    order = an_order(**fields)
    payment_of(order, status)
    return order


def with_mail(order, template, status=EmailStatus.SENT):
    mailed(order, template, status)
    return order


def expired(status="EXPIRED"):
    return cancelled(renewal_of(subscription_of(due=-DAY, status=status)))


P, S, F = EmailStatus.PENDING, EmailStatus.SENT, EmailStatus.FAILED
#: template, how the order came to be, whether its mail may be sent
TABLE = [
    ("PREBILLING", recurring, True),
    ("PREBILLING", lambda: recurring(paid=True), False),
    ("PREBILLING", an_order, False),
    ("PREBILLING", lambda: renewal_of(subscription_of()), False),
    ("PREBILLING", lambda: cancelled(recurring()), False),
    ("PREBILLING", lambda: with_mail(recurring(), "PREBILLING", P), False),
    ("PREBILLING", lambda: with_mail(recurring(), "PREBILLING"), True),
    ("ORDERCONFIRMATION", lambda: an_order(paid=True), True),
    ("ORDERCONFIRMATION", lambda: an_order(needs_attention=True), True),
    ("ORDERCONFIRMATION", an_order, False),
    ("ORDERCONFIRMATION", lambda: an_order(status="FAILED"), False),
    ("ORDERCONFIRMATION", lambda: cancelled(an_order()), False),
    ("ORDERCONFIRMATION", lambda: with_mail(an_order(paid=True), "ORDERCONFIRMATION", P), False),
    ("ORDERCONFIRMATION", lambda: with_mail(an_order(paid=True), "ORDERCONFIRMATION", F), True),
    ("ORDERCONFIRMATION", lambda: with_mail(an_order(paid=True), "ORDERCONFIRMATION"), True),
    ("ORDERCONFIRMATION", lambda: with_mail(an_order(paid=True), "vouchers", P), False),
    ("ORDERCONFIRMATION", lambda: with_mail(an_order(paid=True), "vouchers"), True),
    ("CANCELLATION", lambda: cancelled(an_order()), False),
    ("CANCELLATION", lambda: with_mail(cancelled(an_order()), "CANCELLATION", P), False),
    ("CANCELLATION", lambda: with_mail(cancelled(an_order()), "CANCELLATION"), True),
    ("CANCELLATION", lambda: with_mail(cancelled(an_order()), "CANCELLATION", F), True),
    ("CANCELLATION", lambda: with_mail(an_order(paid=True), "CANCELLATION"), False),
    ("PARTIAL_REFUND", lambda: an_order(paid=True), False),
    ("PARTIAL_REFUND", lambda: with_mail(an_order(paid=True), "PARTIAL_REFUND"), False),
    ("PARTIAL_REFUND", lambda: refunded(100), False),
    ("PARTIAL_REFUND", lambda: with_mail(refunded(100), "PARTIAL_REFUND", P), False),
    ("PARTIAL_REFUND", lambda: with_mail(refunded(100), "PARTIAL_REFUND"), True),
    ("PARTIAL_REFUND", lambda: with_mail(refunded(100), "PARTIAL_REFUND", F), True),
    ("CANCELLATION", lambda: with_mail(refunded(500), "CANCELLATION"), True),
    ("CANCELLATION", lambda: with_mail(refunded(100), "CANCELLATION"), False),
    ("ORDERCONFIRMATION", lambda: refunded(500), False),
    ("ORDERCONFIRMATION", lambda: refunded(100), True),
    ("OFFLINE_PAYMENT_PENDING", lambda: pending_payment("PENDING"), True),
    ("OFFLINE_PAYMENT_PENDING", lambda: pending_payment("AUTHORIZED"), True),
    ("OFFLINE_PAYMENT_PENDING", lambda: pending_payment("INITIATED"), False),
    ("OFFLINE_PAYMENT_PENDING", lambda: pending_payment("FAILED"), False),
    ("OFFLINE_PAYMENT_PENDING", an_order, False),
    ("OFFLINE_PAYMENT_PENDING", lambda: an_order(paid=True), False),
    ("OFFLINE_PAYMENT_PENDING", lambda: cancelled(pending_payment("PENDING")), False),
    ("NON_RECURRING_PREBILLING", lambda: renewal_of(subscription_of()), True),
    ("NON_RECURRING_PREBILLING", lambda: renewal_of(subscription_of(), paid=True), False),
    ("NON_RECURRING_PREBILLING", recurring, False),
    ("NON_RECURRING_PREBILLING", an_order, False),
    (f"{NON_RECURRING}_ATTEMPT", due, True),
    (f"{NON_RECURRING}_ATTEMPT", lambda: due(paid=True), False),
    (f"{NON_RECURRING}_ATTEMPT", lambda: renewal_of(subscription_of()), False),
    (f"{NON_RECURRING}_ATTEMPT", lambda: cancelled(due()), False),
    (f"{NON_RECURRING}_ATTEMPT", recurring, False),
    (f"{NON_RECURRING}_SUBSCRIPTION_EXPIRED", expired, True),
    (f"{NON_RECURRING}_SUBSCRIPTION_EXPIRED", lambda: expired("CANCELLED"), False),
    (f"{NON_RECURRING}_SUBSCRIPTION_EXPIRED", due, False),
    (f"{NON_RECURRING}_SUBSCRIPTION_EXPIRED", lambda: an_order(paid=True), False),
]


@pytest.mark.parametrize(("template", "order", "may"), TABLE)
def test_a3_the_table_of_eligibility(*, template, order, may, desk, bell, settings):
    order = order()
    before = order.emails.count()
    answer = desk.send(order, template)
    assert answer.status_code == (202 if may else 400), answer.content
    assert [event.new for event in asked_for(order)] == ["REQUESTED"] + ["REFUSED"] * (not may)
    if not may:
        (detail,) = answer.json()["error"]["details"]
        assert (detail["field"], detail["code"]) == ("template", "not_eligible")
        assert (bell, order.emails.count()) == ([], before)
        return
    (pk,) = bell
    with mail_server(settings) as server:
        deliver(pk)
    (mail,) = server.taken
    assert f"#{order.order_number}" in mail["Subject"]
    assert {part.get_content_type() for part in mail.iter_parts()} == {"text/plain", "text/html"}


@pytest.mark.parametrize("template", [f"{NON_RECURRING}_ATTEMPT",
                                      f"{NON_RECURRING}_SUBSCRIPTION_EXPIRED"])  # fmt: skip
def test_a4_switched_off_by_the_store(template, desk, bell):
    StoreEmailPolicy.objects.create(pk=1, non_recurring_communications=False)
    order = due() if template.endswith("ATTEMPT") else expired()
    before = desk.order(order)
    answer = desk.send(order, template)
    assert answer.status_code == 200
    assert answer.json()["data"] == before
    assert (bell, order.emails.count()) == ([], 0)


def resume_offer(due=DAY, status="SUSPENDED"):
    subscription = subscription_of(billing="RECURRING", due=due, status=status)
    return renewal_of(subscription, source="OFFER", offer_sub_source="RESUME")


@pytest.mark.parametrize(
    "overtaken", [{"due": -timedelta(minutes=1)}, {"status": "ACTIVE"}, {"status": "CANCELLED"}]
)
def test_a5_the_resume_offer_needs_no_notice_any_more(overtaken, desk, bell):
    order = resume_offer(**overtaken)
    assert desk.order(order)["prebillingStatus"] is None
    answer = desk.send(order, "PREBILLING")
    assert answer.status_code == 200
    assert answer.json()["data"]["prebillingStatus"] == "COMPLETED"
    assert (bell, answer.json()["data"]["emails"]) == ([], [])
    assert [event.new for event in asked_for(order)] == ["REQUESTED", "SKIPPED"]


def test_a_resume_offer_in_time_is_noticed(desk):
    answer = desk.send(resume_offer(), "PREBILLING")
    assert answer.status_code == 202
    (email,) = answer.json()["data"]["emails"]
    assert email["templateDefinitionName"] == "prebilling.shop.offer.resume"


def test_a6_the_broker_refuses(desk, paid, monkeypatch):
    def refuse(**kwargs):
        raise OperationalError("down")

    monkeypatch.setattr(deliver_email, "delay", refuse)
    answer = desk.send(paid, "ORDERCONFIRMATION", headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "BAD_GATEWAY")
    seen = desk.order(paid)
    assert (seen["emailConfirmationStatus"], seen["emails"][0]["status"]) == ("FAILED", "FAILED")
    assert [event.new for event in asked_for(paid)] == ["REQUESTED", "FAILED"]

    rung = []
    monkeypatch.setattr(deliver_email, "delay", lambda **kwargs: rung.append(kwargs["message_id"]))
    again = desk.send(paid, "ORDERCONFIRMATION", headers={"Idempotency-Key": "k1"})
    assert again.status_code == 202
    (email,) = again.json()["data"]["emails"]  # the same mail, under the same Message-ID (D13)
    assert email["status"] == "QUEUED"
    assert rung == [paid.emails.get().pk]


def test_a_mail_that_failed_is_asked_for_again_as_the_order_is_now(desk, bell, paid):
    """The row is the same mail (D13); what it says, and under which layout, is of today."""
    failed = mailed(paid, "ORDERCONFIRMATION", EmailStatus.FAILED, facts={"old": "facts"})
    EmailMessage.objects.update(definition="orderconfirmation.shop.old", automatic=False)
    assert desk.send(paid, "ORDERCONFIRMATION").status_code == 202
    assert bell == [failed.pk]
    failed.refresh_from_db()
    assert failed.definition == "orderconfirmation.shop.purchase"
    assert failed.payment_ref == paid.payments.get().reference
    assert "old" not in failed.facts
    assert failed.automatic is True  # a refusal for now is tried again by itself


def test_a7_the_mail_comes_back_after_the_answer(desk, bell, paid, settings):
    assert desk.send(paid, "ORDERCONFIRMATION").status_code == 202
    with mail_server(settings, RCPT=["550 5.1.1 no"]):
        deliver(bell[0])
    assert desk.order(paid)["emailConfirmationStatus"] == "FAILED"
    assert asked_for(paid)[-1].new == "FAILED"


def test_the_answer_is_replayed_and_sends_once(desk, bell, paid):
    key = {"Idempotency-Key": "k2"}
    first = desk.send(paid, "ORDERCONFIRMATION", headers=key)
    second = desk.send(paid, "ORDERCONFIRMATION", headers=key)
    assert first.json() == second.json()
    assert len(bell) == 1
    assert paid.emails.get().automatic is True  # what is refused for now is tried again by itself


def test_another_recipient_is_a_right_and_a_record(desk, bell, paid):
    refused = desk.send(paid, "ORDERCONFIRMATION", to="other@example.com")
    assert (refused.status_code, bell) == (403, [])
    assert [event.new for event in asked_for(paid)] == ["REQUESTED", "REFUSED"]
    assert desk.send(paid, "ORDERCONFIRMATION", to=paid.recipient_email.upper()).status_code == 202
    EmailMessage.objects.filter(order=paid).update(status="FAILED")
    answer = Desk("operator").send(paid, "ORDERCONFIRMATION", to="other@example.com")
    assert answer.status_code == 202
    assert [each["recipient"] for each in answer.json()["data"]["emails"]][-1] == (
        "other@example.com"
    )
    assert asked_for(paid)[-1].detail["to"] == "other@example.com"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": "a@b.com\r\nBcc: c@d.com"}, "to"),
        ({"to": f"{'x' * 65}@example.com"}, "to"),
        ({"to": f"{'x' * 60}@{'y' * 60}.{'z' * 60}.{'w' * 60}.{'v' * 60}.com"}, "to"),
        ({"to": "ржевский@example.com"}, "to"),
        ({"to": "nobody"}, "to"),
        ({"paymentId": "BDV-1-1"}, "paymentId"),
        ({"cancellationReason": "mine"}, "cancellationReason"),
        ({"template": 7}, "template"),
    ],
)
def test_what_the_body_may_not_say(body, field, bell, paid):
    answer = Desk("operator").send(paid, **{"template": "ORDERCONFIRMATION", **body})
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["error"]["details"]] == [field]
    assert (bell, paid.emails.count()) == ([], 0)


def test_idn_recipient_goes_out_in_ascii(bell, paid, settings):
    answer = Desk("operator").send(paid, "ORDERCONFIRMATION", to="rahim@bücher.example")
    assert answer.status_code == 202
    with mail_server(settings) as server:
        deliver(bell[0])
    assert server.recipients == [["rahim@xn--bcher-kva.example"]]


def test_a_payment_of_the_order_is_named_as_its_caller_named_it(desk, paid):
    payment = paid.payments.get()
    answer = desk.send(paid, "ORDERCONFIRMATION", paymentId=payment.pk)
    assert answer.status_code == 202
    assert answer.json()["data"]["emails"][0]["paymentId"] == str(payment.pk)


@pytest.mark.parametrize(
    ("actor", "reason", "told"),
    [
        ("customer:4", "cancelled by the customer", "you cancelled the order"),
        ("operator:2", "fraud", "our team cancelled"),
        ("system", "not paid in time", "did not arrive in time"),
        ("system", "cancelled at the gateway", "cancelled on the payment page"),
    ],
)
def test_the_reason_of_a_cancellation_is_the_orders_own(
    *, actor, reason, told, desk, bell, settings
):
    order = cancelled(an_order(), actor=actor, reason=reason)
    mailed(order, "CANCELLATION")
    assert desk.send(order, "CANCELLATION", query="?reason=Wanted").status_code == 202
    with mail_server(settings) as server:
        deliver(bell[0])
    text = server.taken[0].get_body(("plain",)).get_content()
    assert told in text
    assert "Wanted" not in text


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ({"due": DAY}, "non_recurring_prebilling.shop.subscription"),
        ({"due": DAY, "trial": DAY}, "non_recurring_prebilling.shop.subscription.conversion"),
        ({"due": DAY, "trial": 9 * DAY}, "non_recurring_prebilling.shop.subscription.trial"),
    ],
)
def test_the_concrete_template_follows_the_order(made, name, desk):
    subscription = subscription_of(due=made["due"])
    if "trial" in made:
        later = made["trial"] - made["due"]
        subscription.trial_ends_at = subscription.next_billing_at + later
        subscription.save()
    answer = desk.send(renewal_of(subscription), "NON_RECURRING_PREBILLING")
    assert answer.json()["data"]["emails"][0]["templateDefinitionName"] == name


def test_after_a_bounce_it_is_a_new_mail(desk, bell, paid):
    first = mailed(paid, "ORDERCONFIRMATION", bounced_at=timezone.now())
    assert desk.order(paid)["emailConfirmationStatus"] == "FAILED"
    answer = desk.send(paid, "ORDERCONFIRMATION")
    assert [each["status"] for each in answer.json()["data"]["emails"]] == ["BOUNCED", "QUEUED"]
    assert EmailMessage.objects.get(pk=bell[0]).resend_of == first
    assert not EmailEvent.objects.exists()


def test_the_resource_masks_codes_and_costs_the_same_for_many_mails(
    desk, paid, django_assert_max_num_queries
):
    for template in Template.values:
        mailed(paid, template)
    with django_assert_max_num_queries(12):
        data = desk.order(paid)
    assert len(data["emails"]) == len(Template.values)
    assert data["order_number"] == paid.order_number


def test_customers_and_strangers_are_refused(paid, client):
    assert client.get(f"/ordersv2/{paid.pk}").status_code == 401
    assert client.post(f"/ordersv2/{paid.pk}/email/send").status_code == 401
    finance = Desk("finance")
    assert finance.client.get(f"/ordersv2/{paid.pk}").status_code == 200
    assert finance.send(paid, "ORDERCONFIRMATION").status_code == 403


def test_copies_of_an_order_are_limited_by_the_hour(desk, bell, paid, settings):
    settings.MAIL_RESENDS_PER_HOUR = 2
    mailed(paid, "ORDERCONFIRMATION")
    for _ in range(2):
        assert desk.send(paid, "ORDERCONFIRMATION").status_code == 202
        with mail_server(settings):
            deliver(bell[-1])
    refused = desk.send(paid, "ORDERCONFIRMATION")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert 3500 < int(refused["Retry-After"]) <= 3601
    assert paid.emails.count() == 3
    other = an_order(paid=True)
    assert desk.send(other, "ORDERCONFIRMATION").status_code == 202
    EmailMessage.objects.filter(order=paid).update(
        created_at=timezone.now() - timedelta(minutes=61)
    )
    assert desk.send(paid, "ORDERCONFIRMATION").status_code == 202

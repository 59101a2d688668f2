"""The page on which a payer names a number and types a password, with the simulators behind it."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from notifications.models import AdminAlert
from orders.models import OrderEvent
from payments import carrier
from payments.models import CarrierConsent, Payment
from payments.tasks import close_order
from payments.tests.carrier import BANGLALINK, ROBI, Payer, again, opened, phone_of, sms_to
from payments.verification import verify

pytestmark = pytest.mark.django_db
GRAMEEN = "8801712345678"


def test_the_page_offers_the_accounts_own_number_under_the_strict_policy(payer):
    page = payer.page()

    assert page.status_code == 200
    assert 'value="01812345678"' in page.text
    assert "৳ 500.00" in page.text
    assert "Robi or Airtel / Banglalink" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "no-store" in page.headers["Cache-Control"]
    assert payer.charges() == 0


def test_a_number_we_cannot_charge_is_not_offered(payer):
    theirs = Payer(payer.simulator, opened(msisdn=GRAMEEN))
    assert GRAMEEN[2:] not in theirs.page().text


def test_a_page_in_bangla(payer):
    payer.payment.order.language = "bn"
    payer.payment.order.save()
    assert "আমাকে কোড পাঠান" in payer.page().text
    payer.send()
    assert "৫ মিনিট" in sms_to(payer.simulator, ROBI)


@pytest.mark.parametrize("token", ["x", "1:2:3", "BDV-1-1"])
def test_a_page_of_nobody(payer, token):
    answer = payer.client.get(f"/payments/carrier/{token}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/payments/return/")


def test_consent_is_charged_and_recorded(payer):
    assert payer.send("01812-345678").status_code == 302
    page = payer.page()
    assert "018*****678" in page.text
    assert ROBI[2:] not in page.text

    answer = payer.does("confirm", password=payer.password())

    assert answer.headers["Location"].startswith("/payments/return/")
    assert payer.state() == ("SUCCEEDED", "PENDING")
    assert payer.charges() == 1
    consent = payer.consent()
    assert (consent.carrier, consent.subscriber) == ("bdapps", f"tel:{ROBI}")
    assert consent.given_at is not None
    event = OrderEvent.objects.get(order=payer.payment.order_id, kind="consent")
    assert event.reason == "018*****678 agreed to a charge of 500.00 BDT"
    assert event.actor == f"customer:{payer.payment.order.customer_id}"
    assert payer.page().status_code == 302  # nothing is to be typed any more


def test_the_message_names_sum_and_order(payer):
    payer.send()
    text = sms_to(payer.simulator, ROBI)
    assert re.match(r"\d{6} confirms BDT 500.00 ", text)
    assert f"#{payer.payment.order.order_number}" in text


def test_three_wrong_passwords_end_one_and_three_end_the_payment(payer):
    for _ in range(3):
        payer.send()
        right = payer.password()
        wrong = f"{(int(right) + 1) % 10**6:06d}"
        for _ in range(3):
            answer = payer.does("confirm", password=wrong)
            assert (answer.status_code, 'id="problem"' in answer.text) == (400, True)
        assert payer.does("confirm", password=right).status_code == 400
    assert payer.send().status_code == 409
    assert payer.state() == ("PENDING", "INITIATED")
    assert payer.charges() == 0


def test_a_password_expires(payer):
    payer.send()
    CarrierConsent.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert payer.does("confirm", password=payer.password()).status_code == 400
    assert payer.charges() == 0


def test_only_the_last_password_counts(payer):
    payer.send()
    first = payer.password()
    payer.send()
    if first != payer.password():
        assert payer.does("confirm", password=first).status_code == 400
    assert payer.does("confirm", password=payer.password()).status_code == 302
    assert payer.charges() == 1


def test_a_new_password_goes_to_the_same_number(payer):
    payer.send()
    before = payer.password()
    assert 'placeholder="018*****678"' in payer.page().text
    assert payer.send("").status_code == 302
    assert payer.consent().passwords == 2
    assert len(before) == 6


def test_nothing_to_confirm(payer):
    assert payer.does("confirm", password="123456").status_code == 409
    assert payer.does("dance").status_code == 302


@pytest.mark.parametrize("number", ["", "12345", GRAMEEN, "+44 20 7946 0958", "x" * 500])
def test_a_number_that_cannot_be_charged(payer, number):
    answer = payer.send(number)
    assert answer.status_code == 400
    assert "charge this number" in answer.text.replace("&#x27;", "'")
    assert not CarrierConsent.objects.exists()


def test_messages_to_a_number_are_limited(payer):
    answers = [payer.send().status_code for _ in range(3)]
    others = [Payer(payer.simulator, opened(msisdn=f"880181000000{n}")) for n in range(2)]
    for other in others:
        other.client = Client(REMOTE_ADDR="198.51.100.8")
        answers += [other.send().status_code for _ in range(2)]
    assert answers == [302, 302, 302, 302, 302, 302, 429]


def test_an_address_is_limited(payer):
    answers = {payer.does("confirm", password="1").status_code for _ in range(30)}
    refused = payer.does("confirm", password="1")
    assert answers == {409}
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_giving_up(payer):
    payer.send()
    assert payer.does("cancel").status_code == 302
    assert payer.state() == ("CANCELLED", "CANCELLED")
    assert payer.does("confirm", password=payer.password()).status_code == 302
    with pytest.raises(carrier.Conflict):
        carrier.accept(payer.payment.pk, payer.password(), now=timezone.now())
    assert payer.charges() == 0


@pytest.mark.parametrize(("stance", "status"), [("fail", "FAILED"), ("cancel", "CANCELLED")])
def test_the_operator_refuses(payer, stance, status):
    payer.simulator.call("dcb/subscriber", number=ROBI, stance=stance)
    payer.send()
    payer.does("confirm", password=payer.password())
    assert payer.state() == (status, status)
    assert payer.charges() == 0


def test_while_nobody_knows_no_second_charge_can_be_begun(payer):
    """Never a second charge with a new reference while an earlier one is unknown (section 2)."""
    payer.simulator.fault("dcb", "debit", "cut_after")
    payer.send()
    payer.does("confirm", password=payer.password())
    assert payer.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")
    order = payer.payment.order
    with pytest.raises(carrier.Conflict):
        again(order)
    order.pay_until = timezone.now()
    order.save()
    close_order(order_id=order.pk)
    assert payer.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")
    with pytest.raises(carrier.Conflict):
        carrier.give_up(payer.payment.pk, now=timezone.now())
    payer.simulator.heal("dcb")
    verify(payer.payment.pk)
    assert payer.state() == ("SUCCEEDED", "PENDING")
    assert payer.charges() == 1


def test_a_worker_that_died_with_the_charge_on_its_way(payer):
    """Claimed and never answered: the sweep sends the same id; until then nothing closes."""
    payer.send()
    carrier.accept(payer.payment.pk, payer.password(), now=timezone.now())
    Payment.objects.update(capture_sent_at=timezone.now() - timedelta(hours=1))
    payer.simulator.fault("dcb", "debit", "error_500")
    order = payer.payment.order
    order.pay_until = timezone.now()
    order.save()
    close_order(order_id=order.pk)
    assert payer.state() == ("PENDING", "INITIATED")
    with pytest.raises(carrier.Conflict):
        again(order)
    payer.simulator.heal("dcb")
    verify(payer.payment.pk)
    assert payer.state() == ("SUCCEEDED", "PENDING")
    assert payer.charges() == 1


def test_not_charged_for_now_is_tried_again_under_the_same_id(payer):
    payer.simulator.fault("dcb", "debit", "refused", code="E1318", times=1)
    payer.send()
    payer.does("confirm", password=payer.password())
    assert payer.state() == ("PENDING", "INITIATED")
    assert Payment.objects.get().capture_sent_at is None
    verify(payer.payment.pk)
    assert payer.state() == ("SUCCEEDED", "PENDING")


def test_a_charge_that_stays_unconfirmed_calls_a_person(payer, settings):
    payer.simulator.fault("dcb", "debit", "refused", code="E1337")
    payer.send()
    payer.does("confirm", password=payer.password())
    verify(payer.payment.pk)
    assert not AdminAlert.objects.exists()
    settings.CARRIER_PATIENCE = timedelta(0)
    verify(payer.payment.pk)
    verify(payer.payment.pk)
    assert list(AdminAlert.objects.values_list("kind", flat=True)) == ["payment_unconfirmed"]
    payer.simulator.heal("dcb")
    verify(payer.payment.pk)
    assert payer.state() == ("SUCCEEDED", "PENDING")
    assert not AdminAlert.objects.filter(resolved_at=None).exists()


# Applink.


def test_applinks_password_authorises_and_its_notification_confirms(payer):
    payer.send(BANGLALINK)
    assert "019*****678" in payer.page().text
    payer.does("confirm", password=phone_of(payer.simulator, BANGLALINK))
    assert payer.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")
    consent = payer.consent()
    assert consent.given_at is not None
    body = {
        "externalTrxId": payer.payment.gateway_reference,
        "internalTrxId": consent.internal_id,
        "TotalAmount": "500.00",
        "paidAmount": "500.00",
        "balanceDue": "0.00",
        "currency": "BDT",
        "statusCode": "S1000",
    }
    from_elsewhere = Client(REMOTE_ADDR="203.0.113.5")
    answer = from_elsewhere.post("/api/v1/payments/dcb/callback", body, "application/json")
    assert answer.status_code == 200
    assert payer.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")

    answer = Client().post("/api/v1/payments/dcb/callback", body, "application/json")

    assert answer.json() == {"statusCode": "S1000", "statusDetail": "Success"}
    assert payer.state() == ("SUCCEEDED", "PENDING")
    assert Payment.objects.get().gateway_transaction_id == consent.internal_id


def test_a_wrong_password_at_applink_may_be_typed_again(payer):
    payer.send(BANGLALINK)
    assert payer.does("confirm", password="0000000").status_code == 400
    assert Payment.objects.get().capture_sent_at is None
    payer.does("confirm", password=phone_of(payer.simulator, BANGLALINK))
    assert payer.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")


def test_the_third_wrong_password_ends_it(payer):
    payer.send(BANGLALINK)
    for _ in range(3):
        payer.does("confirm", password="0000000")
    assert payer.state() == ("FAILED", "FAILED")


def test_an_expired_password_ends_it(payer):
    payer.send(BANGLALINK)
    payer.simulator.call("dcb/advance", seconds=301)
    payer.does("confirm", password=phone_of(payer.simulator, BANGLALINK))
    assert payer.state() == ("CANCELLED", "CANCELLED")


def test_applinks_first_step_is_never_repeated(payer):
    payer.send(BANGLALINK)
    assert 'id="send"' not in payer.page().text
    assert payer.send(BANGLALINK).status_code == 409
    assert payer.send(ROBI).status_code == 409
    assert payer.simulator.read("dcb/calls")["counts"] == {"start": 1}


@pytest.mark.parametrize("code", ["E1378", "E1317"])
def test_applink_refuses_the_number(payer, code):
    payer.simulator.fault("dcb", "start", "refused", code=code)
    payer.send(BANGLALINK)
    assert payer.state() == ("FAILED", "FAILED")


@pytest.mark.parametrize("fault", ["cut_after", "html_after", "cut_before"])
def test_an_unclear_first_step_wants_a_new_payment(payer, fault):
    payer.simulator.fault("dcb", "start", fault)
    assert payer.send(BANGLALINK).status_code == 502
    payer.simulator.heal("dcb")
    page = payer.page()
    assert 'id="password"' not in page.text
    assert 'id="send"' not in page.text
    assert payer.does("confirm", password="123456").status_code == 409
    assert payer.charges() == 0
    assert again(payer.payment.order).payment is not None


def test_a_first_step_that_surely_did_nothing_may_be_repeated(payer):
    payer.simulator.fault("dcb", "start", "refused", code="E1318", times=1)
    assert payer.send(BANGLALINK).status_code == 502
    assert payer.send(BANGLALINK).status_code == 302
    payer.does("confirm", password=phone_of(payer.simulator, BANGLALINK))
    assert payer.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")


def test_a_password_handed_on_without_an_answer_waits_for_the_notification(payer):
    payer.simulator.fault("dcb", "otp", "cut_after")
    payer.send(BANGLALINK)
    payer.does("confirm", password=phone_of(payer.simulator, BANGLALINK))
    assert payer.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")
    assert payer.simulator.read("dcb/calls")["counts"]["otp"] == 1


# The database.


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"passwords": 4}, "few_tries"),
        ({"tries": 4}, "few_tries"),
        ({"passwords": 0, "given_at": timezone.now()}, "by_password"),
    ],
)
def test_what_the_database_holds_of_consent(payer, fields, rule):
    payer.send()
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        CarrierConsent.objects.update(**fields)
    with pytest.raises(IntegrityError, match="carrier_consents_kept"), transaction.atomic():
        CarrierConsent.objects.all().delete()

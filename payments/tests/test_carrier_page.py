"""The page on which a payer names a number and types a password, with the simulators behind it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import VariantFactory
from fulfillment.partners.tests.simulator import ANSWER_SECONDS, Simulator
from notifications.models import AdminAlert
from orders.models import OrderEvent
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments import carrier
from payments.models import CarrierConsent, Payment
from payments.services import initiate_payment
from payments.tasks import close_order
from payments.tests.test_dcb_matrix import BANGLALINK, ROBI, phone_of, point_to, sms_to
from payments.verification import verify

pytestmark = pytest.mark.django_db
GRAMEEN = "8801712345678"


class Payer:
    """A browser on the page of one payment."""

    def __init__(self, simulator: Simulator, payment: Payment) -> None:
        self.simulator, self.payment = simulator, payment
        self.path = payment.redirect_url.removeprefix("http://127.0.0.1:8000")
        self.client = Client(REMOTE_ADDR="198.51.100.7")

    def page(self) -> Any:
        return self.client.get(self.path)

    def does(self, action: str, **fields: str) -> Any:
        return self.client.post(self.path, {"action": action, **fields})

    def send(self, number: str = ROBI) -> Any:
        return self.does("send", number=number)

    def password(self) -> str:
        return sms_to(self.simulator, ROBI).split(" ")[0]

    def state(self) -> tuple[str, str]:
        payment = Payment.objects.select_related("order").get(pk=self.payment.pk)
        return payment.status, payment.order.status

    def consent(self) -> CarrierConsent:
        return CarrierConsent.objects.get(payment=self.payment)

    def charges(self) -> int:
        return sum(self.simulator.read("dcb/ledger")["charges"].values())


@pytest.fixture
def payer(simulator: Simulator, settings: Any) -> Payer:
    cache.clear()
    simulator.reset("dcb")
    settings.PAYMENT_METHODS = ["dcb", "paystation"]
    settings.CUSTOMER_WAIT_SECONDS = ANSWER_SECONDS
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    point_to(simulator, settings)
    return Payer(simulator, opened())


def opened(**customer: Any) -> Payment:
    user = UserFactory(**({"msisdn": ROBI} | customer))
    order = OrderFactory(customer=user, payment_method="dcb", total_amount="500.00")
    OrderItemFactory(order=order, variant=VariantFactory(price="500.00"))
    order.pay_until = timezone.now() + timedelta(minutes=30)
    order.save()
    result = again(order)
    assert result.payment is not None
    return result.payment


def again(order: Any) -> Any:
    return initiate_payment(
        order.customer_id,
        order.order_number,
        method="dcb",
        amount=None,
        currency=None,
        description="",
        now=timezone.now(),
    )


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


# A person's record of the platform's report.


@pytest.fixture
def silent(payer: Payer, settings: Any) -> Payer:
    """Applink took the password, and has told nothing for longer than we wait."""
    payer.send(BANGLALINK)
    payer.does("confirm", password=phone_of(payer.simulator, BANGLALINK))
    settings.CARRIER_PATIENCE = timedelta(0)
    verify(payer.payment.pk)
    assert AdminAlert.objects.filter(kind="payment_unconfirmed", resolved_at=None).exists()
    return payer


def report(said: str, by: str, reference: str = "", **options: str) -> None:
    words = {"notes": "daily report, line 7", **options}
    reference = reference or Payment.objects.get().reference
    call_command("record_carrier_report", reference, said, by=by, **words)


@pytest.fixture
def finance(db: None) -> str:
    return str(UserFactory(finance=True).email)


def test_the_report_says_charged(silent, finance):
    report("charged", finance, amount="500.00", transaction_id="778899")
    assert silent.state() == ("SUCCEEDED", "PENDING")
    assert not AdminAlert.objects.filter(resolved_at=None).exists()
    assert Payment.objects.get().gateway_transaction_id == "778899"
    event = OrderEvent.objects.filter(kind="payment").last()
    assert event is not None
    assert event.actor.startswith("operator:")
    assert "daily report, line 7" in event.reason


def test_the_report_says_not_charged(silent, finance):
    report("not-charged", finance)
    assert silent.state() == ("FAILED", "FAILED")
    assert not AdminAlert.objects.filter(resolved_at=None).exists()


def test_the_report_names_another_sum(silent, finance):
    report("charged", finance, amount="50.00", transaction_id="778899")
    assert silent.state() == ("AMOUNT_MISMATCH", "CARRIER_AUTHORIZED")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "names the sum"),
        ({"amount": "500.00"}, "names the sum"),
        ({"amount": "lots", "transaction_id": "1"}, "must be taka"),
        ({"amount": "500.00", "transaction_id": "1", "notes": " "}, "where the report"),
        ({"amount": "500.00", "transaction_id": "1", "reference": "BDV-1-1"}, "no such payment"),
    ],
)
def test_a_report_that_cannot_be_recorded(silent, finance, options, says):
    with pytest.raises(CommandError, match=says):
        report("charged", finance, **options)
    assert silent.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")


def test_who_may_record_a_report(silent):
    for by in (UserFactory(support=True).email, "nobody@example.com"):
        with pytest.raises(CommandError, match="right to record"):
            report("not-charged", by)


def test_a_report_is_not_recorded_before_its_time_nor_twice(silent, finance, settings):
    settings.CARRIER_PATIENCE = timedelta(hours=1)
    with pytest.raises(CommandError, match="still confirm"):
        report("not-charged", finance)
    settings.CARRIER_PATIENCE = timedelta(0)
    report("not-charged", finance)
    with pytest.raises(CommandError, match="is FAILED"):
        report("charged", finance, amount="500.00", transaction_id="1")

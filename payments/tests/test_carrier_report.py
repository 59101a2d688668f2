"""What a person records of the platform's own report, where its notification never came."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.tests.factories import UserFactory
from notifications.models import AdminAlert
from orders.models import OrderEvent
from orders.tests.factories import OrderFactory
from payments.models import Payment
from payments.tests.carrier import BANGLALINK, Payer, phone_of
from payments.tests.factories import PaymentFactory
from payments.verification import verify

pytestmark = pytest.mark.django_db


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


def test_a_transaction_that_paid_something_else_is_refused(silent, finance):
    other = PaymentFactory(
        order=OrderFactory(paid=True), method="dcb", status="SUCCEEDED", paid_at=timezone.now()
    )
    Payment.objects.filter(pk=other.pk).update(gateway_transaction_id="778899")
    mine = silent.payment.reference
    with pytest.raises(CommandError, match="belongs to another"):
        report("charged", finance, mine, amount="500.00", transaction_id="778899")
    assert silent.state() == ("AUTHORIZED", "CARRIER_AUTHORIZED")

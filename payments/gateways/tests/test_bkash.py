"""bKash, by canned answers; section numbers are those of contract page bkash."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import responses

from core.providers import Declined, Misconfigured, OutcomeUnknown
from payments.gateways.base import Claim, Known, Outcome, PaymentGateway
from payments.gateways.bkash import BkashGateway
from payments.gateways.tests.bkash_answers import (
    CREATE,
    OPENING,
    PAGE,
    PAYMENT,
    QUERY,
    VERIFYING,
    created,
    gateway,
    payment,
    query,
    refused,
    refused_otherwise,
    waiting,
)
from payments.gateways.tests.canned import REFERENCE, REQUEST, Canned, known
from payments.gateways.tests.contract import GatewayContract


class TestBkash(GatewayContract):
    secrets = (
        "very-secret-key",
        "very-secret-secret",
        "very-secret-user",
        "very-secret-password",
        "token-one",
    )
    needed = (
        "BKASH_BASE_URL",
        "BKASH_APP_KEY",
        "BKASH_APP_SECRET",
        "BKASH_USERNAME",
        "BKASH_PASSWORD",
    )

    @pytest.fixture
    def world(self, granted: responses.RequestsMock) -> Canned:
        return Canned(
            granted,
            gateway(),
            open_url=CREATE,
            opening=OPENING,
            verify_url=QUERY,
            verifying=VERIFYING,
            gateway_reference=PAYMENT,
        )

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        return [
            {
                "query": {"paymentID": payment.gateway_reference, "status": status},
                "body": b"",
                "content_type": "",
            }
            for status in ("success", "failure", "cancel")
        ]

    def from_settings(self) -> PaymentGateway:
        return BkashGateway.from_settings(4.0)


# Create (section 3).


def test_the_order_as_it_is_sent(granted: responses.RequestsMock) -> None:
    granted.post(CREATE, **created())

    session = gateway().open_session(REQUEST)

    grant, create = (call.request for call in granted.calls)
    assert json.loads(grant.body) == {
        "app_key": "very-secret-key",
        "app_secret": "very-secret-secret",
    }
    assert grant.headers["username"] == "very-secret-user"
    assert grant.headers["password"] == "very-secret-password"
    assert create.headers["Authorization"] == "token-one"  # no "Bearer", section 1
    assert create.headers["X-APP-Key"] == "very-secret-key"
    assert json.loads(create.body) == {
        "mode": "0011",
        "payerReference": "01712345678",
        "callbackURL": "https://shop.example/api/v1/payments/gateway/callback",
        "amount": "1500.00",
        "currency": "BDT",
        "intent": "sale",
        "merchantInvoiceNumber": REFERENCE,
    }
    assert (session.redirect_url, session.gateway_reference) == (PAGE, PAYMENT)


def test_a_payer_without_a_number_is_our_reference(granted: responses.RequestsMock) -> None:
    granted.post(CREATE, **created())

    gateway().open_session(replace(REQUEST, customer_msisdn=""))

    assert json.loads(granted.calls[1].request.body)["payerReference"] == "BDV482133771"


@pytest.mark.parametrize("code", [*map(str, range(2006, 2020)), "2023", "2029", "2048", "2057"])
@pytest.mark.parametrize("shape", [refused, refused_otherwise])
def test_create_is_refused(granted: responses.RequestsMock, code: str, shape: Any) -> None:
    granted.post(CREATE, **shape(code))

    with pytest.raises(Declined) as caught:
        gateway().open_session(REQUEST)

    assert caught.value.raw_code == code


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused("2001"), Misconfigured),
        (refused("2043"), Misconfigured),
        (refused("2049"), Misconfigured),
        (refused("2063"), Misconfigured),
        (refused("2065"), Misconfigured),
        (refused_otherwise("2118"), Misconfigured),
        (refused("503"), OutcomeUnknown),
        (refused("2003"), OutcomeUnknown),
        (refused("2020"), OutcomeUnknown),
        (refused("4711"), OutcomeUnknown),
        (created(statusCode=0), OutcomeUnknown),
        (created(message="Endpoint request timed out"), OutcomeUnknown),
        ({**created(), "status": 202}, OutcomeUnknown),
        (created(paymentID=""), OutcomeUnknown),
        (created(paymentID="a b"), OutcomeUnknown),
        (created(bkashURL=None), OutcomeUnknown),
        (created(merchantInvoiceNumber="BDV-48213378-1"), OutcomeUnknown),
        (created(bkashURL="http://payment.bkash.com/"), Misconfigured),
        (created(bkashURL="https://a@evil.example/"), Misconfigured),
        (created(bkashURL="javascript:alert(1)"), Misconfigured),
    ],
)
def test_other_answers_to_create(
    granted: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    granted.post(CREATE, **answer)

    with pytest.raises(kind):
        gateway().open_session(REQUEST)


# Query (section 6).


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (payment(), Outcome.PAID),
        (payment(merchantInvoice=None, merchantInvoiceNumber=REFERENCE), Outcome.PAID),
        (payment(merchantInvoiceNumber=REFERENCE), Outcome.PAID),
        (payment(merchantInvoiceNumber="BDV-48213378-1"), Outcome.FOREIGN),
        (payment(merchantInvoice=None), Outcome.UNKNOWN),
        (payment(paymentID="TR0011ON0000000000000"), Outcome.FOREIGN),
        (payment(paymentID=None), Outcome.UNKNOWN),
        (payment(amount=None), Outcome.UNKNOWN),
        (payment(amount="1e3"), Outcome.UNKNOWN),
        (payment(currency=None), Outcome.UNKNOWN),
        (payment(transactionStatus="Authorized"), Outcome.UNKNOWN),
        (payment(transactionStatus="completed"), Outcome.UNKNOWN),
        (payment(transactionStatus=None), Outcome.UNKNOWN),
        (payment(statusCode=0), Outcome.UNKNOWN),
        (payment(message="Endpoint request timed out"), Outcome.UNKNOWN),
        ({**payment(), "status": 400}, Outcome.UNKNOWN),
        (waiting(), Outcome.PENDING),
        (waiting(verificationStatus=None), Outcome.PENDING),
        (refused("2002"), Outcome.UNKNOWN),
        (refused("2023"), Outcome.UNKNOWN),
        (refused("2033"), Outcome.UNKNOWN),
        (refused("2062"), Outcome.UNKNOWN),
        (refused("503"), Outcome.UNKNOWN),
        (refused_otherwise("4711"), Outcome.UNKNOWN),
    ],
)
def test_what_a_query_says(
    granted: responses.RequestsMock, answer: dict[str, Any], outcome: Outcome
) -> None:
    assert query(granted, answer).outcome is outcome


def test_the_currency_is_reported(granted: responses.RequestsMock) -> None:
    verdict = query(granted, payment(currency="USD"))

    assert (verdict.outcome, verdict.currency) == (Outcome.PAID, "USD")


def test_what_is_kept_of_an_answer(granted: responses.RequestsMock) -> None:
    verdict = query(granted, payment())

    assert verdict.gateway_transaction_id == "AH24068KCQ"
    assert dict(verdict.evidence) == {
        "paymentCreateTime": "2026-04-27T20:00:00:123 GMT+0600",
        "paymentExecuteTime": "2026-04-27T20:01:00:456 GMT+0600",
        "trxID": "AH24068KCQ",
        "amount": "1500.00",
        "currency": "BDT",
        "transactionStatus": "Completed",
        "verificationStatus": "Complete",
    }


def test_a_payment_without_a_name_was_never_shown(wire: responses.RequestsMock) -> None:
    assert gateway().verify(known("")).outcome is Outcome.FAILED
    assert len(wire.calls) == 0


# Callback (section 4).


@pytest.mark.parametrize("status", ["success", "failure", "cancel", "", "paid"])
def test_a_callback_says_which_payment_and_that_the_customer_left(status: str) -> None:
    query = {"paymentID": PAYMENT, "status": status, "trxID": "FORGED", "amount": "1500.00"}

    claim = gateway().read_callback(query=query, body=b'{"paymentID": "X"}', content_type="")

    left = {"failure": Outcome.FAILED, "cancel": Outcome.CANCELLED}.get(status)
    assert claim == Claim(gateway_reference=PAYMENT, left=left)


def test_the_sum_is_sent_with_two_places(granted: responses.RequestsMock) -> None:
    granted.post(CREATE, **created())

    gateway().open_session(replace(REQUEST, amount=Decimal("99.5")))

    assert json.loads(granted.calls[1].request.body)["amount"] == "99.50"

"""Nagad, by canned answers; section numbers are those of contract page nagad."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import responses
import time_machine

from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from payments.gateways.base import Claim, Known, Outcome, PaymentGateway
from payments.gateways.nagad import NagadGateway
from payments.gateways.tests.canned import REFERENCE, REQUEST, known
from payments.gateways.tests.contract import GatewayContract
from payments.gateways.tests.nagad_answers import (
    CHALLENGE,
    COMPLETE,
    FIREWALL,
    ID,
    INITIALIZE,
    MERCHANT,
    ORDER,
    PAGE,
    PAYMENT,
    STRANGER,
    VERIFY,
    CannedNagad,
    found,
    gateway,
    opened,
    private_text,
    read,
    refused,
    sealed,
    started,
)

SECRET: str = private_text(MERCHANT)


class TestNagad(GatewayContract):
    secrets = (SECRET, SECRET[100:160], CHALLENGE)
    needed = (
        "NAGAD_BASE_URL",
        "NAGAD_PAGE_HOST",
        "NAGAD_MERCHANT_ID",
        "NAGAD_MERCHANT_PRIVATE_KEY",
        "NAGAD_GATEWAY_PUBLIC_KEY",
        "NAGAD_CLIENT_IP",
    )

    @pytest.fixture
    def world(self, wire: responses.RequestsMock) -> CannedNagad:
        return CannedNagad(wire)

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        told = {"status": "Success", "order_id": ORDER, "payment_ref_id": payment.gateway_reference}
        path = {"reference": payment.reference}
        alone = {"payment_ref_id": payment.gateway_reference}
        return [{"query": query, "body": b"", "content_type": ""} for query in (told, path, alone)]

    def from_settings(self) -> PaymentGateway:
        return NagadGateway.from_settings(4.0)


class TestNagadsSecondCall(TestNagad):
    """The same promises where not initialize but complete goes wrong."""

    @pytest.fixture
    def world(self, wire: responses.RequestsMock) -> CannedNagad:
        return CannedNagad(wire, second=True)


# Opening.


def test_the_two_calls_as_they_are_sent(wire: responses.RequestsMock) -> None:
    wire.post(INITIALIZE, **started())
    wire.post(COMPLETE, **opened())

    with time_machine.travel("2026-04-27T18:30:05Z", tick=False):
        session = gateway().open_session(REQUEST)

    first, second = (call.request for call in wire.calls)
    body = json.loads(first.body)
    inside = read(body["sensitiveData"], body["signature"])
    assert set(body) == {"dateTime", "sensitiveData", "signature"}
    assert list(inside) == ["merchantId", "datetime", "orderId", "challenge"]
    assert inside["datetime"] == body["dateTime"] == "20260428003005"  # the next day in Dhaka
    assert (inside["merchantId"], inside["orderId"]) == (ID, ORDER)
    assert re.fullmatch("[0-9a-f]{40}", inside["challenge"])
    body = json.loads(second.body)
    assert list(read(body.pop("sensitiveData"), body.pop("signature")).items()) == [
        ("merchantId", ID),
        ("orderId", ORDER),
        ("currencyCode", "050"),
        ("amount", "1500.00"),
        ("challenge", CHALLENGE),
    ]
    assert body == {
        "merchantCallbackURL": f"{REQUEST.callback_url}/{REFERENCE}/",
        "additionalMerchantInfo": {},
    }
    for sent in (first, second):
        assert sent.headers["Content-Type"] == "application/json"
        assert {name: sent.headers[name] for name in sent.headers if name.startswith("X-KM")} == {
            "X-KM-Api-Version": "v-0.2.0",
            "X-KM-IP-V4": "192.0.2.7",
            "X-KM-Client-Type": "PC_WEB",
            "X-KM-MC-Id": ID,
        }
    assert (session.redirect_url, session.gateway_reference) == (PAGE, PAYMENT)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8::/64", "192.0.2.7"),
        ("unknown", "192.0.2.7"),
        ("", "192.0.2.7"),
    ],
)
def test_both_calls_name_the_customers_own_address(
    wire: responses.RequestsMock, address: str, told: str
) -> None:
    wire.post(INITIALIZE, **started())
    wire.post(COMPLETE, **opened())

    gateway().open_session(replace(REQUEST, customer_address=address))

    assert [call.request.headers["X-KM-IP-V4"] for call in wire.calls] == [told, told]


def test_each_challenge_is_new(wire: responses.RequestsMock) -> None:
    wire.post(INITIALIZE, **refused("Duplicate Order Id"))
    for _ in range(2):
        with pytest.raises(Declined):
            gateway().open_session(REQUEST)

    bodies = [json.loads(call.request.body) for call in wire.calls]
    challenges = {read(b["sensitiveData"], b["signature"])["challenge"] for b in bodies}
    assert len(challenges) == 2


@pytest.mark.parametrize(
    "body",
    [
        sealed({"paymentReferenceId": PAYMENT, "challenge": CHALLENGE}, signer=STRANGER),
        sealed({"paymentReferenceId": PAYMENT, "challenge": CHALLENGE}, signer=MERCHANT),
        sealed({"paymentReferenceId": PAYMENT, "challenge": CHALLENGE}, reader=STRANGER),
        {"sensitiveData": started()["json"]["sensitiveData"]},
        {"sensitiveData": "x", "signature": "y"},
        {"sensitiveData": None},
    ],
)
def test_an_answer_that_nagad_has_not_signed_ends_the_try(
    wire: responses.RequestsMock, body: dict[str, Any]
) -> None:
    wire.post(INITIALIZE, json=body)

    with pytest.raises(Misconfigured):
        gateway().open_session(REQUEST)

    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"paymentReferenceId": None},
        {"paymentReferenceId": ""},
        {"paymentReferenceId": "x" * 121},
        {"paymentReferenceId": "a b"},
        {"paymentReferenceId": 5},
        {"challenge": None},
        {"challenge": ""},
    ],
)
def test_an_answer_that_starts_no_payment(
    wire: responses.RequestsMock, changes: dict[str, Any]
) -> None:
    wire.post(INITIALIZE, **started(**changes))

    with pytest.raises(OutcomeUnknown):
        gateway().open_session(REQUEST)

    assert len(wire.calls) == 1


def test_a_challenge_that_no_block_carries(wire: responses.RequestsMock) -> None:
    long = {"paymentReferenceId": "R1", "challenge": "c" * 150}
    wire.post(INITIALIZE, json=sealed(long))
    with pytest.raises(Declined, match="too long"):
        gateway().open_session(REQUEST)


REFUSALS = [
    (refused("Duplicate Order Id"), Declined),
    (refused("DUPLICATE_ORDER_ID", status=200), Declined),
    (refused("InvalidOrderId"), Declined),
    (refused("InvalidPurchaseInformation"), Declined),
    (refused("Invalid Merchant"), Misconfigured),
    (refused("InactiveMerchant"), Misconfigured),
    (refused("EncryptionError"), Misconfigured),
    (refused("DecryptionError"), Misconfigured),
    (refused("EncodingError"), Misconfigured),
    (refused("Signature Verification Failed"), Misconfigured),
    (refused("InvalidApiRequest"), Misconfigured),
    (refused("InvalidCurrency"), Misconfigured),
    (refused("ServerError"), OutcomeUnknown),
    (refused("Something new"), OutcomeUnknown),
    (refused(None), OutcomeUnknown),
    (refused({"a": "Duplicate Order Id"}), OutcomeUnknown),
    (refused("Duplicate Order Id", status=500), OutcomeUnknown),
    ({"status": 403}, Misconfigured),
    ({"status": 404, "body": "not found"}, OutcomeUnknown),
    ({"body": "null"}, OutcomeUnknown),
    (FIREWALL, Misconfigured),
]


@pytest.mark.parametrize("url", [INITIALIZE, COMPLETE])
@pytest.mark.parametrize(("answer", "kind"), REFUSALS, ids=range(len(REFUSALS)))
def test_refusals(
    wire: responses.RequestsMock, url: str, answer: dict[str, Any], kind: type[Exception]
) -> None:
    wire.post(INITIALIZE, **started())
    wire.post(COMPLETE, **opened())
    wire.replace(responses.POST, url, **answer)

    with pytest.raises(kind):
        gateway().open_session(REQUEST)


@pytest.mark.parametrize("changes", [{"status": "Failed"}, {"status": None}, {"callBackUrl": None}])
def test_complete_without_a_page(wire: responses.RequestsMock, changes: dict[str, Any]) -> None:
    wire.post(INITIALIZE, **started())
    wire.post(COMPLETE, **opened(**changes))

    with pytest.raises(OutcomeUnknown):
        gateway().open_session(REQUEST)


@pytest.mark.parametrize(
    ("url", "base", "taken"),
    [
        ("https://nagad.test/x?a=1", "https://nagad.test", True),
        ("http://nagad.test:10060/check-out/x", "http://nagad.test:10080/api", True),
        ("http://nagad.test:10060/check-out/x", "https://nagad.test", False),
        ("https://evilnagad.test/x", "https://nagad.test", False),
        ("https://nagad.test@evil.example/x", "https://nagad.test", False),
        ("javascript:alert(1)", "https://nagad.test", False),
    ],
)
def test_where_a_customer_may_be_sent(
    wire: responses.RequestsMock, url: str, base: str, taken: bool
) -> None:
    wire.post(re.compile(".*/initialize/.*"), **started())
    wire.post(re.compile(".*/complete/.*"), **opened(callBackUrl=url))
    asked = gateway(base_url=base)
    if taken:
        assert asked.open_session(REQUEST).redirect_url == url
        return
    with pytest.raises(Misconfigured, match="NAGAD_PAGE_HOST"):
        asked.open_session(REQUEST)


# Callbacks.


def told(**query: str) -> Claim:
    return gateway().read_callback(query=query, body=b"", content_type="")


def test_a_callback_is_read_for_a_name_and_nothing_else() -> None:
    ours = Claim(reference=REFERENCE)
    assert told(reference=REFERENCE, order_id="BDV999999991", status="Failed") == ours
    assert told(order_id=ORDER, payment_ref_id="other", status="success") == ours
    assert told(order_id="BDV4821337712") == Claim(reference="BDV-48213377-12")
    assert told(order_id="A1", payment_ref_id=PAYMENT) == Claim(gateway_reference=PAYMENT)
    assert told(reference="<script>", order_id="", payment_ref_id="x" * 121) == Claim()
    assert told(status="Success", merchant=ID) == Claim()


# Verify.


def test_the_question_as_it_is_asked(wire: responses.RequestsMock) -> None:
    reference = "a+b/c=="
    wire.get(re.compile(".*"), **found(paymentRefId=reference))

    verdict = gateway().verify(known(reference))

    assert wire.calls[0].request.url.endswith("/verify/payment/a%2Bb%2Fc%3D%3D")
    assert wire.calls[0].request.headers["X-KM-Api-Version"] == "v-0.2.0"
    assert verdict.outcome is Outcome.PAID


def test_a_payment_without_a_reference_has_failed_unasked(wire: responses.RequestsMock) -> None:
    assert gateway().verify(known("")).outcome is Outcome.FAILED
    assert len(wire.calls) == 0


def test_the_firewall_is_named_when_we_ask(wire: responses.RequestsMock) -> None:
    wire.get(VERIFY, **FIREWALL)
    with pytest.raises(Misconfigured, match="firewall"):
        gateway().verify(known(PAYMENT))


@pytest.mark.parametrize("body", ["", "null", "[]", "<html></html>"])
def test_an_unreadable_answer_is_asked_again(wire: responses.RequestsMock, body: str) -> None:
    wire.get(VERIFY, body=body)
    with pytest.raises(Unavailable):
        gateway().verify(known(PAYMENT))

"""PayStation, by canned answers; section numbers are those of contract page paystation."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from core.providers import Declined, Misconfigured, OutcomeUnknown
from payments.gateways.base import Claim, Known, PaymentGateway
from payments.gateways.paystation import PayStationGateway
from payments.gateways.tests.canned import REFERENCE, REQUEST, Canned
from payments.gateways.tests.contract import GatewayContract
from payments.gateways.tests.paystation_answers import (
    OPEN,
    OPENING,
    PAGE,
    STATUS,
    VERIFYING,
    gateway,
    opened,
    refused,
)


class TestPayStation(GatewayContract):
    secrets = ("very-secret-password",)
    needed = (
        "PAYSTATION_BASE_URL",
        "PAYSTATION_MERCHANT_ID",
        "PAYSTATION_PASSWORD",
        "PAYSTATION_PAGE_HOST",
        "PAYSTATION_PAY_WITH_CHARGE",
    )

    @pytest.fixture
    def world(self, wire: responses.RequestsMock) -> Canned:
        return Canned(
            wire,
            gateway(),
            open_url=OPEN,
            opening=OPENING,
            verify_url=STATUS,
            verifying=VERIFYING,
            gateway_reference=REFERENCE,
        )

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        named = {"invoice_number": payment.reference}
        ipn = named | {"trx_status": "Success", "trx_id": "10XB9900", "trx_amount": 1500}
        form = f"status=Successful&invoice_number={payment.reference}".encode()
        return [
            {"query": named | {"status": "Canceled"}, "body": b"", "content_type": ""},
            {"query": {}, "body": form, "content_type": "application/x-www-form-urlencoded"},
            {"query": {}, "body": json.dumps(ipn).encode(), "content_type": "application/json"},
        ]

    def from_settings(self) -> PaymentGateway:
        return PayStationGateway.from_settings(4.0)


def test_the_order_as_it_is_sent(wire: responses.RequestsMock) -> None:
    wire.post(OPEN, **opened())

    session = gateway().open_session(REQUEST)

    sent = parse_qs(wire.calls[0].request.body, strict_parsing=True)
    assert {name: value for name, (value,) in sent.items()} == {
        "merchantId": "104-1653730183",
        "password": "very-secret-password",
        "invoice_number": REFERENCE,
        "reference": REFERENCE,
        "currency": "BDT",
        "payment_amount": "1500",
        "pay_with_charge": "0",
        "cust_name": "Rahima Begum",
        "cust_phone": "01712345678",
        "cust_email": "rahima@example.com",
        "callback_url": "https://shop.example/api/v1/payments/gateway/callback",
        "checkout_items": "Order 48213377",
    }
    assert (session.redirect_url, session.gateway_reference) == (PAGE, REFERENCE)


def test_empty_members_are_left_out_and_paisa_are_sent(wire: responses.RequestsMock) -> None:
    wire.post(OPEN, **opened())

    gateway().open_session(replace(REQUEST, description="", amount=Decimal("1499.50")))

    sent = parse_qs(wire.calls[0].request.body)
    assert "checkout_items" not in sent
    assert sent["payment_amount"] == ["1499.50"]


@pytest.mark.parametrize(
    "url",
    [
        "http://www.paystation.com.bd/pay/1",
        "https://paystation.com.bd.evil.example/pay/1",
        "https://evilpaystation.com.bd/pay/1",
        "https://paystation.com.bd@evil.example/pay/1",
        "https://evil.example\\@paystation.com.bd/pay/1",
        "https://paystation.com.bd/a\nb",
        "//paystation.com.bd/pay/1",
        "javascript:alert(1)",
        "https://[paystation.com.bd/pay",
        "https://paystation.com.bd/" + "x" * 2000,
        "",
    ],
)
def test_a_page_elsewhere_is_refused(wire: responses.RequestsMock, url: str) -> None:
    wire.post(OPEN, **opened(payment_url=url))

    with pytest.raises(Misconfigured, match="PAYSTATION_PAGE_HOST"):
        gateway().open_session(REQUEST)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://paystation.com.bd/pay?x=1", "paystation.com.bd"),
        ("https://WWW.PayStation.com.bd", "paystation.com.bd"),
        ("http://127.0.0.1:8123/paystation/pay/1", "127.0.0.1"),
        ("http://localhost:8123/paystation/pay/1", "localhost"),
    ],
)
def test_a_page_on_the_host_is_taken(wire: responses.RequestsMock, url: str, host: str) -> None:
    wire.post(OPEN, **opened(payment_url=url))

    assert gateway(page_host=host).open_session(REQUEST).redirect_url == url


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused("1008"), Declined),
        (refused(1008), Declined),
        (refused("4711", "The field cust_phone is required"), Declined),
        (refused("1001"), Misconfigured),
        (refused(1001), Misconfigured),
        (refused("2001"), Misconfigured),
        (refused("500"), OutcomeUnknown),
        (refused(""), OutcomeUnknown),
        (refused(None), OutcomeUnknown),
        ({"json": {"status_code": "4711", "status": "success"}}, OutcomeUnknown),
        (opened(payment_url=None), OutcomeUnknown),
        (opened(invoice_number="BDV-99999999-1"), OutcomeUnknown),
        ({**opened(), "status": 404}, OutcomeUnknown),
        ({"status": 404, "body": "not found"}, OutcomeUnknown),
        ({"status": 403}, Misconfigured),
    ],
)
def test_codes_of_create(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    wire.post(OPEN, **answer)

    with pytest.raises(kind):
        gateway().open_session(REQUEST)


def test_a_refusal_keeps_code_and_words(wire: responses.RequestsMock) -> None:
    wire.post(OPEN, **refused("4711", "The field\n is required" + "!" * 900))

    with pytest.raises(Declined) as caught:
        gateway().open_session(REQUEST)

    assert caught.value.raw_code == "4711"
    assert caught.value.message.startswith("4711 The field is required!!!")
    assert len(caught.value.message) < 250


def test_a_return_says_nothing_but_which_payment() -> None:
    query = {"status": "Successful", "invoice_number": REFERENCE, "trx_id": "FORGED"}

    claim = gateway().read_callback(query=query, body=b"", content_type="")

    assert claim == Claim(reference=REFERENCE)


def test_who_bears_the_fee_must_be_said(settings: Any) -> None:
    settings.PAYSTATION_PAY_WITH_CHARGE = "2"

    with pytest.raises(Misconfigured, match="PAYSTATION_PAY_WITH_CHARGE"):
        PayStationGateway.from_settings(4.0)

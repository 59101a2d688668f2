"""PayStation, by canned answers; section numbers are those of contract page paystation."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

import pytest
import responses

from core.http import Outbound
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from payments.gateways.base import Claim, Known, Outcome, PaymentGateway
from payments.gateways.paystation import PayStationGateway
from payments.gateways.tests.contract import (
    AMOUNT,
    REFERENCE,
    REQUEST,
    Canned,
    GatewayContract,
    known,
)

BASE: Final = "https://api.paystation.test"
OPEN: Final = f"{BASE}/initiate-payment"
STATUS: Final = f"{BASE}/transaction-status"
PAGE: Final = "https://www.paystation.com.bd/pay/1747206891"


def opened(**changes: object) -> dict[str, Any]:
    body = {
        "status_code": "200",
        "status": "success",
        "message": "Payment Link Created Successfully.",
        "payment_amount": "1500",
        "invoice_number": REFERENCE,
        "payment_url": PAGE,
    }
    return {"json": body | changes}


def refused(code: object, message: str = "No.") -> dict[str, Any]:
    return {"json": {"status_code": code, "status": "failed", "message": message}}


def found(*, code: object = "200", **changes: object) -> dict[str, Any]:
    """A status answer; a member given as None is left out."""
    data: dict[str, object] = {
        "invoice_number": REFERENCE,
        "trx_status": "Success",
        "trx_id": "10XB9900",
        "payment_amount": "1500.00",
        "payment_method": "bKash",
        "order_date_time": "2026-04-27 20:00:00",
        "payer_mobile_no": "01712345678",
        "cust_phone": "01712345678",
    }
    data = {name: value for name, value in (data | changes).items() if value is not None}
    envelope = {"status_code": code, "status": "success", "message": "Transaction found"}
    return {"json": {**envelope, "data": data}}


OPENING: Final = {
    "opened": opened(),
    "refused": refused("1008", "Invoice number already used"),
    "bad_credentials": refused("1001", "Invalid Credential."),
}
VERIFYING: Final = {
    "paid": found(),
    "paid_wrong_sum": found(payment_amount="15.00"),
    "paid_without_transaction": found(trx_id=None),
    "not_paid_yet": found(trx_status="Processing", trx_id=None),
    "given_up": found(trx_status="Canceled", trx_id=None),
    "foreign": found(invoice_number="BDV-48213378-1"),
    "unknown_status": found(trx_status="Reversing"),
    "bad_credentials": refused("1001", "Invalid Credential."),
}


def gateway(**changes: Any) -> PayStationGateway:
    made = PayStationGateway(
        out=Outbound("paystation"),
        base_url=BASE,
        merchant_id="104-1653730183",
        password="very-secret-password",
        page_host="paystation.com.bd",
        pay_with_charge="0",
    )
    return replace(made, **changes)


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def verify_with(wire: responses.RequestsMock, answer: dict[str, Any], **changes: Any) -> Any:
    wire.post(STATUS, **answer)
    return gateway(**changes).verify(known(REFERENCE))


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


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Success", Outcome.PAID),
        ("success", Outcome.PAID),
        ("Successful", Outcome.PAID),
        ("Processing", Outcome.PENDING),
        ("pending", Outcome.PENDING),
        ("Initiated", Outcome.PENDING),
        ("Failed", Outcome.FAILED),
        ("failed", Outcome.FAILED),
        ("Cancelled", Outcome.CANCELLED),
        ("canceled", Outcome.CANCELLED),
        ("expired", Outcome.CANCELLED),
        ("refund", Outcome.UNKNOWN),
        ("Refunded", Outcome.UNKNOWN),
        ("", Outcome.UNKNOWN),
        ("null", Outcome.UNKNOWN),
        (True, Outcome.UNKNOWN),
        (["success"], Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize("code", ["200", 200])
def test_states(
    wire: responses.RequestsMock, status: object, outcome: Outcome, code: object
) -> None:
    assert verify_with(wire, found(code=code, trx_status=status)).outcome is outcome


def test_a_refund_calls_for_a_person(wire: responses.RequestsMock) -> None:
    verdict = verify_with(wire, found(trx_status="refund"))

    assert "person" in verdict.reason
    assert verdict.evidence["trx_status"] == "refund"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (refused("1006"), Outcome.PENDING),
        (refused(1006), Outcome.PENDING),
        (refused("2001"), Outcome.UNKNOWN),
        (refused("4711"), Outcome.UNKNOWN),
        ({**found(), "status": 404}, Outcome.UNKNOWN),
        ({"json": {"status_code": "200", "status": "success"}}, Outcome.UNKNOWN),
        ({"json": {"status_code": "200", "data": None}}, Outcome.UNKNOWN),
        ({"json": {"status_code": "200", "data": []}}, Outcome.UNKNOWN),
        (found(invoice_number=None), Outcome.UNKNOWN),
        (found(invoice_number=REFERENCE.lower()), Outcome.FOREIGN),
    ],
)
def test_codes_of_status(
    wire: responses.RequestsMock, answer: dict[str, Any], outcome: Outcome
) -> None:
    assert verify_with(wire, answer).outcome is outcome


@pytest.mark.parametrize(
    ("charge", "sums", "amount"),
    [
        ("0", {"payment_amount": "1500"}, AMOUNT),
        ("0", {"payment_amount": 1500.0}, AMOUNT),
        ("0", {"payment_amount": "1527.75"}, AMOUNT),  # with the fee on top
        ("0", {"payment_amount": "1499.99"}, Decimal("1499.99")),
        ("1", {"payment_amount": "1527.75"}, Decimal("1527.75")),
        ("0", {"payment_amount": "1527.75", "request_amount": "1500.00"}, AMOUNT),
        ("0", {"payment_amount": "1527.75", "request_amount": "1400"}, Decimal("1400.00")),
        ("1", {"payment_amount": None, "trx_amount": 1500}, AMOUNT),
    ],
)
def test_the_amount_is_what_was_asked_for(
    wire: responses.RequestsMock, charge: str, sums: dict[str, object], amount: Decimal
) -> None:
    verdict = verify_with(wire, found(**sums), pay_with_charge=charge)

    assert (verdict.outcome, verdict.amount) == (Outcome.PAID, amount)


@pytest.mark.parametrize(
    "amount", ["", None, "NaN", "1e3", "-1500", "1,500", "1_500", "1499.999", True, [1500], "௧"]
)
def test_no_amount_is_not_paid(wire: responses.RequestsMock, amount: object) -> None:
    assert verify_with(wire, found(payment_amount=amount)).outcome is Outcome.UNKNOWN


def test_the_question_and_what_is_kept_of_the_answer(wire: responses.RequestsMock) -> None:
    verdict = verify_with(wire, found())

    request = wire.calls[0].request
    assert request.headers["merchantId"] == "104-1653730183"
    assert request.body == f"invoice_number={REFERENCE}"
    assert verdict.gateway_transaction_id == "10XB9900"
    assert dict(verdict.evidence) == {
        "trx_status": "Success",
        "trx_id": "10XB9900",
        "payment_amount": "1500.00",
        "payment_method": "bKash",
        "order_date_time": "2026-04-27 20:00:00",
    }


def test_json_called_html_is_still_json(wire: responses.RequestsMock) -> None:
    answer = {"body": json.dumps(found()["json"]), "content_type": "text/html"}

    assert verify_with(wire, answer).outcome is Outcome.PAID


def test_an_unreadable_status_is_asked_again(wire: responses.RequestsMock) -> None:
    with pytest.raises(Unavailable):
        verify_with(wire, {"body": "<h1>Bad gateway</h1>"})


def test_a_return_says_nothing_but_which_payment() -> None:
    query = {"status": "Successful", "invoice_number": REFERENCE, "trx_id": "FORGED"}

    claim = gateway().read_callback(query=query, body=b"", content_type="")

    assert claim == Claim(reference=REFERENCE)


def test_who_bears_the_fee_must_be_said(settings: Any) -> None:
    settings.PAYSTATION_PAY_WITH_CHARGE = "2"

    with pytest.raises(Misconfigured, match="PAYSTATION_PAY_WITH_CHARGE"):
        PayStationGateway.from_settings(4.0)

"""SSLCommerz, by canned answers; section numbers are those of contract page sslcommerz."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from core.providers import Declined, Misconfigured, OutcomeUnknown
from payments.gateways.base import Claim, Known, PaymentGateway
from payments.gateways.sslcommerz import SslCommerzGateway
from payments.gateways.sslcommerz_wire import signed_fields
from payments.gateways.tests.canned import REFERENCE, REQUEST
from payments.gateways.tests.contract import GatewayContract
from payments.gateways.tests.sslcommerz_answers import (
    KEY,
    OPEN,
    OPENING,
    PAGE,
    PASSWORD,
    VAL,
    VALIDATE,
    CannedSslCommerz,
    attempt,
    form,
    found,
    gateway,
    opened,
    post_of,
    refused,
    signed,
    validated,
    verify_with,
)

#: Section 4, the vector of the contract page.
VECTOR = {
    "amount": "100.00",
    "currency": "BDT",
    "status": "VALID",
    "store_id": "teststore",
    "tran_id": "ORD-1",
    "val_id": "V1",
    "verify_key": "amount,currency,status,store_id,tran_id,val_id",
}
MD5 = "1363cc731faddc489f40d7f7c93bd2dc"
SHA2 = "fbfcf19207042448a3eba740746deffe3002ff83da1f7c4135679ff55f2d4bfb"


class TestSslCommerz(GatewayContract):
    secrets = (PASSWORD,)
    needed = ("SSLCOMMERZ_BASE_URL", "SSLCOMMERZ_STORE_ID", "SSLCOMMERZ_STORE_PASSWORD")

    @pytest.fixture
    def world(self, wire: responses.RequestsMock) -> CannedSslCommerz:
        return CannedSslCommerz(
            wire,
            gateway(),
            open_url=OPEN,
            opening=OPENING,
            verify_url=VALIDATE,
            verifying={},
            gateway_reference=KEY,
        )

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        paid = signed(post_of(payment.reference))
        gone = signed(
            {"tran_id": payment.reference, "status": "CANCELLED", "store_id": "teststore"}
        )
        as_query = {"query": paid, "body": b"", "content_type": "multipart/form-data"}
        return [form(paid), form(gone), as_query]

    def from_settings(self) -> PaymentGateway:
        return SslCommerzGateway.from_settings(4.0)


# Opening.


def test_the_order_as_it_is_sent(wire: responses.RequestsMock) -> None:
    wire.post(OPEN, **opened())
    request = replace(REQUEST, notice_url="https://shop.example/api/v1/payments/sslcommerz/ipn")

    session = gateway().open_session(request)

    sent = parse_qs(wire.calls[0].request.body, strict_parsing=True)
    back = "https://shop.example/api/v1/payments/gateway/callback"
    assert {name: value for name, (value,) in sent.items()} == {
        "store_id": "teststore",
        "store_passwd": PASSWORD,
        "total_amount": "1500.00",
        "currency": "BDT",
        "tran_id": REFERENCE,
        "product_category": "voucher",
        "success_url": back,
        "fail_url": back,
        "cancel_url": back,
        "ipn_url": "https://shop.example/api/v1/payments/sslcommerz/ipn",
        "cus_name": "Rahima Begum",
        "cus_email": "rahima@example.com",
        "cus_add1": "N/A",
        "cus_city": "Dhaka",
        "cus_postcode": "1000",
        "cus_country": "Bangladesh",
        "cus_phone": "01712345678",
        "shipping_method": "NO",
        "num_of_item": "1",
        "product_name": "Order 48213377",
        "product_profile": "non-physical-goods",
    }
    assert (session.redirect_url, session.gateway_reference) == (PAGE, KEY)


def test_what_is_missing_or_long_is_sent_within_the_limits(wire: responses.RequestsMock) -> None:
    wire.post(OPEN, **opened())
    request = replace(
        REQUEST, customer_name="", description="x" * 300, customer_msisdn="", amount=Decimal("99.5")
    )

    gateway().open_session(request)

    sent = parse_qs(wire.calls[0].request.body)
    assert (sent["cus_name"], sent["total_amount"]) == (["Customer"], ["99.50"])
    assert len(sent["product_name"][0]) == 255
    assert "cus_phone" not in sent
    assert sent["ipn_url"] == sent["success_url"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused("Invalid amount!"), Declined),
        (refused(""), Declined),
        (refused("Store Credential Error Or Store is De-active"), Misconfigured),
        (refused("", status="PENDING"), OutcomeUnknown),
        (refused("", status=""), OutcomeUnknown),
        (opened(sessionkey=""), OutcomeUnknown),
        (opened(sessionkey=["x"]), OutcomeUnknown),
        (opened(sessionkey="a b"), OutcomeUnknown),
        (opened(GatewayPageURL=""), OutcomeUnknown),
        (opened(GatewayPageURL=None), OutcomeUnknown),
        ({**opened(), "status": 404}, OutcomeUnknown),
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, OutcomeUnknown),
        ({"status": 403}, Misconfigured),
    ],
)
def test_answers_to_open(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    wire.post(OPEN, **answer)

    with pytest.raises(kind):
        gateway().open_session(REQUEST)


@pytest.mark.parametrize(
    "url",
    [
        "http://sandbox.sslcommerz.com/pay",
        "https://user@evil.example/pay",
        "https://evil.example\\@sslcommerz.com",
        "//sslcommerz.com/pay",
        "javascript:alert(1)",
        "https://sslcommerz.com/a\nb",
    ],
)
def test_a_page_that_is_no_safe_address_is_refused(wire: responses.RequestsMock, url: str) -> None:
    wire.post(OPEN, **opened(GatewayPageURL=url))

    with pytest.raises(Misconfigured, match="GatewayPageURL"):
        gateway().open_session(REQUEST)


def test_a_page_of_a_simulator_is_taken(wire: responses.RequestsMock) -> None:
    wire.post(OPEN, **opened(GatewayPageURL="http://127.0.0.1:8100/sslcommerz/pay/1"))

    assert gateway().open_session(REQUEST).redirect_url.startswith("http://127.0.0.1")


# Signatures, section 4.


@pytest.mark.parametrize(
    "given",
    [
        {"verify_sign": MD5, "verify_sign_sha2": SHA2},
        {"verify_sign": MD5},
        {"verify_sign_sha2": SHA2},
        {"verify_sign": MD5, "error": "not covered", "card_sub_brand": "x"},
    ],
)
def test_the_vector_of_the_contract(given: dict[str, str]) -> None:
    covered = signed_fields(VECTOR | given, "secret")

    assert covered == {name: VECTOR[name] for name in VECTOR["verify_key"].split(",")}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"verify_sign": ""},
        {"verify_sign": MD5[:-1] + "0"},
        {"verify_sign": MD5.upper()},
        {"verify_sign": MD5, "verify_sign_sha2": "0" * 64},
        {"verify_sign": "0" * 32, "verify_sign_sha2": SHA2},
        {"verify_sign": MD5, "amount": "1.00"},
        {"verify_sign": MD5, "tran_id": "ORD-2"},
        {"verify_sign": MD5, "verify_key": ""},
        {"verify_sign": MD5, "verify_key": VECTOR["verify_key"] + ",bank_tran_id"},
        {"verify_sign": MD5, "verify_key": VECTOR["verify_key"].replace("tran_id,", "")},
        {"verify_sign": "é", "verify_sign_sha2": "\ud800"},
    ],
)
def test_what_is_not_rightly_signed_covers_nothing(given: dict[str, str]) -> None:
    assert signed_fields(VECTOR | given, "secret") == {}


def test_the_password_of_another_store_signs_nothing_here() -> None:
    given = {"verify_sign": MD5, "verify_sign_sha2": SHA2}

    assert signed_fields(VECTOR | given, "secret2") == {}


# Callbacks, section 3.


def test_a_notice_says_which_payment_and_which_movement() -> None:
    claim = gateway().read_callback(**form(signed(post_of())))

    assert claim == Claim(reference=REFERENCE, gateway_transaction_id=VAL)


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "UNATTEMPTED", "EXPIRED", "ODD", ""])
def test_what_a_notice_says_of_the_money_is_not_in_the_claim(status: str) -> None:
    fields = signed(post_of(status=status, val_id=""))

    assert gateway().read_callback(**form(fields)) == Claim(reference=REFERENCE)


@pytest.mark.parametrize(
    "fields",
    [
        post_of(),
        signed(post_of(), "not-the-password"),
        signed(post_of()) | {"tran_id": "BDV-99999999-1"},
        signed(post_of(), but=("error", "tran_id")),
        signed(post_of("BDV 1")),
        signed(post_of("x" * 300)),
        {},
    ],
    ids=["unsigned", "other store", "changed", "not covered", "blank", "long", "nothing"],
)
def test_a_notice_that_is_not_ours_names_nothing(fields: dict[str, str]) -> None:
    assert gateway().read_callback(**form(fields)) == Claim()
    as_query = {"query": fields, "body": b"", "content_type": ""}
    assert gateway().read_callback(**as_query) == Claim()


def test_the_body_counts_before_the_address() -> None:
    notice = form(signed(post_of())) | {"query": {"tran_id": "BDV-99999999-1", "val_id": "X"}}

    assert gateway().read_callback(**notice).reference == REFERENCE


def test_json_is_no_notice() -> None:
    body = json.dumps(signed(post_of())).encode()

    claim = gateway().read_callback(query={}, body=body, content_type="application/json")

    assert claim == Claim()


def test_the_credentials_go_with_every_question(wire: responses.RequestsMock) -> None:
    verify_with(wire, found(attempt()), validation=validated())

    asked = [parse_qs(urlsplit(call.request.url).query) for call in wire.calls]
    own = {
        "store_id": ["teststore"],
        "store_passwd": [PASSWORD],
        "v": ["1"],
        "format": ["json"],
    }
    assert asked == [{"tran_id": [REFERENCE], **own}, {"val_id": [VAL], **own}]

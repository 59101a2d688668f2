"""Reloadly, by canned answers; section numbers are those of contract page reloadly."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses

from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from core.tests.wire import whole_text
from fulfillment.partners.base import Anomaly, AtWork, IssuedCode, Offer, VoucherPartner
from fulfillment.partners.reloadly import ReloadlyPartner
from fulfillment.partners.tests.contract import REFERENCE, PartnerContract
from fulfillment.partners.tests.reloadly_wire import (
    BALANCE,
    BEARER,
    GRANTED,
    NUMBER,
    OFFER,
    ORDERS,
    REPORT,
    SECRET,
    TOKEN,
    CannedReloadly,
    buy,
    card,
    look,
    page,
    refused,
    reloadly,
    row,
    said,
)


class TestReloadly(PartnerContract):
    secrets = (SECRET, BEARER, NUMBER)
    needed = (
        "RELOADLY_BASE_URL",
        "RELOADLY_AUTH_URL",
        "RELOADLY_AUDIENCE",
        "RELOADLY_CLIENT_ID",
        "RELOADLY_CLIENT_SECRET",
    )
    clear_to_a_look = frozenset({"a_list"})  # section 1: lists may come as plain arrays

    @pytest.fixture
    def world(self, wire: responses.RequestsMock) -> CannedReloadly:
        return CannedReloadly(wire)

    def from_settings(self) -> VoucherPartner:
        return ReloadlyPartner.from_settings(4.0)


def sent(wire: responses.RequestsMock, number: int) -> Any:
    return json.loads(wire.calls[number].request.body)


# What is sent (sections 1 and 3).


def test_the_token_and_the_order(wire: responses.RequestsMock) -> None:
    buy(wire, said("PENDING"))

    assert sent(wire, 0) == {
        "client_id": "client",
        "client_secret": SECRET,
        "grant_type": "client_credentials",
        "audience": "https://giftcards.reloadly.com",
    }
    headers = wire.calls[1].request.headers
    assert headers["Authorization"] == f"Bearer {BEARER}"
    assert headers["Accept"] == "application/com.reloadly.giftcards-v1+json"
    assert sent(wire, 1) == {
        "productId": 18,
        "quantity": 1,
        "unitPrice": 25.5,
        "senderName": "Shop",
        "customIdentifier": REFERENCE,
        "preOrder": False,
    }
    assert len(wire.calls) == 2


def test_only_an_input_mapped_to_the_users_id_is_sent(wire: responses.RequestsMock) -> None:
    offer = Offer("18", Decimal(5), {"field_map": {"player_id": "userId"}})

    buy(wire, said("PENDING"), offer=offer, player_id="5512", email="buyer@example.com")

    assert sent(wire, 1)["productAdditionalRequirements"] == {"userId": "5512"}
    assert "buyer@example.com" not in str(wire.calls[1].request.body)


@pytest.mark.parametrize(
    ("reference", "offer"),
    [
        ("", OFFER),
        ("BDV-1", OFFER),
        ("x" * 151, OFFER),
        (REFERENCE, Offer("AMAZON", Decimal(5))),
        (REFERENCE, Offer("18")),
        (REFERENCE, Offer("18", Decimal(0))),
    ],
)
def test_what_cannot_be_ordered_is_not_sent(
    wire: responses.RequestsMock, reference: str, offer: Offer
) -> None:
    with pytest.raises(Misconfigured):
        reloadly().purchase(reference=reference, offer=offer, inputs={})

    assert len(wire.calls) == 0


# The token (section 1).


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 401, "json": {"error": "access_denied"}}, Misconfigured),
        ({"status": 403, "json": {}}, Misconfigured),
        ({"status": 500}, Unavailable),
        ({"status": 429, "headers": {"Retry-After": "9"}}, Unavailable),
        ({"body": "<h1>Bad gateway</h1>"}, Unavailable),
        ({"json": {"expires_in": 60}}, Unavailable),
        ({"json": {"access_token": 7}}, Unavailable),
        ({"body": requests.ReadTimeout("no answer")}, Unavailable),
    ],
)
def test_without_a_token_nothing_is_bought(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    wire.post(TOKEN, **answer)
    wire.post(ORDERS, **said())

    with pytest.raises(kind):
        reloadly().purchase(reference=REFERENCE, offer=OFFER, inputs={})

    assert [call.request.url for call in wire.calls] == [TOKEN]


def test_one_token_for_many_calls(wire: responses.RequestsMock) -> None:
    buy(wire, said("PENDING"))
    reloadly().lookup(reference=REFERENCE)
    reloadly().lookup(reference=REFERENCE)

    assert [call.request.url for call in wire.calls].count(TOKEN) == 1


def test_a_token_at_its_end_is_replaced(wire: responses.RequestsMock) -> None:
    wire.post(TOKEN, json={"access_token": "short", "expires_in": 0})
    wire.get(REPORT, **page())
    reloadly().lookup(reference=REFERENCE)

    time.sleep(1.0)
    wire.replace(responses.POST, TOKEN, **GRANTED)
    reloadly().lookup(reference=REFERENCE)

    assert wire.calls[-1].request.headers["Authorization"] == f"Bearer {BEARER}"


# What the first answer says (section 3).


@pytest.mark.parametrize("status", ["FAILED", "REFUNDED"])
def test_failed_at_once(wire: responses.RequestsMock, status: str) -> None:
    with pytest.raises(Declined) as caught:
        buy(wire, said(status))

    assert caught.value.raw_code == status
    assert ("still to come back" in caught.value.message) is (status == "FAILED")


@pytest.mark.parametrize(
    "answer",
    [
        said("SHIPPED"),
        said(""),
        said(customIdentifier="48213377I7U2T1"),
        said(customIdentifier=REFERENCE.lower()),
        said(customIdentifier=None),
        said(transactionId=None),
        said(transactionId=True),
        {"json": [row()]},
        {"json": {"status": "SUCCESSFUL"}},
    ],
)
def test_an_unclear_first_answer(wire: responses.RequestsMock, answer: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        buy(wire, answer)


@pytest.mark.parametrize(
    ("wallet", "cost"),
    [
        ({"balanceInfo": {"cost": 9.12345, "currencyCode": "USD"}}, Decimal("9.12345")),
        ({"balaneInfo": {"cost": 9, "currencyCode": "USD"}}, Decimal(9)),
        ({"balanceInfo": {"cost": "9", "currencyCode": "USD"}}, None),
        ({"balanceInfo": None}, None),
        ({"amount": 9.12, "currencyCode": "USD"}, None),
    ],
)
def test_the_cost_is_what_the_wallet_paid(
    wire: responses.RequestsMock, wallet: dict[str, Any], cost: Decimal | None
) -> None:
    issued = buy(wire, said(**wallet))

    assert isinstance(issued, IssuedCode)
    assert (issued.cost, issued.cost_currency) == (cost, "USD" if cost else "")


# Refusals (sections 5 and 6).


@pytest.mark.parametrize(
    ("answer", "kind", "raw_code"),
    [
        (refused(400, None, "Out of stock"), Declined, "400"),
        (refused(400, "WRONG_PRODUCT_PRICE"), Declined, "WRONG_PRODUCT_PRICE"),
        (refused(400, "INSUFFICIENT_BALANCE"), Declined, "INSUFFICIENT_BALANCE"),
        (refused(422, None, "Not here"), Declined, "422"),
        ({"status": 415, "json": {"timestamp": 1, "error": "Bad type"}}, Declined, "415"),
        (refused(400, "CUSTOM_IDENTIFIER_ALREADY_USED"), OutcomeUnknown, None),
        (refused(400, None, "Custom identifier was used before"), OutcomeUnknown, "400"),
        (refused(400, "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT"), OutcomeUnknown, None),
        (refused(400, None, "It cannot be processed at the moment"), OutcomeUnknown, "400"),
        (refused(409, None, "Conflict"), OutcomeUnknown, "409"),
        (refused(408, None, "Too slow"), OutcomeUnknown, "408"),
        ({"status": 400, "json": {"message": "No"}}, OutcomeUnknown, "400"),
        ({"status": 400, "json": {"errorCode": None}}, OutcomeUnknown, "400"),
        ({"status": 400, "body": "<h1>No</h1>"}, OutcomeUnknown, "400"),
    ],
)
def test_a_refusal_of_an_identifier_that_is_not_known(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception], raw_code: str
) -> None:
    with pytest.raises(kind) as caught:
        buy(wire, answer)

    expected = raw_code or answer["json"]["errorCode"]
    assert caught.value.raw_code == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "answer",
    [refused(400, "CUSTOM_IDENTIFIER_ALREADY_USED"), refused(400, "INSUFFICIENT_BALANCE")],
)
def test_a_refused_identifier_that_is_known_is_followed(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    assert buy(wire, answer, then=page(row("PROCESSING"))) == AtWork("PROCESSING")


@pytest.mark.parametrize(
    "then", [{"status": 500}, {"status": 403}, {"status": 429}, {"body": "<h1>Bad gateway</h1>"}]
)
def test_a_refusal_that_cannot_be_checked_stays_unknown(
    wire: responses.RequestsMock, then: dict[str, Any]
) -> None:
    with pytest.raises(OutcomeUnknown):
        buy(wire, refused(400, "WRONG_PRODUCT_PRICE"), then=then)


# The report (section 5).


def test_the_window_is_wide(wire: responses.RequestsMock) -> None:
    assert look(wire, page()) is None

    query = wire.calls[1].request.params
    assert query["customIdentifier"] == REFERENCE
    assert query["startDate"] < "2099"
    assert query["page"] == "1"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (page(row(customIdentifier=REFERENCE.lower())), None),
        (page(row(customIdentifier=f"{REFERENCE}2")), None),
        (refused(404, "TRANSACTION_NOT_FOUND"), None),
        ({"json": []}, None),
        ({"json": [row("PENDING")]}, AtWork("PENDING")),
        (page(row("REFUNDED", transactionId=5), row("PENDING")), AtWork("PENDING")),
    ],
)
def test_what_the_report_says(
    wire: responses.RequestsMock, answer: dict[str, Any], found: AtWork | None
) -> None:
    assert look(wire, answer) == found


@pytest.mark.parametrize(
    "answer",
    [
        page(row("SHIPPED")),
        page({"transactionId": 77}),
        {"json": {"content": {}}},
        refused(404, None),
        refused(400, "INVALID_INPUT_PROVIDED"),
        page(row(customIdentifier="other"), last=False),
    ],
)
def test_an_unclear_report(wire: responses.RequestsMock, answer: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        look(wire, answer)


# Cards (section 4).


@pytest.mark.parametrize(
    ("cards", "goods"),
    [
        (card("0012", "007"), ("0012", "007", "")),
        ({"body": '[{"cardNumber": 12345678901234567890, "pinCode": 7}]'},
         ("12345678901234567890", "7", "")),
        (card(" A B ", None), ("A B", "", "")),
        (card(None, "PIN-ONLY"), ("PIN-ONLY", "", "")),
        (card("https://redeem.example/A", "9"), ("", "9", "https://redeem.example/A")),
        (card("C-1", None, redemptionUrl="https://redeem.example/A"),
         ("C-1", "", "https://redeem.example/A")),
        (card("C-1", None, redemptionUrl="javascript:alert(1)"), ("C-1", "", "")),
    ],
)  # fmt: skip
def test_goods(
    wire: responses.RequestsMock, cards: dict[str, Any], goods: tuple[str, str, str]
) -> None:
    issued = look(wire, page(row()), cards)

    assert isinstance(issued, IssuedCode)
    assert (issued.code, issued.pin, issued.redemption_url) == goods


@pytest.mark.parametrize("cards", [card(None, None), card("", " "), card(True, {}), {"json": [{}]}])
def test_a_card_with_nothing_in_it_is_held(
    wire: responses.RequestsMock, cards: dict[str, Any]
) -> None:
    with pytest.raises(Anomaly, match="77"):
        look(wire, page(row()), cards)


@pytest.mark.parametrize(
    "cards",
    [
        {"status": 404, "json": {"message": "Gift Card transaction not found"}},
        {"json": []},
        {"status": 404, "body": "<h1>Not found</h1>"},
        {"status": 500},
        {"status": 401},
        {"body": "[{"},
    ],
)
def test_bought_and_no_cards_yet(wire: responses.RequestsMock, cards: dict[str, Any]) -> None:
    """A refusal here never reads as a refusal of the order."""
    assert buy(wire, said(), cards=cards) == AtWork("SUCCESSFUL")


# The wallet.


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"balance": "1", "currencyCode": "USD"}},
        {"json": {"balance": 1}},
        {"json": {"balance": True, "currencyCode": "USD"}},
        {"json": [1]},
        {"body": "<h1>Bad gateway</h1>"},
        {"status": 500},
    ],
)
def test_an_unclear_balance(wire: responses.RequestsMock, answer: dict[str, Any]) -> None:
    wire.post(TOKEN, **GRANTED)
    wire.get(BALANCE, **answer)

    with pytest.raises(Unavailable):
        reloadly().balance()


def test_no_code_in_an_unclear_answer(
    wire: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(OutcomeUnknown) as caught:
        buy(wire, said("SHIPPED", code=NUMBER))

    shown = whole_text(caught.value) + caplog.text
    assert [secret for secret in (NUMBER, SECRET, BEARER) if secret in shown] == []

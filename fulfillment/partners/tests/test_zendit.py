"""Zendit, by canned answers; section numbers are those of contract page zendit."""

import json
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses

from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from core.tests.wire import whole_text
from fulfillment.partners.base import Anomaly, AtWork, IssuedCode, Offer, VoucherPartner
from fulfillment.partners.tests.contract import REFERENCE, Canned, PartnerContract
from fulfillment.partners.tests.zendit_answers import (
    BALANCE,
    BUYING,
    EPIN,
    KEY,
    LOOKING,
    ONE,
    PURCHASES,
    WALLET,
    at_work,
    buy,
    done,
    failed,
    refused,
    zendit,
)
from fulfillment.partners.zendit import ZenditPartner


class TestZendit(PartnerContract):
    secrets = (KEY, EPIN)
    needed = ("ZENDIT_BASE_URL", "ZENDIT_API_KEY")

    @pytest.fixture
    def world(self, wire: responses.RequestsMock) -> Canned:
        return Canned(
            wire,
            zendit(),
            purchase_url=PURCHASES,
            buying=BUYING,
            lookup_url=ONE,
            looking=LOOKING,
            wallet_url=BALANCE,
            wallet=(*WALLET, (Decimal("1250.50"), "USD")),
        )

    def from_settings(self) -> VoucherPartner:
        return ZenditPartner.from_settings(4.0)


# The purchase as it is sent (section 3).


def sent(wire: responses.RequestsMock) -> Any:
    return json.loads(wire.calls[0].request.body)


def test_a_fixed_offer(wire: responses.RequestsMock) -> None:
    assert buy(wire, at_work()) == AtWork("ACCEPTED")

    assert len(wire.calls) == 1
    assert wire.calls[0].request.headers["Authorization"] == f"Bearer {KEY}"
    assert sent(wire) == {"offerId": "OFFER", "transactionId": REFERENCE}


def test_inputs_become_fields_under_the_offers_keys(wire: responses.RequestsMock) -> None:
    offer = Offer("OFFER", extra={"field_map": {"player_id": "recipient.accountId"}})

    buy(wire, at_work(), offer=offer, player_id="5512", zone="2001")

    assert sent(wire)["fields"] == [
        {"key": "recipient.accountId", "value": "5512"},
        {"key": "zone", "value": "2001"},
    ]


@pytest.mark.parametrize(
    ("value", "divisor", "units"),
    [("10.00", 100, 1000), ("10", 1, 10), ("0.125", 1000, 125), ("25.5", 10, 255)],
)
def test_a_range_offer_has_a_value_in_its_own_minor_units(
    wire: responses.RequestsMock, value: str, divisor: int, units: int
) -> None:
    buy(wire, at_work(), offer=Offer("OFFER", Decimal(value), {"divisor": divisor}))

    assert sent(wire)["value"] == {"type": "ZEND", "value": units}


@pytest.mark.parametrize("divisor", [None, 0, -1, "100", True, 100.0, 10])
def test_a_value_without_a_usable_divisor_is_not_sent(
    wire: responses.RequestsMock, divisor: object
) -> None:
    offer = Offer("OFFER", Decimal("10.55"), {"divisor": divisor})

    with pytest.raises(Misconfigured, match="OFFER"):
        buy(wire, at_work(), offer=offer)

    assert len(wire.calls) == 0


@pytest.mark.parametrize("reference", ["", "BDV-1", "x" * 33, "../balance", "a b"])
def test_an_impossible_reference_is_not_sent(wire: responses.RequestsMock, reference: str) -> None:
    with pytest.raises(Misconfigured):
        zendit().purchase(reference=reference, offer=Offer("OFFER"), inputs={})

    assert len(wire.calls) == 0


# What the first answer says.


@pytest.mark.parametrize("status", ["ACCEPTED", "PENDING", "AUTHORIZED", "IN_PROGRESS"])
def test_at_work(wire: responses.RequestsMock, status: str) -> None:
    assert buy(wire, at_work(status)) == AtWork(status)


def test_done_at_once(wire: responses.RequestsMock) -> None:
    assert buy(wire, done()) == IssuedCode(
        code=EPIN,
        serial_number="S-1",
        partner_transaction_id="C-77",
        cost=Decimal("9.125"),
        cost_currency="USD",
    )


@pytest.mark.parametrize("status", ["FAILED", "FAIL"])
def test_failed_at_once(wire: responses.RequestsMock, status: str) -> None:
    with pytest.raises(Declined) as caught:
        buy(wire, failed(status=status))

    assert caught.value.raw_code == "INSUFFICIENT_FUNDS"
    assert caught.value.message == "INSUFFICIENT_FUNDS Wallet is empty"


def test_done_at_once_without_goods(wire: responses.RequestsMock) -> None:
    with pytest.raises(Anomaly):
        buy(wire, done(receipt={}))


@pytest.mark.parametrize(
    "answer",
    [
        at_work("SHIPPED"),
        at_work("done"),
        at_work(""),
        at_work(transactionId="48213377I7U2T1"),
        at_work(transactionId=None),
        {"json": {"transactionId": REFERENCE}},
        refused(200, "SYSTEM_UNAVAILABLE"),
    ],
)
def test_an_unclear_first_answer(wire: responses.RequestsMock, answer: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        buy(wire, answer)


# Refusals (section 7; "POST with a used id").


@pytest.mark.parametrize(
    ("answer", "kind", "raw_code"),
    [
        (refused(404, "NOT_FOUND"), Declined, "NOT_FOUND"),
        (refused(404, "NOT_FOUND", "Offer does not exist"), Declined, "NOT_FOUND"),
        (refused(400, "INVALID_REQUEST"), Declined, "INVALID_REQUEST"),
        (
            refused(400, "INVALID_REQUEST", fields={"transactionId": "must be unique"}),
            OutcomeUnknown,
            "INVALID_REQUEST",
        ),
        (refused(400, "INVALID_REQUEST", "Duplicate"), OutcomeUnknown, "INVALID_REQUEST"),
        (refused(409, "CONFLICT"), OutcomeUnknown, "CONFLICT"),
        (refused(409, "INVALID_REQUEST"), OutcomeUnknown, "INVALID_REQUEST"),
        (refused(400, "OUT_OF_STOCK"), OutcomeUnknown, "OUT_OF_STOCK"),
        (refused(422, ""), OutcomeUnknown, "422"),
        ({"status": 404, "body": "<h1>Not found</h1>"}, OutcomeUnknown, "404"),
    ],
)
def test_a_refusal_of_an_id_that_is_not_known(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception], raw_code: str
) -> None:
    with pytest.raises(kind) as caught:
        buy(wire, answer)

    assert caught.value.raw_code == raw_code  # type: ignore[attr-defined]
    assert [call.request.method for call in wire.calls] == ["POST", "GET"]


@pytest.mark.parametrize(
    "answer",
    [refused(409, "CONFLICT"), refused(404, "NOT_FOUND"), refused(400, "INVALID_REQUEST")],
)
def test_a_refused_id_that_is_known_is_followed(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    assert buy(wire, answer, then=at_work("AUTHORIZED")) == AtWork("AUTHORIZED")


def test_a_refused_id_that_was_delivered_gives_its_code(wire: responses.RequestsMock) -> None:
    found = buy(wire, refused(400, "INVALID_REQUEST"), then=done())

    assert isinstance(found, IssuedCode)
    assert found.code == EPIN


def test_a_refused_id_that_failed_is_declined(wire: responses.RequestsMock) -> None:
    with pytest.raises(Declined) as caught:
        buy(wire, refused(400, "INVALID_REQUEST"), then=failed())

    assert caught.value.raw_code == "INSUFFICIENT_FUNDS"


@pytest.mark.parametrize(
    "then", [{"status": 500}, {"status": 401}, {"status": 429}, {"body": "<h1>Bad gateway</h1>"}]
)
def test_a_refusal_that_cannot_be_checked_stays_unknown(
    wire: responses.RequestsMock, then: dict[str, Any]
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        buy(wire, refused(404, "NOT_FOUND"), then=then)

    assert caught.value.raw_code == "NOT_FOUND"


def test_a_refusal_keeps_its_words_for_the_operator(wire: responses.RequestsMock) -> None:
    with pytest.raises(Declined) as caught:
        buy(wire, refused(400, "INVALID_REQUEST", "Bad\n" + "x" * 900, {"sender.msisdn": "?"}))

    assert caught.value.message.startswith("INVALID_REQUEST Badxxx")
    assert caught.value.message.endswith("sender.msisdn")
    assert len(caught.value.message) <= 400


def test_silence_is_not_asked_about_here(wire: responses.RequestsMock) -> None:
    with pytest.raises(OutcomeUnknown):
        buy(wire, {"body": requests.ReadTimeout("no answer")})

    assert len(wire.calls) == 1


# The wallet (section 4).


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"availableBalance": 1, "currency": "USD"}},
        {"json": {"availableBalance": 1, "currency": "", "currencyDivisor": 100}},
        {"json": {"availableBalance": "1", "currency": "USD", "currencyDivisor": 100}},
        {"body": "<h1>Bad gateway</h1>"},
        {"status": 500},
    ],
)
def test_an_unclear_balance(wire: responses.RequestsMock, answer: dict[str, Any]) -> None:
    wire.get(BALANCE, **answer)

    with pytest.raises(Unavailable):
        zendit().balance()


# What is not shown.


def test_no_code_in_an_unclear_answer(
    wire: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    with pytest.raises(OutcomeUnknown) as caught:
        buy(wire, done(transactionId="48213377I7U2T1"))

    shown = whole_text(caught.value) + caplog.text
    assert EPIN not in shown
    assert KEY not in shown

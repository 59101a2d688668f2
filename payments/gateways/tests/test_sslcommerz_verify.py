"""SSLCommerz's answers to our questions, by canned answers; contract page, sections 5, 6 and 8."""

import time
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from core.http import Outbound
from core.providers import Misconfigured, Unavailable
from core.tests.wire import whole_text
from payments.gateways.base import Outcome
from payments.gateways.sslcommerz_wire import SHORTEST_WAIT, Asking, Store
from payments.gateways.tests.canned import AMOUNT, REFERENCE, known
from payments.gateways.tests.sslcommerz_answers import (
    BANK,
    BASE,
    KEY,
    PASSWORD,
    QUERY,
    SHORT,
    VAL,
    VALIDATE,
    attempt,
    failed,
    found,
    gateway,
    says,
    validated,
    verify_with,
)


@pytest.mark.parametrize("status", ["VALID", "VALIDATED"])
@pytest.mark.parametrize("told", ["VALID", "VALIDATED"])
def test_both_words_are_money(wire: responses.RequestsMock, status: str, told: str) -> None:
    verdict = verify_with(wire, found(attempt(status=told)), validation=validated(status=status))

    assert (verdict.outcome, verdict.amount, verdict.currency) == (Outcome.PAID, AMOUNT, "BDT")
    assert (verdict.gateway_transaction_id, verdict.risky) == (VAL, False)
    assert verdict.evidence == {
        "tran_date": "2026-04-27 20:00:00",
        "val_id": VAL,
        "amount": "1500.00",
        "store_amount": "1462.50",
        "currency": "BDT",
        "bank_tran_id": BANK,
        "card_type": "VISA-Dutch Bangla",
        "risk_level": "0",
        "risk_title": "Safe",
    }


@pytest.mark.parametrize(("level", "risky"), [("0", False), ("1", True), ("", True), (None, True)])
def test_risk_holds(wire: responses.RequestsMock, level: str | None, risky: bool) -> None:
    verdict = verify_with(wire, found(attempt()), validation=validated(risk_level=level))

    assert (verdict.outcome, verdict.risky) == (Outcome.PAID, risky)


@pytest.mark.parametrize(
    ("validation", "outcome"),
    [
        ({"json": SHORT}, Outcome.UNKNOWN),
        (validated(status="FAILED"), Outcome.UNKNOWN),
        (validated(status="PENDING"), Outcome.UNKNOWN),
        (validated(status=["VALID"]), Outcome.UNKNOWN),
        (validated(tran_id="BDV-48213378-1"), Outcome.FOREIGN),
        (validated(tran_id=None), Outcome.FOREIGN),
        (validated(val_id="OTHER"), Outcome.FOREIGN),
        (validated(amount=None), Outcome.UNKNOWN),
        (validated(amount="1,500.00"), Outcome.UNKNOWN),
        (validated(currency=None), Outcome.UNKNOWN),
        (says(None, **attempt()), Outcome.UNKNOWN),
        (says("INVALID_REQUEST"), Outcome.UNKNOWN),
        ({**validated(), "status": 404}, Outcome.UNKNOWN),
    ],
)
def test_the_validation_decides(
    wire: responses.RequestsMock, validation: dict[str, Any], outcome: Outcome
) -> None:
    assert verify_with(wire, found(attempt()), validation=validation).outcome is outcome


def test_sum_and_currency_are_reported_exactly(wire: responses.RequestsMock) -> None:
    validation = validated(amount="1499.01", currency="USD")

    verdict = verify_with(wire, found(attempt()), validation=validation)

    assert (verdict.amount, verdict.currency) == (Decimal("1499.01"), "USD")


@pytest.mark.parametrize(
    ("tries", "outcome"),
    [
        ([], Outcome.PENDING),
        ([attempt(status="PENDING", val_id="")], Outcome.PENDING),
        ([attempt(status="CANCELLED")], Outcome.PENDING),
        ([attempt(status="UNATTEMPTED")], Outcome.PENDING),
        ([attempt(status="EXPIRED"), failed()], Outcome.PENDING),
        ([failed(), attempt(status="REVERSED")], Outcome.UNKNOWN),
        ([attempt(status="")], Outcome.UNKNOWN),
        ([attempt(status=["VALID"])], Outcome.UNKNOWN),
        ([attempt(tran_id="BDV-48213378-1")], Outcome.FOREIGN),
        ([attempt(tran_id=None)], Outcome.FOREIGN),
        ([attempt(val_id="")], Outcome.UNKNOWN),
        ([attempt(val_id="a b")], Outcome.UNKNOWN),
        (["text"], Outcome.UNKNOWN),
    ],
)
def test_tries_that_are_not_paid(
    wire: responses.RequestsMock, tries: list[object], outcome: Outcome
) -> None:
    verdict = verify_with(wire, found(*tries))

    assert (verdict.outcome, verdict.amount) == (outcome, None)


def test_a_paid_try_among_failed_ones(wire: responses.RequestsMock) -> None:
    verdict = verify_with(
        wire, found(failed(), failed(), attempt()), validation=validated(status="VALIDATED")
    )

    assert (verdict.outcome, verdict.also_paid) == (Outcome.PAID, ())


def test_the_earliest_of_two_paid_tries_counts(wire: responses.RequestsMock) -> None:
    """Section 6: keep one; the other is a person's to refund."""
    second = attempt(val_id="V2", bank_tran_id="B2", tran_date="2026-04-27 20:01:00")

    verdict = verify_with(wire, found(failed(), second, attempt()), validation=validated())

    assert (verdict.gateway_transaction_id, verdict.also_paid) == (VAL, ("V2",))
    assert verdict.evidence["also_paid"][0]["bank_tran_id"] == "B2"
    assert parse_qs(urlsplit(wire.calls[1].request.url).query)["val_id"] == [VAL]


def test_the_one_that_counts_goes_on_counting(wire: responses.RequestsMock) -> None:
    second = attempt(val_id="V2")
    wire.get(QUERY, **found(second, attempt()))
    wire.get(VALIDATE, **validated())

    verdict = gateway().verify(replace(known(KEY), gateway_transaction_id=VAL))

    assert (verdict.gateway_transaction_id, verdict.also_paid) == (VAL, ("V2",))


@pytest.mark.parametrize(
    ("session", "outcome"),
    [
        (says("DONE", status="FAILED", tran_id=REFERENCE), Outcome.FAILED),
        (says("DONE", status="PENDING", tran_id=REFERENCE), Outcome.PENDING),
        (says("DONE", status="VALID", tran_id=REFERENCE), Outcome.UNKNOWN),
        (says("DONE", status="FAILED", tran_id="BDV-48213378-1"), Outcome.UNKNOWN),
        (says("DONE", status="INVALID_TRANSACTION"), Outcome.UNKNOWN),
        (says("INVALID_REQUEST"), Outcome.UNKNOWN),
    ],
)
def test_all_tries_failed_and_what_the_session_says(
    wire: responses.RequestsMock, session: dict[str, Any], outcome: Outcome
) -> None:
    """While the session is open, another card may still pay."""
    verdict = verify_with(wire, found(failed(), failed()), session)

    assert verdict.outcome is outcome
    assert parse_qs(urlsplit(wire.calls[1].request.url).query)["sessionkey"] == [KEY]


def test_a_session_we_never_learned_of_stays_open(wire: responses.RequestsMock) -> None:
    assert verify_with(wire, found(failed()), key="").outcome is Outcome.PENDING
    assert len(wire.calls) == 1


@pytest.mark.parametrize("connect", ["FAILED", "INACTIVE"])
def test_a_store_that_is_not_let_in(wire: responses.RequestsMock, connect: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        verify_with(wire, says(connect))
    assert caught.value.raw_code == connect


@pytest.mark.parametrize(
    "answer",
    [
        says("INVALID_REQUEST"),
        says(None, no_of_trans_found=0, element=[]),
        found(element=None),
        found(element={"status": "VALID"}),
        {**found(), "status": 404},
    ],
)
def test_a_query_that_is_not_done_is_unknown(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    assert verify_with(wire, answer).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 502, "body": "<h1>Bad gateway</h1>"},
        {"body": "<h1>Bad gateway</h1>"},
        {"body": ""},
    ],
)
def test_a_validation_that_fails_is_asked_again(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    with pytest.raises(Unavailable):
        verify_with(wire, found(attempt()), validation=answer)


@pytest.mark.parametrize("url", [QUERY, VALIDATE])
@pytest.mark.parametrize("error", [requests.ReadTimeout, requests.ConnectionError])
def test_the_password_in_an_address_is_never_shown(
    wire: responses.RequestsMock,
    caplog: pytest.LogCaptureFixture,
    url: str,
    error: type[requests.RequestException],
) -> None:
    caplog.set_level("DEBUG")
    wire.get(QUERY, **found(attempt()))
    address = f"{url}?store_passwd={PASSWORD}"
    wire.upsert("GET", url, body=error(f"Max retries exceeded with url: {address}"))

    with pytest.raises(Unavailable) as caught:
        gateway().verify(known(KEY))

    assert PASSWORD not in whole_text(caught.value) + repr(gateway()) + caplog.text


def test_all_questions_share_the_time_of_one(wire: responses.RequestsMock) -> None:
    wire.get(QUERY, **found())
    waits: list[float] = []

    class Watching(Outbound):
        def send(self, request: Any, *, repeatable: bool) -> Any:
            waits.append(self.answer_seconds)
            time.sleep(0.02)
            return super().send(request, repeatable=repeatable)

    store = Store(BASE, "teststore", "x")
    asking = Asking(Watching("sslcommerz", answer_seconds=0.23), store)
    for _ in range(3):
        asking.ask("/validator/api/merchantTransIDvalidationAPI.php", {"tran_id": "A"})

    assert waits[0] > waits[1] >= waits[2] >= SHORTEST_WAIT


def test_nothing_is_validated_that_the_query_does_not_name(wire: responses.RequestsMock) -> None:
    wire.get(QUERY, **found())
    wire.get(VALIDATE, **validated())

    gateway().verify(known(KEY))

    assert [urlsplit(call.request.url).path for call in wire.calls] == [urlsplit(QUERY).path]

"""bKash: when the money may be taken, and taking it (contract page bkash, sections 5 and 6)."""

import json
from typing import Any

import pytest
import requests
import responses

from core.providers import Misconfigured, OutcomeUnknown, Unavailable
from payments.gateways.base import Outcome
from payments.gateways.tests.bkash_answers import (
    EXECUTE,
    PAYMENT,
    calls,
    execute,
    gateway,
    payment,
    query,
    refused,
    refused_otherwise,
    waiting,
)
from payments.gateways.tests.canned import AMOUNT, REFERENCE


@pytest.mark.parametrize(
    ("answer", "execute_sent", "ready"),
    [
        (waiting(), False, True),
        (waiting(amount="1500"), False, True),
        (waiting(), True, False),
        (waiting(verificationStatus="Incomplete"), False, False),
        (waiting(verificationStatus=None), False, False),
        (waiting(verificationStatus=True), False, False),
        (waiting(amount="15.00"), False, False),
        (waiting(amount=None), False, False),
        (waiting(currency="USD"), False, False),
        (waiting(merchantInvoice="BDV-48213378-1"), False, False),
        (waiting(transactionStatus="Authorized"), False, False),
        (payment(), False, False),
        (refused("2056"), False, False),
    ],
)
def test_ready_to_capture(
    granted: responses.RequestsMock, answer: dict[str, Any], execute_sent: bool, ready: bool
) -> None:
    verdict = query(granted, answer, execute_sent=execute_sent)

    assert gateway().ready_to_capture(verdict) is ready


def test_execute_takes_the_money(granted: responses.RequestsMock) -> None:
    verdict = execute(
        granted, payment(merchantInvoice=None, merchantInvoiceNumber=REFERENCE, mode=None)
    )

    assert (verdict.outcome, verdict.amount) == (Outcome.PAID, AMOUNT)
    assert verdict.gateway_transaction_id == "AH24068KCQ"
    assert json.loads(granted.calls[1].request.body) == {"paymentID": PAYMENT}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        *[(refused(str(code)), Outcome.FAILED) for code in (*range(2006, 2020), 2023, 2029, 2069)],
        (refused_otherwise("2023"), Outcome.FAILED),
        (refused_otherwise("2014", status=200), Outcome.FAILED),
        *[(refused(code), Outcome.PENDING) for code in ("2056", "2062", "2068", "2116", "2117")],
        (refused("2119"), Outcome.PENDING),
        (refused("2003"), Outcome.PENDING),
        (refused_otherwise("2062"), Outcome.PENDING),
        (waiting(), Outcome.PENDING),
        (payment(trxID=None), Outcome.UNKNOWN),
        (payment(paymentID="TR0011ON0000000000000"), Outcome.FOREIGN),
    ],
)
def test_what_execute_says(
    granted: responses.RequestsMock, answer: dict[str, Any], outcome: Outcome
) -> None:
    verdict = execute(granted, answer)

    assert verdict.outcome is outcome
    assert not gateway().ready_to_capture(verdict)


@pytest.mark.parametrize(
    "answer",
    [
        refused("2020"),
        refused("2024"),
        refused("2127"),
        refused("503"),
        refused("4711"),
        {"json": {"message": "Endpoint request timed out"}},
        {"json": {**payment()["json"], "message": "Endpoint request timed out"}},
        {**payment(), "status": 202},
        {"body": ""},
        {"body": "<h1>Bad gateway</h1>"},
        {"status": 500},
        {"status": 404, "json": {"message": "Not found"}},
        {"body": requests.ReadTimeout("no answer")},
    ],
)
def test_after_an_unclear_execute_only_the_query_knows(
    granted: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    with pytest.raises(OutcomeUnknown):
        execute(granted, answer)

    assert calls(granted, EXECUTE) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"body": requests.ConnectTimeout("no route")}, Unavailable),
        ({"status": 429}, Unavailable),
        ({"status": 403}, Misconfigured),
        (refused("2001"), Misconfigured),
    ],
)
def test_an_execute_that_surely_did_nothing(
    granted: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        execute(granted, answer)

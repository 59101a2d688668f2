"""SSLCommerz's refunds (contract page sslcommerz, section 7), by canned answers."""

from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from payments.gateways.base import RefundRequest, RefundState
from payments.gateways.tests.canned import CannedRefunds, known
from payments.gateways.tests.refund_contract import RefundContract, refund_of
from payments.gateways.tests.sslcommerz_answers import (
    BANK,
    KEY,
    PASSWORD,
    QUERY,
    VAL,
    gateway,
    says,
)

REF: Final = "55d5a0fd4f3a1b2c"
REQUEST: Final = refund_of(known(KEY), VAL, evidence={"bank_tran_id": BANK})
ASKED: Final = replace(REQUEST, gateway_refund_id=REF)


def taken(status: object = "success", **changes: object) -> dict[str, Any]:
    body = {
        "bank_tran_id": BANK,
        "trans_id": "BDV-48213377-1",
        "refund_ref_id": REF,
        "status": status,
        "errorReason": "",
    }
    return says("DONE", **(body | changes))


def refunded(status: str = "refunded", **changes: object) -> dict[str, Any]:
    times = {"initiated_on": "2026-04-28 10:00:00", "refunded_on": "2026-04-29 11:00:00"}
    return taken(status, **(times | changes))


class Refunds(CannedRefunds):
    def asked(self, request: RefundRequest, situation: str) -> RefundRequest:
        """Only one whose number SSLCommerz has told us can be asked for."""
        if situation == "not_found":
            return request
        return super().asked(replace(request, gateway_refund_id=REF), situation)


class TestSslCommerzRefunds(RefundContract):
    taken = frozenset({RefundState.PENDING})

    @pytest.fixture
    def refunds(self, wire: responses.RequestsMock) -> CannedRefunds:
        return Refunds(
            wire,
            gateway(),
            REQUEST,
            refund_url=QUERY,
            refunding={
                "done": taken(),
                "refused": taken("failed", refund_ref_id="", errorReason="Not allowed"),
                "bad_credentials": says("FAILED"),
            },
            query_url=QUERY,
            querying={"done": refunded()},
            method=responses.GET,
        )


def test_the_refund_as_it_is_sent(wire: responses.RequestsMock) -> None:
    wire.get(QUERY, **taken())

    answer = gateway().refund(REQUEST)

    assert parse_qs(urlsplit(wire.calls[0].request.url).query) == {
        "bank_tran_id": [BANK],
        "refund_trans_id": ["BDV-48213377-1-R1"],
        "refund_amount": ["500.00"],
        "refund_remarks": ["the customer asked for it"],
        "store_id": ["teststore"],
        "store_passwd": [PASSWORD],
        "v": ["1"],
        "format": ["json"],
    }
    assert answer.gateway_refund_id == REF
    assert answer.evidence == {
        "bank_tran_id": BANK,
        "trans_id": "BDV-48213377-1",
        "refund_ref_id": REF,
    }


def test_the_number_is_short_enough_for_the_longest_reference() -> None:
    """`refund_trans_id` takes 30 characters."""
    assert len("BDV-12345678-999-R999") <= 30


@pytest.mark.parametrize("status", ["success", "processing"])
def test_taken_is_never_done(wire: responses.RequestsMock, status: str) -> None:
    wire.get(QUERY, **taken(status))

    assert gateway().refund(REQUEST).state is RefundState.PENDING


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (taken("failed", errorReason="Refund is not allowed"), Declined),
        (says("FAILED"), Misconfigured),
        (says("INACTIVE"), Misconfigured),
        (says("INVALID_REQUEST", status="failed"), Misconfigured),
        (says(None, status="success", bank_tran_id=BANK), OutcomeUnknown),
        (taken("refunded"), OutcomeUnknown),
        (taken(None), OutcomeUnknown),
        (taken(bank_tran_id="OTHER"), OutcomeUnknown),
        ({**taken(), "status": 404}, OutcomeUnknown),
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, OutcomeUnknown),
        ({"body": "<h1>Bad gateway</h1>"}, OutcomeUnknown),
    ],
)
def test_answers_to_the_start(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    wire.get(QUERY, **answer)

    with pytest.raises(kind):
        gateway().refund(REQUEST)


def test_a_no_to_a_refund_that_left_before_decides_nothing(wire: responses.RequestsMock) -> None:
    wire.get(QUERY, **taken("failed", errorReason="Duplicate refund_trans_id"))

    with pytest.raises(OutcomeUnknown):
        gateway().refund(replace(REQUEST, sent_before=True))


def test_without_the_banks_number_nothing_is_sent(wire: responses.RequestsMock) -> None:
    with pytest.raises(Declined, match="merchant panel"):
        gateway().refund(replace(REQUEST, evidence={}))
    assert len(wire.calls) == 0


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (refunded(), RefundState.DONE),
        (refunded("processing"), RefundState.PENDING),
        (refunded("cancelled"), RefundState.REFUSED),
        (refunded("failed"), RefundState.UNKNOWN),
        (refunded("success"), RefundState.UNKNOWN),
        (refunded(refund_ref_id="OTHER"), RefundState.UNKNOWN),
        (says("INVALID_REQUEST"), RefundState.UNKNOWN),
        (says(None, status="refunded", refund_ref_id=REF), RefundState.UNKNOWN),
    ],
)
def test_what_became_of_it(
    wire: responses.RequestsMock, answer: dict[str, Any], state: RefundState
) -> None:
    wire.get(QUERY, **answer)

    assert gateway().query_refund(ASKED).state is state
    assert "refund_ref_id" in parse_qs(urlsplit(wire.calls[0].request.url).query)


def test_an_unreadable_answer_is_asked_again(wire: responses.RequestsMock) -> None:
    wire.get(QUERY, body="<h1>Bad gateway</h1>")

    with pytest.raises(Unavailable):
        gateway().query_refund(ASKED)


def test_a_refund_without_a_number_of_theirs_can_not_be_asked_for(
    wire: responses.RequestsMock,
) -> None:
    assert gateway().query_refund(REQUEST).state is RefundState.NOT_FOUND
    assert len(wire.calls) == 0

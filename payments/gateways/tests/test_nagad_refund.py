"""Nagad's refunds (contract page nagad, section 8), by canned answers."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import responses

from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from payments.gateways.base import RefundState
from payments.gateways.tests.canned import AMOUNT, CannedRefunds, known
from payments.gateways.tests.nagad_answers import (
    CANCEL,
    FIREWALL,
    ID,
    PAYMENT,
    STRANGER,
    VERIFY,
    found,
    gateway,
    read,
    refused,
    sealed,
)
from payments.gateways.tests.refund_contract import RefundContract, refund_of

REQUEST: Final = refund_of(known(PAYMENT), "7ALKTB3A")
GIVEN_BACK: Final = {
    "status": "PartialCancelled",
    "code": "000",
    "originalAmount": "1500.00",
    "cancelAmount": "500.00",
    "cancelTrxId": "9CNC1",
}
PART: Final = {"status": "PartialCancelled", "cancelIssuerRefNo": "9CNC1"}


def done(**changes: object) -> dict[str, Any]:
    value = {name: each for name, each in (GIVEN_BACK | changes).items() if each is not None}
    return {"json": sealed(value)}


class CannedCancels(CannedRefunds):
    """We ask by GET."""

    def asked(self, request: Any, situation: str) -> Any:
        self.wire.get(self.query_url, **self.querying[situation])
        return request


class TestNagadRefunds(RefundContract):
    @pytest.fixture
    def refunds(self, wire: responses.RequestsMock) -> CannedRefunds:
        return CannedCancels(
            wire,
            gateway(),
            REQUEST,
            refund_url=CANCEL,
            refunding={
                "done": done(),
                "refused": refused("InvalidPurchaseInformation"),
                "bad_credentials": refused("InvalidMerchant"),
            },
            query_url=VERIFY,
            querying={"done": found(**PART), "not_found": found()},
        )


def sent(wire: responses.RequestsMock) -> dict[str, Any]:
    body = json.loads(wire.calls[0].request.body)
    assert set(body) == {"sensitiveDataCancelRequest", "signature"}
    return read(body["sensitiveDataCancelRequest"], body["signature"])


def test_the_refund_as_it_is_sent(wire: responses.RequestsMock) -> None:
    wire.post(CANCEL, **done())

    answer = gateway().refund(REQUEST)

    assert list(sent(wire).items()) == [
        ("merchantId", ID),
        ("originalRequestDate", "20260427"),
        ("originalAmount", "1500.00"),
        ("cancelAmount", "500.00"),
        ("referenceNo", "BDV482133771R1"),
        ("referenceMessage", "the customer asked for it"),
    ]
    assert wire.calls[0].request.url.endswith("?paymentRefId=" + PAYMENT.replace("=", "%3D"))
    assert (answer.state, answer.gateway_refund_id) == (RefundState.DONE, "9CNC1")
    assert answer.evidence["cancelAmount"] == "500.00"


def test_the_day_is_that_of_the_payment_in_dhaka(wire: responses.RequestsMock) -> None:
    wire.post(CANCEL, **done())
    gateway().refund(replace(REQUEST, paid_at=datetime(2026, 4, 30, 18, tzinfo=UTC)))
    assert sent(wire)["originalRequestDate"] == "20260501"
    wire.calls.reset()

    told = {"issuerPaymentDateTime": "2026-04-30 23:59:59.0"}
    gateway().refund(replace(REQUEST, paid_at=datetime(2026, 4, 30, 18, tzinfo=UTC), evidence=told))
    assert sent(wire)["originalRequestDate"] == "20260430"  # paid before, told after midnight


@pytest.mark.parametrize(
    ("reason", "message"),
    [("টাকা ফেরত", "refund"), ('say "no" \\ <x>', "say no  x"), ("", "refund")],
)
def test_a_reason_is_made_to_fit(wire: responses.RequestsMock, reason: str, message: str) -> None:
    wire.post(CANCEL, **done())
    gateway().refund(replace(REQUEST, reason=reason))
    assert sent(wire)["referenceMessage"] == message


def test_a_long_reason_is_cut_to_the_block(wire: responses.RequestsMock) -> None:
    wire.post(CANCEL, **done())
    gateway().refund(replace(REQUEST, reason="why " * 100))
    text = json.dumps(sent(wire), separators=(",", ":"))
    assert len(text) == 245


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "Cancelled"}, RefundState.DONE),
        ({"status": "Refunded"}, RefundState.DONE),
        ({"status": "PartialRefunded"}, RefundState.DONE),
        ({"cancelAmount": "500"}, RefundState.DONE),
        ({"cancelTrxId": None}, RefundState.UNKNOWN),
        ({"cancelAmount": "499.99"}, RefundState.UNKNOWN),
        ({"cancelAmount": None}, RefundState.UNKNOWN),
        ({"status": "Success"}, RefundState.UNKNOWN),
        ({"status": "InProgress"}, RefundState.UNKNOWN),
        ({"status": None}, RefundState.UNKNOWN),
    ],
)
def test_what_is_done(
    wire: responses.RequestsMock, changes: dict[str, Any], state: RefundState
) -> None:
    wire.post(CANCEL, **done(**changes))
    answer = gateway().refund(REQUEST)
    assert answer.state is state
    assert bool(answer.gateway_refund_id) is (state is RefundState.DONE)


def test_what_was_paid_counts_and_not_what_was_asked(wire: responses.RequestsMock) -> None:
    """A wrong sum goes back whole; Nagad compares it with its own books."""
    request = replace(REQUEST, evidence={"amount": "500"})
    wire.post(CANCEL, **done(status="Cancelled", originalAmount="500.00"))
    wire.get(VERIFY, **found(**PART | {"status": "Cancelled"}))

    assert gateway().refund(request).state is RefundState.DONE
    assert sent(wire)["originalAmount"] == "500.00"
    assert gateway().query_refund(request).state is RefundState.DONE


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused("InvalidReferenceId"), Declined),
        (refused("InvalidPurchaseInformation"), Declined),
        (refused("InvalidMerchant"), Misconfigured),
        (refused("SignatureVerificationFailed"), Misconfigured),
        (refused("ServerError"), OutcomeUnknown),
        (refused("Something new"), OutcomeUnknown),
        (FIREWALL, Misconfigured),
        ({"json": sealed(GIVEN_BACK, signer=STRANGER)}, OutcomeUnknown),
        ({"json": {**done()["json"], "signature": ""}}, OutcomeUnknown),
        ({"json": GIVEN_BACK}, OutcomeUnknown),
    ],
)
def test_other_answers(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    wire.post(CANCEL, **answer)
    with pytest.raises(kind):
        gateway().refund(REQUEST)


@pytest.mark.parametrize(
    ("changes", "more", "state"),
    [
        (PART, {}, RefundState.DONE),
        (PART | {"status": "PartialRefunded"}, {}, RefundState.DONE),
        (PART | {"status": "Cancelled"}, {}, RefundState.UNKNOWN),
        (PART | {"status": "Cancelled"}, {"amount": AMOUNT}, RefundState.DONE),
        (PART | {"status": "Refunded"}, {"amount": AMOUNT}, RefundState.DONE),
        (PART, {"amount": AMOUNT}, RefundState.UNKNOWN),
        (PART | {"cancelIssuerRefNo": None}, {}, RefundState.UNKNOWN),
        (PART, {"earlier": frozenset({"9CNC1"})}, RefundState.NOT_FOUND),
        (PART, {"earlier": frozenset({"OTHER"})}, RefundState.UNKNOWN),
        (
            PART,
            {"earlier": frozenset({"OTHER"}), "gateway_refund_id": "9CNC1"},
            RefundState.DONE,
        ),
        ({}, {}, RefundState.NOT_FOUND),
        ({"status": "Ready"}, {}, RefundState.UNKNOWN),
        ({"status": "New word"}, {}, RefundState.UNKNOWN),
        (PART | {"orderId": "BDV482133772"}, {}, RefundState.UNKNOWN),
        (PART | {"merchantId": None}, {}, RefundState.UNKNOWN),
    ],
    ids=range(15),
)
def test_what_verify_tells_of_a_refund(
    wire: responses.RequestsMock,
    changes: dict[str, Any],
    more: dict[str, Any],
    state: RefundState,
) -> None:
    wire.get(VERIFY, **found(**changes))
    answer = gateway().query_refund(replace(REQUEST, **more))
    assert answer.state is state
    assert bool(answer.gateway_refund_id) is (state is RefundState.DONE)


def test_questions_that_get_no_answer(wire: responses.RequestsMock) -> None:
    wire.get(VERIFY, **refused("ServerError"))
    assert gateway().query_refund(REQUEST).state is RefundState.UNKNOWN
    wire.replace(responses.GET, VERIFY, body="")
    with pytest.raises(Unavailable):
        gateway().query_refund(REQUEST)
    wire.replace(responses.GET, VERIFY, **FIREWALL)
    with pytest.raises(Misconfigured):
        gateway().query_refund(REQUEST)

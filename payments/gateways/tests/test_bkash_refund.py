"""bKash's refunds (contract page bkash, section 7), by canned answers."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest
import responses

from core.providers import Declined, OutcomeUnknown, Unavailable
from payments.gateways.base import RefundState
from payments.gateways.tests.bkash_answers import CHECKOUT, PAYMENT, gateway, refused
from payments.gateways.tests.canned import CannedRefunds, known
from payments.gateways.tests.refund_contract import RefundContract, refund_of

REFUND: Final = f"{CHECKOUT}/payment/refund"
REQUEST: Final = refund_of(known(PAYMENT), "AH24068KCQ")


def refunded(**changes: object) -> dict[str, Any]:
    body = {
        "statusCode": "0000",
        "statusMessage": "Successful",
        "originalTrxID": "AH24068KCQ",
        "refundTrxID": "AHL907B8SE",
        "transactionStatus": "Completed",
        "amount": "500.00",
        "currency": "BDT",
        "charge": "0.00",
        "completedTime": "2026-04-28T10:00:00:000 GMT+0600",
    }
    return {"json": {name: value for name, value in (body | changes).items() if value is not None}}


class TestBkashRefunds(RefundContract):
    @pytest.fixture
    def refunds(self, granted: responses.RequestsMock) -> CannedRefunds:
        return CannedRefunds(
            granted,
            gateway(),
            REQUEST,
            refund_url=REFUND,
            refunding={
                "done": refunded(),
                "refused": refused("2071"),
                "bad_credentials": refused("2001"),
            },
            query_url=REFUND,
            querying={"done": refunded(), "not_found": refused("2033")},
        )


def test_the_refund_as_it_is_sent(granted: responses.RequestsMock) -> None:
    granted.post(REFUND, **refunded())

    gateway().refund(REQUEST)

    assert json.loads(granted.calls[1].request.body) == {
        "paymentID": PAYMENT,
        "trxID": "AH24068KCQ",
        "amount": "500.00",
        "sku": "BDV-48213377-1-R1",
        "reason": "the customer asked for it",
    }


def test_the_question_names_the_two_ids_alone(granted: responses.RequestsMock) -> None:
    granted.post(REFUND, **refunded())

    gateway().query_refund(REQUEST)

    asked = json.loads(granted.calls[1].request.body)
    assert asked == {"paymentID": PAYMENT, "trxID": "AH24068KCQ"}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (refunded(), RefundState.DONE),
        (refunded(amount="499.99"), RefundState.UNKNOWN),
        (refunded(amount=None), RefundState.UNKNOWN),
        (refunded(currency="USD"), RefundState.UNKNOWN),
        (refunded(transactionStatus="Initiated"), RefundState.UNKNOWN),
        (refunded(originalTrxID="OTHER"), RefundState.UNKNOWN),
        (refunded(refundTrxID=None), RefundState.UNKNOWN),
    ],
)
def test_what_is_done(
    granted: responses.RequestsMock, answer: dict[str, Any], state: RefundState
) -> None:
    granted.post(REFUND, **answer)

    assert gateway().refund(REQUEST).state is state


@pytest.mark.parametrize("code", ["2026", "2034", "2071", "2072", "2077", "2127"])
def test_definite_refusals(granted: responses.RequestsMock, code: str) -> None:
    granted.post(REFUND, **refused(code))

    with pytest.raises(Declined) as caught:
        gateway().refund(REQUEST)

    assert caught.value.raw_code == code


@pytest.mark.parametrize("code", ["2003", "503", "4711"])
def test_other_codes_are_unclear(granted: responses.RequestsMock, code: str) -> None:
    granted.post(REFUND, **refused(code))

    with pytest.raises(OutcomeUnknown):
        gateway().refund(REQUEST)
    assert gateway().query_refund(REQUEST).state is RefundState.UNKNOWN


def test_an_unreadable_status_is_asked_again(granted: responses.RequestsMock) -> None:
    granted.post(REFUND, body="<h1>Bad gateway</h1>")

    with pytest.raises(Unavailable):
        gateway().query_refund(REQUEST)


def test_earlier_refunds_are_not_ours(granted: responses.RequestsMock) -> None:
    granted.post(REFUND, **refunded())

    answer = gateway().query_refund(replace(REQUEST, earlier=frozenset({"AHL907B8SE"})))

    assert answer.state is RefundState.NOT_FOUND

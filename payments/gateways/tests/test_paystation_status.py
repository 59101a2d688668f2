"""PayStation's status query (contract page paystation, sections 4 and 5)."""

import json
from decimal import Decimal
from typing import Any

import pytest
import responses

from core.providers import Unavailable
from payments.gateways.base import Outcome
from payments.gateways.tests.canned import AMOUNT, REFERENCE
from payments.gateways.tests.paystation_answers import found, refused, verify_with


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
        ("refund", Outcome.REFUNDED),
        ("Refunded", Outcome.REFUNDED),
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

    assert verdict.outcome is Outcome.REFUNDED
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

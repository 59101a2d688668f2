"""What Nagad's verify says, word by word (contract page nagad, section 6)."""

from decimal import Decimal
from typing import Any

import pytest
import responses

from payments.gateways.base import Outcome
from payments.gateways.tests.nagad_answers import found, refused, verify_with

WORDS = {
    Outcome.PAID: "Success success SUCCESS",
    Outcome.PENDING: "OrderInitiated Initiated Ready InProgress TransactionInProgress OtpSent "
    "OtpVerified PinGiven",
    Outcome.FAILED: "Failed UnknownFailed InvalidRequest Fraud",
    Outcome.CANCELLED: "Aborted Cancelled",
    Outcome.REFUNDED: "PartialCancelled Refunded PartialRefunded",
    Outcome.UNKNOWN: "Reversed Successful Paid 1",
}


@pytest.mark.parametrize(
    ("word", "outcome"), [(word, out) for out, words in WORDS.items() for word in words.split()]
)
def test_every_word(wire: responses.RequestsMock, word: str, outcome: Outcome) -> None:
    verdict = verify_with(wire, found(status=word))

    assert verdict.outcome is outcome
    assert (verdict.amount is not None) is (outcome is Outcome.PAID)
    assert word in verdict.reason


def test_cancelled_after_a_success_means_given_back(wire: responses.RequestsMock) -> None:
    answer = found(status="Cancelled", cancelIssuerRefNo="9CNC1", cancelIssuerDateTime="2026-04-28")

    verdict = verify_with(wire, answer)

    assert verdict.outcome is Outcome.REFUNDED
    assert verdict.evidence["cancelIssuerRefNo"] == "9CNC1"


@pytest.mark.parametrize("text", ["1500", "1500.0", "1500.00", 1500])
def test_amounts_are_compared_as_decimals(wire: responses.RequestsMock, text: object) -> None:
    assert verify_with(wire, found(amount=text)).amount == Decimal("1500.00")


@pytest.mark.parametrize(
    "changes",
    [
        {"statusCode": "001"},
        {"statusCode": None},
        {"statusCode": "00_0000_000"},
        {"amount": None},
        {"amount": "1500.005"},
        {"amount": "BDT 1500"},
        {"amount": [1500]},
        {"issuerPaymentRefNo": None},
        {"issuerPaymentRefNo": ""},
        {"status": None},
        {"status": ["Success"]},
        {"merchantId": None},
        {"orderId": None},
        {"paymentRefId": None},
    ],
)
def test_a_success_that_lacks_something_decides_nothing(
    wire: responses.RequestsMock, changes: dict[str, Any]
) -> None:
    verdict = verify_with(wire, found(**changes))

    assert (verdict.outcome, verdict.amount) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"merchantId": "683002007104226"},
        {"orderId": "BDV482133772"},
        {"paymentRefId": "MDQy"},
        {"merchantId": "683002007104226", "status": "Failed"},
    ],
)
def test_an_answer_about_somebody_else_is_foreign_whatever_it_says(
    wire: responses.RequestsMock, changes: dict[str, Any]
) -> None:
    assert verify_with(wire, found(**changes)).outcome is Outcome.FOREIGN


@pytest.mark.parametrize("reason", ["InvalidReferenceId", "ServerError", "New", None])
@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_refused_question_is_no_answer(
    wire: responses.RequestsMock, reason: object, status: int
) -> None:
    assert verify_with(wire, refused(reason, status=status)).outcome is Outcome.UNKNOWN


def test_operators_see_nothing_of_the_payer(wire: responses.RequestsMock) -> None:
    verdict = verify_with(wire, found())

    assert set(verdict.evidence) == {
        "amount",
        "orderDateTime",
        "issuerPaymentDateTime",
        "issuerPaymentRefNo",
        "status",
        "statusCode",
    }


def test_a_long_wallet_id_is_kept_by_its_digest(wire: responses.RequestsMock) -> None:
    first = verify_with(wire, found(issuerPaymentRefNo="x" * 300 + "1")).gateway_transaction_id
    wire.reset()
    second = verify_with(wire, found(issuerPaymentRefNo="x" * 300 + "2")).gateway_transaction_id

    assert first.startswith("sha256:")
    assert (len(first) <= 120, first != second) == (True, True)

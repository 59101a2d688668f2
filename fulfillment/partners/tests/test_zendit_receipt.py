"""What Zendit says of a purchase later (contract page zendit, sections 3 and 7)."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import responses

from core.providers import Declined, Unavailable
from fulfillment.partners.base import Anomaly, IssuedCode
from fulfillment.partners.tests.contract import REFERENCE
from fulfillment.partners.tests.zendit_answers import (
    EPIN,
    LOOKING,
    at_work,
    done,
    issued,
    look,
    refused,
)


@pytest.mark.parametrize(
    "answer",
    [
        refused(404, "OTHER"),
        {"status": 404, "json": {"message": "no Route matched with those values"}},
        refused(400, "INVALID_REQUEST"),
        at_work("SHIPPED"),
        done(transactionId="48213377I7U2T1"),
    ],
)
def test_an_unclear_look(wire: responses.RequestsMock, answer: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        look(wire, answer)


@pytest.mark.parametrize("status", ["FAILED", "FAIL"])
def test_a_failure_without_words(wire: responses.RequestsMock, status: str) -> None:
    with pytest.raises(Declined) as caught:
        look(wire, at_work(status, error=None))

    assert (caught.value.raw_code, caught.value.message) == (status, status)


@pytest.mark.parametrize(
    "receipt",
    [
        None,
        [],
        "AAAA-1",
        {},
        {"epin": ""},
        {"epin": "  "},
        {"epin": None},
        {"epin": True},
        {"epin": {"code": "A"}},
        {"voucherId": "S-1"},
        {"redemptionUrl": "javascript:alert(1)"},
        {"redemptionUrl": "redeem.example/AbC"},
    ],
)
def test_done_without_goods(wire: responses.RequestsMock, receipt: object) -> None:
    answer = done()
    answer["json"]["receipt"] = receipt

    with pytest.raises(Anomaly) as caught:
        look(wire, answer)

    assert REFERENCE in str(caught.value)


def test_the_goods_are_in_the_receipt_not_in_the_confirmation(wire: responses.RequestsMock) -> None:
    with pytest.raises(Anomaly):
        look(wire, done(receipt={}, confirmation={"epin": EPIN, "confirmationNumber": EPIN}))


def test_a_link_only(wire: responses.RequestsMock) -> None:
    found = look(wire, LOOKING["delivered_as_link"])

    assert isinstance(found, IssuedCode)
    assert (found.code, found.redemption_url) == ("", "https://redeem.example/AbC")


def test_code_and_link(wire: responses.RequestsMock) -> None:
    found = issued(wire, redemptionUrl="https://redeem.example/AbC")

    assert (found.code, found.redemption_url) == (EPIN, "https://redeem.example/AbC")


@pytest.mark.parametrize(
    ("epin", "code"), [(" A B-1 ", "A B-1"), (12345678, "12345678"), ("x" * 900, "x" * 900)]
)
def test_a_code_is_kept_as_it_is(wire: responses.RequestsMock, epin: object, code: str) -> None:
    assert issued(wire, epin=epin).code == code


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31T10:20:30Z", datetime(2027, 1, 31, 10, 20, 30, tzinfo=UTC)),
        ("2027-01-31T10:20:30.5Z", datetime(2027, 1, 31, 10, 20, 30, 500_000, tzinfo=UTC)),
        (
            "2027-01-31T10:20:30+06:00",
            datetime(2027, 1, 31, 10, 20, 30, tzinfo=timezone(timedelta(hours=6))),
        ),
        ("2027-01-31T10:20:30", datetime(2027, 1, 31, 10, 20, 30, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("", None),
        (None, None),
        ("never", None),
        ("31/01/2027", None),
        ("2027-13-45T00:00:00Z", None),
        (1_801_000_000, None),
        ({}, None),
    ],
)
def test_expiry(wire: responses.RequestsMock, text: object, moment: datetime | None) -> None:
    assert issued(wire, expiresAt=text).expires_at == moment


@pytest.mark.parametrize(
    ("cost", "divisor", "amount"),
    [
        (912, 100, Decimal("9.12")),
        (912, 1, Decimal(912)),
        (0, 100, Decimal(0)),
        (912, 0, None),
        (912, None, None),
        (None, 100, None),
        (9.12, 100, None),
        ("912", 100, None),
        (True, 100, None),
        (912, True, None),
    ],
)
def test_cost(
    wire: responses.RequestsMock, cost: object, divisor: object, amount: Decimal | None
) -> None:
    found = look(wire, done(cost=cost, costCurrencyDivisor=divisor))

    assert isinstance(found, IssuedCode)
    assert found.cost == amount

"""Money, instants, ids and pages: how values look and what is refused (D3, D11, D25)."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest

from core import correlation
from core.api.errors import field_errors
from core.api.fields import instant, number
from core.api.lists import whole
from core.errors import BadRequest
from core.money import taka
from core.states import IllegalTransition, check_arrow


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1", "1.00"),
        (5, "5.00"),
        ("0.005", "0.01"),
        ("2.675", "2.68"),
        (Decimal("-1.005"), "-1.01"),
    ],
)
def test_taka_has_two_places_halves_up(given, expected):
    assert str(taka(given)) == expected


@pytest.mark.parametrize("given", ["", "abc", "NaN", "Infinity", "1,5"])
def test_what_is_no_amount_is_refused(given):
    with pytest.raises(ValueError, match="Not an amount"):
        taka(given)


def test_a_float_is_never_money():
    with pytest.raises(TypeError):
        taka(0.1)


@pytest.mark.parametrize(
    ("value", "shown"), [(Decimal("500.00"), 500), (Decimal("89.99"), 89.99), (None, None)]
)
def test_numbers_outside(value, shown):
    assert (number(value), type(number(value))) == (shown, type(shown))


def test_instants_outside_are_utc_with_milliseconds():
    dhaka = timezone(timedelta(hours=6))
    assert instant(datetime(2026, 4, 27, 20, 22, 0, 1999, dhaka)) == "2026-04-27T14:22:00.001Z"
    assert instant(datetime(2026, 4, 27, tzinfo=UTC)) == "2026-04-27T00:00:00.000Z"
    assert instant(None) is None


@pytest.mark.parametrize(
    "offered", ["short", "x" * 65, "with space", "new\nline", "", None, "ключ-12345"]
)
def test_an_id_that_could_harm_a_log_is_replaced(offered):
    assert correlation.accepted(offered) != offered
    assert len(correlation.accepted(offered)) == 36


def test_an_id_holds_for_its_block():
    with correlation.correlated(correlation.accepted("desk-000042")):
        assert correlation.current() == "desk-000042"
        with correlation.correlated("inner-00001"):
            assert correlation.current() == "inner-00001"
        assert correlation.current() == "desk-000042"


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "abc", "", "101", "１", " 1", "9" * 30])
def test_a_page_number_is_a_whole_number_in_its_range(text):
    with pytest.raises(BadRequest) as refusal:
        whole({"limit": text}, "limit", default=10, least=1, most=100)
    assert refusal.value.details[0].field == "limit"


def test_a_page_number_has_a_default():
    assert whole({}, "limit", default=10, least=1, most=100) == 10
    assert whole({"limit": "100"}, "limit", default=10, least=1, most=100) == 100


def test_nested_errors_become_dotted_paths():
    errors = {"items": [{}, {"quantity": ["bad"]}], "notes": ["long"], "non_field_errors": ["odd"]}
    assert [(each.field, each.message) for each in field_errors(errors)] == [
        ("items.1.quantity", "bad"), ("notes", "long"), ("", "odd"),
    ]  # fmt: skip


class Door(Enum):
    OPEN = "open"
    SHUT = "shut"


def test_an_arrow_that_is_not_drawn_names_both_ends():
    arrows = {Door.OPEN: frozenset({Door.SHUT}), Door.SHUT: frozenset()}
    check_arrow(arrows, Door.OPEN, Door.SHUT)
    with pytest.raises(IllegalTransition, match="shut may not become open"):
        check_arrow(arrows, Door.SHUT, Door.OPEN)

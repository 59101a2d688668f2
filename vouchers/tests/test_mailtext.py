"""A supplier's mail: what is taken for a code is one, and every line ends somewhere."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from vouchers.mailtext import Kind, pasted_rows, read_mail
from vouchers.states import Outcome
from vouchers.tables import Terms
from vouchers.tests.mails import MAILS

TERMS = Terms(datetime(2026, 5, 1, 12, tzinfo=UTC))


def read(text):
    rows = list(pasted_rows(text, TERMS))
    codes = [(row.code, row.pin) for row in rows if row.outcome is None]
    return codes, [row for row in rows if row.outcome is not None]


@pytest.mark.parametrize("shape", MAILS)
def test_a_shape_is_read(shape):
    text, wanted, left = MAILS[shape]

    codes, others = read(text)

    assert codes == wanted
    assert {row.outcome for row in others} <= {Outcome.NOT_UNDERSTOOD}
    assert sorted(row.text[:3] for row in others) == sorted(begin[:3] for begin in left)


def test_precision_and_recall_over_the_corpus(record_property):
    taken = right = wanted = 0
    for text, codes, _ in MAILS.values():
        found, _ = read(text)
        taken, wanted = taken + len(found), wanted + len(codes)
        right += sum(code in codes for code in found)
    record_property("precision", right / taken)
    assert len(MAILS) >= 30
    assert right / taken == 1.0
    assert right / wanted == 1.0


@given(st.text(alphabet=st.sampled_from("AB12- :PINcode\n>.|,#\u00a0(/)\t\rআ"), max_size=300))
def test_no_line_is_dropped(text):
    reading = read_mail(text)
    filled = {n for n, line in enumerate(text.splitlines(), 1) if line.strip()}
    assert set(reading.kinds) == filled
    assert {found.row_no for found in reading.found} == {
        n for n, kind in reading.kinds.items() if kind == Kind.CODE
    }


def test_parts_go_to_their_code():
    text = "Code: PLM8-77XQ-11ZA\nPIN: 12\u00a0\nSerial number: SN00812\nExpiry date: 31/12/2027"
    (row,) = [row for row in pasted_rows(text, TERMS) if row.outcome is None]
    assert row.serial == "SN00812"
    assert row.expires_at == datetime(2027, 12, 31, 17, 59, 59, tzinfo=UTC)


def test_a_hostile_line_is_read_in_no_time():
    import time

    begun = time.monotonic()
    read_mail(("code " * 2000) + "\n" + ("a-" * 5000) + "\n" + "(" * 10000)
    assert time.monotonic() - begun < 10

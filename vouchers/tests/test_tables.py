"""Suppliers' tables are read as they are: no zero lost, no row dropped, no bomb unfolded."""

import io
import zipfile
from datetime import UTC, datetime

import openpyxl
import pytest

from vouchers.rows import NotReadable
from vouchers.states import Outcome
from vouchers.tables import Terms, table_rows, workbook_rows

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TERMS = Terms(NOW)


def csv_of(text, terms=TERMS, encoding="utf-8"):
    return list(table_rows(text.encode(encoding), terms))


def book(*rows, formats=None, sheets=1):
    made = openpyxl.Workbook()
    for number in range(sheets):
        sheet = made.active if number == 0 else made.create_sheet()
        for row in rows:
            sheet.append(row)
        for place, form in (formats or {}).items():
            sheet[place].number_format = form
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def xlsx_of(*rows, terms=TERMS, **kwargs):
    return list(workbook_rows(book(*rows, **kwargs), terms))


def facts(rows):
    return [(row.row_no, row.code, row.pin, row.problem) for row in rows]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_dialect_is_read(mark, encoding):
    text = f"Voucher Code{mark}PIN{mark}Serial No.\r\n0012345678{mark}0042{mark}S-1\r\n"

    (row,) = csv_of(text, encoding=encoding)

    assert (row.row_no, row.code, row.pin, row.serial) == (2, "0012345678", "0042", "S-1")


def test_one_column_needs_no_name_and_blank_lines_count_as_lines():
    assert facts(csv_of('\nAAAA-0001\n\n"BBBB-0002"\n')) == [
        (2, "AAAA-0001", "", ""),
        (4, "BBBB-0002", "", ""),
    ]


def test_several_columns_without_names_are_not_guessed():
    with pytest.raises(NotReadable, match="must name the columns"):
        csv_of("AAAA-0001,1234\nBBBB-0002,5678\n")


def test_what_a_spreadsheet_did_to_a_csv_is_said():
    (row,) = csv_of("code\n1.23457E+15\n")
    assert row.outcome == Outcome.ERROR
    assert "digits were lost" in row.problem


def test_text_forced_by_a_formula_is_the_text():
    assert facts(csv_of('code\n"=""00123456"""\n')) == [(2, "00123456", "", "")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (",1234,", "There is a PIN but no code."),
        (f"{'X' * 501},,", "The code is longer than 500 characters."),
        ("AB\x07CD1234,,", "The code holds a character that can't be typed."),
        ("ABCD-1234,,2020-01-31", "It expired on 31 Jan 2020."),
        ("ABCD-1234,,13/14/2027", 'The expiry "13/14/2027" is no date; write 2027-12-31 or'),
    ],
)
def test_a_bad_row_says_why_and_the_others_are_good(line, why):
    bad, good = csv_of(f"code,pin,expiry\n{line}\nGOOD-0001,,\n")
    assert (bad.row_no, bad.outcome, bad.code) == (2, Outcome.ERROR, "")
    assert bad.problem.startswith(why)
    assert good.code == "GOOD-0001"


@pytest.mark.parametrize(
    "written", ["2027-12-31", "31/12/2027", "31-12-2027", "31 Dec 2027", "2027/12/31"]
)
def test_a_day_counts_to_its_end_in_dhaka(written):
    (row,) = csv_of(f"code,expires\nABCD-1234,{written}\n")
    assert row.expires_at == datetime(2027, 12, 31, 17, 59, 59, tzinfo=UTC)


def test_an_expiry_for_all_holds_where_a_row_says_none():
    for_all = datetime(2028, 1, 1, tzinfo=UTC)
    rows = csv_of("code,expiry\nA-0000001,\nB-0000002,2027-12-31\n", Terms(NOW, for_all))
    assert [row.expires_at.year for row in rows] == [2028, 2027]


def test_xlsx_texts_keep_their_zeros():
    rows = xlsx_of(["Code", "PIN", "Expiry"], ["000123", "0042", datetime(2027, 12, 31)])  # noqa: DTZ001
    assert facts(rows) == [(2, "000123", "0042", "")]
    assert rows[0].expires_at == datetime(2027, 12, 31, 17, 59, 59, tzinfo=UTC)


def test_a_number_is_no_code_unless_we_know_how_long_a_code_is():
    (row,) = xlsx_of(["code"], [123456])
    assert row.outcome == Outcome.ERROR
    assert "leading zeros may be lost" in row.problem
    good, short = xlsx_of(["code"], [12345678], [123456], terms=Terms(NOW, code_digits=8))
    assert good.code == "12345678"
    assert short.problem == (
        "The cell is a number of 6 digits, a code has 8: leading zeros were lost."
    )


def test_a_number_shown_with_its_zeros_is_what_is_shown():
    (row,) = xlsx_of(["code"], [123456], formats={"A2": "0000000000"})
    assert row.code == "0000123456"


@pytest.mark.parametrize(("value", "why"), [(1234567890123456, "more than 15"), (1.5, "fraction")])
def test_numbers_that_lost_digits_are_refused(value, why):
    (row,) = xlsx_of(["code"], [value], terms=Terms(NOW, code_digits=16))
    assert why in row.problem


def test_a_number_as_pin_is_refused_too():
    (row,) = xlsx_of(["code", "pin"], ["ABCD-1234", 42])
    assert "leading zeros may be lost" in row.problem


def test_two_sheets_are_not_guessed_between():
    with pytest.raises(NotReadable, match="Several sheets"):
        xlsx_of(["code"], ["A-1"], sheets=2)


def test_what_unfolds_too_far_is_refused_unread():
    out = io.BytesIO(book(["code"], ["A-1"]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", b"\0" * 210_000_000)
    assert len(out.getvalue()) < 1_000_000
    with pytest.raises(NotReadable, match="unfolds to 210 MB"):
        list(workbook_rows(out.getvalue(), TERMS))


def test_entities_are_not_unfolded():
    whole = book(["code"], ["A-1"])
    out = io.BytesIO()
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            sheet = "sheet1" in part.filename
            new.writestr(part, (bomb if sheet else b"") + old.read(part))
    with pytest.raises(NotReadable):
        list(workbook_rows(out.getvalue(), TERMS))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xd0\xcf\x11\xe0old", "old or protected"),
        (b"PK\x03\x04rubbish", "damaged"),
        (b"\x89PNG\r\n\x1a\n\0\0", "neither an XLSX nor a text"),
        (b"\xff\xfe\x00", "neither an XLSX nor a text"),
        (b"\n\n", "no rows"),
        (b"code,pin\n", "no rows"),
    ],
)
def test_what_is_no_list_is_refused_with_a_reason(content, why):
    read = workbook_rows if content.startswith(b"PK") else table_rows
    with pytest.raises(NotReadable, match=why):
        list(read(content, TERMS))

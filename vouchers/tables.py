"""Reading a supplier's table: CSV in any of its dialects, or XLSX; row by row, never as a whole.

Where a cell can't be trusted it is an error that says so: a code that lost its leading zeros looks
like any other code until a customer types it.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from vouchers.rows import NotReadable, Row, end_of, failed, made

MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 40
MAX_CELL: Final = 2000
#: What an XLSX may unfold to; its shared texts are held in memory.
MAX_UNFOLDED: Final = 200_000_000
MAX_TEXTS: Final = 60_000_000
MAX_PARTS: Final = 500
DELIMITERS: Final = ",;\t|"
_NAMES: Final = {
    "code": "code codes vouchercode voucher vouchernumber epin giftcode giftcardcode giftcard "
    "cardcode cardnumber cardno key serialkey activationcode activationkey redeemcode "
    "redemptioncode couponcode coupon licensekey",
    "pin": "pin pincode password passcode secret cvv securitycode accesscode",
    "serial_number": "serial serialnumber serialno sn serialnum cardserial",
    "expires_at": "expiry expires expiresat expirydate expirationdate expiration validuntil "
    "validity validtill expdate exp",
    "redemption_url": "url link redemptionurl redeemurl redeemlink giftlink",
}
NAMES: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(words.split()) for name, words in _NAMES.items()
}
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_PADDED: Final = re.compile(r"0{2,}")
SAYS_NUMBER: Final = (
    "The cell is a number, so leading zeros may be lost. Ask for this column as text, or say how "
    "many digits a code has."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What was said of the whole table."""

    now: datetime
    expires_at: datetime | None = None
    code_digits: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as text, or why it can't be taken for one."""

    text: str = ""
    problem: str = ""


def is_workbook(content: bytes) -> bool:
    """By what is in it, not by its name."""
    return content.startswith(b"PK\x03\x04")


def workbook_rows(content: bytes, terms: Terms) -> Iterator[Row]:
    """The rows of the one sheet that has any.

    Raises:
        NotReadable: no workbook, more than we unfold, or several sheets.
    """
    import openpyxl  # a heavy one, and no process but the importing one has use for it
    from openpyxl.utils.exceptions import InvalidFileException

    _refuse_bombs(content)
    try:
        book = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, data_only=True, keep_links=False
        )
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as exc:
        raise NotReadable("This is no Excel workbook (XLSX), or it is damaged.") from exc
    try:
        filled = [sheet for sheet in book.worksheets if _first(sheet) is not None]
        if len(filled) > 1:
            names = ", ".join(sheet.title for sheet in filled[:5])
            raise NotReadable(f"Several sheets hold rows ({names}). Import one sheet at a time.")
        if not filled:
            raise NotReadable("There are no rows in it.")
        yield from _rows(_cells(filled[0], terms), terms)
    except (SyntaxError, KeyError, ValueError, zipfile.BadZipFile, EOFError) as exc:
        raise NotReadable("The workbook is damaged.") from exc  # SyntaxError: of its XML
    finally:
        book.close()


def _refuse_bombs(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as exc:
        raise NotReadable("This is no Excel workbook (XLSX), or it is damaged.") from exc
    texts = sum(part.file_size for part in parts if "sharedStrings" in part.filename)
    whole = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or whole > MAX_UNFOLDED or texts > MAX_TEXTS:
        raise NotReadable(
            f"The workbook unfolds to {whole // 1_000_000} MB, which is more than we read. "
            "Save the one sheet as CSV, or split it."
        )


def _first(sheet: Any) -> Any:
    sheet.reset_dimensions()  # what the file says of its size need not be true
    rows = sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)
    return next((row for row in rows if any(value not in (None, "") for value in row)), None)


def _cells(sheet: Any, terms: Terms) -> Iterator[tuple[int, list[Cell]]]:
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), start=1):
        yield number, [_cell(cell, terms) for cell in row]


def _cell(cell: Any, terms: Terms) -> Cell:
    value = cell.value
    if value is None:
        return Cell()
    if isinstance(value, str):
        return Cell(value)
    if isinstance(value, datetime):
        return Cell(end_of(value.date()).isoformat())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Cell(str(value), "The cell is no text.")
    return _number(value, str(cell.number_format or ""), terms)


def _number(value: float | Decimal, form: str, terms: Terms) -> Cell:
    """Digits, if it is certain which: shown with zeros by its format, or of a length we know."""
    if value != int(value) or value < 0:
        return Cell(str(value), "The cell is a number with a fraction or a sign, and no code.")
    digits = str(int(value))
    if len(digits) > 15:  # noqa: PLR2004 - what a spreadsheet's numbers hold
        return Cell(digits, "The cell is a number of more than 15 digits: the last ones are lost.")
    if _PADDED.fullmatch(form):
        return Cell(digits.zfill(len(form)))
    wanted = terms.code_digits
    if wanted is None:
        return Cell(digits, SAYS_NUMBER)
    if len(digits) != wanted:
        lost = f"The cell is a number of {len(digits)} digits, a code has {wanted}"
        zeros = ": leading zeros were lost." if len(digits) < wanted else "."
        return Cell(digits, lost + zeros)
    return Cell(digits)


def table_rows(content: bytes, terms: Terms) -> Iterator[Row]:
    """The rows of a CSV; `row_no` is the line on which a row begins.

    Raises:
        NotReadable: it is no text.
    """
    yield from text_rows(text_of(content), terms)


def text_of(content: bytes) -> str:
    if content.startswith(_OLD_EXCEL):
        raise NotReadable("This is an old or protected Excel file. Save it as XLSX or CSV.")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as exc:
        raise NotReadable("This is neither an XLSX nor a text in UTF-8.") from exc
    if "\0" in text:
        raise NotReadable("This is neither an XLSX nor a text.")
    return text


def text_rows(text: str, terms: Terms) -> Iterator[Row]:
    yield from _rows(_lines(text), terms)


def _lines(text: str) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    begins = 1
    try:
        for record in reader:
            yield begins, [Cell(value) for value in record]
            begins = reader.line_num + 1
    except csv.Error as exc:
        raise NotReadable(f"Line {reader.line_num} can't be read: {exc}.") from exc


def delimiter_of(text: str) -> str:
    """What parts the first line, if anything does."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    counts = {mark: first.count(mark) for mark in DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else ","


def columns_of(head: Sequence[str]) -> dict[str, int] | None:
    """Where each field stands, if this is a row of names."""
    found: dict[str, int] = {}
    for place, name in enumerate(head):
        word = re.sub(r"[^a-z]", "", name.lower())
        for ours, known in NAMES.items():
            if word in known and ours not in found:
                found[ours] = place
    return found if "code" in found or "redemption_url" in found else None


def _rows(lines: Iterator[tuple[int, list[Cell]]], terms: Terms) -> Iterator[Row]:
    columns: dict[str, int] | None = None
    count = 0
    for number, cells in lines:
        if not any(cell.text.strip() for cell in cells):
            continue
        if columns is None:
            columns = columns_of([cell.text for cell in cells])
            if columns is not None:
                continue
            columns = _without_names(cells)
        count += 1
        if count > MAX_ROWS:
            raise NotReadable(f"More than {MAX_ROWS:,} rows. Split the file.")
        yield _row(number, cells, columns, terms)
    if not count:
        raise NotReadable("There are no rows in it.")


def _without_names(cells: Sequence[Cell]) -> dict[str, int]:
    """One column needs no name; of several we would have to guess which one is the code."""
    filled = [place for place, cell in enumerate(cells) if cell.text.strip()]
    if filled != [0]:
        raise NotReadable(
            "The first row must name the columns: code, and where there are any pin, "
            "serial_number, expires_at, redemption_url."
        )
    return {"code": 0}


def _row(number: int, cells: Sequence[Cell], columns: Mapping[str, int], terms: Terms) -> Row:
    given: dict[str, str] = {}
    for name, place in columns.items():
        cell = cells[place] if place < len(cells) else Cell()
        if cell.problem and name in ("code", "pin"):
            return failed(number, cell.problem)
        if len(cell.text) > MAX_CELL:
            return failed(number, "A cell is too long.")
        given[name] = cell.text
    taken = set(columns.values())
    if (
        len(columns) == 1
        and any(
            cell.text.strip()
            for place, cell in enumerate(cells)
            if place not in taken and place > 0
        )
        and columns == {"code": 0}
    ):
        return failed(number, "There is more in this row than a code, and no row of names.")
    return made(number, given, now=terms.now, expires_at=terms.expires_at)

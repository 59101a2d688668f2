"""One reader for all: a layout says which columns mean what, this module reads by it.

A file is read whole or not at all: a line that can't be read is named, and nothing is compared.
Amounts are `Decimal` from the text itself; a time without a zone is of the layout's.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from core.money import CURRENCY

MOST_LINES: Final = 100_000
MOST_PROBLEMS: Final = 20
#: A portal writes its name, the merchant's and the period above the table.
PREAMBLE: Final = 25
_NUMBER: Final = re.compile(r"-?(\d{1,3}(,\d{2,3})+|\d+)(\.\d{1,5})?")
_MONEY_WORDS: Final = re.compile(r"(?i)\b(bdt|tk\.?|usd)\b|[\u09f3$]")
_MOST_AMOUNT: Final = Decimal(10) ** 12
_TIMES: Final = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S:%f GMT%z",
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M",
    "%d %b %Y %H:%M:%S", "%d %b %Y %I:%M %p", "%d-%b-%Y %H:%M:%S", "%d/%m/%Y %I:%M:%S %p",
    "%d/%m/%Y", "%d-%m-%Y",
)  # fmt: skip
"""Day before month, as in Bangladesh; a file of another habit states its own zone and ISO times."""

#: What a column may mean. One of the first two and the amount are needed, the rest helps.
FIELDS: Final = (
    "reference", "transaction", "amount", "currency", "at", "status", "kind", "divisor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How a provider writes its file; several names of a column are tried in turn."""

    slug: str
    title: str
    columns: Mapping[str, Sequence[str]]
    zone: str
    currency: str = CURRENCY
    """Where no column says it."""
    moved: frozenset[str] = frozenset()
    """Words of `status` under which money moved, in lower case; empty: every line did."""
    refunds: frozenset[str] = frozenset({"refund", "refunded", "reversal", "credit", "cancel"})
    """Words of `kind` for money that went back; a negative amount says the same."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    """Of the file, from 1, the header included: where a person finds it."""
    reference: str
    transaction: str
    amount: Decimal
    currency: str
    at: datetime | None
    is_refund: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    lines: Sequence[Line]
    skipped: int


@dataclass
class UnreadableStatement(Exception):  # noqa: N818 - named for what happened
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return " ".join(self.problems)


class _BadCellError(ValueError):
    pass


def text_of(content: bytes) -> str:
    """Spreadsheets write UTF-8 with a mark, UTF-16 with a mark, or plain ASCII."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableStatement(["The file is not text in UTF-8."]) from None


def read(text: str, layout: Layout, *, zone: str = "") -> Statement:
    """Every line that moved money.

    Raises:
        UnreadableStatement: a column is missing, or lines can't be read; each is named.
    """
    rows, places = _table(text, layout)
    here = ZoneInfo(zone or layout.zone)
    lines: list[Line] = []
    problems: list[str] = []
    skipped = 0
    for number, row in rows:
        cells = {
            name: row[place].strip() if place < len(row) else "" for name, place in places.items()
        }
        if not any(cells.values()) or _is_total(cells):
            continue
        if layout.moved and cells.get("status", "").lower() not in layout.moved:
            skipped += 1
            continue
        try:
            lines.append(_line(number, cells, layout, here))
        except _BadCellError as exc:
            problems.append(f"Line {number}: {exc}")
        if len(problems) >= MOST_PROBLEMS or len(lines) > MOST_LINES:
            break
    if len(lines) > MOST_LINES:
        problems.append(f"At most {MOST_LINES} lines at once; split the file by its period.")
    if problems:
        raise UnreadableStatement(problems)
    return Statement(lines, skipped)


def _table(text: str, layout: Layout) -> tuple[Iterator[tuple[int, list[str]]], Mapping[str, int]]:
    """The rows below the header, and where each column stands."""
    if "\0" in text:
        raise UnreadableStatement(["The file is no text."])
    head = text[:20_000]
    delimiter = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            places = _places(row, layout)
            if "amount" in places and ("reference" in places or "transaction" in places):
                return _numbered(reader), places
            if reader.line_num > PREAMBLE:
                break
    except csv.Error as exc:
        raise UnreadableStatement([f"The file is no CSV: {exc}."]) from None
    wanted = "; ".join(
        f"{name}: {' or '.join(layout.columns[name])}"
        for name in ("reference", "transaction", "amount")
        if layout.columns.get(name)
    )
    raise UnreadableStatement([f"No header line was found. Columns looked for: {wanted}."])


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    try:
        for row in reader:
            yield reader.line_num, row  # type: ignore[attr-defined]
    except csv.Error as exc:
        raise UnreadableStatement([f"The file is no CSV: {exc}."]) from None


def _places(row: Sequence[str], layout: Layout) -> dict[str, int]:
    named = {_plain(cell): place for place, cell in reversed(list(enumerate(row)))}
    found = {
        name: next((named[_plain(each)] for each in names if _plain(each) in named), None)
        for name, names in layout.columns.items()
    }
    return {name: place for name, place in found.items() if place is not None}


def _plain(name: str) -> str:
    """`Trx. ID`, `trx_id` and `TRX ID` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _is_total(cells: Mapping[str, str]) -> bool:
    """The sum that many portals write below their table names nothing."""
    names = f"{cells.get('reference', '')}{cells.get('transaction', '')}".lower()
    return names == "" or names.rstrip(": ") in ("total", "grand total", "sum", "subtotal")


def _line(number: int, cells: Mapping[str, str], layout: Layout, here: ZoneInfo) -> Line:
    amount = _amount(cells["amount"])
    if cells.get("divisor"):
        amount = _divided(amount, cells["divisor"])
    currency = cells.get("currency", "").upper() or layout.currency
    if not re.fullmatch("[A-Z]{3}", currency):
        raise _BadCellError(f"{currency[:20]!r} is no currency.")
    is_refund = amount < 0 or cells.get("kind", "").lower() in layout.refunds
    return Line(
        number=number,
        reference=_name(cells.get("reference", "")),
        transaction=_name(cells.get("transaction", "")),
        amount=abs(amount),
        currency=currency,
        at=_moment(cells["at"], here) if cells.get("at") else None,
        is_refund=is_refund,
    )


def _name(text: str) -> str:
    text = text.lstrip("'")  # how spreadsheets keep long numbers as text
    if len(text) > 120:  # noqa: PLR2004 - the longest a gateway may use
        raise _BadCellError("a reference is longer than 120 signs.")
    return text


def _amount(text: str) -> Decimal:
    bare = _MONEY_WORDS.sub("", text).strip().replace("\u00a0", "")
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1]}"
    if not _NUMBER.fullmatch(bare):
        raise _BadCellError(f"{text[:40]!r} is no amount.")
    amount = Decimal(bare.replace(",", ""))
    if abs(amount) >= _MOST_AMOUNT:
        raise _BadCellError(f"{text[:40]!r} is no amount we could have moved.")
    return amount


def _divided(amount: Decimal, divisor: str) -> Decimal:
    try:
        by = Decimal(divisor)
        if by in (1, 10, 100, 1000, 10_000, 100_000):
            return amount / by
    except InvalidOperation:
        pass
    raise _BadCellError(f"{divisor[:20]!r} is no divisor of a currency.")


def _moment(text: str, here: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = next(filter(None, (_by(text, form) for form in _TIMES)), None)  # type: ignore[assignment]
    if found is None:
        raise _BadCellError(f"{text[:40]!r} is no time; write it as 2026-04-27 14:22:00.")
    try:
        return (found if found.tzinfo else found.replace(tzinfo=here)).astimezone(UTC)
    except OverflowError:
        raise _BadCellError(f"{text[:40]!r} is no time of ours.") from None


def _by(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is given by the caller
    except ValueError:
        return None

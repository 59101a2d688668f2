"""Rows on their way into somebody's spreadsheet.

A cell that a spreadsheet would run is written as text: names, references and reasons come from
customers, partners and files, and whoever opens an export has more rights than they (OWASP, "CSV
injection"). Rows are streamed: a million of them take no more memory than one.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.utils.text import get_valid_filename

#: Where a formula may begin; spreadsheets fold the wide forms, and skip what is blank before them.
_FORMULA: Final = frozenset("=+-@|%\uff1d\uff0b\uff0d\uff20")
_CONTROL: Final = frozenset("\t\r\n\0")
#: Excel takes a file without it for one in the machine's own encoding, and Bangla is lost.
BOM: Final = "\ufeff"
_ROWS_AT_ONCE: Final = 500


def safe_cell(value: object) -> str:
    """`value` as text that no spreadsheet takes for a formula.

    Numbers and times are ours, and stay what they are; a text that could run gets an apostrophe
    before it, which spreadsheets read as "this is text".
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | Decimal():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
    text = str(value).replace("\0", "")
    bare = text.lstrip()
    return f"'{text}" if text[:1] in _CONTROL or bare[:1] in _FORMULA else text


class _Line:
    """What `csv` writes to: it gives back each line instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a CSV, a few hundred at once, each cell made safe."""
    writer: Any = csv.writer(_Line(), quoting=csv.QUOTE_MINIMAL)
    waiting = [BOM, writer.writerow([safe_cell(name) for name in head])]
    for row in rows:
        waiting.append(writer.writerow([safe_cell(value) for value in row]))
        if len(waiting) >= _ROWS_AT_ONCE:
            yield "".join(waiting)
            waiting.clear()
    if waiting:
        yield "".join(waiting)


def csv_response(
    name: str, head: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """A download called `<name>.csv`; `rows` may be a generator over `queryset.iterator()`."""
    response = StreamingHttpResponse(csv_lines(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{get_valid_filename(name)}.csv"'
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response

"""The table a person reads, and the limits it is held against (`docs/scaling.md`)."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

WIDTHS: Final = (46, 14, 10, 10, 8)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a figure, and what it must not exceed (or, with `at_least`, fall below)."""

    what: str
    value: float
    unit: str = ""
    must: float | None = None
    aim: float | None = None
    at_least: bool = False
    exactly: bool = False
    note: str = ""

    def keeps(self, limit: float | None) -> bool | None:
        if limit is None:
            return None
        if self.exactly:
            return self.value == limit
        return self.value >= limit if self.at_least else self.value <= limit

    @property
    def word(self) -> str:
        if self.keeps(self.must) is False:
            return "MISSED"
        if self.aim is not None:
            return "aim" if self.keeps(self.aim) else "must"
        return "" if self.must is None else "must"

    def as_data(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.word}


def figure(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    text = f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.2f}"  # noqa: PLR2004
    return f"{text} {unit}".strip()


def lines(rows: Iterable[Row]) -> list[str]:
    head = ("what", "measured", "must", "aim", "")
    told = [_line(head), "-" * sum(WIDTHS)]
    for row in rows:
        sign = "=" if row.exactly else ">= " if row.at_least else ""
        must = sign + figure(row.must) if row.must is not None else ""
        aim = sign + figure(row.aim) if row.aim is not None else ""
        cells = (row.what, figure(row.value, row.unit), must, aim, row.word)
        told.append(_line(cells) + (f"  {row.note}" if row.note else ""))
    return told


def _line(cells: Iterable[str]) -> str:
    what, *rest = cells
    return what.ljust(WIDTHS[0]) + "".join(
        cell.rjust(width) for cell, width in zip(rest, WIDTHS[1:], strict=True)
    )


def missed(rows: Iterable[Row]) -> list[str]:
    return [row.what for row in rows if row.word == "MISSED"]


def costs_as_data(series: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"cpu_ms": round(each.cpu, 3), "wall_ms": round(each.wall, 3)}
        for name, each in series.items()
    }

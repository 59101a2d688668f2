"""Laying lines beside entries: what stands in both, and every gap. Pure: no table is touched.

The sum of all gaps' amounts is the difference of the two totals, in each currency; a gap that was
not found, or found twice, would show there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from books.ours import Entry, bare
from books.statements.base import Line
from books.states import GapKind
from core.money import ZERO

#: Their clock and ours differ by the time until the answer came.
EDGE: Final = timedelta(hours=1)
AT_THE_EDGE: Final = "Close to the period's edge by our clock: look in the neighbouring file."
Totals = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Found:
    """One gap."""

    kind: GapKind
    currency: str
    line: Line | None = None
    entry: Entry | None = None
    remark: str = ""

    @property
    def is_refund(self) -> bool:
        return self.line.is_refund if self.line else bool(self.entry and self.entry.is_refund)

    @property
    def theirs(self) -> Decimal | None:
        return self.line.amount if self.line else None

    @property
    def ours(self) -> Decimal | None:
        """Only where it is part of the gap: what is twice there is once here, and agrees."""
        differs = self.kind in (GapKind.AMOUNT_DIFFERS, GapKind.MISSING_THERE)
        return self.entry.amount if self.entry and differs else None

    @property
    def amount(self) -> Decimal:
        difference = (self.theirs or ZERO) - (self.ours or ZERO)
        return -difference if self.is_refund else difference


@dataclass
class Result:
    lines: int = 0
    outside: int = 0
    matched: int = 0
    uncompared: int = 0
    gaps: list[Found] = field(default_factory=list)
    theirs: Totals = field(default_factory=lambda: defaultdict(lambda: ZERO))
    ours: Totals = field(default_factory=lambda: defaultdict(lambda: ZERO))


class _Known:
    """Entries by every name they have, each given to one line only."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.taken: set[object] = set()
        self.by_name: dict[tuple[bool, str], list[Entry]] = defaultdict(list)
        seen = set()
        for entry in entries:
            if entry.key in seen:
                continue
            seen.add(entry.key)
            for name in {*entry.transactions, bare(entry.reference), bare(entry.parent)} - {""}:
                self.by_name[entry.is_refund, name].append(entry)

    def of(self, line: Line, name: str) -> Entry | None:
        """The best of what has this name: not taken yet, of this very amount."""
        found = self.by_name.get((line.is_refund, name), []) if name else []
        return min(found, key=lambda each: self._worse(each, line), default=None)

    def _worse(self, entry: Entry, line: Line) -> tuple[bool, bool, bool]:
        return (entry.key in self.taken, not entry.moved, entry.amount != line.amount)


def compare(
    lines: Sequence[Line],
    entries: Iterable[Entry],
    in_period: Iterable[Entry],
    *,
    since: datetime,
    until: datetime,
) -> Result:
    """What a statement and our books say of the same period.

    Args:
        entries: whatever we have under a name in `lines`, of any time.
        in_period: what moved in the period; what no line names is missing there.
    """
    result, known = Result(), _Known(entries)
    strangers: set[tuple[bool, str]] = set()
    for line, entry in _paired(lines, known):
        inside = line.at is None or since <= line.at < until
        twice = entry is not None and entry.key in known.taken
        if entry is None:
            name = (line.is_refund, line.transaction or bare(line.reference))
            twice = name in strangers
            strangers.add(name)
        else:
            known.taken.add(entry.key)
        if not inside:
            result.outside += 1
            continue
        result.lines += 1
        _count(result.theirs, line.currency, line.amount, refund=line.is_refund)
        for gap in _judged(line, entry, twice=twice, result=result):
            result.gaps.append(gap)
    for entry in in_period:
        if entry.key in known.taken:
            continue
        known.taken.add(entry.key)
        near = min(entry.at - since, until - entry.at) < EDGE
        remark = AT_THE_EDGE if near else ""
        if entry.amount is None:
            remark = f"{remark} The partner did not say what it charged.".strip()
        _count(result.ours, entry.currency, entry.amount or ZERO, refund=entry.is_refund)
        result.gaps.append(Found(GapKind.MISSING_THERE, entry.currency, entry=entry, remark=remark))
    return result


def _paired(lines: Sequence[Line], known: _Known) -> Iterator[tuple[Line, Entry | None]]:
    """Each line with what it is about. Their own id decides before our reference does: of two
    charges under one reference, the one we know is ours and the other is twice."""
    rest = []
    for line in lines:
        entry = known.of(line, line.transaction)
        if entry is None:
            rest.append(line)
        else:
            yield line, entry
    for line in rest:
        yield line, known.of(line, bare(line.reference))


def _judged(line: Line, entry: Entry | None, *, twice: bool, result: Result) -> Iterator[Found]:
    if twice:
        yield Found(GapKind.TWICE, line.currency, line, entry, "Another line is about the same.")
    elif entry is None:
        yield Found(
            GapKind.MISSING_HERE, line.currency, line, remark="Nothing of ours has its name."
        )
    elif not entry.moved:
        remark = f"Here it is {entry.status}."
        yield Found(GapKind.MISSING_HERE, line.currency, line, entry, remark)
    elif entry.amount is None:
        result.uncompared += 1
        result.matched += 1
        _count(result.theirs, line.currency, -line.amount, refund=line.is_refund)
    else:
        _count(result.ours, entry.currency, entry.amount, refund=entry.is_refund)
        if entry.currency != line.currency:
            remark = f"Other currencies: {line.currency} there, {entry.currency} here."
            yield Found(GapKind.MISSING_HERE, line.currency, line, entry, remark)
            yield Found(GapKind.MISSING_THERE, entry.currency, entry=entry, remark=remark)
        elif entry.amount != line.amount:
            yield Found(GapKind.AMOUNT_DIFFERS, line.currency, line, entry)
        else:
            result.matched += 1


def _count(totals: Totals, currency: str, amount: Decimal, *, refund: bool) -> None:
    totals[currency or "?"] += -amount if refund else amount

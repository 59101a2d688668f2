"""What an operator pasted for one order: a list, a table or a supplier's mail, dealt out to the
items that owe codes.

What is understood is shown before anything is saved; what is not is shown as well.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vouchers.mailtext import is_table, pasted_rows, read_mail
from vouchers.rows import NotReadable, Row, failed
from vouchers.tables import Terms

Labels = Mapping[int, tuple[str, str]]
"""Item -> product and variant as sold."""


@dataclass(frozen=True, slots=True)
class PastedCode:
    code: str = field(repr=False)
    pin: str = field(default="", repr=False)

    @property
    def line(self) -> str:
        """As the box of an item takes it."""
        return f"{self.code} | {self.pin}" if self.pin else self.code


@dataclass(slots=True)
class Pasted:
    """What was read: the codes of each item, and what belongs to none."""

    codes: dict[int, list[PastedCode]] = field(default_factory=dict)
    left_over: list[PastedCode] = field(default_factory=list)
    """More codes than the order needs."""
    ignored: list[str] = field(default_factory=list)
    """Lines that hold no code, or one that is no good, and why."""

    @property
    def count(self) -> int:
        return sum(len(each) for each in self.codes.values()) + len(self.left_over)


def read_pasted(text: str, *, owed: Mapping[int, int], labels: Labels, now: datetime) -> Pasted:
    """The codes of a pasted text, dealt out to the items that owe some.

    A line that names an item gives its codes, and those below it, to that item; else they are
    dealt out in the order of the items.
    """
    lines = text.splitlines()
    items = list(_items_of(lines, labels))
    pasted = Pasted()
    free: list[PastedCode] = []
    for row in _rows(lines, items, labels, now):
        if row.outcome is not None:
            pasted.ignored.append(_said(row, lines))
            continue
        code, item = PastedCode(row.identity, row.pin), items[row.row_no - 1]
        if item in owed:
            pasted.codes.setdefault(item, []).append(code)
        else:
            free.append(code)
    _deal(pasted, free, owed)
    return pasted


def _deal(pasted: Pasted, free: list[PastedCode], owed: Mapping[int, int]) -> None:
    for item_id, count in owed.items():
        if item_id not in pasted.codes and free:
            pasted.codes[item_id], free = free[:count], free[count:]
    pasted.left_over = free


def _rows(
    lines: Sequence[str], items: Sequence[int], labels: Labels, now: datetime
) -> Iterator[Row]:
    """The rows of a table as they stand; of a mail, without the names of items."""
    text = "\n".join(lines)
    if not is_table(text):
        pairs = zip(lines, items, strict=True)
        text = "\n".join(_without_name(line, labels.get(item)) for line, item in pairs)
    try:
        yield from pasted_rows(text, Terms(now), loosely=True)
    except NotReadable as exc:
        yield failed(0, str(exc))


def _said(row: Row, lines: Sequence[str]) -> str:
    line = lines[row.row_no - 1].strip() if row.row_no else ""
    return line if row.text else f"{line} ({row.problem})".strip()


def _items_of(lines: Sequence[str], labels: Labels) -> Iterator[int]:
    """For each line the item it is about: the one named last; 0 before any was named."""
    item = 0
    for line in lines:
        item = _named(line, labels) or item
        yield item


def _named(text: str, labels: Labels) -> int:
    """The item whose name stands in the text; the longest name wins, a doubt is none."""
    fits = [
        (len(product) * _stands_in(product, text) + len(variant), pk)
        for pk, (product, variant) in labels.items()
        if _stands_in(variant, text)
    ]
    fits = fits or [
        (len(product), pk) for pk, (product, _) in labels.items() if _stands_in(product, text)
    ]
    best = max(fits, default=(0, 0))
    return best[1] if sum(score == best[0] for score, _ in fits) == 1 else 0


def _stands_in(name: str, text: str) -> bool:
    return bool(name and _words(name).search(text))


def _words(name: str) -> re.Pattern[str]:
    """The name as words of their own, never a part of a code."""
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)


def _without_name(line: str, names: tuple[str, str] | None) -> str:
    """Without the item's name, where the line is no code as it stands."""
    named = [name for name in names or () if _stands_in(name, line)]
    if not named or read_mail(line, loosely=True).found:
        return line
    for name in named:
        line = _words(name).sub(" ", line)
    return line.strip(" \t:-\u2013\u2014|,;")

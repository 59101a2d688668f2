"""Reading what an operator pasted: lines, CSV, or a supplier's mail as it came.

What is understood is shown before anything is saved; what is not is shown as well.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

#: Words that head a column, or stand before a value in a mail.
CODE_WORDS: Final = (
    "voucher code", "gift code", "redeem code", "activation code", "activation key",
    "card number", "voucher", "code", "key", "কোড",
)  # fmt: skip
PIN_WORDS: Final = ("pin code", "pin", "পিন")
ITEM_WORDS: Final = ("item", "product", "variant", "sku", "name", "পণ্য")
_CODE_AFTER: Final = re.compile(
    rf"(?:{'|'.join(CODE_WORDS)})\s*(?:no\.?|#)?\s*[:=]\s*(\S[^|,;\t]*)", re.IGNORECASE
)
_PIN_AFTER: Final = re.compile(rf"(?:{'|'.join(PIN_WORDS)})\s*[:=]\s*(\S+)", re.IGNORECASE)
#: A list's number or bullet before the code.
_BULLET: Final = re.compile(r"^\s*(?:[-*•·]|\d{1,3}[.)])\s+")
#: What a code looks like: groups of letters and digits, no word of a sentence.
_CODE: Final = re.compile(r"[A-Za-z0-9]+(?:[-_./+][A-Za-z0-9]+){0,12}|https://\S+")
_LINE: Final = re.compile(r"\s*[|,;\t]\s*")
SHORTEST: Final = 5


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
    """Lines that hold no code."""

    @property
    def count(self) -> int:
        return sum(len(each) for each in self.codes.values()) + len(self.left_over)


Labels = Mapping[int, tuple[str, str]]
"""Item -> product and variant as sold."""


def read_pasted(text: str, *, owed: Mapping[int, int], labels: Labels) -> Pasted:
    """The codes of a pasted text, dealt out to the items that owe some.

    A line or column that names an item gives its codes to that item; else they are dealt out
    in the order of the items.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found, ignored = _table(lines, labels) or _prose(lines, labels)
    pasted = Pasted(ignored=ignored)
    for item_id, code in found:
        if item_id is not None and item_id in owed:
            pasted.codes.setdefault(item_id, []).append(code)
    free = iter([code for item_id, code in found if item_id not in owed])
    for item_id, count in owed.items():
        if item_id in pasted.codes:
            continue
        dealt = [code for _, code in zip(range(count), free, strict=False)]
        if dealt:
            pasted.codes[item_id] = dealt
    pasted.left_over = list(free)
    return pasted


Found = list[tuple[int | None, PastedCode]]


def _table(lines: Sequence[str], labels: Labels) -> tuple[Found, list[str]] | None:
    """CSV with a head that names a column of codes; None if it is something else."""
    if len(lines) < 2:  # noqa: PLR2004 - a head and a row
        return None
    sign = next((each for each in "\t;,|" if each in lines[0]), None)
    head = [name.strip(' "').lower() for name in lines[0].split(sign)] if sign else []
    place = _column(head, CODE_WORDS)
    if sign is None or place is None:
        return None
    pin, item = _column(head, PIN_WORDS), _column(head, ITEM_WORDS)
    found: Found = []
    ignored: list[str] = []
    for row in csv.reader(lines[1:], delimiter=sign):
        cells = [cell.strip() for cell in row]
        if len(cells) <= place or not cells[place]:
            ignored.append(sign.join(row))
            continue
        of = _named(cells[item], labels) if item is not None and item < len(cells) else None
        given = cells[pin] if pin is not None and pin < len(cells) else ""
        found.append((of, PastedCode(cells[place], given)))
    return found, ignored


def _column(head: Sequence[str], words: Iterable[str]) -> int | None:
    return next((head.index(word) for word in words if word in head), None)


def _prose(lines: Sequence[str], labels: Labels) -> tuple[Found, list[str]]:
    """Line by line; a line that names an item heads the codes below it."""
    found: Found = []
    ignored: list[str] = []
    item: int | None = None
    for line in lines:
        named = _named(line, labels)
        code = _code_in(line)
        if named is not None:
            item = named
        pin = _PIN_AFTER.search(line)
        if code is not None:
            found.append((item, code))
        elif pin and found and not found[-1][1].pin:
            found[-1] = (found[-1][0], PastedCode(found[-1][1].code, pin[1]))
        elif named is None:
            ignored.append(line)
    return found, ignored


def _code_in(line: str) -> PastedCode | None:
    told = _CODE_AFTER.search(line)
    if told:
        pin = _PIN_AFTER.search(line)
        code = _PIN_AFTER.sub("", told[1]).strip()
        return PastedCode(code, pin[1] if pin else "") if code else None
    parts = _LINE.split(_BULLET.sub("", line).strip(), maxsplit=1)
    if not _looks_like_code(parts[0]):
        return None
    rest = parts[1] if len(parts) > 1 else ""
    pin = _PIN_AFTER.search(rest)
    return PastedCode(parts[0], pin[1] if pin else rest.strip())


def _looks_like_code(word: str) -> bool:
    if not _CODE.fullmatch(word) or len(word) < SHORTEST:
        return False
    return word.startswith("https://") or any(sign.isdigit() for sign in word) or (
        word.isupper() and len(word) >= 2 * SHORTEST
    )  # fmt: skip


def _named(text: str, labels: Labels) -> int | None:
    """The item whose name stands in the text; the longest name wins, a doubt is none."""
    folded = text.casefold()
    fits = [
        (len(product) * (product.casefold() in folded) + len(variant), pk)
        for pk, (product, variant) in labels.items()
        if variant and variant.casefold() in folded
    ]
    fits = fits or [(len(p), pk) for pk, (p, _) in labels.items() if p.casefold() in folded]
    best = max(fits, default=None)
    if best is None or sum(score == best[0] for score, _ in fits) > 1:
        return None
    return best[1]

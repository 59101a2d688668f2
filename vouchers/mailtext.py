"""A supplier's mail, as it was pasted: every line ends as a code, as a part of one, or as not
understood and shown to the operator. Nothing is guessed: a phone number looks like a code.

Read for an import, and for the codes of one order (`vouchers.pasting`); only there, where a person
sees each of them before it is kept, may a lone word be as short as behind a label.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from vouchers.rows import Row, made
from vouchers.states import Outcome
from vouchers.tables import Terms, columns_of, delimiter_of, text_rows

_CODE_WORD: Final = (
    r"(?:(?:your|the|e-?)?\s*(?:gift\s*card|voucher|gift|card|activation|redeem|redemption|coupon"
    r"|serial|license|licence|digital|game|product|itunes|psn|xbox|steam|google\s*play)?\s*"
    r"(?:e-?pin|code|key|voucher|coupon|claim\s*code|কোড))"
)
_LABELLED_CODE: Final = re.compile(
    rf"^(?:.{{0,60}}?\b)??{_CODE_WORD}(?:\s*(?:no\.?|number|nr\.?|#))?\s*#?\d{{0,4}}"
    r"\s*(?:[:=\u2013\u2014]|-\s|\bis\b:?)\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_PIN: Final = re.compile(
    r"\(?\b(?:পিন|pin(?:\s*(?:code|no\.?|number))?|password|passcode|security\s*code|cvv)"
    r"\s*(?:[:=#\u2013\u2014-]|\bis\b:?|\s)\s*(?P<pin>[A-Za-z0-9-]{3,20})\)?\s*\.?$",
    re.IGNORECASE,
)
_SERIAL: Final = re.compile(
    r"[,;|/(]?\s*\b(?:serial(?:\s*(?:no\.?|number|#))?|s/n|sn)\s*[:=#\u2013\u2014]\s*"
    r"(?P<serial>[A-Za-z0-9-]{3,60})\)?\s*$",
    re.IGNORECASE,
)
_EXPIRY: Final = re.compile(
    r"[,;|(]?\s*\b(?:exp(?:iry|ires|iration)?\.?(?:\s*date)?|valid\s*(?:until|till|thru))"
    r"(?:\s*on)?\s*[:=\u2013\u2014]?\s*(?P<day>[0-9A-Za-z ,./-]{6,20}?)\)?\s*\.?$",
    re.IGNORECASE,
)
_LINK: Final = re.compile(
    r"^\W*(?:redeem|redemption|claim|gift|activation)[\w ]{0,20}?\s*[:=\u2013-]\s*"
    r"(?P<link>https?://\S+)$",
    re.IGNORECASE,
)
_BULLET: Final = re.compile(
    r"^(?:[>\s]*)(?:[-*\u2022\u00b7\u25aa\u2013]\s+|\(?\d{1,5}[.):]\)?\s+|#\d{1,5}[:.)]?\s+)?"
)
_HEAD: Final = re.compile(
    rf"^(?:here\s+(?:is|are)\s+)?(?:your\s+|the\s+|আপনার\s+)?(?:{_CODE_WORD})s?\s*:$", re.IGNORECASE
)
#: Codes of another kind.
_OTHER_CODE: Final = re.compile(
    r"\b(?:zip|post|postal|country|area|order|promo|tracking|reference|dial|sort|swift|branch|bank"
    r"|routing|customer|discount|qr|bar|error|status|source|dress|product\s+id)\s*-?\s*code\b",
    re.IGNORECASE,
)
#: A bare code: groups with hyphens, groups of one length with blanks, or one long word.
_GROUPS: Final = re.compile(r"[A-Za-z0-9]{3,8}(?:-[A-Za-z0-9]{3,12}){1,7}")
_SPACED: Final = re.compile(r"[A-Z0-9]{4}(?: [A-Z0-9]{4}){2,5}|[A-Z0-9]{5}(?: [A-Z0-9]{5}){2,5}")
_WORD: Final = re.compile(r"[A-Za-z0-9]{8,40}")
_LABELLED_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{4,60}")
_URL: Final = re.compile(r"https://\S+")
_SHORTEST_GROUPS: Final = 9
_SHORTEST_NUMBER: Final = 10
_BESIDE: Final = re.compile(r"^(?P<code>.+?)\s*(?:\t|\||;|,|\s/\s|\s-\s|\s:\s)\s*(?P<pin>\d{3,8})$")
#: Looks like a code and is none: a phone number, a day, a word and a running number.
_NOT_ONE: Final = re.compile(
    r"(?:\+?88)?01[3-9]\d{8}|\d{4}-\d{2}-\d{2}|\d{2}-\d{2}-\d{4}|\d{3}-\d{3}-\d{4}"
    r"|(?:inv|invoice|order|po|ref|txn|trx|bill|ticket|case|req|so|do)-?(?:no)?-?\d[\d-]*",
    re.IGNORECASE,
)


class Kind(Enum):
    CODE = "code"
    PIN = "PIN of a code"
    PART = "part of a code"
    NOT_UNDERSTOOD = "not understood"


@dataclass(slots=True)
class Found:
    """A code that was found, while its lines are gone through."""

    row_no: int
    code: str = field(repr=False)
    pin: str = field(default="", repr=False)
    serial: str = ""
    expires: str = ""
    link: str = field(default="", repr=False)

    def given(self) -> Mapping[str, str]:
        return {
            "code": self.code, "pin": self.pin, "serial_number": self.serial,
            "expires_at": self.expires, "redemption_url": self.link,
        }  # fmt: skip


@dataclass(slots=True)
class Reading:
    """What became of each line that is not blank."""

    loosely: bool = False
    """A line that is one word with a digit, or a link, is a code: it was pasted as one."""
    found: list[Found] = field(default_factory=list)
    kinds: dict[int, Kind] = field(default_factory=dict)
    lines: dict[int, str] = field(default_factory=dict, repr=False)
    announced: int = 0
    """A line that says that a code follows, until it does."""
    last_no: int = 0

    def take(self, row_no: int, line: str) -> None:
        kind = self._kind(row_no, line)
        if self.announced and row_no != self.announced:
            self.kinds[self.announced] = Kind.PART if kind == Kind.CODE else Kind.NOT_UNDERSTOOD
            self.announced = 0
        self.lines[row_no], self.kinds[row_no] = line, kind

    def _kind(self, row_no: int, line: str) -> Kind:
        text = _bare(line)
        if _HEAD.match(text):
            self._close()
            self.announced = row_no
            return Kind.NOT_UNDERSTOOD
        if found := _LINK.match(text):
            return self._link(row_no, found["link"])
        text, pin = _cut(text, _PIN, "pin")
        text, serial, expires = _marks(text)
        if not pin:  # "PIN 1234, expires 2027-01-01": the PIN stands before
            text, pin = _cut(text.rstrip(" ,;|/("), _PIN, "pin")
        text = text.strip(" ,;|/(")
        if not text:
            return self._part(pin, serial, expires)
        labelled = None if _OTHER_CODE.search(text) else _LABELLED_CODE.match(text)
        code = _code(labelled["rest"].strip(), labelled=True) if labelled else ""
        if not code and not pin:
            code, pin = _with_pin(labelled["rest"] if labelled else text, labelled=bool(labelled))
        code = code or ("" if labelled else self._bare_code(text))
        if not code:
            return Kind.NOT_UNDERSTOOD
        if _URL.fullmatch(code):
            return self._link(row_no, code)
        self.found.append(Found(row_no, code, pin, serial, expires))
        return Kind.CODE

    def _bare_code(self, text: str) -> str:
        if self.loosely and _URL.fullmatch(text):
            return text
        loosely = self.loosely and not _NOT_ONE.fullmatch(text)
        return _code(text, labelled=loosely or bool(self.announced))

    def _close(self) -> None:
        if self.announced:
            self.kinds[self.announced] = Kind.NOT_UNDERSTOOD

    def _part(self, pin: str, serial: str, expires: str) -> Kind:
        """Of the code before it, which may not say the same already."""
        if not self.found:
            return Kind.NOT_UNDERSTOOD
        last = self.found[-1]
        if (pin and last.pin) or (serial and last.serial) or (expires and last.expires):
            return Kind.NOT_UNDERSTOOD
        last.pin = pin or last.pin
        last.serial, last.expires = serial or last.serial, expires or last.expires
        return Kind.PIN if pin else Kind.PART

    def _link(self, row_no: int, link: str) -> Kind:
        if self.found and not self.found[-1].link and self.found[-1].code:
            self.found[-1].link = link
            return Kind.PART
        self.found.append(Found(row_no, "", link=link))
        return Kind.CODE


def read_mail(text: str, *, loosely: bool = False) -> Reading:
    reading = Reading(loosely)
    for row_no, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            reading.take(row_no, line)
    return reading


def is_table(text: str) -> bool:
    """Whether its first row names columns."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = delimiter_of(first)
    return mark in first and columns_of(first.split(mark)) is not None


def pasted_rows(text: str, terms: Terms, *, loosely: bool = False) -> Iterator[Row]:
    """A table with a row of names as a table, anything else as a mail."""
    if is_table(text):
        yield from text_rows(text, terms)
        return
    reading = read_mail(text, loosely=loosely)
    by_line = {found.row_no: found for found in reading.found}
    for row_no, kind in sorted(reading.kinds.items()):
        if kind == Kind.CODE:
            given = by_line[row_no].given()
            yield made(row_no, given, now=terms.now, expires_at=terms.expires_at)
        elif kind == Kind.NOT_UNDERSTOOD:
            line = reading.lines[row_no].strip()[:500]
            problem = "Neither a code nor a part of one."
            yield Row(row_no, outcome=Outcome.NOT_UNDERSTOOD, problem=problem, text=line)


def _bare(line: str) -> str:
    """Without quote marks, bullets, numbers of a list, and the stars of a chat."""
    text = line.replace("\u00a0", " ").replace("&nbsp;", " ").replace("\u200b", "")
    text = re.sub(r"<br\s*/?>|</?(?:p|td|tr|li|b|strong)>", "", text, flags=re.IGNORECASE).strip()
    text = text.strip("*_`\"'\u201c\u201d").strip()
    return _BULLET.sub("", text, count=1).strip("*_`\"'\u201c\u201d ").strip()


def _cut(text: str, pattern: re.Pattern[str], name: str) -> tuple[str, str]:
    found = pattern.search(text)
    if not found or not any(char.isdigit() for char in found[name]):
        return text, ""
    return text[: found.start()].strip(), found[name].strip()


def _marks(text: str) -> tuple[str, str, str]:
    text, expires = _cut(text, _EXPIRY, "day")
    text, serial = _cut(text, _SERIAL, "serial")
    if not expires:
        text, expires = _cut(text, _EXPIRY, "day")
    return text, serial, expires


def _with_pin(text: str, *, labelled: bool) -> tuple[str, str]:
    found = _BESIDE.match(text.strip())
    code = _code(found["code"], labelled=labelled) if found else ""
    return (code, found["pin"]) if found and code else ("", "")


def _code(text: str, *, labelled: bool) -> str:
    """The text, if nothing but a code is in it. A label makes up for what its look leaves open."""
    text = text.strip().strip("*_`\"'\u201c\u201d").rstrip(".,;").strip()
    digits = sum(char.isdigit() for char in text)
    if labelled and (digits or _GROUPS.fullmatch(text)) and _LABELLED_WORD.fullmatch(text):
        return text
    if not digits or _NOT_ONE.fullmatch(text):
        return ""
    if _SPACED.fullmatch(text) or (_GROUPS.fullmatch(text) and len(text) >= _SHORTEST_GROUPS):
        return text
    if not _WORD.fullmatch(text):
        return ""
    if digits == len(text):
        return text if digits >= _SHORTEST_NUMBER else ""
    return text if digits > 1 and text == text.upper() else ""

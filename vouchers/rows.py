"""One row of a supplier's list, however it came: what it says, and what is wrong with it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from vouchers.states import Outcome

CODE_LENGTH: Final = 500
PIN_LENGTH: Final = 100
SERIAL_LENGTH: Final = 120
LINK_LENGTH: Final = 500
#: What a spreadsheet makes of a long number.
_SCIENTIFIC: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}")
#: How careful suppliers keep a spreadsheet from reading a code as a number.
_FORCED_TEXT: Final = re.compile(r'="([^"]*)"')
_DATES: Final = ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y",
                 "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d %b, %Y")  # fmt: skip
_DHAKA: Final = ZoneInfo("Asia/Dhaka")


class NotReadable(Exception):  # noqa: N818 - what is uploaded can't be read at all
    """Said to the person who uploaded it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A code to be imported, or a row that is none."""

    row_no: int
    place: int = 0
    code: str = field(default="", repr=False)
    pin: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    serial: str = ""
    expires_at: datetime | None = None
    outcome: Outcome | None = None
    problem: str = ""
    text: str = field(default="", repr=False)
    """The line, where it was not understood."""

    @property
    def identity(self) -> str:
        return self.code or self.link

    def packed(self) -> list[Any]:
        """As it is sealed until it is loaded."""
        expires = self.expires_at and self.expires_at.isoformat()
        return [self.row_no, self.place, self.code, self.pin, self.link, self.serial, expires]

    @classmethod
    def unpacked(cls, parts: list[Any]) -> "Row":
        row_no, place, code, pin, link, serial, expires = parts
        moment = datetime.fromisoformat(expires) if expires else None
        return cls(row_no, place, code, pin, link, serial, moment)


def failed(row_no: int, problem: str, *, place: int = 0) -> Row:
    return Row(row_no, place, outcome=Outcome.ERROR, problem=problem)


def made(
    row_no: int,
    given: Mapping[str, str],
    *,
    now: datetime,
    expires_at: datetime | None = None,
    place: int = 0,
) -> Row:
    """A row from texts called `code`, `pin`, `redemption_url`, `serial_number`, `expires_at`."""
    try:
        code, pin = _goods(given, "code", CODE_LENGTH), _goods(given, "pin", PIN_LENGTH)
        link = _goods(given, "redemption_url", LINK_LENGTH)
        serial = _goods(given, "serial_number", SERIAL_LENGTH)
        said = given.get("expires_at", "").strip()
        expires = moment_of(said) if said else expires_at
    except ValueError as exc:
        return failed(row_no, str(exc), place=place)
    problem = ""
    if not code and not link:
        problem = "There is a PIN but no code." if pin else "There is no code."
    elif link and not link.lower().startswith(("https://", "http://")):
        problem = "The link does not begin with https://."
    elif expires is not None and expires <= now:
        problem = f"It expired on {expires.astimezone(_DHAKA):%d %b %Y}."
    if problem:
        return failed(row_no, problem, place=place)
    return Row(row_no, place, code, pin, link, serial, expires)


def _goods(given: Mapping[str, str], name: str, most: int) -> str:
    """A text as it is: nothing cut, no zero lost.

    Raises:
        ValueError: it can't be a code, and why.
    """
    word = {"pin": "PIN", "redemption_url": "link", "serial_number": "serial number"}.get(
        name, name
    )
    text = given.get(name, "").strip().strip("\ufeff\u200b")
    if forced := _FORCED_TEXT.fullmatch(text):
        text = forced[1].strip()
    if len(text) > most:
        raise ValueError(f"The {word} is longer than {most} characters.")
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise ValueError(f"The {word} holds a character that can't be typed.")
    if _SCIENTIFIC.fullmatch(text):
        message = f"A spreadsheet rewrote the {word} as a number ({text}): digits were lost."
        raise ValueError(f"{message} Ask for the file with this column as text.")
    return text


def moment_of(text: str) -> datetime:
    """A time, or a day that counts to its end in Dhaka; days are written before months here.

    Raises:
        ValueError: it is neither.
    """
    for form in _DATES:
        try:
            day = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        return end_of(day)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        words = "is no date; write 2027-12-31 or 31/12/2027."
        raise ValueError(f'The expiry "{text[:40]}" {words}') from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=_DHAKA)).astimezone(UTC)


def end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), _DHAKA).astimezone(UTC)

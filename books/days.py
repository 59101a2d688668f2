"""Whole days of Dhaka: a period of them, and which are closed, so that their sums stand ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db import connection

from orders.selectors import DHAKA

Span = tuple[datetime, datetime]
ONE: Final = timedelta(days=1)
MOST_SPANS: Final = 20
"""More gaps than this are read as one: beyond it, a condition of many parts costs more."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of Dhaka, both included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time.min, tzinfo=DHAKA)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last + ONE, time.min, tzinfo=DHAKA)


@dataclass(frozen=True, slots=True)
class Split:
    """A period cut in two: closed days, whose lines are read, and spans that are added up now.

    A day that changes after it was looked at is read as it stood then, as by one statement.
    """

    closed: Sequence[date]
    spans: Sequence[Span]

    def within(self, column: str) -> tuple[str, list[Any]]:
        """The spans as SQL over a column, and its parameters."""
        if not self.spans:
            return "false", []
        each = f"({column} >= %s AND {column} < %s)"
        return f"({' OR '.join([each] * len(self.spans))})", [
            end for span in self.spans for end in span
        ]


def split(period: Period) -> Split:
    """One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT day FROM books_closed_days AS closed WHERE day BETWEEN %s AND %s
              AND NOT EXISTS (SELECT FROM books_changed_days WHERE day = closed.day)
            """,
            [period.first, period.last],
        )
        closed = {day for (day,) in cursor.fetchall()}
    spans = _gaps(period, closed)
    if len(spans) > MOST_SPANS:
        spans = [Period(spans[0].first, spans[-1].last)]
        closed = {day for day in closed if not spans[0].first <= day <= spans[0].last}
    return Split(sorted(closed), [(span.since, span.until) for span in spans])


def whole(period: Period) -> Split:
    """All of it added up now, whatever is closed."""
    return Split([], [(period.since, period.until)])


def _gaps(period: Period, closed: set[date]) -> list[Period]:
    """The runs of days that are not closed."""
    gaps: list[Period] = []
    begun: date | None = None
    day = period.first
    while day <= period.last:
        if day in closed:
            if begun:
                gaps.append(Period(begun, day - ONE))
            begun = None
        else:
            begun = begun or day
        day += ONE
    if begun:
        gaps.append(Period(begun, period.last))
    return gaps

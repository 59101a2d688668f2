"""Days whose sums are kept, so that a year is read as fast as a day.

A day is closed some hours after its end. What changes in it later (a code is revoked, a purchase is
found to have succeeded, money in a wrong sum is told) is noted by a trigger in the very transaction
that changes it; such a day is added up anew at each look until it is closed again.

Writers of a day hold its lock together until they commit; who closes it needs it alone, takes it
only if it is free, and looks after it has it. So no change falls between.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection, transaction

from books.days import ONE, Period, whole
from books.lines import MONEY, SALES, SPENDING, Lines, money_lines, sales_lines, spending_lines
from orders.models import Order
from orders.selectors import DHAKA

#: After its end. The triggers look at what is older than an hour: a transaction would have to be
#: open for the hours between to change a closed day unseen.
SETTLED_AFTER: Final = timedelta(hours=4)
MOST_AT_ONCE: Final = 400
TABLES: Final = ("books_day_money", "books_day_sales", "books_day_spending")


def days_to_close(*, now: datetime, limit: int = MOST_AT_ONCE) -> Sequence[date]:
    """Days that are over and not closed, or changed since; the newest first."""
    first = Order.objects.order_by("pk").values_list("created_at", flat=True).first()
    if first is None:
        return []
    last = (now - SETTLED_AFTER).astimezone(DHAKA).date() - ONE
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d::date FROM generate_series(%s::timestamp, %s::timestamp, '1 day') AS d
            WHERE NOT EXISTS (SELECT FROM books_closed_days WHERE day = d::date)
            UNION
            SELECT day FROM books_changed_days WHERE day <= %s ORDER BY 1 DESC LIMIT %s
            """,
            [first.astimezone(DHAKA).date(), last, last, limit],
        )
        return [day for (day,) in cursor.fetchall()]


def close_day(day: date, *, now: datetime) -> bool:
    """Keep the sums of a day that is over; False if somebody is changing it just now."""
    of = whole(Period(day, day))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT bdv_books_close(%s)", [day])
        if not cursor.fetchone()[0]:
            return False
        for table in (*TABLES, "books_changed_days", "books_closed_days"):
            cursor.execute(f"DELETE FROM {table} WHERE day = %s", [day])  # noqa: S608
        cursor.execute("INSERT INTO books_closed_days (day, closed_at) VALUES (%s, %s)", [day, now])
        _keep("books_day_money", MONEY[1:], day, _added_up(money_lines(of)))
        _keep("books_day_sales", SALES, day, sales_lines(of))
        _keep("books_day_spending", SPENDING, day, spending_lines(of))
    return True


def close_days(*, now: datetime) -> int:
    """How many were closed; each in its own transaction."""
    return sum(close_day(day, now=now) for day in days_to_close(now=now))


def _added_up(lines: Lines) -> Lines:
    """Money that came and went of one method, in one row."""
    sql = f"""SELECT method, currency, sum(paid_count) AS paid_count, sum(paid) AS paid,
      sum(refunded_count) AS refunded_count, sum(refunded) AS refunded
      FROM ({lines.sql}) AS each GROUP BY 1, 2"""  # noqa: S608
    return Lines(sql, lines.parameters)


def _keep(table: str, columns: Sequence[str], day: date, lines: Lines) -> None:
    named = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (day, {named}) SELECT %s, {named} FROM ({lines.sql}) AS lines",  # noqa: S608
            [day, *lines.parameters],
        )

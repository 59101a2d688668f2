"""What must always hold, as SQL over the whole shop (I1 to I29).

Each rule finds its own breaches: rows of (order id or null, what is wrong). Most of them the
database refuses anyway; this looks once more, at everything, because a restored backup, a script
or a mistake of ours may have got around it. `T` is how long work may lie about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from bdvoucher.invariant_rules import RULES, Rule
from notifications.alerts import raise_alert
from notifications.models import AdminAlert
from notifications.states import AlertKind
from orders.models import Order
from orders.services import locked

T: Final = timedelta(minutes=5)
MOST_SHOWN: Final = 200
LONGEST_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that must not be; `order_id` is null where it is about no single order."""

    rule: str
    order_id: int | None
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


def breaches_of(rule: Rule, *, now: datetime) -> list[Breach]:
    """What breaks one rule, at most `MOST_SHOWN` of them; reads only."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST_SECONDS}s'")
        cursor.execute("SET LOCAL work_mem = '64MB'")  # hashes of a million rows stay in memory
        cursor.execute(
            f"SELECT * FROM ({rule.sql}) AS breach(order_id, what) LIMIT {MOST_SHOWN}",  # noqa: S608
            {"now": now, "late": now - T, "minute": now - timedelta(seconds=60)},
        )
        return [Breach(rule.name, order_id, what) for order_id, what in cursor.fetchall()]


def check_all(*, now: datetime) -> Iterator[tuple[Rule, list[Breach]]]:
    """Rule by rule, so that a caller can show how far it got."""
    for rule in RULES:
        yield rule, breaches_of(rule, now=now)


def keep_alerts(breaches: Sequence[Breach], *, now: datetime) -> None:
    """One open alert for each order (or general rule) that is broken, none for what holds again."""
    told: dict[int | None, list[str]] = {}
    for breach in breaches:
        told.setdefault(breach.order_id, []).append(str(breach))
    general = set(told.pop(None, ()))
    for order_id, words in told.items():
        with transaction.atomic():
            raise_alert(locked(order_id or 0), AlertKind.INVARIANT, "; ".join(words), now=now)
    for sentence in sorted(general):
        with transaction.atomic():
            raise_alert(None, AlertKind.INVARIANT, sentence, now=now)
    still_open = AdminAlert.objects.filter(kind=AlertKind.INVARIANT, resolved_at=None)
    mended = [
        alert.pk
        for alert in still_open
        if (alert.order_id not in told if alert.order_id else alert.message not in general)
    ]
    AdminAlert.objects.filter(pk__in=mended).update(
        resolved_at=now, resolution_notes="Holds again at the next look."
    )


def order_numbers(breaches: Sequence[Breach]) -> dict[int, str]:
    """Order id -> number, for who reads the report."""
    ids = {breach.order_id for breach in breaches if breach.order_id}
    return dict(Order.objects.filter(pk__in=ids).values_list("pk", "order_number"))

"""What a customer's own list of orders may be narrowed down to."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db.models import QuerySet

from core.errors import BadRequest
from orders.models import Order
from orders.selectors import DHAKA
from orders.states import OrderStatus

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


def narrowed(rows: QuerySet[Order], params: Mapping[str, str]) -> QuerySet[Order]:
    """The orders of these statuses that were placed in this time.

    Raises:
        BadRequest: a parameter can't be meant; it is named.
    """
    if "status" in params:
        rows = rows.filter(status__in=_statuses(params["status"]))
    since = _bound(params, "created_from", end_of_day=False)
    until = _bound(params, "created_to", end_of_day=True)
    if since is not None and until is not None and until <= since:
        raise BadRequest.at("created_to", "created_to must come after created_from.")
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if until is not None:
        rows = rows.filter(created_at__lt=until)
    return rows


def _statuses(text: str) -> list[str]:
    wanted = text.split(",")
    if not set(wanted) <= set(OrderStatus.values):
        raise BadRequest.at("status", f"status must be one of: {', '.join(OrderStatus.values)}.")
    return wanted


def _bound(params: Mapping[str, str], name: str, *, end_of_day: bool) -> datetime | None:
    """A moment; a bare date is that whole day in Dhaka."""
    text = params.get(name)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=1 if end_of_day else 0)
            return datetime.combine(day, time.min, DHAKA).astimezone(UTC)
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # written like a date, and there is no such day
    form = "a date (2026-04-27) or a time with its zone (2026-04-27T14:22:00Z)"
    raise BadRequest.at(name, f"{name} must be {form}.")

"""Alerts to operators; every function is part of its caller's transaction."""

from collections.abc import Iterable
from datetime import datetime

from core import correlation
from core.logging import get_logger
from notifications.models import AdminAlert
from notifications.states import AlertKind
from orders.models import Order

log = get_logger(__name__)


def raise_alert(order: Order | None, kind: AlertKind, message: str, *, now: datetime) -> None:
    """Open an alert, unless one of this kind is open for the order already.

    The order's row lock makes "unless" safe; the partial unique index is the last guard.
    """
    known = AdminAlert.objects.filter(order=order, kind=kind, resolved_at=None)
    if order is None:
        known = known.filter(message=message[:500])
    if known.exists():
        return
    AdminAlert.objects.create(
        order=order,
        kind=kind,
        message=message[:500],
        correlation_id=correlation.current(),
        created_at=now,
    )
    log.warning("alert.raised", kind=kind, order=order and order.order_number)


def resolve_alerts(
    order: Order, kinds: Iterable[AlertKind], *, note: str, now: datetime, by_id: int | None = None
) -> int:
    """Close the order's open alerts of these kinds; how many there were."""
    open_ones = AdminAlert.objects.filter(order=order, kind__in=list(kinds), resolved_at=None)
    return open_ones.update(resolved_at=now, resolution_notes=note[:500], resolved_by=by_id)

"""Alerts to operators; every function is part of its caller's transaction."""

from collections.abc import Iterable
from datetime import datetime

from core import correlation
from core.actors import Actor
from core.errors import Conflict, NotFound
from core.logging import get_logger
from notifications.models import AdminAlert
from notifications.states import CLOSE_BY_THEMSELVES, AlertKind
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


def resolve_general(kind: AlertKind, message: str, *, note: str, now: datetime) -> int:
    """Close the alert of no order that said just this; how many there were."""
    rows = AdminAlert.objects.filter(order=None, kind=kind, message=message[:500], resolved_at=None)
    return rows.update(resolved_at=now, resolution_notes=note[:500])


def acknowledge(alert_id: int, *, operator: Actor, now: datetime) -> AdminAlert:
    """An operator has seen it; the first one to say so is kept.

    Raises:
        NotFound: there is no such alert.
    """
    AdminAlert.objects.filter(pk=alert_id, acknowledged_at=None).update(
        acknowledged_at=now, acknowledged_by=operator.user_id
    )
    return _alert(alert_id)


def resolve(alert_id: int, *, operator: Actor, note: str, now: datetime) -> AdminAlert:
    """An operator dealt with its cause.

    Raises:
        NotFound: there is no such alert.
        Conflict: it is closed already, or closes only with its cause (D15, D44).
    """
    alert = _alert(alert_id)
    if alert.kind in CLOSE_BY_THEMSELVES:
        raise Conflict(
            "This alert closes by itself when the order is delivered or its money is dealt with."
        )
    taken = AdminAlert.objects.filter(pk=alert_id, resolved_at=None).update(
        resolved_at=now, resolved_by=operator.user_id, resolution_notes=note[:500]
    )
    if not taken:
        who = alert.resolved_by or "the shop itself"
        raise Conflict(f"Alert {alert_id} was closed already by {who}.")
    return _alert(alert_id)


def _alert(alert_id: int) -> AdminAlert:
    rows = AdminAlert.objects.select_related("order", "acknowledged_by", "resolved_by")
    alert = rows.filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert.")
    return alert

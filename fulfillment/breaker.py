"""The circuit breaker of each partner: a silent one is left alone, then probed (D19).

Open means that automatic purchases skip it; an operator's retry never asks here, since a person
who presses the button knows something. Only purchases count: a partner that answers look-ups may
still not sell.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import F

from catalog.models import Partner
from core.actors import Actor
from core.logging import get_logger
from fulfillment.models import PartnerHealth
from notifications.alerts import raise_alert, resolve_general
from notifications.states import AlertKind

log = get_logger(__name__)
PAUSED: Final = "PARTNER_PAUSED"
"""Our word in the audit trail for a purchase that was not tried."""


def allows(partner_id: int, *, now: datetime) -> bool:
    """Whether a purchase may go to the partner now.

    When the pause is over, exactly one caller gets a yes and is the probe; the others wait for
    what it learns.
    """
    health = PartnerHealth.objects.filter(pk=partner_id).only("open_until").first()
    if health is None or health.open_until is None:
        return True
    if health.open_until > now:
        return False
    claimed = PartnerHealth.objects.filter(pk=partner_id, open_until=health.open_until)
    return bool(claimed.update(open_until=now + settings.BREAKER_PAUSE))


def is_paused(partner_id: int, *, now: datetime) -> bool:
    """Whether purchases are paused just now; asking makes nobody the probe."""
    return PartnerHealth.objects.filter(pk=partner_id, open_until__gt=now).exists()


def opens_again(partner_ids: Sequence[int]) -> datetime | None:
    """When the first of these partners may be probed; None if none is paused."""
    rows = PartnerHealth.objects.filter(pk__in=partner_ids).exclude(open_until=None)
    return rows.order_by("open_until").values_list("open_until", flat=True).first()


def note_answer(partner: Partner, *, now: datetime) -> None:
    """The partner answered a purchase, be it with a no; part of the caller's transaction."""
    troubled = PartnerHealth.objects.filter(pk=partner.pk).exclude(failures=0, open_until=None)
    was_open = troubled.exclude(open_until=None).exists()
    if was_open:
        _close(partner, f"{partner} answers again.", now=now)
    else:
        troubled.update(failures=0)


def note_silence(partner: Partner, error: str, *, now: datetime) -> None:
    """No answer, or none to work with; part of the caller's transaction."""
    PartnerHealth.objects.get_or_create(partner=partner)
    rows = PartnerHealth.objects.filter(pk=partner.pk)
    rows.update(failures=F("failures") + 1, last_error=error[:500])
    due = rows.filter(failures__gte=settings.BREAKER_FAILURES)
    if due.exclude(open_until=None).update(open_until=now + settings.BREAKER_PAUSE):
        return  # a probe in vain
    if due.update(open_until=now + settings.BREAKER_PAUSE, opened_at=now):
        raise_alert(None, AlertKind.PARTNER_DOWN, _down(partner), now=now)
        log.warning("fulfilment.partner.paused", partner=partner.slug, error=error)


def reset(partner: Partner, *, operator: Actor, now: datetime) -> None:
    """An operator lets purchases through again; waiting orders are served by the next sweep."""
    PartnerHealth.objects.get_or_create(partner=partner)
    _close(partner, f"Let through again by {operator.label}.", now=now)


def _close(partner: Partner, why: str, *, now: datetime) -> None:
    PartnerHealth.objects.filter(pk=partner.pk).update(
        failures=0, opened_at=None, open_until=None, closed_at=now
    )
    resolve_general(AlertKind.PARTNER_DOWN, _down(partner), note=why, now=now)
    log.info("fulfilment.partner.resumed", partner=partner.slug, why=why)


def _down(partner: Partner) -> str:
    return (
        f"{partner} does not answer purchases. They are paused and tried again by themselves; "
        "waiting orders are served when it is back."
    )

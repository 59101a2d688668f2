"""Tell one event to one endpoint: claim, call, record.

Whoever claims the row first sends it; a sender that died holds it for no longer than its lease,
and the receiver may then get the event twice, under one `eventId`. Order is not promised: an
event that had to wait arrives after later ones.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import requests
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core import correlation
from core.db import durable
from core.logging import get_logger
from core.outside import outside, refusal_in
from core.providers import ProviderError
from core.states import check_arrow
from notifications.alerts import raise_alert, resolve_general
from notifications.states import AlertKind
from vouchers.ciphers import Unreadable
from webhooks.models import Delivery, DeliveryAttempt, Endpoint
from webhooks.selectors import due
from webhooks.signing import headers
from webhooks.states import ARROWS, DeliveryStatus

log = get_logger(__name__)

D = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Said:
    """What one try came to; of the answer nothing but its status."""

    answer_status: int | None
    milliseconds: int
    error: str = ""


def deliver(delivery_id: int) -> None:
    """Send what is due now and write down what became of it; running it twice is harmless."""
    row = _claimed(delivery_id, now=timezone.now())
    if row is None:
        return
    with correlation.correlated(row.correlation_id):
        _record(row, _post(row))


def _claimed(delivery_id: int, *, now: datetime) -> Delivery | None:
    """The row, ours until its lease ends; None if somebody else has it, or it is not due."""
    claimed = (
        due(now=now)
        .filter(pk=delivery_id)
        .update(status=D.SENDING, claimed_at=now, next_try_at=None, tries=F("tries") + 1)
    )
    if not claimed:
        return None
    return Delivery.objects.select_related("endpoint").get(pk=delivery_id)


@durable
def _post(row: Delivery) -> Said:
    started = time.monotonic()
    status, error = _asked(row)
    return Said(status, round((time.monotonic() - started) * 1000), error)


def _asked(row: Delivery) -> tuple[int | None, str]:
    """The answer's status, and why it is not good enough; the receiver's words stay unread."""
    body = row.body.encode()
    try:
        proofs = headers(row.endpoint, body, now=timezone.now())
        request = requests.Request(
            "POST",
            row.endpoint.url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "BDVoucher-Webhooks/1",
                **proofs,
            },
        )
        with outside("webhook", seconds=settings.WEBHOOK_SECONDS) as out:
            status = out.send(request, repeatable=True).status
    except Unreadable:
        return None, "our secret for this endpoint can't be opened"
    except ProviderError as exc:
        status = int(exc.raw_code) if exc.raw_code.isdigit() else 0
        if not status:
            return None, refusal_in(exc) or exc.message
    except (requests.RequestException, ValueError):
        return None, "the address can't be called"
    if status < HTTPStatus.OK or status >= HTTPStatus.MULTIPLE_CHOICES:
        redirected = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        why = "; redirects are not followed" if redirected else ""
        return status, f"HTTP {status}{why}"
    return status, ""


@transaction.atomic
def _record(claimed: Delivery, said: Said) -> None:
    """Delivered, planned again or dead; the alert of the endpoint follows.

    The endpoint's lock comes first and lets one delivery of it at a time decide about the alert;
    it is weaker than a change of its key, so nobody who announces an event waits for it.
    """
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=claimed.endpoint_id)
    row = Delivery.objects.select_for_update(of=("self",)).get(pk=claimed.pk)
    if row.status != D.SENDING or row.claimed_at is None or row.claimed_at != claimed.claimed_at:
        log.warning("webhook.claim_lost", delivery=row.pk, status=row.status)
        return
    now = timezone.now()
    DeliveryAttempt.objects.create(
        delivery=row,
        number=row.tries,
        at=row.claimed_at,
        answer_status=said.answer_status,
        milliseconds=said.milliseconds,
        error=said.error,
    )
    new = (
        D.DELIVERED
        if not said.error
        else D.PENDING
        if row.tries <= len(settings.WEBHOOK_WAITS)
        else D.DEAD
    )
    check_arrow(ARROWS, D(row.status), new)
    row.status, row.error = new, said.error
    row.delivered_at = now if new == D.DELIVERED else None
    row.next_try_at = now + _wait(row.tries) if new == D.PENDING else None
    row.save(update_fields=["status", "error", "delivered_at", "next_try_at"])
    if new == D.DEAD:
        raise_alert(None, AlertKind.WEBHOOK_FAILED, alert_text(endpoint), now=now)
    elif new == D.DELIVERED and not endpoint.deliveries.filter(status=D.DEAD).exists():
        note = f"Everything was delivered, {row.event_id}"
        resolve_general(AlertKind.WEBHOOK_FAILED, alert_text(endpoint), note=note, now=now)
    log.info(
        "webhook.tried",
        delivery=row.pk,
        endpoint=endpoint.pk,
        event_type=row.event_type,
        status=new,
        tries=row.tries,
        answer=said.answer_status,
        ms=said.milliseconds,
    )


def alert_text(endpoint: Endpoint) -> str:
    """One alert per endpoint, however much it missed: its text is how it is found again."""
    return f"Endpoint {endpoint.pk} ({endpoint.name}) did not take its events; replay them."


def _wait(tries: int) -> timedelta:
    """After the last wait's try an event is dead until somebody replays it."""
    return timedelta(seconds=settings.WEBHOOK_WAITS[tries - 1])

"""The work on one points transfer, safe to run twice at once: send it, or ask what became of it.

Claim, call, record: the row says SENT, committed, before the partner is called. An answer that does
not come is UNKNOWN and only a look-up resolves it; the same reference is sent again only when the
partner proves not to know it (D18), so a member is never credited twice.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import correlation
from core.db import durable
from core.logging import get_logger
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from core.states import check_arrow
from loyalty.models import PointsTransfer
from loyalty.partners.base import AtWork, Credited, Member
from loyalty.partners.registry import get_points_partner
from loyalty.selectors import due_transfers
from loyalty.states import ENDED, TRANSFER_ARROWS, TransferStatus
from loyalty.telling import tell_transfer
from notifications.alerts import raise_alert, resolve_general
from notifications.states import AlertKind

log = get_logger(__name__)

T = TransferStatus
#: A person is told after so many vain tries to send, or questions about an unknown outcome.
TELL_AFTER: Final = 3
#: The contract's slowest programmes take 5 business days; with a weekend and a day to spare.
SLOWEST: Final = timedelta(days=8)


def process(transfer_id: int) -> None:
    """Do what is due for this transfer now; running it twice is harmless."""
    transfer = due_transfers(now=timezone.now()).filter(pk=transfer_id).first()
    if transfer is None:
        return
    with correlation.correlated(transfer.correlation_id):
        if transfer.status == T.QUEUED:
            _send(transfer)
        else:
            _look_up(transfer)


@durable
def _send(transfer: PointsTransfer) -> None:
    now = timezone.now()
    claimed = PointsTransfer.objects.filter(pk=transfer.pk, status=T.QUEUED).update(
        status=T.SENT, sent_at=now, next_check_at=None, tries=transfer.tries + 1, checks=0
    )
    if not claimed:
        return
    try:
        partner = get_points_partner(
            transfer.partner, answer_seconds=settings.PARTNER_ANSWER_SECONDS
        )
        said = partner.credit(
            reference=transfer.reference, member=_member(transfer), amount=transfer.amount
        )
    except (Unavailable, Misconfigured) as exc:
        _put_back(transfer, exc)
    except OutcomeUnknown as exc:
        why = exc.message
        record(transfer.pk, lambda row, at: _unknown(row, why, at))
    except Declined as exc:
        declined = exc
        record(transfer.pk, lambda row, at: _failed(row, declined, at))
    else:
        record(transfer.pk, lambda row, at: _told(row, said, at))


@durable
def _look_up(transfer: PointsTransfer) -> None:
    try:
        partner = get_points_partner(
            transfer.partner, answer_seconds=settings.PARTNER_ANSWER_SECONDS
        )
        said = partner.lookup(reference=transfer.reference)
    except (Unavailable, Misconfigured, OutcomeUnknown) as exc:
        message = exc.message
        record(transfer.pk, lambda row, at: _still_open(row, message, at))
    except Declined as exc:
        declined = exc
        record(transfer.pk, lambda row, at: _failed(row, declined, at))
    else:
        if said is None:
            record(transfer.pk, _not_known)
        else:
            found = said
            record(transfer.pk, lambda row, at: _told(row, found, at))


def record(transfer_id: int, change: Callable[[PointsTransfer, datetime], None]) -> PointsTransfer:
    """Write down what was learned, under the row's lock; what has ended stays as it is."""
    now = timezone.now()
    with transaction.atomic():
        row = PointsTransfer.objects.select_for_update(of=("self",)).get(pk=transfer_id)
        if row.status in ENDED:
            return row
        change(row, now)
        row.save()
        if row.status in ENDED:
            resolve_general(
                AlertKind.POINTS_TRANSFER,
                alert_text(row),
                note=f"Ended: {row.status}, fa:{correlation.current()}",
                now=now,
            )
            tell_transfer(row, now=now)
    log.info("loyalty.transfer", reference=row.reference, status=row.status)
    return row


def end(row: PointsTransfer, new: TransferStatus, *, now: datetime) -> None:
    """Follow an arrow to an end; part of the caller's transaction."""
    check_arrow(TRANSFER_ARROWS, T(row.status), new)
    row.status, row.ended_at, row.next_check_at = new, now, None


def alert_text(row: PointsTransfer) -> str:
    """One alert per transfer, whatever the reasons: its text is how it is found again."""
    return f"Points transfer {row.reference} is not finished; ask the programme's partner."


def _told(row: PointsTransfer, said: Credited | AtWork, now: datetime) -> None:
    if isinstance(said, Credited):
        end(row, T.SUCCEEDED, now=now)
        row.partner_transaction_id, row.error, row.error_code = said.partner_transaction_id, "", ""
        return
    if row.status != T.PENDING:
        check_arrow(TRANSFER_ARROWS, T(row.status), T.PENDING)
        row.status, row.checks = T.PENDING, 0
    _plan(row, now)
    if row.sent_at is not None and row.sent_at < now - SLOWEST:
        raise_alert(None, AlertKind.POINTS_TRANSFER, alert_text(row), now=now)


def _failed(row: PointsTransfer, why: Declined, now: datetime) -> None:
    end(row, T.FAILED, now=now)
    row.error_code, row.error = why.raw_code[:60], why.message[:300]


def _unknown(row: PointsTransfer, why: str, now: datetime) -> None:
    if row.status != T.UNKNOWN:
        check_arrow(TRANSFER_ARROWS, T(row.status), T.UNKNOWN)
        row.status, row.checks = T.UNKNOWN, 0
    row.error = why[:300]
    _plan(row, now)
    if row.checks > TELL_AFTER:
        raise_alert(None, AlertKind.POINTS_TRANSFER, alert_text(row), now=now)


def _still_open(row: PointsTransfer, why: str, now: datetime) -> None:
    """The partner could not be asked: at work stays at work, anything else is unknown."""
    if row.status == T.PENDING:
        row.error = why[:300]
        _plan(row, now)
    else:
        _unknown(row, why, now)


def _not_known(row: PointsTransfer, now: datetime) -> None:
    """The partner does not know the reference: sent again once it has had time to appear.

    One that it had accepted is never sent again: a person must ask where it went.
    """
    if row.status == T.PENDING:
        raise_alert(None, AlertKind.POINTS_TRANSFER, alert_text(row), now=now)
        row.error = "the partner no longer knows the reference"
        _plan(row, now)
        return
    appeared = row.sent_at is not None and row.sent_at < now - settings.PARTNER_UNKNOWN_WINDOW
    if row.status == T.UNKNOWN and appeared:
        check_arrow(TRANSFER_ARROWS, T.UNKNOWN, T.QUEUED)
        row.status, row.next_check_at, row.checks = T.QUEUED, now, 0
        return
    _unknown(row, "the partner does not know the reference yet", now)


def _put_back(transfer: PointsTransfer, exc: Unavailable | Misconfigured) -> None:
    """Surely nothing happened: the same reference is sent again, later."""

    def change(row: PointsTransfer, now: datetime) -> None:
        check_arrow(TRANSFER_ARROWS, T(row.status), T.QUEUED)
        row.status, row.error, row.error_code = T.QUEUED, exc.message[:300], exc.raw_code[:60]
        waits = settings.ATTEMPT_WAITS
        wait = waits[min(row.tries, len(waits)) - 1]
        asked = getattr(exc, "retry_after", None)
        row.next_check_at = now + timedelta(seconds=max(wait, asked or 0))
        if row.tries >= TELL_AFTER:
            raise_alert(None, AlertKind.POINTS_TRANSFER, alert_text(row), now=now)
        if isinstance(exc, Misconfigured):
            raise_alert(None, AlertKind.PARTNER_MISCONFIGURED, str(exc), now=now)

    record(transfer.pk, change)


def _plan(row: PointsTransfer, now: datetime) -> None:
    waits = settings.TRANSFER_WAITS
    row.next_check_at = now + timedelta(seconds=waits[min(row.checks, len(waits) - 1)])
    row.checks += 1


def _member(transfer: PointsTransfer) -> Member:
    return Member(
        transfer.program_code, transfer.member_id, transfer.first_name, transfer.last_name
    )

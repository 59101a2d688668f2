"""The work of a recovery run: row by row, at its pace, safe to be killed at any point.

One worker has a run in hand (a lease). Each row has its correlation id before anything begins,
so whoever comes after a crash finds by it whether an attempt exists, and never does a row twice:
the attempt is the truth, the row only says what became of it.
"""

import time
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from core import correlation
from core.actors import Actor
from core.errors import DomainError
from core.logging import get_logger
from core.states import check_arrow
from fulfillment.breaker import is_paused
from fulfillment.models import FulfillmentAttempt, RecoveryRow, RecoveryRun
from fulfillment.recovery import RecoveryResult, resend_codes, retry_with_partner
from fulfillment.states import (
    ROW_ARROWS,
    RUN_ARROWS,
    AttemptStatus,
    RowStatus,
    RunAction,
    RunStatus,
)

log = get_logger(__name__)

#: A worker keeps a run no longer than this in one piece; then it rings its own bell.
PIECE_SECONDS: Final = 20.0
#: A wait that is longer is the sweep's.
LONGEST_NAP: Final = 3.0
WELL: Final = frozenset({AttemptStatus.DISPATCHED, AttemptStatus.SUCCESS})


def work_run(run_id: int) -> bool:
    """Do rows until the piece, the rows or the run's wish to go on end; whether more is due now."""
    if not _claim(run_id):
        return False
    try:
        _settle(run_id)
        end = time.monotonic() + PIECE_SECONDS
        while time.monotonic() < end:
            if not _one_row(run_id):
                return False
        return True
    finally:
        RecoveryRun.objects.filter(pk=run_id).update(leased_until=None)


def _claim(run_id: int) -> bool:
    """Take the run, unless another worker has it. A stopped one still has rows to follow."""
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    open_ = Q(status=RunStatus.RUNNING) | Q(
        status__in=[RunStatus.PAUSED, RunStatus.STOPPED],
        rows__status__in=[RowStatus.WORKING, RowStatus.FOLLOWED],
    )
    ids = RecoveryRun.objects.filter(free, open_, pk=run_id).values("pk")
    claimed = RecoveryRun.objects.filter(free, pk__in=ids)
    return bool(claimed.update(leased_until=now + lease()))


def lease() -> timedelta:
    """Longer than the longest row."""
    return timedelta(seconds=2 * settings.OPERATOR_WAIT_SECONDS) + settings.ATTEMPT_LEASE


def _one_row(run_id: int) -> bool:
    """Begin the next row if it is its time; False when there is nothing to do just now."""
    run = RecoveryRun.objects.select_related("created_by", "partner_source").get(pk=run_id)
    if run.status != RunStatus.RUNNING:
        return False
    row = run.rows.filter(status=RowStatus.WAITING).select_related("partner").first()
    if row is None:
        _end_if_over(run)
        return False
    if row.partner_id and is_paused(row.partner_id, now=timezone.now()):
        _pause_by_itself(run, f"{row.partner} does not answer; purchases are paused.")
        return False
    wait = ((run.next_row_at or timezone.now()) - timezone.now()).total_seconds()
    if wait > LONGEST_NAP:
        return False
    time.sleep(max(0.0, wait))
    _do(run, row)
    return True


def _do(run: RecoveryRun, row: RecoveryRow) -> None:
    now = timezone.now()
    taken = RecoveryRow.objects.filter(pk=row.pk, status=RowStatus.WAITING).update(
        status=RowStatus.WORKING, began_at=now
    )
    if not taken:
        return
    row.status = RowStatus.WORKING
    RecoveryRun.objects.filter(pk=run.pk).update(
        leased_until=now + lease(), next_row_at=now + timedelta(minutes=1) / run.per_minute
    )
    with correlation.correlated(row.correlation_id):
        try:
            result = _act(run, row)
        except DomainError as exc:
            _write(row, RowStatus.SKIPPED, exc.message)
        except DatabaseError:
            raise
        except Exception as exc:
            log.exception("recovery.row_failed", run=run.pk, row=row.pk)
            _write(row, RowStatus.FAILED, f"Unexpected error ({type(exc).__name__})")
        else:
            _write_result(row, result)


def _act(run: RecoveryRun, row: RecoveryRow) -> RecoveryResult:
    """The very service behind the button and the API."""
    operator = Actor.of(run.created_by)
    notes = f"{run}: {run.notes}" if run.notes else str(run)
    if run.action == RunAction.RESEND_EMAIL:
        return resend_codes(row.order_id, operator=operator, notes=notes)
    return retry_with_partner(
        row.order_id,
        row.item_id or 0,
        source_id=run.partner_source_id,
        operator=operator,
        notes=notes,
    )


def _write_result(row: RecoveryRow, result: RecoveryResult) -> None:
    row.attempt_id = result.attempt_id
    if result.success:
        _write(row, RowStatus.DELIVERED, result.message)
    elif result.status == AttemptStatus.IN_PROGRESS:
        _write(row, RowStatus.FOLLOWED, result.message)
    else:
        _write(row, RowStatus.FAILED, result.error_message or result.message)


def _write(row: RecoveryRow, status: RowStatus, message: str) -> None:
    check_arrow(ROW_ARROWS, RowStatus(row.status), status)
    row.status, row.message = status, message[:500]
    row.ended_at = None if status in (RowStatus.FOLLOWED, RowStatus.WAITING) else timezone.now()
    row.save(update_fields=["status", "message", "attempt", "ended_at"])


def _settle(run_id: int) -> None:
    """Rows whose worker died, and rows that go on in the background: read their attempts.

    Called with the run's lease in hand, so nobody else is at work on a row.
    """
    rows = RecoveryRow.objects.filter(
        run=run_id, status__in=[RowStatus.WORKING, RowStatus.FOLLOWED]
    )
    for row in rows.select_related("attempt"):
        attempt = row.attempt or FulfillmentAttempt.objects.filter(
            correlation_id=row.correlation_id, order=row.order_id, item=row.item_id
        ).exclude(type="AUTO").first()  # fmt: skip
        row.attempt = attempt
        if attempt is None:
            _write(row, RowStatus.WAITING, "")
        elif attempt.status in WELL:
            _write(row, RowStatus.DELIVERED, "Delivered in the background")
        elif attempt.status != AttemptStatus.IN_PROGRESS:
            _write(row, RowStatus.FAILED, attempt.error_message or attempt.get_status_display())
        elif row.status == RowStatus.WORKING:
            _write(row, RowStatus.FOLLOWED, "Goes on in the background")


def _end_if_over(run: RecoveryRun) -> None:
    left = [RowStatus.WAITING, RowStatus.WORKING, RowStatus.FOLLOWED]
    if not run.rows.filter(status__in=left).exists():
        move(run, RunStatus.DONE, now=timezone.now())


def _pause_by_itself(run: RecoveryRun, why: str) -> None:
    move(run, RunStatus.PAUSED, now=timezone.now(), because=why)


def move(run: RecoveryRun, new: RunStatus, *, now: datetime, because: str = "") -> bool:
    """Change the run's status by its table; False if somebody else moved it meanwhile."""
    old = RunStatus(run.status)
    check_arrow(RUN_ARROWS, old, new)
    fields: dict[str, object] = {"status": new, "paused_because": because[:300]}
    if new == RunStatus.RUNNING and run.started_at is None:
        fields["started_at"] = now
    if new in (RunStatus.DONE, RunStatus.STOPPED):
        fields["ended_at"] = now
    moved = RecoveryRun.objects.filter(pk=run.pk, status=old).update(**fields)
    log.info("recovery.run_moved", run=run.pk, old=old, new=new, because=because)
    return bool(moved)


def runs_to_work_on(*, now: datetime) -> list[int]:
    """Runs that nobody has in hand and that have something to do."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    due = Q(status=RunStatus.RUNNING) & (Q(next_row_at=None) | Q(next_row_at__lte=now))
    follow = Q(
        status__in=[RunStatus.PAUSED, RunStatus.STOPPED],
        rows__status__in=[RowStatus.WORKING, RowStatus.FOLLOWED],
    )
    rows = RecoveryRun.objects.filter(free, due | follow).distinct().order_by("pk")
    return list(rows.values_list("pk", flat=True))


def wake_paused(*, now: datetime) -> None:
    """A run that paused because of a partner goes on when the partner is back."""
    for run in RecoveryRun.objects.filter(status=RunStatus.PAUSED).exclude(paused_because=""):
        row = run.rows.filter(status=RowStatus.WAITING).first()
        if row is None or not row.partner_id or not is_paused(row.partner_id, now=now):
            move(run, RunStatus.RUNNING, now=now)

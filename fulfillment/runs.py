"""What an operator asks of a recovery run: plan it, start, pause, resume, stop.

Planning only reads and writes the rows; nothing happens to an order before `start`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from catalog.models import PartnerSource
from core.api.fields import instant
from core.db import after_commit
from core.errors import BadRequest, Conflict, NotFound
from fulfillment.models import RecoveryRow, RecoveryRun
from fulfillment.planning import Plan, plans_of
from fulfillment.queue import Wish, orders_wished
from fulfillment.run_tasks import sweep_run
from fulfillment.running import move
from fulfillment.states import RUN_ARROWS, RowStatus, RunAction, RunStatus
from orders.models import Order

MOST_ORDERS: Final = 2000
MOST_PER_MINUTE: Final = 600


@dataclass(frozen=True, slots=True)
class RunWish:
    """What a run is to be."""

    action: str
    orders: Wish | None = None
    """The queue's filters; or"""
    order_ids: Sequence[int] = ()
    """the orders that were ticked."""
    source_id: int | None = None
    per_minute: int = 60
    notes: str = ""


def plan_run(wish: RunWish, *, operator: User) -> RecoveryRun:
    """Pick the orders and foresee what would happen to each; nothing is done yet.

    Raises:
        BadRequest: no order, too many, or a source that does not exist; names the field.
    """
    now = timezone.now()
    if wish.action not in RunAction.values:
        raise BadRequest.at("action", f"Choose one of {', '.join(sorted(RunAction.values))}.")
    if not 1 <= wish.per_minute <= MOST_PER_MINUTE:
        raise BadRequest.at("perMinute", f"From 1 to {MOST_PER_MINUTE} a minute.")
    source = _source(wish)
    orders = _orders(wish)
    plans = list(plans_of(orders, wish.action, source=source, now=now))
    picked = {"ticked": len(wish.order_ids)} if wish.orders is None else _told(wish.orders)
    with transaction.atomic():
        run = RecoveryRun.objects.create(
            action=wish.action,
            notes=wish.notes,
            partner_source=source,
            wish=picked,
            per_minute=wish.per_minute,
            created_by=operator,
            created_at=now,
        )
        RecoveryRow.objects.bulk_create((_row(run, plan) for plan in plans), batch_size=500)
    return run


def _source(wish: RunWish) -> PartnerSource | None:
    if wish.source_id is None:
        return None
    source = PartnerSource.objects.filter(pk=wish.source_id, is_active=True).first()
    if source is None:
        raise BadRequest.at("partnerSourceId", f"There is no active source {wish.source_id}.")
    return source


def _orders(wish: RunWish) -> list[Order]:
    if wish.orders is not None:
        rows, field = orders_wished(wish.orders), "filter"
    else:
        rows, field = Order.objects.filter(pk__in=wish.order_ids), "orderIds"
    orders = list(rows.order_by("paid_at", "pk")[: MOST_ORDERS + 1])
    if not orders:
        raise BadRequest.at(field, "No order is picked.", code="empty")
    if len(orders) > MOST_ORDERS:
        raise BadRequest.at(field, f"More than {MOST_ORDERS} orders; narrow the filter.")
    missing = set(wish.order_ids) - {order.pk for order in orders}
    if missing:
        raise BadRequest.at(field, f"There is no order {min(missing)}.", code="not_found")
    return orders


def _told(wish: Wish) -> dict[str, Any]:
    """The filters as they can be shown again."""
    told = {name: value for name, value in asdict(wish).items() if value}
    return {
        name: instant(value) if isinstance(value, datetime) else value
        for name, value in told.items()
    }


def _row(run: RecoveryRun, plan: Plan) -> RecoveryRow:
    return RecoveryRow(
        run=run,
        order=plan.order,
        item=plan.item,
        status=RowStatus.SKIPPED if plan.blocked else RowStatus.WAITING,
        foreseen=plan.foreseen[:200],
        blocked=plan.blocked[:300],
        codes=plan.codes,
        cost=plan.cost,
        partner=plan.source.partner if plan.source else None,
        correlation_id=str(uuid4()),
    )


def find_run(run_id: int) -> RecoveryRun:
    """Raises NotFound if there is no such run."""
    run = RecoveryRun.objects.select_related("created_by").filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    return run


def start_run(run_id: int) -> RecoveryRun:
    """Begin, or go on after a pause.

    Raises:
        NotFound, Conflict: there is no such run, or it is over.
    """
    run = _moved(run_id, RunStatus.RUNNING)
    after_commit(sweep_run.delay, run_id=run.pk)
    return run


def pause_run(run_id: int) -> RecoveryRun:
    """Begin no further row; the one at work is finished."""
    return _moved(run_id, RunStatus.PAUSED)


def stop_run(run_id: int) -> RecoveryRun:
    """Leave the waiting rows alone for good; the one at work is finished."""
    with transaction.atomic():
        run = _moved(run_id, RunStatus.STOPPED)
        run.rows.filter(status=RowStatus.WAITING).update(
            status=RowStatus.SKIPPED, message="The run was stopped.", ended_at=timezone.now()
        )
    return run


def _moved(run_id: int, new: RunStatus) -> RecoveryRun:
    run = find_run(run_id)
    if new not in RUN_ARROWS[RunStatus(run.status)]:
        raise Conflict(f"{run} is {run.get_status_display().lower()}.")
    if not move(run, new, now=timezone.now()):
        raise Conflict(f"{run} has just been changed by somebody else; look again.")
    return find_run(run_id)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; counts of its rows."""

    total: int
    waiting: int
    working: int
    delivered: int
    failed: int
    skipped: int
    codes: int
    cost: Decimal
    cost_unknown: int

    @property
    def ended(self) -> int:
        return self.delivered + self.failed + self.skipped

    @property
    def percent(self) -> int:
        return 100 * self.ended // self.total if self.total else 100


NOTHING: Final = Progress(0, 0, 0, 0, 0, 0, 0, Decimal(0), 0)
_FORESEEN: Final = Q(blocked="")
_COUNTS: Final[Mapping[str, Any]] = {
    "total": Count("pk"),
    "waiting": Count("pk", filter=Q(status=RowStatus.WAITING)),
    "working": Count("pk", filter=Q(status__in=[RowStatus.WORKING, RowStatus.FOLLOWED])),
    "delivered": Count("pk", filter=Q(status=RowStatus.DELIVERED)),
    "failed": Count("pk", filter=Q(status=RowStatus.FAILED)),
    "skipped": Count("pk", filter=Q(status=RowStatus.SKIPPED)),
    "all_codes": Sum("codes", filter=_FORESEEN, default=0),
    "all_cost": Sum("cost", filter=_FORESEEN, default=Decimal(0)),
    "cost_unknown": Count("pk", filter=_FORESEEN & Q(cost=None, codes__gt=0)),
}


def all_runs() -> QuerySet[RecoveryRun]:
    """Newest first."""
    return RecoveryRun.objects.select_related("created_by").order_by("-pk")


def all_progress(runs: Sequence[RecoveryRun]) -> Mapping[int, Progress]:
    """Run -> how far it is; one statement, whatever the runs and rows."""
    rows = RecoveryRow.objects.filter(run__in=runs).order_by().values("run").annotate(**_COUNTS)
    found = {pk: Progress(*figures) for pk, *figures in rows.values_list("run", *_COUNTS)}
    return {run.pk: found.get(run.pk, NOTHING) for run in runs}


def progress_of(run: RecoveryRun) -> Progress:
    """Codes and cost are those that were foreseen."""
    return all_progress([run])[run.pk]


def rows_of(run: RecoveryRun) -> QuerySet[RecoveryRow]:
    """Each line with what is shown of it, in the order in which they are worked off."""
    return run.rows.select_related("order", "item", "attempt", "partner").order_by("pk")

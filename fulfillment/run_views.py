"""Recovery runs by API: planned, looked at, started, paused, stopped, exported."""

from collections.abc import Callable
from typing import Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.envelope import ok
from core.api.fields import NoBody
from core.api.idempotency import idempotent
from core.api.lists import page_of
from core.api.schema import answers, in_path, page_schema, paging
from fulfillment import run_examples as examples
from fulfillment.models import RecoveryRun
from fulfillment.run_serializers import (
    PlanRunSerializer,
    RunRowSchema,
    RunSchema,
    run_data,
    run_row_data,
)
from fulfillment.runs import (
    all_progress,
    all_runs,
    find_run,
    pause_run,
    plan_run,
    progress_of,
    rows_of,
    start_run,
    stop_run,
)
from fulfillment.views import OperatorView

RUN: Final = in_path("run_id", "The run's `id`.", int)
RUNS_LIMIT: Final = 20
ROWS_LIMIT: Final = 50
STOPPED: Final = "The run is over; waiting rows were left alone."
TAG: Final = ["Recovery runs"]


@extend_schema(tags=TAG)
class RunsView(OperatorView):
    required_permission = {  # type: ignore[assignment]
        "GET": "fulfillment.view_recoveryrun",
        "POST": "fulfillment.recover_order",
    }

    @extend_schema(
        operation_id="adminListRuns",
        summary="List recovery runs",
        description="For staff who may view runs; newest first, with how far each one is.",
        parameters=paging(RUNS_LIMIT),
        responses=answers("RunList", page_schema("RunList", RunSchema), 400),
        examples=examples.RUNS,
    )
    def get(self, request: Request) -> Response:
        page = page_of(all_runs(), request.query_params, default_limit=RUNS_LIMIT)
        progress = all_progress(page.rows)
        return ok(page.as_data(lambda run: run_data(run, progress[run.pk])))

    @extend_schema(
        operation_id="adminPlanRun",
        summary="Plan a recovery run: the dry run",
        description="For staff who may recover orders. Picks orders by the queue's filters or by "
        "id and says for each what would happen, at which cost, and what blocks it. Nothing "
        "happens to any order before the run is started.",
        request=PlanRunSerializer,
        responses=answers("RunPlanned", RunSchema(), status=201),
        examples=examples.PLAN,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        form = PlanRunSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        run = plan_run(form.run_wish(), operator=self.operator)
        progress = progress_of(run)
        message = f"{progress.total} row(s) planned, {progress.skipped} of them blocked."
        return ok(run_data(run, progress), message, status=201)


@extend_schema(tags=TAG)
class RunView(OperatorView):
    required_permission = "fulfillment.view_recoveryrun"

    @extend_schema(
        operation_id="adminGetRun",
        summary="See how far a recovery run is",
        description="For staff who may view runs. What was foreseen, and what has come of it.",
        parameters=[RUN],
        responses=answers("Run", RunSchema()),
        examples=examples.RUN,
    )
    def get(self, request: Request, run_id: int) -> Response:  # noqa: ARG002
        run = find_run(run_id)
        return ok(run_data(run, progress_of(run)))


@extend_schema(tags=TAG)
class RunRowsView(OperatorView):
    required_permission = "fulfillment.view_recoveryrun"

    @extend_schema(
        operation_id="adminListRunRows",
        summary="Read a run's result order by order",
        description="For staff who may view runs; in the order in which rows are worked off.",
        parameters=[RUN, *paging(ROWS_LIMIT)],
        responses=answers("RunRows", page_schema("RunRows", RunRowSchema), 400),
        examples=examples.ROWS,
    )
    def get(self, request: Request, run_id: int) -> Response:
        page = page_of(rows_of(find_run(run_id)), request.query_params, default_limit=ROWS_LIMIT)
        return ok(page.as_data(run_row_data))


class _MoveRunView(OperatorView):
    required_permission = "fulfillment.recover_order"

    @staticmethod
    def moved(
        request: Request, run_id: int, move: Callable[[int], RecoveryRun], done: str
    ) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        run = move(run_id)
        return ok(run_data(run, progress_of(run)), done)


@extend_schema(tags=TAG)
class StartRunView(_MoveRunView):
    @extend_schema(
        operation_id="adminStartRun",
        summary="Start a planned run, or go on after a pause",
        description="For staff who may recover orders. Rows are worked off at the run's pace, "
        "each by the same service as the single actions; a crash repeats nothing.",
        parameters=[RUN],
        request=None,
        responses=answers("RunStarted", RunSchema()),
        examples=examples.START,
    )
    @idempotent
    def post(self, request: Request, run_id: int) -> Response:
        return self.moved(request, run_id, start_run, "The run goes on in the background.")


@extend_schema(tags=TAG)
class PauseRunView(_MoveRunView):
    @extend_schema(
        operation_id="adminPauseRun",
        summary="Pause a run",
        description="For staff who may recover orders. The row at work is finished.",
        parameters=[RUN],
        request=None,
        responses=answers("RunPaused", RunSchema()),
        examples=examples.PAUSE,
    )
    @idempotent
    def post(self, request: Request, run_id: int) -> Response:
        return self.moved(request, run_id, pause_run, "No further row is begun.")


@extend_schema(tags=TAG)
class StopRunView(_MoveRunView):
    @extend_schema(
        operation_id="adminStopRun",
        summary="Stop a run for good",
        description="For staff who may recover orders. The row at work is finished, the waiting "
        "ones are left alone.",
        parameters=[RUN],
        request=None,
        responses=answers("RunStopped", RunSchema()),
        examples=examples.STOP,
    )
    @idempotent
    def post(self, request: Request, run_id: int) -> Response:
        return self.moved(
            request, run_id, stop_run, "The run is over; waiting rows were left alone."
        )

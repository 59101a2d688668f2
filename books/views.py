"""The books by API, for finance: read the sums, lay statements beside them, explain gaps."""

from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from books import examples
from books.days import Period
from books.models import Gap, Reconciliation
from books.selectors import gaps_of, runs
from books.serializers import (
    BooksSchema,
    ExplainSerializer,
    GapSchema,
    ReconcileSerializer,
    ReconciliationSchema,
    StockBooksSchema,
    gap_data,
    period_of,
    reconciliation_data,
    spending_data,
    step_of,
    stock_data,
    takings_data,
)
from books.services import explain, reconcile
from books.sums import STEPS, spending, stock, stock_totals, takings, totals
from core.actors import Actor
from core.api.envelope import ok
from core.api.idempotency import idempotent
from core.api.lists import page_of
from core.api.schema import answers, in_path, page_schema, paging
from core.errors import NotFound
from fulfillment.views import OperatorView
from orders.selectors import DHAKA

RIGHT: Final = "payments.export_payments"
RUNS_LIMIT: Final = 20
GAPS_LIMIT: Final = 50
PERIOD: Final = [
    OpenApiParameter("from", str, description="First day, of Dhaka; by default the month's."),
    OpenApiParameter("to", str, description="Last day, included; by default today."),
]
RUN_ID: Final = in_path("run_id", "`id` of the reconciliation.", int)


class FinanceView(OperatorView):
    required_permission = RIGHT

    def period(self, request: Request) -> Period:
        today = timezone.now().astimezone(DHAKA).date()
        return period_of(request.query_params, today=today)

    def run(self, run_id: str) -> Reconciliation:
        found = runs().filter(pk=int(run_id)).first()
        if found is None:
            raise NotFound("There is no such reconciliation.")
        return found


def _days(period: Period) -> dict[str, Any]:
    return {
        "first_day": period.first.isoformat(),
        "last_day": period.last.isoformat(),
        "zone": str(DHAKA),
    }


@extend_schema(tags=["Books"])
class BooksView(FinanceView):
    @extend_schema(
        operation_id="adminGetBooks",
        summary="What was paid and paid back, by period and method",
        description="For finance. Received, refunded and net of each method in each day or month "
        "of Dhaka, and what was bought from partners. Points and full discounts are listed and "
        "not added up. Changes nothing.",
        parameters=[
            *PERIOD,
            OpenApiParameter("by", str, enum=list(STEPS), description="`month` by default."),
        ],
        responses=answers("Books", BooksSchema(), 400),
        examples=examples.BOOKS,
    )
    def get(self, request: Request) -> Response:
        period, by = self.period(request), step_of(request.query_params)
        rows = takings(period, by=by)
        return ok(
            _days(period)
            | {
                "by": by,
                "rows": [takings_data(row) for row in rows],
                "totals": [takings_data(row) for row in totals(rows)],
                "purchases": [spending_data(row) for row in spending(period)],
            }
        )


@extend_schema(tags=["Books"])
class StockBooksView(FinanceView):
    @extend_schema(
        operation_id="adminGetStockBooks",
        summary="Codes in = codes out + on hand, per variant",
        description="For finance. Where codes came from and where they are now; what the codes "
        "sold in the period cost and brought, in taka. A variant with a difference comes first. "
        "No code is shown; changes nothing.",
        parameters=PERIOD,
        responses=answers("StockBooks", StockBooksSchema(), 400),
        examples=examples.STOCK,
    )
    def get(self, request: Request) -> Response:
        period = self.period(request)
        rows = stock(period)
        return ok(
            _days(period)
            | {
                "rows": [stock_data(row) for row in rows],
                "totals": stock_data(stock_totals(rows)),
            }
        )


@extend_schema(tags=["Books"])
class ReconciliationsView(FinanceView):
    @extend_schema(
        operation_id="adminListReconciliations",
        summary="List reconciliations",
        description="For finance, the newest first, each with its gaps counted.",
        parameters=paging(RUNS_LIMIT),
        responses=answers(
            "ReconciliationList", page_schema("Reconciliation", ReconciliationSchema), 400
        ),
        examples=examples.RUNS,
    )
    def get(self, request: Request) -> Response:
        page = page_of(runs(), request.query_params, default_limit=RUNS_LIMIT)
        return ok(page.as_data(reconciliation_data))

    @extend_schema(
        operation_id="adminReconcile",
        summary="Lay a statement beside the books",
        description="For finance. A gateway's settlement file beside our payments and refunds, or "
        "a partner's statement beside our purchases. The file is read whole or not at all; every "
        "gap is kept as a row. Changes no payment and no purchase.",
        request=ReconcileSerializer,
        responses=answers("Reconciled", ReconciliationSchema(), status=201),
        examples=examples.RECONCILE,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        form = ReconcileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = reconcile(form.wish(), operator=Actor.of(self.operator), now=timezone.now())
        run: Any = self.run(str(made.pk))
        gaps = "1 gap was" if run.gaps_found == 1 else f"{run.gaps_found or 'No'} gaps were"
        return ok(reconciliation_data(run), f"{gaps} found.", status=201)


@extend_schema(tags=["Books"])
class ReconciliationView(FinanceView):
    @extend_schema(
        operation_id="adminGetReconciliation",
        summary="See one reconciliation",
        description="For finance: what was compared, how much agreed, and both sums.",
        parameters=[RUN_ID],
        responses=answers("ReconciliationFound", ReconciliationSchema()),
        examples=examples.RUN,
    )
    def get(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        return ok(reconciliation_data(self.run(run_id)))


@extend_schema(tags=["Books"])
class GapsView(FinanceView):
    @extend_schema(
        operation_id="adminListGaps",
        summary="List the gaps of a reconciliation",
        description="For finance; those not explained yet come first. All amounts together are the "
        "difference of both sums.",
        parameters=[RUN_ID, *paging(GAPS_LIMIT)],
        responses=answers("GapList", page_schema("Gap", GapSchema), 400),
        examples=examples.GAPS,
    )
    def get(self, request: Request, run_id: str) -> Response:
        rows = gaps_of(self.run(run_id))
        return ok(page_of(rows, request.query_params, default_limit=GAPS_LIMIT).as_data(gap_data))


@extend_schema(tags=["Books"])
class ExplainView(FinanceView):
    @extend_schema(
        operation_id="adminExplainGap",
        summary="Say what a gap was",
        description="For finance. Kept with who said it and when; it can't be said over.",
        parameters=[RUN_ID, in_path("gap_id", "`id` of the gap.", int)],
        request=ExplainSerializer,
        responses=answers("GapExplained", GapSchema()),
        examples=examples.EXPLAIN,
    )
    @idempotent
    def post(self, request: Request, run_id: str, gap_id: str) -> Response:
        form = ExplainSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            gap = explain(
                int(gap_id), form.validated_data["note"],
                run_id=int(run_id), operator=Actor.of(self.operator), now=timezone.now(),
            )  # fmt: skip
        except Gap.DoesNotExist:
            raise NotFound("There is no such gap.") from None
        return ok(gap_data(gap), "The gap is explained.")

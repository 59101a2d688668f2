"""Recovery runs on the operators' site: the list, the plan, and the page of one run."""

from collections.abc import Callable
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.models import User
from core.admin import LookAdmin
from core.errors import DomainError, NotFound
from core.exports import csv_response
from fulfillment.models import RecoveryRun
from fulfillment.run_forms import PlanForm
from fulfillment.runs import (
    Progress,
    all_progress,
    find_run,
    pause_run,
    plan_run,
    progress_of,
    rows_of,
    start_run,
    stop_run,
)
from fulfillment.states import RUN_ARROWS, RowStatus, RunStatus

NAME: Final = "fulfillment_recoveryrun"
RECOVER: Final = "fulfillment.recover_order"
ROWS_A_PAGE: Final = 100
MOVES: Final[dict[str, tuple[Callable[[int], RecoveryRun], str]]] = {
    "start": (start_run, "The run goes on in the background."),
    "pause": (pause_run, "No further order is begun."),
    "stop": (stop_run, "The run is over; waiting orders were left alone."),
}
COLUMNS: Final = (
    "order", "item", "foreseen", "blocked", "codes", "cost BDT", "result", "message", "attempt",
    "began", "ended",
)  # fmt: skip


@admin.register(RecoveryRun)
class RecoveryRunAdmin(LookAdmin[RecoveryRun]):
    list_display = ("number", "action", "state", "far", "created_by", "notes", "made")
    list_display_links = ("number",)
    list_filter = ("status", "action")
    list_select_related = ("created_by",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return bool(request.user.has_perm(RECOVER))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:run_id>/progress",
                wrap(self.progress),
                name="fulfillment_recoveryrun_progress",
            ),
            path("<int:run_id>/export", wrap(self.export), name="fulfillment_recoveryrun_export"),
            path(
                "<int:run_id>/<slug:move>",
                wrap(require_POST(self.move)),
                name="fulfillment_recoveryrun_move",
            ),
            *super().get_urls(),
        ]

    @admin.display(description="Run", ordering="pk")
    def number(self, row: RecoveryRun) -> str:
        return f"Run {row.pk}"

    @admin.display(description="How far")
    def far(self, row: RecoveryRun) -> SafeString:
        progress: Progress = row.progress  # type: ignore[attr-defined]
        return format_html(
            '<progress max="100" value="{}"></progress> <span class="soft">{} of {}</span>',
            progress.percent,
            progress.ended,
            progress.total,
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        shown = super().get_changelist_instance(request)
        rows = list(shown.result_list)
        found = all_progress(rows)
        for row in rows:
            row.progress = found[row.pk]
        shown.result_list = rows
        return shown

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Pick orders and foresee; the answer is the page of the planned run."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        sent = request.method == "POST"
        form = PlanForm(request.POST) if sent else PlanForm(initial=request.GET.dict())
        if sent and form.is_valid():
            try:
                run = plan_run(form.wish(), operator=cast("User", request.user))
            except DomainError as exc:
                form.add_error(None, exc.message)
            else:
                return HttpResponseRedirect(_page(run.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": "Bulk recovery",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/fulfillment/recoveryrun/plan.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            run = find_run(int(object_id))
        except (NotFound, ValueError):
            raise Http404 from None
        wanted = request.GET.get("state", "")
        rows = rows_of(run)
        if wanted in RowStatus.values:
            rows = rows.filter(status=wanted)
        page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
        may = request.user.has_perm(RECOVER)
        context = {
            **self.admin_site.each_context(request),
            "title": str(run),
            "opts": self.opts,
            "run": run,
            "progress": progress_of(run),
            "page": page,
            "wanted": wanted,
            "moves": RUN_ARROWS[RunStatus(run.status)] if may else frozenset(),
            "row_states": RowStatus.choices,
        }
        return TemplateResponse(request, "admin/fulfillment/recoveryrun/page.html", context)

    def progress(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """What the page's script asks for every two seconds."""
        run = self._run(request, run_id)
        progress = progress_of(run)
        names = ("total", "waiting", "working", "delivered", "failed", "skipped", "percent")
        figures = {name: getattr(progress, name) for name in names}
        words = run.get_status_display()
        return JsonResponse({"status": run.status, "words": words, **figures})

    def move(self, request: HttpRequest, run_id: int, move: str) -> HttpResponse:
        if not request.user.has_perm(RECOVER) or move not in MOVES:
            raise PermissionDenied
        act, done = MOVES[move]
        try:
            act(run_id)
        except DomainError as exc:
            messages.error(request, exc.message)
        else:
            messages.success(request, done)
        return HttpResponseRedirect(_page(run_id))

    def export(self, request: HttpRequest, run_id: int) -> HttpResponseBase:
        """The result order by order, without codes."""
        run = self._run(request, run_id)
        rows = (
            (
                row.order.order_number, row.item_id, row.foreseen, row.blocked, row.codes, row.cost,
                row.get_status_display(), row.message, row.attempt_id, row.began_at, row.ended_at,
            )
            for row in rows_of(run).iterator(chunk_size=500)
        )  # fmt: skip
        return csv_response(f"run-{run.pk}", COLUMNS, rows)

    def _run(self, request: HttpRequest, run_id: int) -> RecoveryRun:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return find_run(run_id)


def _page(run_id: int) -> str:
    return reverse("admin:fulfillment_recoveryrun_change", args=[run_id])

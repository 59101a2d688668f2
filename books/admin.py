"""The books on the operators' site: sums, and statements laid beside them."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from books import sheets
from books.days import Period
from books.forms import BooksForm, ExplainForm, UploadForm, month_of, providers
from books.models import BooksPage, Gap, Reconciliation
from books.selectors import gaps_of, runs
from books.services import explain, reconcile
from books.states import Side
from books.sums import spending, stock, stock_totals, takings, totals
from catalog.models import Partner
from core.actors import Actor
from core.admin import LookAdmin, M, new_form_key, spend_form_key
from core.errors import DomainError
from core.exports import csv_response
from core.templatetags.shop import pill
from orders.selectors import DHAKA
from payments.states import CHANNELS

RIGHT = "payments.export_payments"
Back = HttpResponseRedirect
GAPS_A_PAGE = 100


class FinanceAdmin(LookAdmin[M]):
    """Seen by who may read the books, whatever other rights there are."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return cast("User", request.user).has_perm(RIGHT)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:  # noqa: ARG002
        return cast("User", request.user).has_perm(RIGHT)

    def page(self, route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
        """An address of ours, for who has the right only."""

        def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        opened = cast("Callable[..., HttpResponse]", allowed)
        return path(route, self.admin_site.admin_view(opened), name=f"books_{name}")


@admin.register(BooksPage)
class BooksPageAdmin(FinanceAdmin[BooksPage]):
    def get_urls(self) -> list[URLPattern]:
        read = require_http_methods(["GET", "HEAD"])
        return [
            self.page("export/<slug:what>/", read(self.export), "export"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form, period, by = _asked(request)
        rows, codes = takings(period, by=by), stock(period)
        chosen = {"first": period.first.isoformat(), "last": period.last.isoformat(), "by": by}
        context = self.admin_site.each_context(request) | {
            "title": "Books",
            "opts": self.opts,
            "form": form,
            "period": period,
            "by": by,
            "query": urlencode(chosen),
            "rows": [(row, _payments_behind(row, period)) for row in rows],
            "totals": totals(rows),
            "purchases": spending(period),
            "stock": codes,
            "codes": stock_totals(codes),
            "wrong": sum(bool(each.difference) for each in codes),
        }
        return TemplateResponse(request, "admin/books/books.html", context | (extra_context or {}))

    def export(self, request: HttpRequest, what: str) -> HttpResponseBase:
        _, period, by = _asked(request)
        made = {
            "money": lambda: sheets.takings_sheet(period, by),
            "stock": lambda: sheets.stock_sheet(period),
            "purchases": lambda: sheets.spending_sheet(period),
        }.get(what)
        if made is None:
            return Back(reverse("admin:books_bookspage_changelist"))
        return csv_response(f"{what}-{period.first}-{period.last}", *made())


def _asked(request: HttpRequest) -> tuple[BooksForm, Period, str]:
    """The period picked; this month until one is, or where it can't be meant."""
    month = month_of(timezone.now().astimezone(DHAKA).date())
    form = BooksForm(request.GET if "first" in request.GET else None, initial=month)
    if form.is_valid():
        return form, form.period(), form.cleaned_data["by"]
    return form, Period(month["first"], month["last"]), month["by"]


def _payments_behind(row: Any, period: Period) -> str:
    """The list of payments of one row of sums."""
    found = {
        "method__exact": row.method,
        "status__exact": "SUCCEEDED",
        "paid_at__gte": period.since.isoformat(),
        "paid_at__lt": period.until.isoformat(),
    }
    return f"{reverse('admin:payments_payment_changelist')}?{urlencode(found)}"


@admin.register(Reconciliation)
class ReconciliationAdmin(FinanceAdmin[Reconciliation]):
    list_display = (
        "__str__",
        "provider",
        "gaps",
        "lines",
        "matched",
        "file_name",
        "created_by",
        "made",
    )
    list_display_links = ("__str__",)
    list_filter = ("side", "provider")
    change_list_template = "admin/books/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reconciliation]:  # noqa: ARG002
        return runs()

    def get_urls(self) -> list[URLPattern]:
        read = require_http_methods(["GET", "HEAD"])
        return [
            self.page("upload/", self.upload, "upload"),
            self.page("<int:pk>/change/", read(self.result), "run"),
            self.page("<int:pk>/explain/", require_POST(self.explain), "explain"),
            self.page("<int:pk>/export/", read(self.export), "gaps_export"),
            *super().get_urls(),
        ]

    @admin.display(description="Gaps")
    def gaps(self, row: Any) -> SafeString:
        if row.gaps_open:
            return pill(f"{row.gaps_open} to explain", "bad")
        return pill("All explained" if row.gaps_found else "None", "good")

    def upload(self, request: HttpRequest) -> HttpResponse:
        """GET draws the form, POST compares; what can't be read is said line by line."""
        sent = request.method == "POST"
        partners = Partner.objects.order_by("name").values_list("slug", "name")
        today = timezone.now().astimezone(DHAKA).date()
        form = UploadForm(
            *((request.POST, request.FILES) if sent else ()),
            providers=providers(list(CHANNELS), list(partners)),
            initial=month_of(today) | {"form_key": new_form_key()},
        )
        problems: list[str] = []
        if sent and form.is_valid():
            user = cast("User", request.user)
            try:
                spend_form_key(user.pk, str(form.cleaned_data["form_key"]))
                run = reconcile(form.wish(), operator=Actor.of(user), now=timezone.now())
            except DomainError as exc:
                problems = [each.message for each in exc.details] or [exc.message]
                form.renew(new_form_key())
            else:
                return Back(_address(run.pk))
        context = self.admin_site.each_context(request) | {
            "title": "Compare a file", "opts": self.opts, "form": form, "problems": problems,
        }  # fmt: skip
        return TemplateResponse(request, "admin/books/upload.html", context)

    def result(self, request: HttpRequest, pk: int) -> HttpResponse:
        run: Any = get_object_or_404(runs(), pk=pk)
        page = Paginator(gaps_of(run), GAPS_A_PAGE).get_page(request.GET.get("p"))
        theirs, ours = run.totals.get("theirs", {}), run.totals.get("ours", {})
        context = self.admin_site.each_context(request) | {
            "title": f"{run.provider}, run {run.pk}",
            "opts": self.opts,
            "run": run,
            "side": Side(run.side).label,
            "page": page,
            "totals": [
                (currency, theirs.get(currency, "0.00"), ours.get(currency, "0.00"))
                for currency in sorted({*theirs, *ours} - {"?"})
            ],
        }
        return TemplateResponse(request, "admin/books/run.html", context)

    def explain(self, request: HttpRequest, pk: int) -> HttpResponse:
        form, user = ExplainForm(request.POST), cast("User", request.user)
        if not form.is_valid():
            messages.error(request, "Nothing was done: say what it was, in 500 signs at most.")
            return Back(_address(pk))
        try:
            data = form.cleaned_data
            explain(
                data["gap"], data["note"],
                run_id=pk, operator=Actor.of(user), now=timezone.now(),
            )  # fmt: skip
            messages.success(request, "The gap is explained.")
        except Gap.DoesNotExist:
            messages.error(request, "This run has no such gap.")
        except DomainError as exc:
            messages.error(request, exc.message)
        return Back(_address(pk))

    def export(self, request: HttpRequest, pk: int) -> HttpResponseBase:  # noqa: ARG002
        run = get_object_or_404(Reconciliation, pk=pk)
        return csv_response(f"gaps-{run.provider}-{run.pk}", *sheets.gaps_sheet(run))


def _address(pk: int) -> str:
    return reverse("admin:books_run", args=[pk])

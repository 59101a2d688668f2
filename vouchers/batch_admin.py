"""Imports on the operators' site: begun, looked at, let in, and what became of their codes."""

from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from core.admin import LookAdmin, new_form_key, spend_form_key
from core.errors import DomainError
from core.exports import csv_response
from fulfillment.services import wake_import
from vouchers.batch_forms import ImportForm, VoidForm
from vouchers.ciphers import unseal_bytes
from vouchers.imports import About, begin_import, cancel_import, confirm_import, void_unsold
from vouchers.models import Batch, BatchLine, Voucher
from vouchers.rows import end_of
from vouchers.states import PASTED, WORKING, BatchStatus, Outcome, VoucherStatus
from vouchers.stock import states_of_batch

IMPORT: Final = "vouchers.add_batch"
VOID: Final = "vouchers.void_voucher"
LINES_A_PAGE: Final = 100


@admin.register(Batch)
class BatchAdmin(LookAdmin[Batch]):
    list_display = ("number", "supplier", "variant", "state", "far", "cost", "imported_by", "made")
    list_display_links = ("number",)
    list_filter = ("status",)
    list_select_related = ("variant__product", "imported_by")
    search_fields = ("supplier", "=file_name", "=pk")
    change_list_template = "admin/vouchers/batch/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"vouchers_batch_{name}")

        read = require_http_methods(["GET", "HEAD"])
        return [
            page("import/", self.import_page, "import"),
            page("<int:pk>/change/", read(self.page), "change"),
            page("<int:pk>/progress", read(self.progress), "progress"),
            page("<int:pk>/report", read(self.report), "report"),
            page("<int:pk>/codes", read(self.codes), "codes"),
            page("<int:pk>/confirm", require_POST(self.confirm), "confirm"),
            page("<int:pk>/cancel", require_POST(self.cancel), "cancel"),
            page("<int:pk>/void", require_POST(self.void), "void"),
            *super().get_urls(),
        ]

    @admin.display(description="Batch", ordering="pk")
    def number(self, row: Batch) -> str:
        return f"#{row.pk}"

    @admin.display(description="Codes added")
    def far(self, row: Batch) -> SafeString | str:
        if row.status != BatchStatus.LOADING:
            return f"{row.rows:,}"
        return format_html(
            '<progress max="100" value="{}"></progress> <span class="soft">{} of {}</span>',
            percent_of(row), f"{row.loaded:,}", f"{row.good:,}",
        )  # fmt: skip

    @admin.display(description="Cost a code")
    def cost(self, row: Batch) -> str:
        return "" if row.unit_cost is None else f"{row.unit_cost:,.2f}"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        may = {"may_import": request.user.has_perm(IMPORT)}
        return super().changelist_view(request, may | (extra_context or {}))

    def _batch(self, request: HttpRequest, pk: int, *, right: str = "") -> Batch:
        if not self.has_view_permission(request) or (right and not _staff(request).has_perm(right)):
            raise PermissionDenied
        rows = Batch.objects.select_related("variant__product", "imported_by")
        return get_object_or_404(rows, pk=pk)

    @method_decorator(sensitive_post_parameters("text"))
    def import_page(self, request: HttpRequest) -> HttpResponse:
        """GET draws the form; POST keeps what was given, sealed, and lets the worker read it."""
        if not _staff(request).has_perm(IMPORT):
            raise PermissionDenied
        posted = request.method == "POST"
        form = ImportForm(
            request.POST if posted else None,
            request.FILES if posted else None,
            initial={"form_key": new_form_key(), "variant": request.GET.get("variant")},
        )
        if posted and form.is_valid():
            batch = _begun(request, form)
            if batch is not None:
                return _to(batch)
        context = self.admin_site.each_context(request)
        context |= {"form": form, "title": "Import codes", "opts": self.opts}
        return TemplateResponse(request, "admin/vouchers/batch/import.html", context)

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._batch(request, pk)
        lines = batch.lines.all()
        wanted = request.GET.get("outcome", "")
        if wanted in Outcome.values:
            lines = lines.filter(outcome=wanted)
        shown = Paginator(lines, LINES_A_PAGE).get_page(request.GET.get("page"))
        reader = _staff(request)
        for line in shown:
            line.text = _text_of(line, batch, reader)  # type: ignore[attr-defined]
        counts = dict(batch.lines.values_list("outcome").annotate(n=Count("pk")).order_by())
        states = states_of_batch(batch)
        context = self.admin_site.each_context(request) | {
            "batch": batch,
            "title": f"Batch #{batch.pk}",
            "opts": self.opts,
            "percent": percent_of(batch),
            "working": batch.status in WORKING,
            "left_out": sum(counts.values()),
            "outcomes": [(word, words, counts.get(word, 0)) for word, words in Outcome.choices],
            "wanted": wanted,
            "page": shown,
            "states": [(s.value, s.label, states[s.value]) for s in VoucherStatus],
            "free": states[VoucherStatus.AVAILABLE],
            "twins": _twins(batch),
            "may_import": reader.has_perm(IMPORT),
            "may_void": reader.has_perm(VOID),
            "void_form": VoidForm(initial={"form_key": new_form_key()}),
        }
        return TemplateResponse(request, "admin/vouchers/batch/page.html", context)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._batch(request, pk)
        told = {name: getattr(batch, name) for name in ("status", "read", "good", "loaded", "rows")}
        return JsonResponse(told | {"percent": percent_of(batch)})

    def report(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What was left out, row by row; never a code."""
        batch = self._batch(request, pk)
        rows = batch.lines.values_list("row_no", "outcome", "message", "mask")
        head = ("row", "outcome", "why", "code")
        return csv_response(f"batch-{batch.pk}-left-out", head, rows.iterator(chunk_size=2000))

    def codes(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The batch's codes, masked, with what became of each."""
        batch = self._batch(request, pk)
        head = ("voucher", "code", "serial", "state", "expires", "order", "sold", "void because")
        return csv_response(f"batch-{batch.pk}-codes", head, _told(batch.vouchers.all()))

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._batch(request, pk, right=IMPORT)

        def act() -> str:
            confirm_import(batch.pk, now=timezone.now())
            wake_import(batch.pk)
            return "The codes go into the pool in the background; waiting orders are served."

        return _acted(request, batch, act)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._batch(request, pk, right=IMPORT)

        def act() -> str:
            cancel_import(batch.pk, now=timezone.now())
            return "Nothing was imported; what was uploaded is gone."

        return _acted(request, batch, act)

    def void(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._batch(request, pk, right=VOID)
        return _acted(request, batch, lambda: voided(request, Voucher.objects.filter(batch=batch)))


def percent_of(batch: Batch) -> int:
    return 100 * batch.loaded // batch.good if batch.good else 0


def voided(request: HttpRequest, rows: QuerySet[Voucher]) -> str:
    """Take the free ones of these out of the pool, once per form; what to say of it.

    Raises:
        DomainError: no reason, or the form was sent before.
    """
    form = VoidForm(request.POST)
    if not form.is_valid():
        return ""
    user = _staff(request)
    spend_form_key(user.pk, str(form.cleaned_data["form_key"]))
    count = void_unsold(rows, reason=form.cleaned_data["reason"], by_id=user.pk, now=timezone.now())
    return f"{count:,} unsold codes are void. Codes that are reserved or sold were left alone."


def _acted(request: HttpRequest, batch: Batch, act: Callable[[], str]) -> HttpResponse:
    try:
        said = act()
    except DomainError as exc:
        messages.error(request, exc.message)
    else:
        if said:
            messages.success(request, said)
        else:
            messages.error(request, "Nothing was done: say why.")
    return _to(batch)


def _begun(request: HttpRequest, form: ImportForm) -> Batch | None:
    data, user = form.cleaned_data, _staff(request)
    expires = data["expires_on"] and end_of(data["expires_on"])
    about = About(
        data["variant"], data["supplier"], data["unit_cost"], expires, data["code_digits"]
    )
    file = data["file"]
    content = file.read() if file else data["text"].encode()
    try:
        spend_form_key(user.pk, str(data["form_key"]))
        batch = begin_import(about, content, file_name=file.name if file else PASTED, by_id=user.pk)
    except DomainError as exc:
        form.add_error(None, exc.message)
        return None
    wake_import(batch.pk)
    return batch


def _to(batch: Batch) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:vouchers_batch_change", args=[batch.pk]))


def _staff(request: HttpRequest) -> User:
    return cast("User", request.user)


def _twins(batch: Batch) -> QuerySet[Batch]:
    """Other imports of the very same file."""
    if not batch.file_digest:
        return Batch.objects.none()
    same = Batch.objects.filter(file_digest=batch.file_digest).exclude(pk=batch.pk)
    return same.exclude(status=BatchStatus.CANCELLED).order_by("-pk")[:3]


def _text_of(line: BatchLine, batch: Batch, reader: User) -> str:
    """A line that was not understood, for who pasted it: it may hold a code."""
    if not line.sealed or batch.imported_by_id != reader.pk:
        return ""
    return unseal_bytes(line.sealed, context=f"line:{batch.pk}").decode()


def _told(rows: QuerySet[Voucher]) -> Iterator[tuple[object, ...]]:
    fields = ("pk", "mask", "serial_number", "status", "expires_at",
              "order_item__order__order_number", "sold_at", "void_reason")  # fmt: skip
    yield from rows.order_by("pk").values_list(*fields).iterator(chunk_size=2000)

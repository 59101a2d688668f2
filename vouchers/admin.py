"""Codes as staff may see them: masked, with where they came from and where they went (D20)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from core.admin import LookAdmin, link_to_order, new_form_key
from core.errors import DomainError
from vouchers.batch_admin import VOID, BatchAdmin, voided
from vouchers.batch_forms import VoidForm
from vouchers.models import CodeReveal, Voucher
from vouchers.stock_admin import StockAdmin

__all__ = ["BatchAdmin", "CodeRevealAdmin", "StockAdmin", "VoucherAdmin"]
SEALED = ("secret", "fingerprint", "words")


@admin.register(Voucher)
class VoucherAdmin(LookAdmin[Voucher]):
    list_display = ("mask", "state", "variant", "serial_number", "expires_at", "batch", "order")
    list_display_links = ("mask",)
    list_filter = ("status", "partner")
    list_select_related = ("variant__product", "batch", "order_item__order")
    search_fields = ("serial_number__exact", "order_item__order__order_number__exact")
    search_help_text = "Serial number or order number; exact. Find a code from the list of orders."
    exclude = (*SEALED, "metadata")
    actions: Any = ("void",)

    def has_void_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(VOID))

    @admin.action(description="Take out of the pool (void)", permissions=["void"])
    def void(self, request: HttpRequest, queryset: QuerySet[Voucher]) -> HttpResponse | None:
        """Asks for the reason first."""
        if request.POST.get("post"):
            try:
                said = voided(request, Voucher.objects.filter(pk__in=queryset.values("pk")))
            except DomainError as exc:
                messages.error(request, exc.message)
                return None
            if said:
                messages.success(request, said)
                return None
        context = self.admin_site.each_context(request) | {
            "rows": list(queryset.select_related("variant__product")[: self.list_per_page]),
            "form": VoidForm(initial={"form_key": new_form_key()}),
            "title": "Void codes",
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/vouchers/voucher/void.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voucher]:
        return super().get_queryset(request).defer(*SEALED)

    @admin.display(description="Order")
    def order(self, row: Voucher) -> SafeString | str:
        return link_to_order(row.order_item.order) if row.order_item else ""


@admin.register(CodeReveal)
class CodeRevealAdmin(LookAdmin[CodeReveal]):
    list_display = ("code", "user", "reason", "at")
    list_display_links = ("code",)
    list_select_related = ("user", "voucher")
    fields = ("code", "user", "reason", "correlation_id", "at")
    readonly_fields = ("code",)

    @admin.display(description="Code")
    def code(self, row: CodeReveal) -> str:
        return row.voucher.mask

    def get_queryset(self, request: HttpRequest) -> QuerySet[CodeReveal]:
        return super().get_queryset(request).defer(*(f"voucher__{name}" for name in SEALED))

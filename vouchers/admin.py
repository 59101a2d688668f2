"""Codes as staff may see them: masked, with where they came from and where they went (D20)."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.admin import LookAdmin, link_to_order
from vouchers.models import Batch, CodeReveal, Voucher

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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voucher]:
        return super().get_queryset(request).defer(*SEALED)

    @admin.display(description="Order")
    def order(self, row: Voucher) -> SafeString | str:
        return link_to_order(row.order_item.order) if row.order_item else ""


@admin.register(Batch)
class BatchAdmin(LookAdmin[Batch]):
    list_display = ("__str__", "variant", "rows", "unit_cost", "imported_by", "created_at")
    list_select_related = ("variant__product", "imported_by")


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

"""The audit trail and the purchases behind it, for who looks something up; nobody edits them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import LookAdmin
from fulfillment.models import FulfillmentAttempt, PartnerTransaction


@admin.register(FulfillmentAttempt)
class FulfillmentAttemptAdmin(LookAdmin[FulfillmentAttempt]):
    list_display = ("number", "order_page", "type", "state", "admin_user", "codes_mask", "made")
    list_display_links = ("number",)
    list_filter = ("status", "type")
    list_select_related = ("order", "admin_user")
    search_fields = ("=correlation_id", "=order__order_number")
    search_help_text = "Order number or correlation id; exact."

    @admin.display(description="Attempt", ordering="pk")
    def number(self, row: FulfillmentAttempt) -> int:
        return row.pk


@admin.register(PartnerTransaction)
class PartnerTransactionAdmin(LookAdmin[PartnerTransaction]):
    list_display = ("reference", "state", "partner", "source", "error", "made")
    list_display_links = ("reference",)
    list_filter = ("status", "partner")
    list_select_related = ("partner", "source__partner")
    search_fields = ("=reference", "=partner_transaction_id")
    search_help_text = "Our reference or the partner's; exact."

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartnerTransaction]:
        return super().get_queryset(request).select_related("partner", "source__partner")

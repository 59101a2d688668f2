"""Payments, and what the gateways sent us; to look at."""

from django.contrib import admin

from core.admin import LookAdmin
from payments.models import CarrierConsent, GatewayCallback, Payment


@admin.register(Payment)
class PaymentAdmin(LookAdmin[Payment]):
    list_display = ("reference", "state", "method", "sum", "gateway_transaction_id", "made")
    list_display_links = ("reference",)
    list_filter = ("status", "method")
    search_fields = ("=reference", "=gateway_reference", "=gateway_transaction_id")
    search_help_text = "Our reference, or the gateway's; exact."
    exclude = ("redirect_url",)  # opens the customer's session at the gateway


@admin.register(GatewayCallback)
class GatewayCallbackAdmin(LookAdmin[GatewayCallback]):
    list_display = ("__str__", "gateway", "payment", "times", "last_received_at")
    list_filter = ("gateway",)
    list_select_related = ("payment",)
    exclude = ("digest", "headers")  # headers hold the gateway's shared secret


@admin.register(CarrierConsent)
class CarrierConsentAdmin(LookAdmin[CarrierConsent]):
    """The log of consent: what an operator asks for when a payer denies a charge."""

    list_display = ("__str__", "payment", "passwords", "given_at", "made")
    list_filter = ("carrier",)
    list_select_related = ("payment",)
    search_fields = ("=payment__reference", "=subscriber", "=internal_id")
    exclude = ("digest",)

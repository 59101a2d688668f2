"""What is left in our accounts at partners, asked now and then."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.models import Partner
from core.logging import get_logger
from core.providers import ProviderError
from fulfillment.models import PartnerHealth
from fulfillment.partners.registry import PARTNERS, get_partner
from notifications.alerts import raise_alert, resolve_general
from notifications.states import AlertKind

log = get_logger(__name__)


def watched_partners() -> list[Partner]:
    """Active partners that have an adapter."""
    rows = Partner.objects.filter(is_active=True, slug__in=PARTNERS).select_related("health")
    return list(rows.order_by("pk"))


def check_balance(partner: Partner) -> PartnerHealth | None:
    """Ask the partner and keep what it says; None if it could not say. Buys nothing, so it also
    proves that address and credentials are right."""
    try:
        adapter = get_partner(partner.slug, answer_seconds=settings.PARTNER_ANSWER_SECONDS)
        amount, currency = adapter.balance()
    except ProviderError as exc:
        log.warning("fulfilment.partner.no_balance", partner=partner.slug, error=exc.message)
        return None
    now = timezone.now()
    with transaction.atomic():
        health, _ = PartnerHealth.objects.get_or_create(partner=partner)
        health.balance, health.balance_currency, health.balance_at = amount, currency, now
        health.save(update_fields=["balance", "balance_currency", "balance_at"])
        message = f"The balance at {partner} is below its limit."
        if health.low_balance is not None and amount < health.low_balance:
            raise_alert(None, AlertKind.PARTNER_BALANCE, message, now=now)
        else:
            note = f"The balance is {amount} {currency}."
            resolve_general(AlertKind.PARTNER_BALANCE, message, note=note, now=now)
    return health

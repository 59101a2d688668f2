"""How partners answer: circuit breaker and balance, a reset, a check of the connection."""

from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Partner
from core.actors import Actor
from core.api.envelope import ok
from core.api.fields import NoBody, instant, number
from core.api.idempotency import idempotent
from core.api.schema import answers, in_path
from core.errors import NotFound
from fulfillment import examples
from fulfillment.balances import check_balance, watched_partners
from fulfillment.breaker import reset
from fulfillment.models import PartnerHealth
from fulfillment.views import OperatorView

BREAKER_STATES: Final = ("closed", "open", "half_open")
PARTNER: Final = in_path("key", "The partner's `id`.")


class PartnerSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=BREAKER_STATES)
    failures = serializers.IntegerField(help_text="Purchases in a row without a usable answer.")
    open_until = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    balance = serializers.FloatField(allow_null=True)
    balance_currency = serializers.CharField(allow_null=True)
    balance_at = serializers.DateTimeField(allow_null=True)


class PartnersSchema(serializers.Serializer[Any]):
    items = PartnerSchema(many=True)


def partner_data(partner: Partner, *, now: datetime) -> dict[str, Any]:
    """Circuit breaker and balance of one partner."""
    health: PartnerHealth = getattr(partner, "health", None) or PartnerHealth(partner=partner)
    return {
        "id": partner.pk,
        "slug": partner.slug,
        "name": partner.name,
        "state": health.state(now=now),
        "failures": health.failures,
        "open_until": instant(health.open_until),
        "last_error": health.last_error or None,
        "balance": number(health.balance),
        "balance_currency": health.balance_currency or None,
        "balance_at": instant(health.balance_at),
    }


@extend_schema(tags=["Partners"])
class PartnersView(OperatorView):
    required_permission = "catalog.view_partner"

    @extend_schema(
        operation_id="adminListPartners",
        summary="See how partners answer",
        description="For staff who may view partners. Circuit breaker and last known "
        "balance of each partner with an adapter.",
        responses=answers("Partners", PartnersSchema()),
        examples=examples.PARTNERS,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        now = timezone.now()
        return ok({"items": [partner_data(each, now=now) for each in watched_partners()]})


class _PartnerView(OperatorView):
    def partner(self, key: str) -> Partner:
        found = next((each for each in watched_partners() if each.pk == int(key)), None)
        if found is None:
            raise NotFound("There is no such partner.")
        return found


@extend_schema(tags=["Partners"])
class ResetPartnerView(_PartnerView):
    required_permission = "fulfillment.reset_breaker"

    @extend_schema(
        operation_id="adminResetPartner",
        summary="Let purchases through to a paused partner",
        description="Closes the circuit breaker; orders that wait for the partner are served, "
        "oldest first.",
        parameters=[PARTNER],
        request=None,
        responses=answers("ResetPartner", PartnerSchema()),
        examples=examples.RESET_PARTNER,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        now = timezone.now()
        reset(self.partner(key), operator=Actor.of(self.operator), now=now)
        return ok(partner_data(self.partner(key), now=now), "Purchases are let through again.")


@extend_schema(tags=["Partners"])
class CheckPartnerView(_PartnerView):
    required_permission = "fulfillment.reset_breaker"

    @extend_schema(
        operation_id="adminCheckPartner",
        summary="Check the connection to a partner",
        description="Asks for our balance: address and credentials are proven, nothing is bought.",
        parameters=[PARTNER],
        request=None,
        responses=answers("CheckPartner", PartnerSchema()),
        examples=examples.CHECK_PARTNER,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        partner = self.partner(key)
        reached = check_balance(partner) is not None
        words = f"{partner} answers." if reached else f"{partner} could not be asked."
        return ok(partner_data(self.partner(key), now=timezone.now()), words, success=reached)

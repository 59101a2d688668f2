"""What was bought from partners for one order, and an open purchase closed by hand."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import Actor
from core.api.envelope import ok
from core.api.fields import instant
from core.api.idempotency import idempotent
from core.api.schema import answers, in_path
from fulfillment import examples
from fulfillment.models import PartnerTransaction
from fulfillment.recovery import close_purchase
from fulfillment.selectors import purchases_of
from fulfillment.serializers import ClosePurchaseSerializer
from fulfillment.views import KEY, OperatorView


class PurchaseRowSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    order_item_id = serializers.IntegerField()
    unit_no = serializers.IntegerField()
    partner = serializers.CharField()
    offer = serializers.CharField()
    reference = serializers.CharField(help_text="What the partner knows it by.")
    partner_transaction_id = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    error = serializers.CharField(allow_null=True)
    sent_at = serializers.DateTimeField()
    checks = serializers.IntegerField(help_text="How often it was looked up.")
    next_check_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    close_reason = serializers.CharField(allow_null=True)


def purchase_data(purchase: PartnerTransaction) -> dict[str, Any]:
    return {
        "id": purchase.pk,
        "order_item_id": purchase.item_id,
        "unit_no": purchase.unit_no,
        "partner": purchase.partner.slug,
        "offer": purchase.source.external_offer_id,
        "reference": purchase.reference,
        "partner_transaction_id": purchase.partner_transaction_id or None,
        "status": purchase.status,
        "error": purchase.error or None,
        "sent_at": instant(purchase.sent_at),
        "checks": purchase.checks,
        "next_check_at": instant(purchase.next_check_at),
        "ended_at": instant(purchase.ended_at),
        "close_reason": purchase.close_reason or None,
    }


class PurchasesSchema(serializers.Serializer[Any]):
    items = PurchaseRowSchema(many=True)


@extend_schema(tags=["Recovery"])
class PurchasesView(OperatorView):
    required_permission = "fulfillment.view_partnertransaction"

    @extend_schema(
        operation_id="adminListPurchases",
        summary="List what was bought from partners for an order",
        description="One row for each unit and try, newest first; codes are not shown here.",
        parameters=[KEY],
        responses=answers("Purchases", PurchasesSchema()),
        examples=examples.PURCHASES,
    )
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002
        rows = purchases_of(self.order(key))
        return ok({"items": [purchase_data(each) for each in rows]})


@extend_schema(tags=["Recovery"])
class ClosePurchaseView(OperatorView):
    required_permission = "fulfillment.recover_order"

    @extend_schema(
        operation_id="adminClosePurchase",
        summary="Close an open purchase as the partner's people told",
        description="For a purchase that stays `UNKNOWN` or `PENDING`. `bought` needs the "
        "code, which is stored for its unit or as surplus; `not_bought` lets the unit be bought "
        "anew. Who, why and when are kept; the order goes on by itself.",
        parameters=[KEY, in_path("purchase", "The purchase's `id`.")],
        request=ClosePurchaseSerializer,
        responses=answers("ClosePurchase", PurchaseRowSchema()),
        examples=examples.CLOSE_PURCHASE,
    )
    @idempotent
    def post(self, request: Request, key: str, purchase: str) -> Response:
        form = ClosePurchaseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        closed = close_purchase(
            self.order(key).pk,
            int(purchase),
            bought=form.bought(),
            reason=form.validated_data["reason"],
            operator=Actor.of(self.operator),
            code=form.given(),
        )
        return ok(purchase_data(closed), f"Purchase {closed.reference} is closed.")

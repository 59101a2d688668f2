"""JSON of payments, in and out (contract page bdvoucher, section 7)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.api.fields import StrictSerializer, instant, number
from core.money import ZERO
from orders.serializers import PAID_THROUGH, PAYMENT_STATUSES, MethodField, ReturnAddressField
from orders.states import OrderStatus
from payments.models import GatewayExchange, Payment, Refund
from payments.refunding import RefundWish
from payments.states import OPEN, RefundStatus


class InitiateSerializer(StrictSerializer):
    """Body of `/payments/initiate/:orderId`: compared with the order, never used in its place."""

    amount = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        required=False,
        help_text="If sent it must be the order's `total_amount`.",
    )
    currency = serializers.CharField(max_length=3, required=False, help_text="`BDT`, if sent.")
    method = MethodField(
        max_length=20, required=False, help_text="Gateway of this try; default: the order's."
    )
    description = serializers.CharField(
        max_length=200, required=False, default="", help_text="Shown on the gateway's page."
    )
    return_url = ReturnAddressField()


class InitiateByBodySerializer(InitiateSerializer):
    orderId = serializers.CharField(  # noqa: N815 - the contract's own name
        max_length=20, help_text="Numeric id or 8-digit order number."
    )


class PaymentStateSchema(serializers.Serializer[Any]):
    transactionId = serializers.CharField()  # noqa: N815
    orderId = serializers.IntegerField()  # noqa: N815
    orderNumber = serializers.CharField()  # noqa: N815
    orderStatus = serializers.ChoiceField(OrderStatus.choices)  # noqa: N815
    status = serializers.ChoiceField(PAYMENT_STATUSES)
    method = serializers.ChoiceField(PAID_THROUGH)
    amount = serializers.FloatField(help_text="BDT")
    currency = serializers.CharField(help_text="Always `BDT`.")
    final = serializers.BooleanField(help_text="False while the gateway may still decide.")


class ChannelSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="For the filter `paymentChannelId` of `/vouchers`.")
    slug = serializers.CharField(help_text="What `payment_method` and `method` take.")
    enabled = serializers.BooleanField(help_text="It can be chosen now.")


#: How a person says that a refund ended.
OUTCOMES = [("paid", "Paid back"), ("not_paid", "Not paid back")]


class RefundItemSerializer(StrictSerializer):
    orderItemId = serializers.IntegerField(min_value=1, max_value=2**62)  # noqa: N815
    units = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=10_000),
        required=False,
        allow_empty=False,
        help_text="Which units, from 1; without it every unit that is not paid back yet.",
    )


class RefundSerializer(StrictSerializer):
    """Body of `/admin/payments/:id/refund`; without items the whole payment goes back."""

    reason = serializers.CharField(max_length=300, help_text="Why; kept with the refund.")
    amount = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal("0.01"),
        required=False,
        allow_null=True,
        default=None,
        help_text="BDT; default: what the units are worth. Never more than that.",
    )
    items = RefundItemSerializer(
        many=True, required=False, allow_empty=False, help_text="What is paid back of the order."
    )
    revokeCodes = serializers.BooleanField(  # noqa: N815
        required=False,
        default=False,
        help_text="Take delivered codes back; without it a delivered unit is refused.",
    )

    def wish(self) -> RefundWish:
        data = self.validated_data
        items = data.get("items")
        return RefundWish(
            reason=data["reason"],
            amount=data["amount"],
            items=items and {each["orderItemId"]: each.get("units") for each in items},
            revoking=data["revokeCodes"],
        )


class SettleRefundSerializer(StrictSerializer):
    outcome = serializers.ChoiceField(OUTCOMES)
    reference = serializers.CharField(
        max_length=120,
        required=False,
        default="",
        allow_blank=True,
        help_text="Of the payment you made; needed for `paid`.",
    )
    notes = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class RefundSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(RefundStatus.choices)
    amount = serializers.FloatField(help_text="BDT")
    reason = serializers.CharField()
    units = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="Pairs of item and unit that are paid back.",
    )
    revoked_codes = serializers.IntegerField(help_text="How many codes were taken back for it.")
    by_hand = serializers.BooleanField(help_text="The gateway can't: a person pays it back.")
    hand_reference = serializers.CharField(allow_null=True)
    gateway_refund_id = serializers.CharField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="What was said last.")
    requested_by = serializers.CharField(allow_null=True)
    next_check_at = serializers.DateTimeField(allow_null=True, help_text="When it goes on.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class ExchangeSchema(serializers.Serializer[Any]):
    asked = serializers.CharField(help_text="open, verify, capture, refund or query_refund.")
    answer = serializers.CharField(help_text="The outcome, or the kind of error.")
    reason = serializers.CharField(allow_null=True)
    evidence = serializers.DictField(help_text="Scrubbed fields of the answer.")
    times = serializers.IntegerField(help_text="How often in a row.")
    milliseconds = serializers.IntegerField()
    refund = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class OperatorPaymentSchema(PaymentStateSchema):
    id = serializers.IntegerField()
    effective = serializers.BooleanField(help_text="This payment pays the order.")
    gateway_transaction_id = serializers.CharField(allow_null=True)
    received_amount = serializers.FloatField(allow_null=True, help_text="What really came.")
    received_currency = serializers.CharField(allow_null=True)
    refunded_amount = serializers.FloatField(help_text="Paid back, or on its way.")
    reason = serializers.CharField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    refunds = RefundSchema(many=True)
    exchanges = ExchangeSchema(many=True, help_text="The newest 100 of what the gateway was asked.")


def refund_data(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.pk,
        "reference": refund.reference,
        "status": refund.status,
        "amount": number(refund.amount),
        "reason": refund.reason,
        "units": refund.units,
        "revoked_codes": len(refund.revoked),
        "by_hand": refund.by_hand,
        "hand_reference": refund.hand_reference or None,
        "gateway_refund_id": refund.gateway_refund_id or None,
        "error": refund.error or None,
        "requested_by": str(refund.requested_by) if refund.requested_by else None,
        "next_check_at": instant(refund.next_check_at),
        "created_at": instant(refund.created_at),
        "ended_at": instant(refund.ended_at),
    }


def exchange_data(row: GatewayExchange) -> dict[str, Any]:
    return {
        "asked": row.asked,
        "answer": row.answer,
        "reason": row.reason or None,
        "evidence": row.evidence,
        "times": row.times,
        "milliseconds": row.milliseconds,
        "refund": row.refund.reference if row.refund else None,
        "at": instant(row.at),
        "last_at": instant(row.last_at),
    }


def payment_for_staff(
    payment: Payment, refunds: Sequence[Refund], exchanges: Sequence[GatewayExchange]
) -> dict[str, Any]:
    gone = sum((each.amount for each in refunds if each.status != RefundStatus.FAILED), ZERO)
    return {
        **payment_state(payment),
        "id": payment.pk,
        "effective": payment.effective,
        "gateway_transaction_id": payment.gateway_transaction_id or None,
        "received_amount": number(payment.received_amount),
        "received_currency": payment.received_currency or None,
        "refunded_amount": number(gone),
        "reason": payment.reason or None,
        "paid_at": instant(payment.paid_at),
        "refunds": [refund_data(each) for each in refunds],
        "exchanges": [exchange_data(each) for each in exchanges],
    }


def payment_state(payment: Payment) -> dict[str, Any]:
    return {
        "transactionId": payment.reference,
        "orderId": payment.order_id,
        "orderNumber": payment.order.order_number,
        "orderStatus": payment.order.status,
        "status": payment.status,
        "method": payment.method,
        "amount": number(payment.amount),
        "currency": payment.currency,
        "final": payment.status not in OPEN,
    }

"""JSON of payments, in and out (contract page bdvoucher, section 7)."""

from typing import Any

from rest_framework import serializers

from core.api.fields import StrictSerializer
from orders.serializers import PAID_THROUGH, PAYMENT_STATUSES, MethodField
from orders.states import OrderStatus


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

"""JSON of payments, in and out (contract page bdvoucher, section 7)."""

from typing import Any

from rest_framework import serializers

from core.api.fields import StrictSerializer


class InitiateSerializer(StrictSerializer):
    """Body of `/payments/initiate/:orderId`; what is sent is compared, never used (D32)."""

    amount = serializers.DecimalField(max_digits=12, decimal_places=2, required=False)
    currency = serializers.CharField(max_length=3, required=False)
    method = serializers.CharField(max_length=20, required=False)
    description = serializers.CharField(max_length=200, required=False, default="")


class InitiateByBodySerializer(InitiateSerializer):
    orderId = serializers.CharField(max_length=20)  # noqa: N815 - the contract's own name


class StatusSchema(serializers.Serializer[Any]):
    transactionId = serializers.CharField()  # noqa: N815
    orderId = serializers.IntegerField()  # noqa: N815
    orderNumber = serializers.CharField()  # noqa: N815
    orderStatus = serializers.CharField()  # noqa: N815
    status = serializers.CharField()
    method = serializers.CharField()
    amount = serializers.FloatField()
    currency = serializers.CharField()
    final = serializers.BooleanField(help_text="False while the gateway may still decide.")


class ChannelSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    enabled = serializers.BooleanField()

"""JSON of vouchers for their owner."""

from typing import Any

from rest_framework import serializers

from core.api.fields import instant, number
from vouchers.ciphers import unseal_secret
from vouchers.models import Voucher

OWN_STATUSES = ["sold", "used"]


def voucher_data(voucher: Voucher) -> dict[str, Any]:
    """A voucher as its owner sees it, opened; the row comes with item, order and product."""
    secret = unseal_secret(voucher.secret)
    item = voucher.order_item
    if item is None:
        raise ValueError("Only a voucher that belongs to an order is shown to a customer.")
    return {
        "id": voucher.pk,
        "code": secret.code or secret.redemption_url,
        "pin": secret.pin or None,
        "redemption_url": secret.redemption_url or None,
        "status": voucher.status,
        "serial_number": voucher.serial_number,
        "expires_at": instant(voucher.expires_at),
        "sold_at": instant(voucher.sold_at),
        "used_at": instant(voucher.used_at),
        "variant_id": voucher.variant_id,
        "product_name": item.product_name,
        "variant_name": item.variant_name,
        "price": number(item.unit_price),
        "order_id": item.order_id,
        "order_number": item.order.order_number,
    }


class OwnVoucherSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField(help_text="The code, or the link of goods that are a link only.")
    pin = serializers.CharField(allow_null=True)
    redemption_url = serializers.CharField(allow_null=True, help_text="Where it is redeemed.")
    status = serializers.ChoiceField(OWN_STATUSES)
    serial_number = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    sold_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(
        allow_null=True, help_text="When its owner marked it as used."
    )
    variant_id = serializers.IntegerField()
    product_name = serializers.CharField()
    variant_name = serializers.CharField()
    price = serializers.FloatField(help_text="BDT paid for this unit")
    order_id = serializers.IntegerField()
    order_number = serializers.CharField()

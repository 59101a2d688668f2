"""JSON of orders, in and out (seed Orders, both tables of fields)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers

from core.api.fields import StrictSerializer, TrimmedJSONField, instant, number
from orders.models import DiscountCode, DiscountType, Order, OrderItem
from orders.services import Cart, Line
from orders.wording import label_and_message


class LineSerializer(StrictSerializer):
    variant_id = serializers.IntegerField(min_value=1, max_value=2**62)
    quantity = serializers.IntegerField(min_value=1)
    fulfillment_input = TrimmedJSONField(
        required=False, help_text="Flat object; keys as the product's fulfillment fields."
    )

    def validate_quantity(self, value: int) -> int:
        if value > settings.ORDER_MAX_QUANTITY:
            raise serializers.ValidationError(
                f"At most {settings.ORDER_MAX_QUANTITY} units of one item."
            )
        return value


class CheckoutSerializer(StrictSerializer):
    """Body of `POST /api/v1/orders`."""

    items = LineSerializer(many=True, allow_empty=False)
    payment_method = serializers.CharField(max_length=20)
    recipient_email = serializers.EmailField(max_length=254, required=False)
    init_payment = serializers.BooleanField(default=True)
    discount_code = serializers.CharField(max_length=40, required=False, allow_blank=False)

    def validate_items(self, value: list[Any]) -> list[Any]:
        if len(value) > settings.ORDER_MAX_LINES:
            raise serializers.ValidationError(f"At most {settings.ORDER_MAX_LINES} lines.")
        return value

    def cart(self) -> Cart:
        data = self.validated_data
        lines = [
            Line(each["variant_id"], each["quantity"], each.get("fulfillment_input", {}))
            for each in data["items"]
        ]
        return Cart(
            lines,
            data["payment_method"],
            data.get("recipient_email", ""),
            data.get("discount_code", ""),
        )


def order_data(
    order: Order,
    items: Sequence[OrderItem],
    codes: Sequence[Any],
    payments: Sequence[Any],
) -> dict[str, Any]:
    """An order as its customer sees it."""
    label, message = label_and_message(order.status, order.language)
    by_item: dict[int, list[Any]] = {}
    for each in codes:
        by_item.setdefault(each.item_id, []).append(each)
    return {
        "id": order.pk,
        "order_number": order.order_number,
        "status": order.status,
        "status_label": label,
        "status_message": message,
        "total_amount": number(order.total_amount),
        "currency": order.currency,
        "discount_code": order.discount_code,
        "discount_amount": number(order.discount_amount) if order.discount_code else None,
        "voucher_codes": [shown(each) for each in codes],
        "dispatched_email": order.dispatched_email,
        "email_sent_at": instant(order.email_sent_at),
        "items": [item_data(item, by_item.get(item.pk, [])) for item in items],
        "payments": [payment_data(each) for each in payments],
        "created_at": instant(order.created_at),
        "updated_at": instant(order.updated_at),
    }


def item_data(item: OrderItem, codes: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": item.pk,
        "variant_id": item.variant_id,
        "product_name": item.product_name,
        "variant_name": item.variant_name,
        "quantity": item.quantity,
        "unit_price": number(item.unit_price),
        "fulfillment_input": item.fulfillment_input,
        "fulfilled": item.fulfilled,
        "fulfilled_at": instant(item.fulfilled_at) if item.fulfilled else None,
        "fulfillment_status": item.fulfillment_status,
        "voucher_codes": [shown(each) for each in codes],
        "voucher": voucher_data(codes[0]) if codes else None,
    }


def voucher_data(code: Any) -> dict[str, Any]:
    return {
        "id": code.voucher_id,
        "code": shown(code),
        "status": code.status,
        "serial_number": code.serial_number,
        "expires_at": instant(code.expires_at),
    }


def shown(code: Any) -> str:
    """The code, or the link of goods that come as a link only (D34)."""
    return str(code.code or code.redemption_url)


def payment_data(payment: Any) -> dict[str, Any]:
    return {
        "id": payment.id,
        "transaction_id": payment.transaction_id,
        "status": payment.status,
        "payment_method": payment.payment_method,
        "amount": number(Decimal(payment.amount)),
        "created_at": instant(payment.created_at),
    }


# What the schema says of the above; the shapes are asserted against real answers in tests.


class VoucherSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    status = serializers.ChoiceField(["available", "reserved", "sold", "used"])
    serial_number = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class ItemSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    variant_id = serializers.IntegerField()
    product_name = serializers.CharField()
    variant_name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = serializers.FloatField(help_text="BDT")
    fulfillment_input = serializers.DictField(child=serializers.CharField())
    fulfilled = serializers.BooleanField()
    fulfilled_at = serializers.DateTimeField(allow_null=True)
    fulfillment_status = serializers.ChoiceField(
        ["SUCCEEDED", "DISPATCH_FAILED", "PARTNER_FAILED"], allow_null=True
    )
    voucher_codes = serializers.ListField(child=serializers.CharField())
    voucher = VoucherSchema(allow_null=True)


class PaymentLineSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    transaction_id = serializers.CharField()
    status = serializers.CharField()
    payment_method = serializers.CharField()
    amount = serializers.FloatField()
    created_at = serializers.DateTimeField()


class OrderSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    order_number = serializers.CharField()
    status = serializers.CharField(
        help_text="INITIATED, PENDING, CARRIER_AUTHORIZED, SUCCEEDED, ..."
    )
    status_label = serializers.CharField()
    status_message = serializers.CharField()
    total_amount = serializers.FloatField(help_text="BDT after discount")
    currency = serializers.CharField()
    discount_code = serializers.CharField(allow_null=True)
    discount_amount = serializers.FloatField(allow_null=True)
    voucher_codes = serializers.ListField(child=serializers.CharField())
    dispatched_email = serializers.EmailField(allow_null=True)
    email_sent_at = serializers.DateTimeField(allow_null=True)
    items = ItemSchema(many=True)
    payments = PaymentLineSchema(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SessionSchema(serializers.Serializer[Any]):
    transactionId = serializers.CharField()  # noqa: N815 - the contract's own name
    status = serializers.CharField()
    method = serializers.CharField()
    paymentGatewayUrl = serializers.CharField(allow_null=True)  # noqa: N815


class PlacedOrderSchema(OrderSchema):
    payment = SessionSchema(allow_null=True)


class AmountField(serializers.DecimalField):
    """Taka, not negative, or null where no bound is wanted."""

    def __init__(self) -> None:
        super().__init__(
            max_digits=12, decimal_places=2, min_value=Decimal(0), required=False, allow_null=True
        )


class DiscountSerializer(StrictSerializer):
    """Body of the operators' discount routes; every field optional on PATCH."""

    code = serializers.RegexField(r"^[A-Za-z0-9_-]{2,40}$")
    description = serializers.CharField(max_length=300, required=False, allow_blank=True)
    discount_type = serializers.ChoiceField(DiscountType.choices)
    discount_value = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal("0.01")
    )
    minimum_subtotal = AmountField()
    maximum_amount = AmountField()
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    usage_limit = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    per_user_limit = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    is_active = serializers.BooleanField(required=False)

    def validate_code(self, value: str) -> str:
        return value.upper()


def discount_data(discount: DiscountCode) -> dict[str, Any]:
    return {
        "id": discount.pk,
        "code": discount.code,
        "description": discount.description or None,
        "discount_type": discount.discount_type,
        "discount_value": number(discount.discount_value),
        "minimum_subtotal": number(discount.minimum_subtotal),
        "maximum_amount": number(discount.maximum_amount),
        "starts_at": instant(discount.starts_at),
        "ends_at": instant(discount.ends_at),
        "usage_limit": discount.usage_limit,
        "per_user_limit": discount.per_user_limit,
        "used_count": discount.used_count,
        "is_active": discount.is_active,
        "created_at": instant(discount.created_at),
    }


class DiscountSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    discount_type = serializers.ChoiceField(DiscountType.choices)
    discount_value = serializers.FloatField()
    minimum_subtotal = serializers.FloatField(allow_null=True)
    maximum_amount = serializers.FloatField(allow_null=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    usage_limit = serializers.IntegerField(allow_null=True)
    per_user_limit = serializers.IntegerField(allow_null=True)
    used_count = serializers.IntegerField()
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class PreviewSchema(serializers.Serializer[Any]):
    code = serializers.CharField()
    discount_type = serializers.ChoiceField(DiscountType.choices)
    discount_value = serializers.FloatField(help_text="Percentage points, or BDT when flat")
    discount_amount = serializers.FloatField(help_text="BDT off this subtotal")
    final_total = serializers.FloatField()
    description = serializers.CharField(allow_null=True)

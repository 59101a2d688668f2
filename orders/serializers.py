"""JSON of orders, in and out (seed Orders, both tables of fields)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import StrictSerializer, TrimmedJSONField, instant, number
from orders.models import Order, OrderItem
from orders.services import Cart, Line
from orders.states import ItemStatus, OrderStatus
from orders.wording import label_and_message

#: Every method of the contract; `/payments/channels` says which are on offer.
METHODS = ["sslcommerz", "bkash", "paystation", "dcb", "nagad"]
PAID_THROUGH = [*METHODS, "discount", "points"]
PAYMENT_STATUSES = [
    *("INITIATED", "PENDING", "AUTHORIZED", "SUCCEEDED", "FAILED", "CANCELLED", "AMOUNT_MISMATCH")
]
VOUCHER_STATUSES = ["available", "reserved", "sold", "used"]


@extend_schema_field({"type": "string", "enum": METHODS})
class MethodField(serializers.CharField):
    """Judged by the service, which knows the methods on offer here."""


class ReturnAddressField(serializers.CharField):
    """Judged by the service, which knows the shop's list."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 500)
        options.setdefault("required", False)
        options.setdefault(
            "help_text",
            "Where the customer's browser goes after paying, one of the shop's list to the letter; "
            "`order_number` and `status` are added as its query. Default: our own result page.",
        )
        super().__init__(**options)


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": ["string", "number"]},
        "maxProperties": 20,
    }
)
class InputField(TrimmedJSONField):
    """What a product asks for; the service knows which keys."""


class LineSerializer(StrictSerializer):
    variant_id = serializers.IntegerField(
        min_value=1,
        max_value=2**62,
        help_text="From the catalogue; the same one twice is two items.",
    )
    quantity = serializers.IntegerField(min_value=1, help_text="1 to 100; a code for each unit.")
    fulfillment_input = InputField(
        required=False,
        help_text="Flat object; keys as `/orders/fulfillment-fields/{variant_id}` names them. "
        "Numbers become text. An e-mail product without `email` takes `recipient_email`.",
    )

    def validate_quantity(self, value: int) -> int:
        if value > settings.ORDER_MAX_QUANTITY:
            raise serializers.ValidationError(
                f"At most {settings.ORDER_MAX_QUANTITY} units of one item."
            )
        return value


class CheckoutSerializer(StrictSerializer):
    """Body of `POST /api/v1/orders`."""

    items = LineSerializer(many=True, allow_empty=False, help_text="1 to 50 lines.")
    payment_method = MethodField(max_length=20, help_text="One that `/payments/channels` offers.")
    recipient_email = serializers.EmailField(
        max_length=254,
        required=False,
        help_text="Where the codes are mailed to; default: the account's address.",
    )
    init_payment = serializers.BooleanField(
        default=True, help_text="False: no session yet, see `/payments/initiate/{order_key}`."
    )
    discount_code = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=False,
        help_text="Upper or lower case; preview it with `/discounts/validate`.",
    )
    return_url = ReturnAddressField()

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
    label, message = label_and_message(
        order.status, order.language, refunded=order.closed_by_refund
    )
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
    code = serializers.CharField(help_text="The code, or the link of goods that are a link only.")
    status = serializers.ChoiceField(VOUCHER_STATUSES)
    serial_number = serializers.CharField(
        allow_null=True, help_text="Serial or activation number, where the partner gives one."
    )
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="Where the partner sets an end."
    )


class ItemSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    variant_id = serializers.IntegerField()
    product_name = serializers.CharField(help_text="As it was called when it was bought.")
    variant_name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = serializers.FloatField(help_text="BDT a unit at the time of the order.")
    fulfillment_input = serializers.DictField(child=serializers.CharField())
    fulfilled = serializers.BooleanField(
        help_text="True once every code is saved and the e-mail was sent."
    )
    fulfilled_at = serializers.DateTimeField(allow_null=True)
    fulfillment_status = serializers.ChoiceField(
        ItemStatus.choices, allow_null=True, help_text="Null while nothing is decided."
    )
    voucher_codes = serializers.ListField(
        child=serializers.CharField(), help_text="One per unit; empty until they are ours to give."
    )
    voucher = VoucherSchema(allow_null=True, help_text="The first one of `voucher_codes`.")


class PaymentLineSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    transaction_id = serializers.CharField(help_text="For `/payments/status/{reference}`.")
    status = serializers.ChoiceField(PAYMENT_STATUSES)
    payment_method = serializers.ChoiceField(PAID_THROUGH)
    amount = serializers.FloatField(help_text="BDT")
    created_at = serializers.DateTimeField()


class OrderSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    order_number = serializers.CharField(help_text="Eight digits, made to be shown.")
    status = serializers.ChoiceField(OrderStatus.choices)
    status_label = serializers.CharField(help_text="Short, for a badge; in the order's language.")
    status_message = serializers.CharField(help_text="A sentence or two for the customer.")
    total_amount = serializers.FloatField(help_text="BDT after any discount.")
    currency = serializers.CharField(help_text="Always `BDT`.")
    discount_code = serializers.CharField(allow_null=True)
    discount_amount = serializers.FloatField(
        allow_null=True, help_text="BDT taken off; null without a code."
    )
    voucher_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Every code of the order, as the e-mail has them."
    )
    dispatched_email = serializers.EmailField(
        allow_null=True, help_text="Where the e-mail with the codes went; null until it was sent."
    )
    email_sent_at = serializers.DateTimeField(
        allow_null=True, help_text="When it last went out well."
    )
    items = ItemSchema(many=True)
    payments = PaymentLineSchema(many=True, help_text="Every try to pay, oldest first.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SessionSchema(serializers.Serializer[Any]):
    transactionId = serializers.CharField(  # noqa: N815 - the contract's own name
        help_text="For `/payments/status/{reference}`."
    )
    status = serializers.ChoiceField(PAYMENT_STATUSES)
    method = serializers.ChoiceField(PAID_THROUGH)
    paymentGatewayUrl = serializers.CharField(  # noqa: N815
        allow_null=True, help_text="Redirect the customer here; null where nothing is to be paid."
    )


class PlacedOrderSchema(OrderSchema):
    payment = SessionSchema(
        allow_null=True,
        help_text="Null if none was asked for, or the gateway is away: initiate it later.",
    )

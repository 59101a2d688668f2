"""A bare DRF view, and the shop's order JSON as plain DRF: prefetched models, serializers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import generics, pagination, serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders.models import Order, OrderItem
from orders.wording import label_and_message
from payments.models import Payment
from vouchers.ciphers import unseal_secret
from vouchers.models import Voucher


class Bare(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, _request: Request) -> Response:
        return Response({"success": True, "message": "", "data": None})


class Instant(serializers.DateTimeField):
    def to_representation(self, value: datetime | None) -> Any:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Taka(serializers.DecimalField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=12, decimal_places=2, **kwargs)

    def to_representation(self, value: Decimal) -> Any:
        return int(value) if value == int(value) else float(value)


class VoucherSerializer(serializers.ModelSerializer):
    code = serializers.SerializerMethodField()
    expires_at = Instant()

    class Meta:
        model = Voucher
        fields = ("id", "code", "status", "serial_number", "expires_at")

    def get_code(self, voucher: Voucher) -> str:
        return code_of(voucher)


def code_of(voucher: Voucher) -> str:
    if not hasattr(voucher, "opened"):
        secret = unseal_secret(voucher.secret)
        voucher.opened = secret.code or secret.redemption_url
    return voucher.opened


class ItemSerializer(serializers.ModelSerializer):
    unit_price = Taka()
    fulfilled_at = serializers.SerializerMethodField()
    voucher_codes = serializers.SerializerMethodField()
    voucher = serializers.SerializerMethodField()

    class Meta:
        model = OrderItem
        fields = (
            "id", "variant_id", "product_name", "variant_name", "quantity", "unit_price",
            "fulfillment_input", "fulfilled", "fulfilled_at", "fulfillment_status",
            "voucher_codes", "voucher",
        )  # fmt: skip

    def get_fulfilled_at(self, item: OrderItem) -> Any:
        return Instant().to_representation(item.fulfilled_at) if item.fulfilled else None

    def get_voucher_codes(self, item: OrderItem) -> list[str]:
        return [code_of(each) for each in item.delivered]

    def get_voucher(self, item: OrderItem) -> Any:
        return VoucherSerializer(item.delivered[0]).data if item.delivered else None


class PaymentSerializer(serializers.ModelSerializer):
    transaction_id = serializers.CharField(source="reference")
    payment_method = serializers.CharField(source="method")
    amount = Taka()
    created_at = Instant()

    class Meta:
        model = Payment
        fields = ("id", "transaction_id", "status", "payment_method", "amount", "created_at")


class OrderSerializer(serializers.ModelSerializer):
    status_label = serializers.SerializerMethodField()
    status_message = serializers.SerializerMethodField()
    total_amount = Taka()
    discount_amount = serializers.SerializerMethodField()
    voucher_codes = serializers.SerializerMethodField()
    email_sent_at = Instant()
    items = ItemSerializer(many=True)
    payments = PaymentSerializer(many=True)
    created_at = Instant()
    updated_at = Instant()

    class Meta:
        model = Order
        fields = (
            "id", "order_number", "status", "status_label", "status_message", "total_amount",
            "currency", "discount_code", "discount_amount", "voucher_codes", "dispatched_email",
            "email_sent_at", "items", "payments", "created_at", "updated_at",
        )  # fmt: skip

    def words(self, order: Order) -> tuple[str, str]:
        return label_and_message(order.status, order.language, refunded=order.closed_by_refund)

    def get_status_label(self, order: Order) -> str:
        return self.words(order)[0]

    def get_status_message(self, order: Order) -> str:
        return self.words(order)[1]

    def get_discount_amount(self, order: Order) -> Any:
        return Taka().to_representation(order.discount_amount) if order.discount_code else None

    def get_voucher_codes(self, order: Order) -> list[str]:
        return [code_of(each) for item in order.items.all() for each in item.delivered]


def orders_of(user: Any) -> QuerySet[Order]:
    delivered = Voucher.objects.filter(status__in=["sold", "used"], revoked_at=None)
    items = OrderItem.objects.order_by("position").prefetch_related(
        Prefetch("vouchers", queryset=delivered.order_by("unit_no"), to_attr="delivered")
    )
    return (
        Order.objects.filter(customer=user)
        .order_by("-id")
        .prefetch_related(Prefetch("items", queryset=items), "payments")
    )


class Pages(pagination.PageNumberPagination):
    page_size = 10

    def get_paginated_response(self, data: Any) -> Response:
        page = self.page
        told = {
            "items": data,
            "page": page.number,
            "limit": self.page_size,
            "total": page.paginator.count,
            "total_pages": page.paginator.num_pages,
        }
        return Response({"success": True, "message": "", "data": told})


class Orders(generics.ListAPIView):
    permission_classes = (IsAuthenticated,)
    serializer_class = OrderSerializer
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Order]:
        return orders_of(self.request.user)


class OneOrder(APIView):
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request, pk: int) -> Response:
        order = get_object_or_404(orders_of(request.user), pk=pk)
        data = OrderSerializer(order).data
        return Response({"success": True, "message": "", "data": data})

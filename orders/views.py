"""Orders for their customers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from core.api.envelope import ok
from core.api.fields import NoBody
from core.api.idempotency import HEADER, idempotent
from core.api.lists import page_of
from core.api.schema import answers, in_path, page_schema, paging
from core.errors import NotFound
from core.limits import client_address, count_and_check, give_back
from orders import examples
from orders.filters import narrowed
from orders.models import Order, OrderItem
from orders.selectors import find_order, orders_of
from orders.serializers import CheckoutSerializer, OrderSchema, PlacedOrderSchema, order_data
from orders.services import Buyer
from orders.states import OrderStatus
from payments.selectors import payments_of_orders
from payments.services import cancel_by_customer, checkout, session_data
from vouchers.selectors import codes_of_orders

DEFAULT_LIMIT = 10
#: Orders of one customer with a discount code that does not hold.
GUESSES: Final = 20
MINUTE: Final = timedelta(minutes=1)
KEY = in_path("key", "Numeric id or 8-digit order number.")
A_MOMENT = "A date, which is the whole day in Dhaka, or a time with its zone."
FILTERS = [
    OpenApiParameter(
        "status",
        {"type": "array", "items": {"type": "string", "enum": OrderStatus.values}, "minItems": 1},
        style="form",
        explode=False,
        description="One status, or several with commas between them.",
    ),
    OpenApiParameter("created_from", str, description=f"Placed then or later. {A_MOMENT}"),
    OpenApiParameter("created_to", str, description=f"Placed before; a date counts in. {A_MOMENT}"),
]


def shown(orders: Sequence[Order], *, with_codes: bool = True) -> dict[int, dict[str, Any]]:
    """Orders with items, codes and payments: three statements, whatever the rows."""
    ids = [order.pk for order in orders]
    items: dict[int, list[OrderItem]] = {pk: [] for pk in ids}
    for item in OrderItem.objects.filter(order__in=ids).order_by("order_id", "position"):
        items[item.order_id].append(item)
    codes = codes_of_orders(ids) if with_codes else {}
    payments = payments_of_orders(ids)
    return {
        order.pk: order_data(
            order, items[order.pk], codes.get(order.pk, ()), payments.get(order.pk, ())
        )
        for order in orders
    }


@contextmanager
def guess_counted(customer_id: int, code: str) -> Iterator[None]:
    """A discount code is a guess until it has taken something off; good ones use up nothing."""
    if not code:
        yield
        return
    key = str(customer_id)
    count_and_check("discount-at-order", key, GUESSES, MINUTE, open_when_down=True)
    yield
    give_back("discount-at-order", key)


@extend_schema(tags=["Orders"])
class OrdersView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="listOrders",
        summary="List my orders",
        description="The signed-in customer's orders, newest first, each as in its detail. "
        "Reads only.",
        parameters=[*paging(DEFAULT_LIMIT), *FILTERS],
        responses=answers("OrderList", page_schema("OrderList", OrderSchema), 400),
        examples=examples.LIST,
    )
    def get(self, request: Request) -> Response:
        rows = narrowed(orders_of(cast("User", request.user).pk), request.query_params)
        page = page_of(rows, request.query_params, default_limit=DEFAULT_LIMIT)
        details = shown(page.rows)
        return ok(page.as_data(lambda order: details[order.pk]))

    @extend_schema(
        operation_id="createOrder",
        summary="Place an order",
        description="For signed-in customers. Checks every item's input, fixes prices, counts "
        "the discount's use and holds the stock for 30 minutes, all or nothing. Unless "
        "`init_payment` is false it opens a payment session: redirect the customer to "
        "`data.payment.paymentGatewayUrl`. If the gateway is away the order stands and `payment` "
        "is null. An order of 0 BDT after its discount is paid at once. At most 20 orders a minute "
        "with a discount code that does not hold. A 400 names item and "
        "field; a 409 says which item has too little stock.",
        request=CheckoutSerializer,
        responses=answers("OrderPlaced", PlacedOrderSchema(), 429, status=201),
        examples=examples.PLACE,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        form = CheckoutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        key = request.headers.get(HEADER)
        buyer = Buyer(
            customer_id=user.pk,
            email=user.email,
            language=user.language,
            request_key=f"{user.pk}:{key}" if key else None,
        )
        with guess_counted(user.pk, form.validated_data.get("discount_code", "")):
            result = checkout(
                form.cart(),
                buyer,
                init_payment=form.validated_data["init_payment"],
                return_url=form.validated_data.get("return_url", ""),
                now=timezone.now(),
                address=client_address(request),
            )
        order = result.order
        data = shown([order], with_codes=order.paid_at is not None)[order.pk]
        data |= {"payment": session_data(result.payment)}
        return ok(data, result.message, status=201)


@extend_schema(tags=["Orders"])
class OrderView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="getOrder",
        summary="Get one order",
        description="One of the customer's own orders, with every code that is saved for it. "
        "Reads only; somebody else's order is 404.",
        parameters=[KEY],
        responses=answers("OrderDetail", OrderSchema()),
        examples=examples.DETAIL,
    )
    def get(self, request: Request, key: str) -> Response:
        order = find_order(orders_of(cast("User", request.user).pk), key)
        if order is None:
            raise NotFound("There is no such order.")
        return ok(shown([order])[order.pk])


@extend_schema(tags=["Orders"])
class CancelView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="cancelOrder",
        summary="Cancel an unpaid order",
        description="For the order's customer, before payment. Held stock and the discount's use "
        "are given back. Each open payment is checked at its gateway before; a paid order can't "
        "be cancelled.",
        parameters=[KEY],
        request=None,
        responses=answers("OrderCancelled", OrderSchema()),
        examples=examples.CANCEL,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        order = cancel_by_customer(cast("User", request.user).pk, key, now=timezone.now())
        return ok(shown([order])[order.pk], "Order cancelled")

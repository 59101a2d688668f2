"""Discount codes: a preview for customers, and the operators' routes."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import StaffAuthentication
from core.api.envelope import ok
from core.api.fields import number
from core.api.idempotency import idempotent
from core.api.lists import once_each, page_of
from core.api.permissions import StaffMay
from core.api.schema import answers, in_path, page_schema, paging
from core.errors import BadRequest, NotFound
from core.limits import client_address, count_and_check
from core.money import taka
from orders import examples
from orders.discount_serializers import (
    DiscountSchema,
    DiscountSerializer,
    PreviewSchema,
    discount_data,
    in_full,
)
from orders.discounts import change_discount, create_discount, delete_discount, preview
from orders.models import DiscountCode, Order
from orders.serializers import OrderSchema
from orders.views import shown

GUESSES = 60
MINUTE = timedelta(minutes=1)
DEFAULT_LIMIT = 20
DISCOUNT_ID = in_path("discount_id", "`id` of the discount code.", int)
MAX_SUBTOTAL = 10**10


@extend_schema(tags=["Discounts"])
class ValidateView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="validateDiscount",
        summary="Preview a discount code",
        description="What the code would take off a subtotal; consumes nothing, promises nothing: "
        "the order checks again. For everybody; with a customer's token the limit per customer is "
        "checked too. At most 60 a minute from an address.",
        parameters=[
            OpenApiParameter("code", str, required=True, description="Upper or lower case."),
            OpenApiParameter(
                "subtotal", float, required=True, description="BDT before the discount."
            ),
        ],
        responses=answers("DiscountPreview", PreviewSchema(), 400, 429),
        examples=examples.PREVIEW,
    )
    def get(self, request: Request) -> Response:
        count_and_check("discount", client_address(request), GUESSES, MINUTE, open_when_down=True)
        once_each(request.query_params)
        code = request.query_params.get("code", "").strip()
        if not code or "\0" in code:
            raise BadRequest.at("code", "Say which code.", code="required")
        subtotal = _subtotal(request.query_params.get("subtotal", ""))
        customer = request.user.pk if request.user else None
        found = preview(code, subtotal=subtotal, customer_id=customer, now=timezone.now())
        discount = found.discount
        return ok(
            {
                "code": discount.code,
                "discount_type": discount.discount_type,
                "discount_value": number(discount.discount_value),
                "discount_amount": number(found.amount),
                "final_total": number(subtotal - found.amount),
                "description": discount.description or None,
            }
        )


def _subtotal(text: str) -> Decimal:
    try:
        subtotal = taka(text)
    except ValueError:
        subtotal = None
    if subtotal is None or not 0 <= subtotal < MAX_SUBTOTAL:
        raise BadRequest.at("subtotal", "subtotal must be an amount in BDT.")
    return subtotal


class DiscountDesk(APIView):
    """Staff with the right on discount codes that the verb needs (D21)."""

    authentication_classes = [StaffAuthentication]
    permission_classes = [StaffMay]
    required_permission = {
        "GET": "orders.view_discountcode",
        "POST": "orders.add_discountcode",
        "PUT": "orders.change_discountcode",
        "PATCH": "orders.change_discountcode",
        "DELETE": "orders.delete_discountcode",
    }


@extend_schema(tags=["Discounts"])
class DiscountsView(DiscountDesk):
    @extend_schema(
        operation_id="adminListDiscounts",
        summary="List discount codes",
        description="Every code, newest first, with its uses. For staff who may view discount "
        "codes; reads only.",
        parameters=paging(DEFAULT_LIMIT),
        responses=answers("DiscountList", page_schema("DiscountList", DiscountSchema), 400),
        examples=examples.DISCOUNT_LIST,
    )
    def get(self, request: Request) -> Response:
        rows = DiscountCode.objects.order_by("-pk")
        page = page_of(rows, request.query_params, default_limit=DEFAULT_LIMIT)
        return ok(page.as_data(discount_data))

    @extend_schema(
        operation_id="adminCreateDiscount",
        summary="Create a discount code",
        description="For staff who may add discount codes. The code is kept in upper case; one "
        "that exists already is 409.",
        request=DiscountSerializer,
        responses=answers("DiscountCreated", DiscountSchema(), status=201),
        examples=examples.DISCOUNT_CREATE,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        form = DiscountSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = create_discount(form.validated_data)
        return ok(discount_data(made), "Discount code created", status=201)


@extend_schema(tags=["Discounts"])
class DiscountView(DiscountDesk):
    @extend_schema(
        operation_id="adminGetDiscount",
        summary="Get a discount code",
        description="One code with how often it was used. For staff who may view discount codes; "
        "reads only.",
        parameters=[DISCOUNT_ID],
        responses=answers("DiscountDetail", DiscountSchema()),
        examples=examples.DISCOUNT_DETAIL,
    )
    def get(self, request: Request, discount_id: int) -> Response:  # noqa: ARG002
        return ok(discount_data(_found(discount_id)))

    @extend_schema(
        operation_id="adminReplaceDiscount",
        summary="Change a discount code as a whole",
        description="For staff who may change discount codes. What the body leaves out is as in a "
        "new code: no text, no limit, active. Orders that used the code keep their price.",
        parameters=[DISCOUNT_ID],
        request=DiscountSerializer,
        responses=answers("DiscountReplaced", DiscountSchema(), 409),
        examples=examples.DISCOUNT_REPLACE,
    )
    def put(self, request: Request, discount_id: int) -> Response:
        return self._change(request, discount_id, partial=False)

    @extend_schema(
        operation_id="adminChangeDiscount",
        summary="Change some fields of a discount code",
        description="For staff who may change discount codes; `is_active: false` stops one and "
        "keeps its history. Orders that used the code keep their price.",
        parameters=[DISCOUNT_ID],
        request=DiscountSerializer(partial=True),
        responses=answers("DiscountChanged", DiscountSchema(), 409),
        examples=examples.DISCOUNT_CHANGE,
    )
    def patch(self, request: Request, discount_id: int) -> Response:
        return self._change(request, discount_id, partial=True)

    @extend_schema(
        operation_id="adminDeleteDiscount",
        summary="Delete a discount code that was never used",
        description="For staff who may delete discount codes. 409 once an order used it: set "
        "`is_active` to false instead.",
        parameters=[DISCOUNT_ID],
        responses=answers("DiscountDeleted", DiscountSchema(), 409),
        examples=examples.DISCOUNT_DELETE,
    )
    def delete(self, request: Request, discount_id: int) -> Response:  # noqa: ARG002
        data = discount_data(_found(discount_id))
        delete_discount(discount_id)
        return ok(data, "Discount code deleted")

    def _change(self, request: Request, discount_id: int, *, partial: bool) -> Response:
        form = DiscountSerializer(data=request.data, partial=partial)
        form.is_valid(raise_exception=True)
        fields = form.validated_data if partial else in_full(form.validated_data)
        return ok(discount_data(change_discount(discount_id, fields)))


@extend_schema(tags=["Discounts"])
class DiscountOrdersView(DiscountDesk):
    @extend_schema(
        operation_id="adminListDiscountOrders",
        summary="List the orders that used a discount code",
        description="Newest first, without voucher codes. For staff who may view discount codes; "
        "reads only.",
        parameters=[DISCOUNT_ID, *paging(DEFAULT_LIMIT)],
        responses=answers("DiscountOrders", page_schema("DiscountOrders", OrderSchema), 400),
        examples=examples.DISCOUNT_ORDERS,
    )
    def get(self, request: Request, discount_id: int) -> Response:
        rows = Order.objects.filter(discount=_found(discount_id)).order_by("-pk")
        page = page_of(rows, request.query_params, default_limit=DEFAULT_LIMIT)
        details = shown(page.rows, with_codes=False)
        return ok(page.as_data(lambda order: details[order.pk]))


def _found(discount_id: int) -> DiscountCode:
    discount = DiscountCode.objects.filter(pk=discount_id).first()
    if discount is None:
        raise NotFound("There is no such discount code.")
    return discount

"""Vouchers for their owner (seed Voucher Redemption)."""

from typing import cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from core.api.envelope import ok
from core.api.fields import NoBody
from core.api.idempotency import idempotent
from core.api.lists import page_of, whole
from core.api.schema import answers, in_path, page_schema, paging
from core.errors import Conflict, NotFound
from payments.selectors import orders_paid_through
from vouchers import examples
from vouchers.filters import SORTS, narrowed
from vouchers.models import Voucher
from vouchers.selectors import vouchers_of
from vouchers.serializers import OwnVoucherSchema, voucher_data
from vouchers.services import mark_used

DEFAULT_LIMIT = 20
BIGGEST_CHANNEL = 1000
VOUCHER_ID = in_path("voucher_id", "`id` of the voucher.", int)
ID = {"type": "integer", "minimum": 1}


@extend_schema(tags=["Vouchers"])
class VouchersView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="listVouchers",
        summary="List my vouchers",
        description="The vouchers of the customer's fulfilled orders, one per unit, newest first, "
        "codes opened for their owner. Reads only.",
        parameters=[
            *paging(DEFAULT_LIMIT),
            OpenApiParameter(
                "search", str, description="A code, a group of it, or a part of a name."
            ),
            OpenApiParameter("categoryId", ID, description="Of the catalogue's categories."),
            OpenApiParameter("brandId", ID, description="Of the catalogue's brands."),
            OpenApiParameter("partnerId", ID, description="The partner that supplied the code."),
            OpenApiParameter(
                "paymentChannelId",
                {**ID, "maximum": BIGGEST_CHANNEL},
                description="See `/payments/channels`: the one that paid.",
            ),
            OpenApiParameter("sort", str, enum=list(SORTS), description="Default `newest`."),
        ],
        responses=answers("VoucherList", page_schema("VoucherList", OwnVoucherSchema), 400),
        examples=examples.LIST,
    )
    def get(self, request: Request) -> Response:
        params = request.query_params
        rows = narrowed(vouchers_of(cast("User", request.user).pk), params)
        if "paymentChannelId" in params:
            channel = whole(params, "paymentChannelId", default=0, least=1, most=BIGGEST_CHANNEL)
            rows = rows.filter(order_item__order__in=orders_paid_through(channel))
        return ok(page_of(rows, params, default_limit=DEFAULT_LIMIT).as_data(voucher_data))


@extend_schema(tags=["Vouchers"])
class VoucherView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="getVoucher",
        summary="Get one of my vouchers",
        description="One of the customer's own vouchers with its code. Reads only; somebody "
        "else's voucher is 404.",
        parameters=[VOUCHER_ID],
        responses=answers("VoucherDetail", OwnVoucherSchema()),
        examples=examples.DETAIL,
    )
    def get(self, request: Request, voucher_id: int) -> Response:
        return ok(voucher_data(_own(request, voucher_id)))


@extend_schema(tags=["Vouchers"])
class MarkUsedView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="markVoucherUsed",
        summary="Mark a voucher as used",
        description="For its owner: a note that the code is spent. It can't be taken back; marked "
        "twice is 409.",
        parameters=[VOUCHER_ID],
        request=None,
        responses=answers("VoucherUsed", OwnVoucherSchema()),
        examples=examples.MARK_USED,
    )
    @idempotent
    def post(self, request: Request, voucher_id: int) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        voucher = _own(request, voucher_id)
        if not mark_used(voucher.pk, owner_id=cast("User", request.user).pk):
            raise Conflict("This voucher is marked as used already.")
        return ok(voucher_data(_own(request, voucher_id)), "Voucher marked as used")


def _own(request: Request, voucher_id: int) -> Voucher:
    voucher = vouchers_of(cast("User", request.user).pk).filter(pk=voucher_id).first()
    if voucher is None:
        raise NotFound("There is no such voucher.")
    return voucher

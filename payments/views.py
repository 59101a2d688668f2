"""Paying: sessions, polls, and the gateways' callbacks."""

from collections.abc import Mapping
from typing import Any, Final, cast

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from core.api.envelope import ok
from core.api.errors import plain_error
from core.api.idempotency import idempotent
from core.api.schema import answers, in_path
from core.limits import client_address
from orders.serializers import SessionSchema
from orders.wording import label_and_message
from payments import examples
from payments.callbacks import receive_callback
from payments.gateways.registry import GATEWAYS, REPLIES
from payments.models import Payment
from payments.returning import RETURN_SALT, way_back
from payments.selectors import channels
from payments.serializers import (
    ChannelSchema,
    InitiateByBodySerializer,
    InitiateSerializer,
    PaymentStateSchema,
    payment_state,
)
from payments.services import initiate_payment, payment_status, session_data

MAX_CALLBACK_BYTES: Final = 200_000


@extend_schema(tags=["Payments"])
class InitiateView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="initiatePaymentOfOrder",
        summary="Open a payment session for an order",
        description="For the order's customer, while it is `INITIATED` or `FAILED`; the second "
        "step of pattern B, and the way to try again after a failed payment (stock and discount "
        "are taken again, 409 if they are gone). Amount and currency, if sent, must be the "
        "order's; `method` picks the gateway of this try. Redirect the customer to "
        "`data.paymentGatewayUrl`; afterwards they come to `return_url`, or to our own page. "
        "`data` is null if the gateway is away.",
        parameters=[in_path("order_key", "Numeric id or 8-digit order number.")],
        request=InitiateSerializer,
        responses=answers("SessionOpened", SessionSchema(allow_null=True)),
        examples=examples.INITIATE,
    )
    @idempotent
    def post(self, request: Request, order_key: str) -> Response:
        form = InitiateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return _initiate(request, order_key, form.validated_data)


@extend_schema(tags=["Payments"])
class InitiateByBodyView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="initiatePayment",
        summary="Open a payment session for the order named in the body",
        description="As `/payments/initiate/{order_key}`, for the order's customer, with the "
        "order's key as `orderId` in the body.",
        request=InitiateByBodySerializer,
        responses=answers("SessionOpenedByBody", SessionSchema(allow_null=True), 404),
        examples=examples.INITIATE_BY_BODY,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        form = InitiateByBodySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return _initiate(request, form.validated_data["orderId"], form.validated_data)


def _initiate(request: Request, order_key: str, data: dict[str, Any]) -> Response:
    result = initiate_payment(
        cast("User", request.user).pk,
        order_key,
        method=data.get("method"),
        amount=data.get("amount"),
        currency=data.get("currency"),
        description=data.get("description", ""),
        return_url=data.get("return_url", ""),
        now=timezone.now(),
        address=client_address(request),
    )
    return ok(session_data(result.payment), result.message)


@extend_schema(tags=["Payments"])
class StatusView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="getPaymentStatus",
        summary="Poll a payment",
        description="For the customer who pays. Asks the gateway when that is due and follows its "
        "answer; otherwise says what is known. Ask every few seconds until `final` is true.",
        parameters=[in_path("reference", "`transactionId` of the session, `BDV-20260427-1`.")],
        responses=answers("PaymentStatus", PaymentStateSchema()),
        examples=examples.STATUS,
    )
    def get(self, request: Request, reference: str) -> Response:
        user = cast("User", request.user)
        payment = payment_status(user.pk, reference, now=timezone.now())
        return ok(payment_state(payment))


@extend_schema(tags=["Payments"])
class ChannelsView(APIView):
    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(
        operation_id="listPaymentChannels",
        summary="List payment channels",
        description="For everybody. Their ids never change; `enabled` ones can be chosen. Reads "
        "only.",
        responses=answers("Channels", ChannelSchema(many=True)),
        examples=examples.CHANNELS,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        return ok([{"id": c.id, "slug": c.slug, "enabled": c.enabled} for c in channels()])


@csrf_exempt
@require_http_methods(["GET", "POST"])
def callback(
    request: HttpRequest, gateway: str, reference: str | None = None, *, browser: bool = True
) -> HttpResponse:
    """A gateway's notice or a customer's browser on its way back; believed in neither case.

    Our `reference` in the path counts as a parameter of that name (Nagad).

    A browser is sent on by what is *now* in the row; a machine gets 200, or 503 where the
    gateway could not be asked, so that it sends the notice again. Some machines post the very
    form a browser would: they have an address of their own.
    """
    if gateway not in GATEWAYS:
        return plain_error(404, "There is no such gateway.")
    if len(request.body) > MAX_CALLBACK_BYTES:
        return plain_error(413, "Too large.")
    query = request.GET.dict() | _form(request)
    raw_query = request.META.get("QUERY_STRING", "")
    if reference is not None:
        query["reference"] = reference
        raw_query = f"{reference}?{raw_query}"
    payment, answered = receive_callback(
        gateway,
        method=str(request.method),
        path=request.path,
        query={name: str(value) for name, value in query.items()},
        raw_query=raw_query,
        body=request.body,
        headers=dict(request.headers),
        sender=client_address(request),
    )
    if browser and (request.method == "GET" or _is_form(request)):
        where = reverse("payment-return-unknown")
        if payment is not None:
            payment.order.refresh_from_db(fields=["status"])
            where = way_back(payment)
        return HttpResponseRedirect(where)
    if not answered:
        return plain_error(503, "Please send this notice again later.")
    received: Mapping[str, Any] = {"success": True, "message": "Received", "data": None}
    return JsonResponse(REPLIES.get(gateway, received))


def _is_form(request: HttpRequest) -> bool:
    return (request.content_type or "").startswith(
        ("application/x-www-form-urlencoded", "multipart/")
    )


def _form(request: HttpRequest) -> dict[str, Any]:
    return request.POST.dict() if request.method == "POST" and _is_form(request) else {}


@require_GET
def payment_return(request: HttpRequest, token: str = "") -> HttpResponse:
    """Where a customer lands after paying: the state in words, never a code."""
    try:
        pk = signing.loads(token, salt=RETURN_SALT) if token else None
    except signing.BadSignature:
        pk = None
    payment = Payment.objects.select_related("order").filter(pk=pk).first() if pk else None
    context: dict[str, Any] = {"payment": payment}
    if payment is not None:
        language = payment.order.language
        label, message = label_and_message(
            payment.order.status, language, refunded=payment.order.closed_by_refund
        )
        context |= {
            "order": payment.order,
            "label": label,
            "message": message,
            "language": language,
            "final": payment.order.closed_by_refund
            or payment.order.status in ("SUCCEEDED", "FAILED", "CANCELLED"),
        }
    return render(request, "payments/return.html", context, status=200 if payment else 404)

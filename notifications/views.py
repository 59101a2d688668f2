"""The order with its mails, and one of them sent again (seed ResendEmail)."""

from dataclasses import replace
from typing import Any, ClassVar, Final, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import StaffAuthentication
from accounts.models import User
from core.actors import Actor
from core.api.envelope import ok
from core.api.idempotency import HEADER, idempotent
from core.api.permissions import StaffMay
from core.api.schema import answers
from core.errors import BadRequest, NotFound
from notifications.eligibility import Case
from notifications.selectors import mails_of
from notifications.serializers import (
    REASON_LENGTH,
    OrderWithEmailsSchema,
    SendEmailSerializer,
    mail_fields,
)
from notifications.services import resend_email
from orders.models import Order, OrderItem
from orders.selectors import find_order
from orders.serializers import order_data
from payments.selectors import facts_of, payments_of_orders
from vouchers.ciphers import mask
from vouchers.selectors import codes_of_order

OVERRIDE: Final = "fulfillment.override_recipient"

_SENT: Final = OpenApiExample(
    "Confirmation accepted for sending",
    value={
        "success": True,
        "message": "E-mail accepted for sending",
        "data": {
            "id": 1,
            "order_number": "48213377",
            "status": "SUCCEEDED",
            "prebillingStatus": None,
            "emailConfirmationStatus": "PENDING",
            "emailCancellationStatus": None,
            "partialRefundEmailStatus": None,
            "emails": [
                {
                    "emailId": None,
                    "templateName": "ORDERCONFIRMATION",
                    "templateDefinitionName": "orderconfirmation.shop.purchase",
                    "recipient": "customer@example.com",
                    "paymentId": "BDV-48213377-1",
                    "createDate": "2026-04-27T14:22:00.000Z",
                    "status": "QUEUED",
                }
            ],
        },
    },
    response_only=True,
    status_codes=["202"],
)
_ASKED: Final = OpenApiExample(
    "Confirmation again", value={"template": "ORDERCONFIRMATION"}, request_only=True
)


class OrderMailView(APIView):
    """A route of Nexway's contract: a staff token, and the right the admin's buttons ask for."""

    authentication_classes = [StaffAuthentication]
    permission_classes = [StaffMay]
    required_permission: ClassVar[str] = "orders.view_order"

    def order(self, key: str) -> Order:
        found = find_order(Order.objects.select_related("subscription"), key)
        if found is None:
            raise NotFound("There is no such order.")
        return found


@extend_schema(tags=["E-mails of an order"])
class OrderV2View(OrderMailView):
    @extend_schema(
        operation_id="getOrderWithEmails",
        summary="Read an order with the state of its e-mails",
        description="The full order resource; voucher codes are masked for everybody here.",
        responses=answers("OrderWithEmails", OrderWithEmailsSchema(), 401, 403, 404),
    )
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002
        return ok(order_resource(self.order(key)))


@extend_schema(tags=["E-mails of an order"])
class SendEmailView(OrderMailView):
    required_permission = "fulfillment.resend_codes"

    @extend_schema(
        operation_id="sendOrderEmail",
        summary="Send a business e-mail of an order, or send it again",
        description="202: accepted for sending; delivery shows later in `emails[]`. 200: nothing "
        "was sent, because the store has switched this e-mail off or the offer needs no notice any "
        "more; the message says which. 400: the template is not supported, or the order's state "
        "does not allow it. 502: the request to send could not be handed over. Every request is "
        "recorded before it is judged.",
        parameters=[
            OpenApiParameter(
                "reason", str, description="Kept in the order's timeline; 500 characters."
            ),
            OpenApiParameter(HEADER, str, OpenApiParameter.HEADER),
        ],
        request=SendEmailSerializer,
        examples=[_ASKED, _SENT],
        responses={
            **answers(
                "OrderEmailSent", OrderWithEmailsSchema(), 400, 401, 403, 404, 409, 422, 502,
                status=202,
            ),
            200: OpenApiResponse(OrderWithEmailsSchema, "The order as it is; nothing was sent."),
        },
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        order = self.order(key)
        form = SendEmailSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        resent = resend_email(
            order.pk,
            form.asked(_reason(request)),
            money=facts_of(order),
            actor=Actor.of(user),
            may_override=user.has_perm(OVERRIDE),
            now=timezone.now(),
        )
        data = order_resource(self.order(key))
        return ok(data, resent.note, status=202 if resent.accepted else 200)


def _reason(request: Request) -> str:
    reason = request.query_params.get("reason", "").strip()
    if len(reason) > REASON_LENGTH or not (reason.isprintable() or not reason):
        raise BadRequest.at("reason", f"At most {REASON_LENGTH} printable characters.")
    return reason


def order_resource(order: Order) -> dict[str, Any]:
    """The order as its customer sees it, codes masked, with its mails; five statements."""
    items = list(OrderItem.objects.filter(order=order).order_by("position"))
    codes = [
        replace(each, code=mask(each.code or each.redemption_url), redemption_url="")
        for each in codes_of_order(order.pk)
    ]
    payments = payments_of_orders([order.pk]).get(order.pk, ())
    case = Case(order, facts_of(order), list(mails_of(order).order_by("pk")), timezone.now())
    return order_data(order, items, codes, payments) | mail_fields(case)

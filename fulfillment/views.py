"""The recovery API for operators (seed Fulfillment Recovery); each view is one call."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import StaffAuthentication
from accounts.models import User
from core.actors import Actor
from core.api.envelope import ok
from core.api.fields import instant
from core.api.idempotency import idempotent
from core.api.lists import page_of
from core.api.permissions import StaffMay
from core.api.schema import answers, in_path, page_schema, paging
from core.errors import Forbidden, NotFound
from fulfillment import examples
from fulfillment.models import FulfillmentAttempt
from fulfillment.recovery import (
    RecoveryResult,
    enter_codes,
    enter_codes_for_order,
    resend_codes,
    retry_with_partner,
)
from fulfillment.selectors import attempts_of, standings_of
from fulfillment.serializers import (
    ActionSchema,
    AdminOrderSchema,
    AttemptSchema,
    ManualCodeSerializer,
    ManualCodesSerializer,
    OrderActionSchema,
    PartnerRetrySerializer,
    ReleasedSchema,
    ReleaseSerializer,
    ResendSerializer,
    attempt_data,
)
from fulfillment.services import release_order
from notifications.selectors import open_alerts
from orders.models import Order
from orders.selectors import find_order
from orders.serializers import order_data
from payments.selectors import payments_of_orders
from vouchers.reading import codes_for_staff, typed_codes
from vouchers.selectors import DeliveredCode, codes_of_order

KEY = in_path("key", "Numeric id or 8-digit order number.")
ATTEMPTS_LIMIT = 20


class OperatorView(APIView):
    """A route of the operators' API: a staff token, and the permission the button asks for."""

    authentication_classes = [StaffAuthentication]
    permission_classes = [StaffMay]
    required_permission: ClassVar[str]

    @property
    def operator(self) -> User:
        return cast("User", self.request.user)

    def order(self, key: str) -> Order:
        found = find_order(Order.objects.all(), key)
        if found is None:
            raise NotFound("There is no such order.")
        return found


@extend_schema(tags=["Recovery"])
class OrderView(OperatorView):
    required_permission = "orders.view_order"

    @extend_schema(
        operation_id="adminGetOrder",
        summary="Inspect an order",
        description="The customer's view, and per item what is delivered and what is owed. For "
        "staff who may view orders. Codes are masked without the right to reveal them; each "
        "reading is recorded, nothing else changes.",
        parameters=[KEY],
        responses=answers("AdminOrder", AdminOrderSchema()),
        examples=examples.GET_ORDER,
    )
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002
        order = self.order(key)
        return ok(_order_for_staff(order, reader=self.operator))


def _order_for_staff(order: Order, *, reader: User) -> dict[str, Any]:
    standings = standings_of(order)
    codes = codes_of_order(order.pk)
    readable = codes_for_staff(codes, reader=reader, reason=f"order {order.order_number} by API")
    shown = [_Readable(each, readable[each.voucher_id]) for each in codes]
    payments = payments_of_orders([order.pk]).get(order.pk, ())
    data = order_data(order, [each.item for each in standings], shown, payments)
    for line, standing in zip(data["items"], standings, strict=True):
        line |= {
            "order_item_id": standing.item.pk,
            "delivered": len(standing.vouchers),
            "owed": len(standing.owed),
            "refunded_units": standing.refunded,
            "open_at_partner": len(standing.under_way),
        }
    customer = order.customer
    return data | {
        "customer": customer
        and {"id": customer.pk, "name": customer.name, "msisdn": customer.msisdn},
        "recipient_email": order.recipient_email,
        "held_for_risk": order.held_for_risk,
        "closed_by_refund": order.closed_by_refund,
        "paid_at": instant(order.paid_at),
        "alerts": [
            {"id": alert.pk, "type": alert.kind, "message": alert.message}
            for alert in open_alerts(order)
        ],
    }


class _Readable:
    """A delivered code with what this reader may see of it."""

    redemption_url = ""

    def __init__(self, code: DeliveredCode, readable: str) -> None:
        self.voucher_id, self.item_id, self.unit_no = code.voucher_id, code.item_id, code.unit_no
        self.status, self.serial_number = code.status, code.serial_number
        self.expires_at, self.code = code.expires_at, readable


@extend_schema(tags=["Recovery"])
class ManualCodeView(OperatorView):
    required_permission = "fulfillment.recover_order"

    @extend_schema(
        operation_id="adminManualCode",
        summary="Enter the codes of one item",
        description="For staff who may recover orders. Saves the codes and sends the order's "
        "consolidated e-mail. The same codes again after DISPATCH_FAILED only send the e-mail.",
        parameters=[KEY],
        request=ManualCodeSerializer,
        responses=answers("ManualCode", ActionSchema()),
        examples=examples.MANUAL_CODE,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        form = ManualCodeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        notes = form.validated_data["notes"]
        actor = Actor.of(self.operator)
        return _answer(enter_codes(self.order(key).pk, form.given(), operator=actor, notes=notes))


@extend_schema(tags=["Recovery"])
class ManualCodesView(OperatorView):
    required_permission = "fulfillment.recover_order"

    @extend_schema(
        operation_id="adminManualCodes",
        summary="Enter the codes of several items",
        description="For staff who may recover orders. Saves what can be saved, one result per "
        "item; a refused row does not stop the others; one e-mail for the call.",
        parameters=[KEY],
        request=ManualCodesSerializer,
        responses=answers("ManualCodes", OrderActionSchema()),
        examples=examples.MANUAL_CODES,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        form = ManualCodesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        result = enter_codes_for_order(
            self.order(key).pk,
            form.rows(),
            operator=Actor.of(self.operator),
            notes=form.validated_data["notes"],
        )
        data = {
            "correlationId": result.correlation_id,
            "status": result.status,
            "emailSent": result.email_sent,
            "results": [
                {
                    "orderItemId": row.order_item_id,
                    "success": row.success,
                    "status": row.status,
                    "attemptId": row.attempt_id,
                    "message": row.message,
                    "error": row.error,
                }
                for row in result.rows
            ],
        }
        return ok(data, result.message, success=result.success)


@extend_schema(tags=["Recovery"])
class PartnerRetryView(OperatorView):
    required_permission = "fulfillment.recover_order"

    @extend_schema(
        operation_id="adminPartnerRetry",
        summary="Ask the partner again for one item",
        description="For staff who may recover orders. Buys what the item owes, from sources by "
        "priority or the one named, and sends the e-mail. A partner's no is HTTP 200 with "
        "`success: false`; 409 while an earlier purchase may still deliver.",
        parameters=[KEY],
        request=PartnerRetrySerializer,
        responses=answers("PartnerRetry", ActionSchema()),
        examples=examples.PARTNER_RETRY,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        form = PartnerRetrySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        return _answer(
            retry_with_partner(
                self.order(key).pk,
                data["orderItemId"],
                source_id=data["partnerSourceId"],
                operator=Actor.of(self.operator),
                notes=data["notes"],
            )
        )


@extend_schema(tags=["Recovery"])
class ResendView(OperatorView):
    required_permission = "fulfillment.resend_codes"

    @extend_schema(
        operation_id="adminResendEmail",
        summary="Send the consolidated e-mail again",
        description="For staff who may resend codes. Sends every code stored for the order; `to` "
        "needs a right of its own. On an order whose e-mail had failed this completes it.",
        parameters=[KEY],
        request=ResendSerializer,
        responses=answers("ResendEmail", ActionSchema()),
        examples=examples.RESEND,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        form = ResendSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        to = form.validated_data["to"]
        order = self.order(key)
        other = to and to.lower() != order.recipient_email.lower()
        if other and not self.operator.has_perm("fulfillment.override_recipient"):
            raise Forbidden("You may send only to the order's own address.")
        return _answer(
            resend_codes(
                order.pk,
                operator=Actor.of(self.operator),
                notes=form.validated_data["notes"],
                recipient=to,
            )
        )


@extend_schema(tags=["Recovery"])
class ReleaseView(OperatorView):
    required_permission = "orders.release_order"

    @extend_schema(
        operation_id="adminReleaseOrder",
        summary="Release an order that is held as risky",
        description="For staff who may release orders. Its payment came flagged as risky; the "
        "delivery starts, and who let it go and why stands in the order's timeline. To give the "
        "money back instead, refund the payment.",
        parameters=[KEY],
        request=ReleaseSerializer,
        responses=answers("ReleaseOrder", ReleasedSchema()),
        examples=examples.RELEASE,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        form = ReleaseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        order = release_order(
            self.order(key).pk,
            operator=Actor.of(self.operator),
            reason=form.validated_data["reason"],
            now=timezone.now(),
        )
        data = {"orderId": order.pk, "orderNumber": order.order_number, "status": order.status}
        return ok(data, f"Order {order.order_number} is released; its delivery has started.")


@extend_schema(tags=["Recovery"])
class AttemptsView(OperatorView):
    required_permission = "fulfillment.view_fulfillmentattempt"

    @extend_schema(
        operation_id="adminListAttempts",
        summary="Read the audit trail",
        description="Every attempt of the order, whatever its outcome, newest first. For staff "
        "who may view attempts; codes are masked without the right to reveal them.",
        parameters=[KEY, *paging(ATTEMPTS_LIMIT)],
        responses=answers("Attempts", page_schema("Attempts", AttemptSchema), 400),
        examples=examples.ATTEMPTS,
    )
    def get(self, request: Request, key: str) -> Response:
        order = self.order(key)
        rows: QuerySet[FulfillmentAttempt] = attempts_of(order)
        page = page_of(rows, request.query_params, default_limit=ATTEMPTS_LIMIT)
        bought = _bought_codes(order, page.rows, reader=self.operator)
        return ok(
            page.as_data(
                lambda attempt: attempt_data(
                    attempt,
                    typed=typed_codes(attempt.codes, reader=self.operator),
                    bought=bought,
                )
            )
        )


def _bought_codes(
    order: Order, attempts: Sequence[FulfillmentAttempt], *, reader: User
) -> dict[int, str]:
    """Voucher -> code of what these attempts bought or typed; a full reading is recorded."""
    ids = {each.voucher_id for attempt in attempts for each in attempt.purchases.all()}
    typed = any(attempt.codes for attempt in attempts)
    codes = [each for each in codes_of_order(order.pk) if typed or each.voucher_id in ids]
    return codes_for_staff(codes, reader=reader, reason=f"attempts of {order.order_number} by API")


def _answer(result: RecoveryResult) -> Response:
    data = {
        "attemptId": result.attempt_id,
        "correlationId": result.correlation_id,
        "status": result.status,
        "emailSent": result.email_sent,
    }
    if result.error_message:
        data["errorMessage"] = result.error_message
    return ok(data, result.message, success=result.success)

"""Payments at the operators' desk: look, ask the gateway again, pay back (D42)."""

from typing import Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import Actor
from core.api.envelope import ok
from core.api.fields import NoBody
from core.api.idempotency import idempotent
from core.api.schema import answers, in_path
from core.errors import NotFound
from fulfillment.views import OperatorView
from payments import examples
from payments.models import Payment, Refund
from payments.refunding import carry_out, request_refund, settle_by_hand
from payments.selectors import exchanges_of, refunds_of
from payments.serializers import (
    OperatorPaymentSchema,
    RefundSchema,
    RefundSerializer,
    SettleRefundSerializer,
    payment_for_staff,
    refund_data,
)
from payments.states import RefundStatus
from payments.verification import verify

EXCHANGES: Final = 100
PAYMENT_ID: Final = in_path("payment_id", "`id` of the payment.", int)
REFUND_ID: Final = in_path("refund_id", "`id` of the refund.", int)
SAID: Final = {
    RefundStatus.REQUESTED: "The refund is written down; it is sent when the gateway answers.",
    RefundStatus.PENDING: "The refund is asked for; the gateway has not decided yet.",
    RefundStatus.SUCCEEDED: "The money is paid back.",
    RefundStatus.FAILED: "The gateway refused the refund.",
}
BY_HAND: Final = "This gateway can't refund: pay it back by hand, then mark it as paid."


class PaymentDesk(OperatorView):
    """A payment by its id."""

    def payment(self, payment_id: str) -> Payment:
        found = Payment.objects.select_related("order").filter(pk=int(payment_id)).first()
        if found is None:
            raise NotFound("There is no such payment.")
        return found

    def told(self, payment: Payment) -> dict[str, object]:
        refunds = list(refunds_of(payment))
        return payment_for_staff(payment, refunds, list(exchanges_of(payment)[:EXCHANGES]))


@extend_schema(tags=["Refunds"])
class PaymentView(PaymentDesk):
    required_permission = "payments.view_payment"

    @extend_schema(
        operation_id="adminGetPayment",
        summary="Inspect a payment",
        description="For staff who may see payments: what came, what went back, and everything the "
        "gateway was asked, scrubbed of secrets and of the payer.",
        parameters=[PAYMENT_ID],
        responses=answers("OperatorPayment", OperatorPaymentSchema()),
        examples=examples.GET_PAYMENT,
    )
    def get(self, request: Request, payment_id: str) -> Response:  # noqa: ARG002
        return ok(self.told(self.payment(payment_id)))


@extend_schema(tags=["Refunds"])
class VerifyView(PaymentDesk):
    required_permission = "payments.view_payment"

    @extend_schema(
        operation_id="adminVerifyPayment",
        summary="Ask the gateway again",
        description="For staff who may see payments. What the gateway decides is settled as "
        "always: a payment that came is honoured, however late.",
        parameters=[PAYMENT_ID],
        request=None,
        responses=answers("VerifiedPayment", OperatorPaymentSchema()),
        examples=examples.VERIFY,
    )
    @idempotent
    def post(self, request: Request, payment_id: str) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        payment = self.payment(payment_id)
        settlement = verify(payment.pk, actor=Actor.of(self.operator))
        said = "The gateway's answer changed nothing."
        if settlement.changed:
            said = f"The payment is {settlement.payment.status} now."
        elif not settlement.answered:
            said = "The gateway gave no clear answer; it is asked again by the plan."
        return ok(self.told(self.payment(payment_id)), said, success=settlement.answered)


@extend_schema(tags=["Refunds"])
class RefundView(PaymentDesk):
    required_permission = "payments.refund_payment"

    @extend_schema(
        operation_id="adminRefundPayment",
        summary="Pay money back",
        description="For finance. Of the payment that pays the order, unit by unit or whole: units "
        "that were not delivered leave the debt at once and can't be delivered any more; a "
        "delivered unit needs `revokeCodes`. Of a second or wrong payment any part. The gateway "
        "is asked at once, and then by plan; without a refund call it becomes a task for a person.",
        parameters=[PAYMENT_ID],
        request=RefundSerializer,
        responses=answers("RefundAsked", RefundSchema()),
        examples=examples.REFUND,
    )
    @idempotent
    def post(self, request: Request, payment_id: str) -> Response:
        form = RefundSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        refund = request_refund(
            self.payment(payment_id).pk,
            form.wish(),
            operator=Actor.of(self.operator),
            now=timezone.now(),
        )
        return _answer(carry_out(refund.pk))


@extend_schema(tags=["Refunds"])
class SettleRefundView(PaymentDesk):
    required_permission = "payments.refund_payment"

    @extend_schema(
        operation_id="adminSettleRefund",
        summary="Mark a refund as paid, or as not paid, by hand",
        description="For finance: for gateways without a refund call, and for a refund whose "
        "outcome only a person could find out. After `not_paid` undelivered units are owed again.",
        parameters=[PAYMENT_ID, REFUND_ID],
        request=SettleRefundSerializer,
        responses=answers("RefundSettled", RefundSchema()),
        examples=examples.SETTLE_REFUND,
    )
    @idempotent
    def post(self, request: Request, payment_id: str, refund_id: str) -> Response:
        form = SettleRefundSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        rows = Refund.objects.filter(pk=int(refund_id), payment=self.payment(payment_id))
        if not rows.exists():
            raise NotFound("There is no such refund of this payment.")
        refund = settle_by_hand(
            int(refund_id),
            paid=data["outcome"] == "paid",
            hand_reference=data["reference"],
            operator=Actor.of(self.operator),
            notes=data["notes"],
            now=timezone.now(),
        )
        return _answer(refund)


def _answer(refund: Refund) -> Response:
    status = RefundStatus(refund.status)
    waits = refund.by_hand and status == RefundStatus.REQUESTED
    return ok(
        refund_data(refund),
        BY_HAND if waits else SAID[status],
        success=status != RefundStatus.FAILED,
    )

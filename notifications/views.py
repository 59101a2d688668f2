"""The order with its mails, and one of them sent again (seed ResendEmail)."""

from dataclasses import replace
from typing import Any, ClassVar, Final, cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import StaffAuthentication
from accounts.models import User
from core.actors import Actor
from core.api.envelope import ok
from core.api.errors import plain_error
from core.api.idempotency import idempotent
from core.api.lists import once_each
from core.api.permissions import StaffMay
from core.api.schema import answers, in_path
from core.errors import BadRequest, NotFound
from core.providers import ProviderError
from notifications import examples
from notifications.eligibility import Case
from notifications.selectors import mails_of
from notifications.serializers import (
    REASON_LENGTH,
    OrderWithEmailsSchema,
    SendEmailSerializer,
    mail_fields,
)
from notifications.services import resend_email
from notifications.webhooks import (
    PROVIDERS,
    configured_provider,
    is_guarded,
    setting,
    sns_signature_fits,
    svix_signature_fits,
)
from orders.models import Order, OrderItem
from orders.selectors import find_order
from orders.serializers import order_data
from payments.selectors import facts_of, payments_of_orders
from vouchers.ciphers import mask
from vouchers.selectors import codes_of_order

OVERRIDE: Final = "fulfillment.override_recipient"

MAX_NOTICE_BYTES: Final = 1_000_000
KEY: Final = in_path("key", "Numeric id or 8-digit order number.")
REASON: Final = OpenApiParameter(
    "reason", str, description=f"Kept in the order's timeline; up to {REASON_LENGTH} characters."
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
        description="The full order resource, for staff who may view orders; it changes nothing. "
        "Voucher codes are masked for everybody here.",
        parameters=[KEY],
        responses=answers("OrderWithEmails", OrderWithEmailsSchema()),
        examples=examples.GET_ORDER,
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
        "does not allow it. 429: mails of this order were sent again too often within an hour. "
        "502: the request to send could not be handed over. For staff who may resend mails; every "
        "request is recorded before it is judged.",
        parameters=[KEY, REASON],
        request=SendEmailSerializer,
        examples=examples.SEND_EMAIL,
        responses={
            **answers("OrderEmailNotSent", OrderWithEmailsSchema()),
            **answers("OrderEmailSent", OrderWithEmailsSchema(), 429, 502, status=202),
        },
    )
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
    once_each(request.query_params)
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


@csrf_exempt
@require_POST
def tracking(request: HttpRequest, provider: str) -> HttpResponse:
    """A notice of the provider that mails for us; anybody else's is unknown here."""
    known = PROVIDERS.get(provider)
    if known is None or provider != configured_provider() or not is_guarded(known):
        return plain_error(404, "There is nothing at this address.")
    if len(request.body) > MAX_NOTICE_BYTES:
        return plain_error(413, "Too large.")
    secret = setting("RESEND_WEBHOOK_SECRET") if provider == "resend" else ""
    if secret and not svix_signature_fits(
        request.body, request.headers, secret=secret, now=timezone.now()
    ):
        return plain_error(400, "The signature does not fit.")
    if provider == "amazon_ses" and request.headers.get("Authorization"):
        # Without, the view asks for the password first: SNS sends it only then.
        try:
            fits = sns_signature_fits(request.body, now=timezone.now())
        except ProviderError:
            return plain_error(503, "Amazon's certificate can't be had. Please send it again.")
        if not fits:
            return plain_error(400, "The signature does not fit.")
    answer: HttpResponse = known.view.as_view()(request)
    return answer

"""The delivery log for operators, and the replay of what nobody took."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import StaffAuthentication
from accounts.models import User
from core.actors import Actor
from core.api.envelope import ok
from core.api.idempotency import idempotent
from core.api.lists import once_each, page_of, whole
from core.api.permissions import StaffMay
from core.api.schema import answers, in_path, page_schema, paging
from core.errors import BadRequest, NotFound
from webhooks import examples
from webhooks.selectors import deliveries_wished, find_delivery
from webhooks.serializers import (
    ReplaySerializer,
    WebhookDeliveryDetailSchema,
    WebhookDeliverySchema,
    delivery_data,
    delivery_detail,
)
from webhooks.services import replay
from webhooks.states import DeliveryStatus, EventType

TAG: Final = ["Webhooks"]
LIMIT: Final = 20
MOST_ID: Final = 2**31 - 1
DELIVERY: Final = in_path("delivery_id", "The delivery's `id`.", int)
VIEW, REPLAY = "webhooks.view_delivery", "webhooks.replay_delivery"


class WebhookView(APIView):
    authentication_classes = [StaffAuthentication]
    permission_classes = [StaffMay]
    required_permission: ClassVar[str] = VIEW


@extend_schema(tags=TAG)
class DeliveriesView(WebhookView):
    @extend_schema(
        operation_id="adminListWebhookDeliveries",
        summary="List what was told to webhook endpoints",
        description="For staff; newest first. `DEAD` is the dead-letter queue: what was not taken "
        "in five tries and waits for a replay.",
        parameters=[
            OpenApiParameter("status", str, enum=DeliveryStatus.values, description="One state."),
            OpenApiParameter("type", str, enum=EventType.values, description="One type of event."),
            OpenApiParameter(
                "endpoint",
                {"type": "integer", "minimum": 1, "maximum": MOST_ID},
                description="One endpoint, by its `endpoint_id`.",
            ),
            OpenApiParameter(
                "subject",
                {"type": "string", "maxLength": 100},
                description="Order number or reference; exact.",
            ),
            *paging(LIMIT),
        ],
        responses=answers(
            "WebhookDeliveryList", page_schema("WebhookDeliveryList", WebhookDeliverySchema), 400
        ),
        examples=examples.LIST,
    )
    def get(self, request: Request) -> Response:
        params = request.query_params
        once_each(params)
        rows = deliveries_wished(
            status=_one_of(params, "status", DeliveryStatus.values),
            event_type=_one_of(params, "type", EventType.values),
            endpoint=whole(params, "endpoint", default=0, least=1, most=MOST_ID) or None,
            subject=_text(params, "subject"),
        )
        return ok(page_of(rows, params, default_limit=LIMIT).as_data(delivery_data))


@extend_schema(tags=TAG)
class DeliveryView(WebhookView):
    @extend_schema(
        operation_id="adminGetWebhookDelivery",
        summary="Read one delivery with its tries",
        description="For staff. Of a receiver's answers only the status is kept.",
        parameters=[DELIVERY],
        responses=answers("WebhookDelivery", WebhookDeliveryDetailSchema()),
        examples=examples.DETAIL,
    )
    def get(self, request: Request, delivery_id: int) -> Response:  # noqa: ARG002
        row = find_delivery(delivery_id)
        if row is None:
            raise NotFound("There is no such delivery.")
        return ok(delivery_detail(row))


@extend_schema(tags=TAG)
class ReplayView(WebhookView):
    required_permission = REPLAY

    @extend_schema(
        operation_id="adminReplayWebhookDelivery",
        summary="Tell a dead letter again",
        description="For staff who may replay; with a reason. The same body goes out under the "
        "same `eventId`, at once, with five new tries. 409 for what is delivered or on its way, "
        "and where the endpoint is switched off.",
        parameters=[DELIVERY],
        request=ReplaySerializer,
        responses=answers("WebhookReplay", WebhookDeliverySchema()),
        examples=examples.REPLAY,
    )
    @idempotent
    def post(self, request: Request, delivery_id: int) -> Response:
        form = ReplaySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        row = replay(
            delivery_id,
            operator=Actor.of(cast("User", request.user)),
            reason=form.validated_data["reason"],
            now=timezone.now(),
        )
        return ok(delivery_data(row), "Sent again; every try is new.")


def _one_of(params: Mapping[str, str], name: str, known: list[Any]) -> str:
    value = params.get(name)
    if value is not None and value not in known:
        raise BadRequest.at(name, f"{name} must be one of {', '.join(known)}.")
    return value or ""


def _text(params: Mapping[str, str], name: str) -> str:
    value = params.get(name, "")
    if len(value) > 100 or "\0" in value:  # noqa: PLR2004 - as long as a subject may be
        raise BadRequest.at(name, f"{name} must be at most 100 characters.")
    return value

"""Alerts for operators: list, say that one was seen, say that it was dealt with."""

from typing import Any, ClassVar, Final, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import StaffAuthentication
from accounts.models import User
from core.actors import Actor
from core.api.envelope import ok
from core.api.fields import NoBody, StrictSerializer, instant
from core.api.idempotency import idempotent
from core.api.lists import MAX_LIMIT, once_each, whole
from core.api.permissions import StaffMay
from core.api.schema import answers, in_path, paging
from core.errors import BadRequest
from notifications import examples
from notifications.alerts import acknowledge, resolve
from notifications.models import AdminAlert
from notifications.selectors import alerts_wished
from notifications.states import CLOSE_BY_THEMSELVES, AlertKind

DEFAULT_LIMIT: Final = 20
MOST_COUNTED: Final = 10_000
STATES: Final = ("open", "closed", "all")
ALERT_ID: Final = in_path("alert_id", "The alert's `id`.", int)


class AlertPersonSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)


class AlertRowSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    type = serializers.CharField()
    message = serializers.CharField()
    order_id = serializers.IntegerField(allow_null=True)
    order_number = serializers.CharField(allow_null=True)
    correlation_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    acknowledged_by = AlertPersonSchema(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolved_by = AlertPersonSchema(allow_null=True)
    resolution_notes = serializers.CharField(allow_null=True)
    closes_by_itself = serializers.BooleanField(
        help_text="True where only the end of its cause closes it."
    )


class AlertPageSchema(serializers.Serializer[Any]):
    items = AlertRowSchema(many=True)
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Stops at 10000.")
    total_exact = serializers.BooleanField()
    total_pages = serializers.IntegerField()


class ResolveSerializer(StrictSerializer):
    notes = serializers.CharField(max_length=500)


def alert_data(alert: AdminAlert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "type": alert.kind,
        "message": alert.message,
        "order_id": alert.order_id,
        "order_number": alert.order and alert.order.order_number,
        "correlation_id": alert.correlation_id,
        "created_at": instant(alert.created_at),
        "acknowledged_at": instant(alert.acknowledged_at),
        "acknowledged_by": _person(alert.acknowledged_by),
        "resolved_at": instant(alert.resolved_at),
        "resolved_by": _person(alert.resolved_by),
        "resolution_notes": alert.resolution_notes or None,
        "closes_by_itself": alert.kind in CLOSE_BY_THEMSELVES,
    }


def _person(user: User | None) -> dict[str, Any] | None:
    return None if user is None else {"id": user.pk, "name": user.name, "email": user.email}


class AlertView(APIView):
    authentication_classes = [StaffAuthentication]
    permission_classes = [StaffMay]
    required_permission: ClassVar[str]

    @property
    def operator(self) -> Actor:
        return Actor.of(cast("User", self.request.user))


@extend_schema(tags=["Alerts"])
class AlertsView(AlertView):
    required_permission = "notifications.view_adminalert"

    @extend_schema(
        operation_id="adminListAlerts",
        summary="List alerts",
        description="What needs, or needed, a person; newest first. An alert of delivery closes "
        "by itself with a note that names the correlation id.",
        parameters=[
            OpenApiParameter("state", str, enum=STATES, description="`open` by default."),
            OpenApiParameter("type", str, enum=sorted(AlertKind), description="One kind."),
            OpenApiParameter("order", str, description="Order number or id."),
            *paging(DEFAULT_LIMIT, most=MOST_COUNTED),
        ],
        responses=answers("AlertList", AlertPageSchema(), 400),
        examples=examples.ALERTS,
    )
    def get(self, request: Request) -> Response:
        params = request.query_params
        once_each(params)
        state, kind = params.get("state", "open"), params.get("type", "")
        if state not in STATES:
            raise BadRequest.at("state", f"state must be one of {', '.join(STATES)}.")
        if "type" in params and kind not in AlertKind.values:
            raise BadRequest.at("type", "There is no such type of alert.")
        limit = whole(params, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
        page = whole(params, "page", default=1, least=1, most=MOST_COUNTED)
        rows = alerts_wished(state=state, kind=kind, order=params.get("order", ""))
        total = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
        shown = rows[(page - 1) * limit : page * limit]
        return ok(
            {
                "items": [alert_data(alert) for alert in shown],
                "page": page,
                "limit": limit,
                "total": min(total, MOST_COUNTED),
                "total_exact": total <= MOST_COUNTED,
                "total_pages": -(-min(total, MOST_COUNTED) // limit),
            }
        )


@extend_schema(tags=["Alerts"])
class AcknowledgeView(AlertView):
    required_permission = "notifications.change_adminalert"

    @extend_schema(
        operation_id="adminAcknowledgeAlert",
        summary="Say that you have seen an alert",
        description="For staff who may handle alerts. The first to say so is kept; saying it again "
        "changes nothing.",
        parameters=[ALERT_ID],
        request=None,
        responses=answers("AlertSeen", AlertRowSchema()),
        examples=examples.SEEN,
    )
    @idempotent
    def post(self, request: Request, alert_id: int) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        alert = acknowledge(alert_id, operator=self.operator, now=timezone.now())
        return ok(alert_data(alert), "Marked as seen.")


@extend_schema(tags=["Alerts"])
class ResolveView(AlertView):
    required_permission = "notifications.change_adminalert"

    @extend_schema(
        operation_id="adminResolveAlert",
        summary="Close an alert whose cause you dealt with",
        description="For staff who may handle alerts; with a note. 409 for one that "
        "is closed already, or that closes only with "
        "its cause: an undelivered order, wrong money, risk.",
        parameters=[ALERT_ID],
        request=ResolveSerializer,
        responses=answers("AlertClosed", AlertRowSchema()),
        examples=examples.CLOSE,
    )
    @idempotent
    def post(self, request: Request, alert_id: int) -> Response:
        form = ResolveSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        note = form.validated_data["notes"]
        alert = resolve(alert_id, operator=self.operator, note=note, now=timezone.now())
        return ok(alert_data(alert), "Closed.")

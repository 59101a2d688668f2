"""JSON of the delivery log."""

from typing import Any

from rest_framework import serializers

from core.api.fields import StrictSerializer, instant
from webhooks.models import Delivery, DeliveryAttempt
from webhooks.states import DeliveryStatus, EventType

REASON_LENGTH = 500


class ReplaySerializer(StrictSerializer):
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Kept with your name.")


class WebhookAttemptSchema(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="From 1, anew after a replay.")
    at = serializers.DateTimeField()
    answer_status = serializers.IntegerField(
        allow_null=True, help_text="HTTP status of the receiver; null where none came."
    )
    milliseconds = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)


class WebhookDeliverySchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    eventId = serializers.UUIDField()  # noqa: N815 - as the notice itself names it
    type = serializers.ChoiceField(EventType.choices)
    endpoint_id = serializers.IntegerField()
    endpoint = serializers.CharField(help_text="Its name.")
    subject = serializers.CharField(help_text="Number or reference of what it is about.")
    status = serializers.ChoiceField(DeliveryStatus.choices)
    tries = serializers.IntegerField(help_text="Since it was made, or replayed last.")
    next_try_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="Why the last try failed.")
    replayed_at = serializers.DateTimeField(allow_null=True)
    replayed_by = serializers.CharField(allow_null=True)
    replay_reason = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class WebhookDeliveryDetailSchema(WebhookDeliverySchema):
    body = serializers.CharField(help_text="What is signed and sent, byte for byte.")
    attempts = WebhookAttemptSchema(many=True)


def delivery_data(row: Delivery) -> dict[str, Any]:
    return {
        "id": row.pk,
        "eventId": str(row.event_id),
        "type": row.event_type,
        "endpoint_id": row.endpoint_id,
        "endpoint": row.endpoint.name,
        "subject": row.subject,
        "status": row.status,
        "tries": row.tries,
        "next_try_at": instant(row.next_try_at),
        "delivered_at": instant(row.delivered_at),
        "error": row.error or None,
        "replayed_at": instant(row.replayed_at),
        "replayed_by": row.replayed_by and str(row.replayed_by),
        "replay_reason": row.replay_reason or None,
        "created_at": instant(row.created_at),
    }


def delivery_detail(row: Delivery) -> dict[str, Any]:
    attempts = [attempt_data(each) for each in row.attempts.all()]
    return {**delivery_data(row), "body": row.body, "attempts": attempts}


def attempt_data(row: DeliveryAttempt) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": instant(row.at),
        "answer_status": row.answer_status,
        "milliseconds": row.milliseconds,
        "error": row.error or None,
    }

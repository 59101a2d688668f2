"""Reading endpoints and deliveries."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Q, QuerySet

from webhooks.models import LISTENERS, Delivery, Endpoint
from webhooks.states import Audience, DeliveryStatus, EventType

SWEEP_BATCH: Final = 500


def anybody_listens(event_type: EventType) -> bool:
    """Whether an event need be written at all; no statement where the answer is kept."""
    seconds = settings.WEBHOOK_LISTENERS_SECONDS
    heard: Sequence[str] = LISTENERS.kept("types", _heard, seconds=seconds)
    return event_type in heard


def _heard() -> list[str]:
    rows = Endpoint.objects.filter(is_active=True, audience=Audience.SHOP)
    return sorted({each for types in rows.values_list("event_types", flat=True) for each in types})


def listening(event_type: EventType) -> Sequence[int]:
    """The shop clients' endpoints that this is told to."""
    rows = Endpoint.objects.filter(
        is_active=True, audience=Audience.SHOP, event_types__contains=[event_type]
    )
    return list(rows.values_list("pk", flat=True))


def due(*, now: datetime) -> QuerySet[Delivery]:
    """To be sent now; SENDING beyond its lease means that the sender died."""
    planned = Q(status=DeliveryStatus.PENDING, next_try_at__lte=now)
    abandoned = Q(status=DeliveryStatus.SENDING, claimed_at__lt=now - settings.WEBHOOK_LEASE)
    # a claim is an UPDATE of these: no join, so that its WHERE is read anew after a wait
    return Delivery.objects.filter(
        planned | abandoned, endpoint__in=Endpoint.objects.filter(is_active=True)
    )


def deliveries_wished(
    *, status: str = "", event_type: str = "", endpoint: int | None = None, subject: str = ""
) -> QuerySet[Delivery]:
    """The log, newest first, narrowed by what is named."""
    rows = Delivery.objects.select_related("endpoint", "replayed_by")
    wanted = {
        "status": status, "event_type": event_type, "endpoint": endpoint, "subject": subject,
    }  # fmt: skip
    return rows.filter(**{name: value for name, value in wanted.items() if value}).order_by("-pk")


def find_delivery(pk: int) -> Delivery | None:
    rows = Delivery.objects.select_related("endpoint", "replayed_by").prefetch_related("attempts")
    return rows.filter(pk=pk).first()


def due_of_event(event_id: uuid.UUID, *, now: datetime) -> Sequence[int]:
    return list(due(now=now).filter(event_id=event_id).values_list("pk", flat=True))

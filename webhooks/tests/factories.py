"""Endpoints and deliveries to test with; every endpoint's secret is `SECRET`."""

import json
import uuid
from typing import Any

import factory
from django.utils import timezone

from webhooks.models import Delivery, DeliveryAttempt, Endpoint
from webhooks.services import first_secret
from webhooks.states import TYPES_OF, Audience

SECRET = "whsec_of-a-test"


class EndpointFactory(factory.django.DjangoModelFactory):
    """Listens to everything its audience may hear."""

    class Meta:
        model = Endpoint

    name = factory.Sequence(lambda n: f"Receiver {n}")
    audience = Audience.SHOP
    url = "https://receiver.example.com/hooks"
    event_types = factory.LazyAttribute(lambda row: sorted(TYPES_OF[Audience(row.audience)]))

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Endpoint:
        row = Endpoint(**kwargs)
        first_secret(row, value=SECRET)
        row.save()
        return row


class DeliveryFactory(factory.django.DjangoModelFactory):
    """Waiting, and due; with the trait `dead` it failed for good."""

    class Meta:
        model = Delivery

    class Params:
        dead = factory.Trait(status="DEAD", tries=5, next_try_at=None, error="HTTP 500")

    endpoint = factory.SubFactory(EndpointFactory)
    event_id = factory.LazyFunction(uuid.uuid4)
    event_type = "order.succeeded"
    subject = factory.Sequence(lambda n: f"2026{n:04d}")
    body = factory.LazyAttribute(
        lambda row: json.dumps({"eventId": str(row.event_id), "type": row.event_type})
    )
    next_try_at = factory.LazyFunction(timezone.now)
    correlation_id = "corr-webhook"
    created_at = factory.LazyFunction(timezone.now)


class DeliveryAttemptFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DeliveryAttempt

    delivery = factory.SubFactory(DeliveryFactory, dead=True)
    number = 5
    at = factory.LazyFunction(timezone.now)
    answer_status = 500
    milliseconds = 12
    error = "HTTP 500"

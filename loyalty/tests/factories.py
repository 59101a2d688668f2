"""Programmes to test with: `ClientFactory()` may do everything, `programme_bearer(client)`."""

import uuid
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from loyalty.authentication import granted
from loyalty.models import (
    ClientSecret,
    FulfillmentOrder,
    LoyaltyClient,
    LoyaltyProgram,
    PointsAccount,
    PointsTransfer,
)
from loyalty.states import ItemType, Scope

SECRET = "a-secret-of-a-bank"


class ProgramFactory(factory.django.DjangoModelFactory):
    """Orders everything, and points can be credited to it."""

    class Meta:
        model = LoyaltyProgram

    name = factory.Sequence(lambda n: f"Programme {n}")
    code = factory.Sequence(lambda n: f"programme-{n}")
    item_types = ItemType.values
    partner = "points_bridge"
    partner_program_code = factory.Sequence(lambda n: f"PB-{n}")


class ClientFactory(factory.django.DjangoModelFactory):
    """With every scope and one secret, `SECRET`."""

    class Meta:
        model = LoyaltyClient
        skip_postgeneration_save = True

    program = factory.SubFactory(ProgramFactory)
    name = factory.Sequence(lambda n: f"Bank {n}")
    client_id = factory.Sequence(lambda n: f"bdv_client_{n}")
    scopes = Scope.values

    @factory.post_generation
    def secret(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        ClientSecret.objects.create(
            client=self, hashed=make_password(extracted or SECRET), hint="bank",
            created_at=timezone.now(),
        )  # fmt: skip


class AccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PointsAccount

    program = factory.SubFactory(ProgramFactory)
    user_id = factory.LazyFunction(uuid.uuid4)


def programme_bearer(client: LoyaltyClient, *scopes: str) -> dict[str, str]:
    """The headers of a call: token and version."""
    grant = granted(client.secrets.first(), scopes or tuple(client.scopes))
    return {"HTTP_AUTHORIZATION": f"Bearer {grant.token}", "HTTP_X_ASCENDA_VERSION": "1.3"}


def transfer_of(client: LoyaltyClient, **fields: Any) -> FulfillmentOrder:
    """A fulfilment order of points, waiting to be sent; `fields` are the transfer's."""
    now = timezone.now()
    order = FulfillmentOrder.objects.create(
        client=client, reference=uuid.uuid4().hex, item_type=ItemType.POINTS_TRANSFER,
        request_digest=b"", user_id=uuid.uuid4(), created_at=now,
    )  # fmt: skip
    PointsTransfer.objects.create(
        **{
            "fulfillment": order, "program": client.program, "partner": "points_bridge",
            "program_code": client.program.partner_program_code,
            "reference": f"BDVP{order.pk.hex}", "member_id": "M1", "amount": 100,
            "correlation_id": "corr-transfer", "created_at": now, "next_check_at": now, **fields,
        }
    )  # fmt: skip
    return order

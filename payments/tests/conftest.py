"""Real parts but for the gateway, who answers by script at the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import UserFactory, bearer
from fulfillment.partners.tests.simulator import ANSWER_SECONDS, Simulator
from payments.gateways.tests.conftest import simulator
from payments.tests.carrier import Payer, opened, point_to
from payments.tests.paystation import BASE, ScriptedPayStation

__all__ = ["simulator"]


class Customer:
    """A signed-in customer and their calls."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = APIClient()
        self.client.credentials(**bearer(user))

    def post(self, path: str, body: Any = None, *, status: int, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.post(f"/api/v1/{path}", body or {}, format="json", headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json()

    def get(self, path: str, *, status: int = 200) -> Any:
        answer = self.client.get(f"/api/v1/{path}")
        assert answer.status_code == status, answer.content
        return answer.json()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def paystation(wire: responses.RequestsMock, settings: Any) -> ScriptedPayStation:
    settings.PAYSTATION_BASE_URL = BASE
    return ScriptedPayStation(wire)


@pytest.fixture
def customer(db: None) -> Customer:
    cache.clear()
    return Customer(UserFactory(email="account@example.com"))


@pytest.fixture
def payer(simulator: Simulator, settings: Any) -> Payer:
    cache.clear()
    simulator.reset("dcb")
    settings.PAYMENT_METHODS = ["dcb", "paystation"]
    settings.CUSTOMER_WAIT_SECONDS = ANSWER_SECONDS
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    point_to(simulator, settings)
    return Payer(simulator, opened())

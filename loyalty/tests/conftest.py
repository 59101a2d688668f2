"""A bank, and one process of simulators for those who credit points."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from fulfillment.partners.tests.simulator import ANSWER_SECONDS, CREDENTIALS, Simulator, running
from loyalty.tests.bank import Bank
from loyalty.tests.factories import ClientFactory


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.clear()


@pytest.fixture
def bank(db: None) -> Bank:
    return Bank(ClientFactory())


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(tmp_path_factory.mktemp("points")) as started:
        yield started


@pytest.fixture
def points(simulator: Simulator, settings: Any) -> Simulator:
    """The points partner, as new; it answers within `ANSWER_SECONDS` or is not waited for."""
    simulator.reset("points")
    settings.POINTS_BRIDGE_BASE_URL = f"{simulator.url}/points"
    settings.POINTS_BRIDGE_API_KEY = CREDENTIALS["POINTS_BRIDGE_API_KEY"]
    settings.PARTNER_ANSWER_SECONDS = ANSWER_SECONDS
    settings.CUSTOMER_WAIT_SECONDS = ANSWER_SECONDS
    return simulator

"""One process of simulators, whose receiver plays somebody else's system."""

from collections.abc import Iterator
from typing import Any

import pytest

from fulfillment.partners.tests.simulator import Simulator, running
from tests.webhooks.receiving import Receiving


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(tmp_path_factory.mktemp("receiver")) as started:
        yield started


@pytest.fixture
def receiver(simulator: Simulator, settings: Any) -> Receiving:
    """As new; a notice to it may take two seconds in all."""
    simulator.reset("receiver")
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    settings.WEBHOOK_SECONDS = 2.0
    return Receiving(simulator)

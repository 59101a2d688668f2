from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

from fulfillment.partners.tests.simulator import Simulator, running
from payments.tests.paystation import BASE, ScriptedPayStation


@pytest.fixture
def paystation(settings: Any) -> Iterator[ScriptedPayStation]:
    settings.PAYSTATION_BASE_URL = BASE
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        yield ScriptedPayStation(wire)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with running(tmp_path) as started:
        yield started

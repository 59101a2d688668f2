from collections.abc import Iterator
from typing import Any

import pytest
import responses

from payments.tests.paystation import BASE, ScriptedPayStation


@pytest.fixture
def paystation(settings: Any) -> Iterator[ScriptedPayStation]:
    settings.PAYSTATION_BASE_URL = BASE
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        yield ScriptedPayStation(wire)

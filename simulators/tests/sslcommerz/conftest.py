from __future__ import annotations

import pytest

from simulators.tests.conftest import Live
from simulators.tests.sslcommerz.merchant import Merchant


@pytest.fixture
def shop(live: Live) -> Merchant:
    return Merchant(live)

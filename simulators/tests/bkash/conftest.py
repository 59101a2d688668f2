"""bKash under test: a service of its own, and nothing leaves the process."""

from __future__ import annotations

import pytest

from simulators.bkash import Bkash
from simulators.frame.outbound import Delivery
from simulators.tests.bkash.merchant import (
    Merchant,
    service_with,
)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Delivery]:
    """What has come due; nothing leaves the process."""
    gone: list[Delivery] = []
    monkeypatch.setattr(Bkash, "_send_later", lambda _, delivery: gone.append(delivery))
    return gone


@pytest.fixture
def bkash() -> Bkash:
    return service_with()


@pytest.fixture
def shop(bkash: Bkash) -> Merchant:
    return Merchant(bkash).login()

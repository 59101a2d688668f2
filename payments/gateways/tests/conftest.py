"""A closed network for canned answers, a cache of their own, and one process of simulators."""

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.core.cache import cache

from fulfillment.partners.tests.simulator import Simulator, running
from payments.gateways.tests.bkash_answers import GRANT, token


@pytest.fixture(autouse=True)
def own_cache(settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "gateways",
        }
    }
    cache.clear()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def granted(wire: responses.RequestsMock) -> responses.RequestsMock:
    """The wire, with a token to be had."""
    wire.post(GRANT, **token())
    return wire


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(tmp_path_factory.mktemp("simulators")) as started:
        yield started

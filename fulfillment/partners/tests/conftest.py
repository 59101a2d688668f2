"""A closed network for canned answers, a cache of their own, and one process of simulators."""

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.core.cache import cache

from fulfillment.partners.tests.simulator import Simulator, running


@pytest.fixture(autouse=True)
def own_cache(settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "partners",
        }
    }
    cache.clear()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(tmp_path_factory.mktemp("simulators")) as started:
        yield started

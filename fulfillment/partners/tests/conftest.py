"""A closed network for canned answers, and one process of simulators."""

from collections.abc import Iterator

import pytest
import responses

from fulfillment.partners.tests.simulator import Simulator, running


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(tmp_path_factory.mktemp("simulators")) as started:
        yield started

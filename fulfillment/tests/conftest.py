"""Real parts but for the partner, who answers by script at the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
import responses

from accounts.tests.factories import UserFactory
from fulfillment.tests.desk import Desk
from fulfillment.tests.partner import BASE, ScriptedZendit


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def zendit(wire: responses.RequestsMock, settings: Any) -> ScriptedZendit:
    settings.ZENDIT_BASE_URL = BASE
    return ScriptedZendit(wire)


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk(UserFactory(operator=True, name="Ops Team"))


@pytest.fixture
def support_desk(db: None) -> Desk:
    return Desk(UserFactory(support=True))

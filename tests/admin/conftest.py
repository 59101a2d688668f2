"""Who sits at the desk, and the partner at the wire."""

import pytest
import responses
from django.core.cache import cache

from accounts.tests.factories import UserFactory
from fulfillment.tests.partner import BASE, ScriptedZendit
from tests.admin.desk import Page


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def zendit(settings, wire):
    settings.ZENDIT_BASE_URL = BASE
    return ScriptedZendit(wire)


@pytest.fixture
def sign_in(client):
    def as_(role):
        user = UserFactory(**{role: True})
        client.force_login(user)
        return user

    return as_


@pytest.fixture
def page(client, sign_in):
    """The desk of an operator."""
    page = Page(client)
    page.user = sign_in("operator")
    return page

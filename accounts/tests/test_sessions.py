"""How long a sign-in to the operators' site holds."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client):
    """Asks for the landing page after a while; True where it is still open."""
    client.force_login(UserFactory(operator=True))
    started = timezone.now()

    def ask(after):
        with time_machine.travel(started + after, tick=True):
            return client.get(reverse("admin:index")).status_code == 200

    assert ask(timedelta(0))
    return ask


def test_who_is_idle_signs_in_again(page, settings):
    settings.ADMIN_IDLE = timedelta(hours=2)
    assert page(timedelta(minutes=119))
    assert not page(timedelta(minutes=119 + 121))
    assert not page(timedelta(minutes=119 + 122)), "it is not opened by asking again"


def test_no_session_outlives_its_day(page, settings):
    settings.ADMIN_IDLE, settings.SESSION_COOKIE_AGE = timedelta(hours=2), 12 * 3600
    for hour in range(1, 12):
        assert page(timedelta(hours=hour))
    assert not page(timedelta(hours=12))


def test_a_click_a_second_is_not_a_write_a_second(client, django_assert_max_num_queries):
    client.force_login(UserFactory(operator=True))
    address = reverse("admin:second_factor")
    client.get(address)
    with django_assert_max_num_queries(20) as seen:
        client.get(address)
    assert not [each["sql"] for each in seen if each["sql"].startswith(("UPDATE", "INSERT"))]

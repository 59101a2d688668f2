"""An alert is one order's, or nobody's; what is done to it is done to no other."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.tests.factories import UserFactory
from core.actors import Actor
from core.errors import NotFound
from notifications.alerts import acknowledge, raise_alert, resolve_alerts, resolve_general
from notifications.models import AdminAlert
from notifications.states import AlertKind
from orders.tests.factories import OrderFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 27, 14, 22, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def test_each_order_has_its_own_alert_of_a_kind() -> None:
    one, other = OrderFactory(), OrderFactory()
    for order in (one, other, one):
        raise_alert(order, AlertKind.LATE_PAYMENT, "late", now=NOW)
    assert [each.order for each in AdminAlert.objects.order_by("pk")] == [one, other]
    assert resolve_alerts(one, [AlertKind.LATE_PAYMENT], note="dealt with", now=LATER) == 1
    closed, still_open = AdminAlert.objects.order_by("pk")
    assert (closed.resolved_at, closed.resolution_notes) == (LATER, "dealt with")
    assert still_open.resolved_at is None
    raise_alert(one, AlertKind.LATE_PAYMENT, "again", now=LATER)
    assert AdminAlert.objects.filter(order=one).count() == 2


def test_an_alert_of_no_order_is_closed_once_and_keeps_its_first_note() -> None:
    for words in ("A is away", "B is away", "A is away"):
        raise_alert(None, AlertKind.PARTNER_DOWN, words, now=NOW)
    assert AdminAlert.objects.count() == 2
    assert resolve_general(AlertKind.PARTNER_DOWN, "A is away", note="back", now=NOW) == 1
    assert resolve_general(AlertKind.PARTNER_DOWN, "A is away", note="again", now=LATER) == 0
    closed = AdminAlert.objects.get(message="A is away")
    assert (closed.resolved_at, closed.resolution_notes) == (NOW, "back")
    assert AdminAlert.objects.get(message="B is away").resolved_at is None


def test_who_has_seen_an_alert_has_seen_no_other() -> None:
    for order in (OrderFactory(), OrderFactory()):
        raise_alert(order, AlertKind.LATE_PAYMENT, "late", now=NOW)
    one, other = AdminAlert.objects.order_by("pk")
    people = [UserFactory(operator=True) for _ in range(2)]
    for person, at in zip(people, (NOW, LATER), strict=True):
        seen = acknowledge(one.pk, operator=Actor.of(person), now=at)
        assert (seen.acknowledged_by, seen.acknowledged_at) == (people[0], NOW)
    other.refresh_from_db()
    assert (other.acknowledged_by, other.acknowledged_at) == (None, None)
    with pytest.raises(NotFound):
        acknowledge(other.pk + 1, operator=Actor.of(people[0]), now=NOW)

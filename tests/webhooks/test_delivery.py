"""One event for one endpoint, told over HTTP to a receiver that refuses, hangs, redirects..."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory
from core.actors import Actor
from core.errors import BadRequest, Conflict, NotFound
from notifications.models import AdminAlert
from webhooks.delivery import deliver
from webhooks.models import Delivery, DeliveryAttempt
from webhooks.selectors import due
from webhooks.services import end_former_secret, replay, rotate_secret
from webhooks.signing import FORMER, SIGNATURE, headers
from webhooks.tasks import sweep_webhooks
from webhooks.tests.factories import SECRET, DeliveryFactory, EndpointFactory

pytestmark = pytest.mark.django_db(transaction=True)
WAITS = [30, 120, 600, 3600]


def later(row):
    """The plan's next moment has come."""
    Delivery.objects.filter(pk=row.pk, status="PENDING").update(next_try_at=timezone.now())


def told(row):
    deliver(row.pk)
    row.refresh_from_db()
    return row


def tries(row):
    return list(row.attempts.values_list("number", "answer_status", "error"))


def alerts():
    return list(AdminAlert.objects.filter(kind="webhook_failed", resolved_at=None))


def operator():
    return Actor.of(UserFactory(operator=True))


def test_told_once_and_signed(receiver):
    row = told(DeliveryFactory(endpoint=receiver.endpoint()))
    assert (row.status, row.tries, row.error) == ("DELIVERED", 1, "")
    assert row.delivered_at is not None
    assert tries(row) == [(1, 200, "")]
    assert receiver.taken == [("order.succeeded", 1)]
    deliver(row.pk)
    sweep_webhooks()
    assert receiver.taken == [("order.succeeded", 1)]


def test_another_secret_is_refused_by_the_receiver(receiver):
    row = told(DeliveryFactory(endpoint=receiver.endpoint(secret="another")))
    assert (row.status, row.error, tries(row)) == ("PENDING", "HTTP 401", [(1, 401, "HTTP 401")])
    assert receiver.ledger["refused"] == [{"receiver": "shop", "why": "wrong signature"}]


@pytest.mark.parametrize(
    ("fault", "options", "status", "words"),
    [
        ("refuse", {}, 400, "HTTP 400"),
        ("refuse", {"status": 410}, 410, "HTTP 410"),
        ("redirect", {}, 302, "HTTP 302; redirects are not followed"),
        ("error_500", {}, 500, "HTTP 500"),
        ("error_503", {}, 503, "HTTP 503"),
        ("rate_limited", {}, 429, "HTTP 429"),
        ("forbidden", {}, 403, "HTTP 403"),
        ("hang", {"seconds": 4}, None, "no answer"),
        ("cut", {}, None, "no answer"),
        ("huge", {}, None, "no answer"),
    ],
)
def test_a_receiver_that_does_not_take_it(receiver, fault, options, status, words):
    endpoint = receiver.endpoint()
    receiver.fault(fault, **options)
    before = timezone.now()
    row = told(DeliveryFactory(endpoint=endpoint))
    assert (row.status, row.error) == ("PENDING", words)
    assert tries(row) == [(1, status, words)]
    assert timedelta(seconds=30) <= row.next_try_at - before <= timedelta(seconds=35)
    assert receiver.taken == []
    receiver.heal()
    later(row)
    assert told(row).status == "DELIVERED"
    assert alerts() == []


def test_nobody_listens_there(receiver, simulator):
    endpoint = receiver.endpoint()
    endpoint.url = "http://127.0.0.1:1/x"
    endpoint.save()
    assert told(DeliveryFactory(endpoint=endpoint)).error == "no connection"


def test_an_address_that_is_not_public(settings):
    row = told(DeliveryFactory(endpoint=EndpointFactory(url="https://127.0.0.1/")))
    assert (row.status, row.error) == ("PENDING", "the address is not on the public internet")


def test_an_address_that_can_not_be_read():
    row = told(DeliveryFactory(endpoint=EndpointFactory(url="https://[")))
    assert (row.status, row.error) == ("PENDING", "the address can't be called")


def test_a_secret_under_a_key_that_is_gone(settings):
    row = DeliveryFactory()
    settings.CODE_KEYS = {"other": b"9" * 32}
    assert told(row).error == "our secret for this endpoint can't be opened"


def test_500_four_times_and_then_taken(receiver):
    endpoint = receiver.endpoint()
    receiver.fault("error_500", times=4)
    row = DeliveryFactory(endpoint=endpoint)
    planned = []
    for _ in range(4):
        at = timezone.now()
        told(row)
        planned.append(round((row.next_try_at - at).total_seconds() / 5) * 5)
        deliver(row.pk)  # not due: nothing is sent
        later(row)
    assert planned == WAITS
    assert told(row).status == "DELIVERED"
    assert [number for number, _, _ in tries(row)] == [1, 2, 3, 4, 5]
    assert receiver.taken == [("order.succeeded", 1)]
    assert alerts() == []


def test_five_times_in_vain_is_a_dead_letter_with_one_alert_and_replayed(receiver):
    endpoint = receiver.endpoint()
    receiver.fault("error_500")
    rows = [DeliveryFactory(endpoint=endpoint) for _ in range(2)]
    for row in rows:
        for _ in range(5):
            later(row)
            told(row)
        assert (row.status, row.tries, row.next_try_at) == ("DEAD", 5, None)
    (alert,) = alerts()
    assert endpoint.name in alert.message
    sweep_webhooks()
    assert not due(now=timezone.now() + timedelta(days=9)).exists()

    who = operator()
    receiver.heal()
    replay(rows[0].pk, operator=who, reason="it was repaired", now=timezone.now())
    row = told(rows[0])
    assert (row.status, row.tries) == ("DELIVERED", 1)
    assert (row.replayed_by_id, row.replay_reason) == (who.user_id, "it was repaired")
    assert len(tries(row)) == 6
    assert len(alerts()) == 1, "the other one is still dead"
    replay(rows[1].pk, operator=who, reason="this too", now=timezone.now())
    told(rows[1])
    assert alerts() == []
    ids = {each["event_id"] for each in receiver.ledger["notices"]}
    assert ids == {str(each.event_id) for each in rows}


def test_a_replay_that_fails_again_is_dead_again(receiver):
    endpoint = receiver.endpoint()
    receiver.fault("refuse")
    row = DeliveryFactory(endpoint=endpoint, dead=True)
    replay(row.pk, operator=operator(), reason="try", now=timezone.now())
    for _ in range(5):
        later(row)
        told(row)
    assert (row.status, len(alerts())) == ("DEAD", 1)


def test_what_is_not_replayed():
    who, now = operator(), timezone.now()
    waiting = DeliveryFactory()
    dead = DeliveryFactory(dead=True)
    with pytest.raises(Conflict, match="PENDING"):
        replay(waiting.pk, operator=who, reason="x", now=now)
    with pytest.raises(BadRequest):
        replay(dead.pk, operator=who, reason="  ", now=now)
    with pytest.raises(NotFound):
        replay(dead.pk + 999, operator=who, reason="x", now=now)
    dead.endpoint.is_active = False
    dead.endpoint.save()
    with pytest.raises(Conflict, match="switched off"):
        replay(dead.pk, operator=who, reason="x", now=now)
    dead.refresh_from_db()
    assert dead.status == "DEAD"


def test_a_sender_that_died_blocks_it_for_its_lease_only(receiver, settings):
    row = DeliveryFactory(endpoint=receiver.endpoint())
    died = {"status": "SENDING", "next_try_at": None, "tries": 1}
    Delivery.objects.filter(pk=row.pk).update(**died, claimed_at=timezone.now())
    assert told(row).status == "SENDING"
    ago = timezone.now() - settings.WEBHOOK_LEASE - timedelta(seconds=1)
    Delivery.objects.filter(pk=row.pk).update(claimed_at=ago)
    assert told(row).status == "DELIVERED"
    assert row.tries == 2


def test_a_slow_sender_does_not_overwrite_who_came_after(receiver, settings, monkeypatch):
    """Its lease ran out, somebody else sent it; what the first one heard is not written down."""
    row = DeliveryFactory(endpoint=receiver.endpoint())
    from webhooks import delivery

    claimed = delivery._claimed(row.pk, now=timezone.now())
    said = delivery.Said(500, 5, "HTTP 500")
    ago = timezone.now() - settings.WEBHOOK_LEASE - timedelta(seconds=1)
    Delivery.objects.filter(pk=row.pk).update(claimed_at=ago)
    assert told(row).status == "DELIVERED"
    delivery._record(claimed, said)
    row.refresh_from_db()
    assert (row.status, len(tries(row))) == ("DELIVERED", 1)


def test_an_endpoint_that_is_switched_off_is_not_called(receiver):
    endpoint = receiver.endpoint(is_active=False)
    row = told(DeliveryFactory(endpoint=endpoint))
    assert (row.status, row.tries) == ("PENDING", 0)
    endpoint.is_active = True
    endpoint.save()
    assert told(row).status == "DELIVERED"


def test_nothing_is_sent_inside_a_transaction(receiver):
    row = DeliveryFactory(endpoint=receiver.endpoint())
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        deliver(row.pk)
    assert receiver.taken == []


def test_both_secrets_are_good_while_they_change(receiver):
    endpoint = receiver.endpoint()
    fresh = rotate_secret(endpoint.pk, now=timezone.now())
    assert fresh != SECRET
    assert told(DeliveryFactory(endpoint=endpoint)).status == "DELIVERED"  # knows the former one
    receiver.simulator.call("receiver/settings", secrets={"shop": fresh})
    assert told(DeliveryFactory(endpoint=endpoint)).status == "DELIVERED"
    assert end_former_secret(endpoint.pk)
    assert not end_former_secret(endpoint.pk)
    receiver.simulator.call("receiver/settings", secrets={"shop": SECRET})
    assert told(DeliveryFactory(endpoint=endpoint)).error == "HTTP 401"


def test_the_former_secret_ends_by_itself():
    endpoint = EndpointFactory()
    now = timezone.now()
    rotate_secret(endpoint.pk, now=now)
    endpoint.refresh_from_db()
    assert set(headers(endpoint, b"{}", now=now)) >= {SIGNATURE, FORMER}
    assert FORMER not in headers(endpoint, b"{}", now=now + timedelta(hours=25))


def test_secrets_are_sealed_and_tied_to_their_endpoint():
    one, other = EndpointFactory(), EndpointFactory()
    assert SECRET.encode() not in bytes(one.secret)
    other.secret = one.secret
    from vouchers.ciphers import Unreadable

    with pytest.raises(Unreadable):
        headers(other, b"{}", now=timezone.now())


def test_what_the_database_refuses():
    row = DeliveryFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveryFactory(endpoint=row.endpoint, event_id=row.event_id)
    for wrong in ({"status": "DELIVERED"}, {"next_try_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Delivery.objects.filter(pk=row.pk).update(**wrong)
    attempt = DeliveryAttempt.objects.create(
        delivery=row, number=1, at=timezone.now(), milliseconds=1
    )
    for act in (attempt.delete, row.delete, attempt.save):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()

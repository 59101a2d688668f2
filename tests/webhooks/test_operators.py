"""The delivery log and the replay, by the API and by the operators' site; who may what."""

import re

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import StaffAction
from accounts.tests.factories import UserFactory, bearer
from loyalty.tests.factories import ClientFactory
from webhooks.models import Delivery, Endpoint
from webhooks.signing import signature
from webhooks.tests.factories import DeliveryAttemptFactory, DeliveryFactory, EndpointFactory

pytestmark = pytest.mark.django_db
LOG = "/api/v1/admin/webhook-deliveries"
WHY = "the receiver was repaired"


def page(model, what, *args):
    return reverse(f"admin:webhooks_{model}_{what}", args=args)


@pytest.fixture
def owner(client):
    client.force_login(UserFactory(owner=True))
    return client


@pytest.fixture
def operator(client):
    client.force_login(UserFactory(operator=True))
    return client


def get(path, **query):
    answer = APIClient().get(path, query, **bearer(UserFactory(support=True)))
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_the_log_is_narrowed():
    dead, waiting = DeliveryFactory(dead=True), DeliveryFactory(event_type="order.failed")
    for query, found in (
        ({}, [waiting, dead]),
        ({"status": "DEAD"}, [dead]),
        ({"type": "order.failed"}, [waiting]),
        ({"endpoint": dead.endpoint_id}, [dead]),
        ({"subject": waiting.subject}, [waiting]),
        ({"status": "DEAD", "type": "order.failed"}, []),
    ):
        assert [row["id"] for row in get(LOG, **query)["items"]] == [row.pk for row in found]


def test_one_with_its_tries():
    attempt = DeliveryAttemptFactory()
    shown = get(f"{LOG}/{attempt.delivery_id}")
    assert shown["body"] == attempt.delivery.body
    assert [(each["number"], each["answer_status"]) for each in shown["attempts"]] == [(5, 500)]


def test_replayed_by_the_api_once_for_one_key():
    row, user = DeliveryFactory(dead=True), UserFactory(operator=True)

    def replay(reason, key="k"):
        headers = bearer(user) | {"HTTP_IDEMPOTENCY_KEY": key}
        return APIClient().post(
            f"{LOG}/{row.pk}/replay", {"reason": reason}, format="json", **headers
        )

    assert replay(WHY).status_code == 200
    again = replay(WHY)
    assert (again.status_code, again["Idempotent-Replay"]) == (200, "true")
    assert replay(WHY, "another").status_code == 409
    row.refresh_from_db()
    assert (row.status, row.replayed_by, row.replay_reason) == ("PENDING", user, WHY)
    assert replay("", "third").json()["error"]["details"][0]["field"] == "reason"


@pytest.mark.parametrize("role", ["support", "finance"])
def test_who_may_not_replay(role, client):
    row, user = DeliveryFactory(dead=True), UserFactory(**{role: True})
    path = f"{LOG}/{row.pk}/replay"
    answer = APIClient().post(path, {"reason": WHY}, format="json", **bearer(user))
    assert answer.status_code == 403
    client.force_login(user)
    shown = client.get(page("delivery", "change", row.pk)).content.decode()
    assert "It failed for good" not in shown
    client.post(page("delivery", "replay", row.pk), {"reason": WHY})
    row.refresh_from_db()
    assert row.status == "DEAD"


def test_replayed_on_its_page_with_a_reason_and_written_down(operator):
    row = DeliveryAttemptFactory().delivery
    shown = operator.get(page("delivery", "change", row.pk)).content.decode()
    assert "It failed for good" in shown
    assert "HTTP 500" in shown
    assert operator.get(page("delivery", "replay", row.pk)).status_code == 405
    refused = operator.post(page("delivery", "replay", row.pk), {"reason": " "}, follow=True)
    assert "Say why" in refused.content.decode()
    done = operator.post(page("delivery", "replay", row.pk), {"reason": WHY}, follow=True)
    assert "1 event(s) are told again." in done.content.decode()
    row.refresh_from_db()
    assert (row.status, row.tries, row.replay_reason) == ("PENDING", 0, WHY)
    assert StaffAction.objects.filter(action="webhooks_delivery_replay").exists()


def test_many_dead_letters_at_once(operator):
    rows = [DeliveryFactory(dead=True) for _ in range(3)]
    waiting = DeliveryFactory()
    chosen = {"action": "replay", "_selected_action": [row.pk for row in (*rows, waiting)]}
    where = page("delivery", "changelist")
    operator.post(where, chosen, follow=True)
    assert Delivery.objects.filter(status="DEAD").count() == 3, "nobody said why"
    done = operator.post(where, chosen | {"reason": WHY}, follow=True).content.decode()
    assert "3 event(s) are told again." in done
    assert not Delivery.objects.filter(status="DEAD").exists()


def body(**changes):
    made = {
        "name": "Storefront", "audience": "shop", "url": "https://shop.example.com/hooks",
        "event_types": ["order.succeeded"], "is_active": "on",
    }  # fmt: skip
    return made | changes


def test_a_new_endpoints_secret_is_shown_once(owner):
    shown = owner.post(page("endpoint", "add"), body(), follow=True).content.decode()
    secret = re.search(r"shown this once: (whsec_[\w-]{40,})", shown)[1]
    made = Endpoint.objects.get()
    again = owner.get(page("endpoint", "change", made.pk)).content.decode()
    assert secret not in again
    from webhooks.signing import _open

    assert _open(made.public_id, made.secret) == secret.encode()
    assert signature(secret.encode(), b"{}").startswith("sha256=")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://shop.example.com/"}, "must begin with https"),
        ({"url": "https://10.0.0.1/"}, "not on the public internet"),
        ({"url": "https://a:b@shop.example.com/"}, "credentials"),
        ({"event_types": ["fulfillment_order.failed"]}, "not told to a client of the shop"),
        ({"event_types": []}, "This field is required"),
        ({"audience": "programme"}, "not told to a loyalty programme"),
    ],
)
def test_an_endpoint_that_is_not_taken(owner, changes, words):
    shown = owner.post(page("endpoint", "add"), body(**changes)).content.decode()
    assert words in shown
    assert not Endpoint.objects.exists()


def test_an_endpoint_is_edited_and_keeps_its_secret(owner):
    row = EndpointFactory()
    kept = bytes(row.secret)
    changed = body(url="https://shop.example.com/new", name="New")
    del changed["audience"]
    assert owner.post(page("endpoint", "change", row.pk), changed).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.url, bytes(row.secret)) == ("New", "https://shop.example.com/new", kept)
    assert row.event_types == ["order.succeeded"]


def test_a_secret_is_changed_by_who_may(owner, operator):
    row = EndpointFactory()
    kept = bytes(row.secret)
    chosen = {"action": "rotate", "_selected_action": [row.pk]}
    operator.post(page("endpoint", "changelist"), chosen, follow=True)
    row.refresh_from_db()
    assert bytes(row.secret) == kept
    assert operator.get(page("endpoint", "add")).status_code == 403
    owner.force_login(UserFactory(owner=True))
    shown = owner.post(page("endpoint", "changelist"), chosen, follow=True).content.decode()
    assert "shown this once: whsec_" in shown
    row.refresh_from_db()
    assert bytes(row.former_secret) == kept
    chosen["action"] = "end_former"
    shown = owner.post(page("endpoint", "changelist"), chosen, follow=True).content.decode()
    assert "1 former secret(s) ended." in shown


def test_a_client_of_a_programme_is_given_its_own_kind_of_endpoint(owner):
    ours, theirs = EndpointFactory(), EndpointFactory(audience="programme")
    row = ClientFactory()
    address = reverse("admin:loyalty_loyaltyclient_change", args=[row.pk])
    given = {"name": row.name, "program": row.program_id, "scopes": row.scopes, "is_active": "on"}
    assert owner.post(address, given | {"webhook": ours.pk}).status_code == 200
    assert owner.post(address, given | {"webhook": theirs.pk}).status_code == 302
    row.refresh_from_db()
    assert row.webhook == theirs

"""Programmes, rules, clients and orders on the operators' site."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from loyalty.models import ClientSecret, LoyaltyClient, LoyaltyProgram, PointsTransfer
from loyalty.tests.bank import MEMBER
from loyalty.tests.factories import ClientFactory, ProgramFactory, transfer_of

pytestmark = pytest.mark.django_db


def page(model, what, *args):
    return reverse(f"admin:loyalty_{model}_{what}", args=args)


@pytest.fixture
def owner(client):
    client.force_login(UserFactory(owner=True))
    return client


@pytest.fixture
def operator(client):
    client.force_login(UserFactory(operator=True))
    return client


def act(client, model, action, *rows, reason="the bank asked for it"):
    body = {"action": action, "reason": reason, "_selected_action": [row.pk for row in rows]}
    return client.post(page(model, "changelist"), body, follow=True)


def test_a_new_clients_secret_is_shown_once_and_works(owner):
    program = ProgramFactory()
    body = {
        "name": "City Bank",
        "program": program.pk,
        "scopes": ["orders:read"],
        "is_active": "on",
    }
    shown = owner.post(page("loyaltyclient", "add"), body, follow=True).content.decode()
    made = LoyaltyClient.objects.get()
    secret = re.search(r"shown this once: ([\w-]{40,})", shown)[1]
    asked = {"client_id": made.client_id, "client_secret": secret}
    token = owner.post("/oauth/token", asked, content_type="application/json")
    assert token.json()["scope"] == "orders:read"
    again = owner.get(page("loyaltyclient", "change", made.pk)).content.decode()
    assert secret not in again
    assert f"...{secret[-4:]}" in again


def test_a_secret_is_rotated_by_who_may(owner):
    row = ClientFactory()
    shown = act(owner, "loyaltyclient", "rotate", row).content.decode()
    assert "shown this once" in shown
    assert ClientSecret.objects.count() == 2
    shown = act(owner, "loyaltyclient", "end_former", row).content.decode()
    assert "1 former secret(s) ended." in shown


def test_an_operator_sees_clients_and_makes_no_secrets(operator):
    row = ClientFactory()
    assert operator.get(page("loyaltyclient", "changelist")).status_code == 200
    assert operator.get(page("loyaltyclient", "add")).status_code == 403
    act(operator, "loyaltyclient", "rotate", row)
    assert ClientSecret.objects.count() == 1


def test_an_operator_edits_the_engines_rules(operator, bank):
    program = LoyaltyProgram.objects.get()
    rules = {
        "rules-TOTAL_FORMS": 1, "rules-INITIAL_FORMS": 0, "rules-0-position": 1,
        "rules-0-kind": "pattern", "rules-0-pattern": "[0-9]+", "rules-0-is_active": "on",
    }  # fmt: skip
    body = {
        "name": program.name, "code": program.code, "is_active": "on", "points_name": "miles",
        "item_types": ["points_transfer"], "partner": "points_bridge",
        "partner_program_code": "PB", "least_amount": 100, **rules,
    }  # fmt: skip
    answer = operator.post(page("loyaltyprogram", "change", program.pk), body)
    assert answer.status_code == 302, answer.context["errors"]
    answer = bank.order(bank.points(membership=MEMBER))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "NN1301")
    program.refresh_from_db()
    assert (program.item_types, program.least_amount) == (["points_transfer"], 100)


def test_orders_and_transfers_are_looked_at_and_closed(operator, bank):
    waiting = transfer_of(bank.client)
    unknown = transfer_of(bank.client, status="UNKNOWN", sent_at=timezone.now())
    listed = operator.get(page("fulfillmentorder", "changelist")).content.decode()
    assert waiting.reference in listed
    assert "At work" in listed
    for row in (waiting, unknown):
        assert operator.get(page("fulfillmentorder", "change", row.pk)).status_code == 200
        assert operator.get(page("pointstransfer", "change", row.transfer.pk)).status_code == 200
    shown = act(operator, "fulfillmentorder", "give_up", waiting, reason=" ").content.decode()
    assert "Say why in the field Reason" in shown
    assert PointsTransfer.objects.get(pk=waiting.transfer.pk).status == "QUEUED"
    shown = act(operator, "fulfillmentorder", "give_up", waiting, unknown).content.decode()
    assert "1 order(s) given up." in shown
    assert "It was sent already" in shown
    act(operator, "pointstransfer", "not_credited", unknown.transfer)
    told = PointsTransfer.objects.values_list("status", "settled_reason", "error")
    why = "the bank asked for it"
    assert set(told) == {("CANCELLED", why, ""), ("FAILED", why, why)}
    page_of = operator.get(page("pointstransfer", "change", unknown.transfer.pk)).content.decode()
    assert why in page_of


def test_support_looks_and_closes_nothing(client, bank):
    client.force_login(UserFactory(support=True))
    row = transfer_of(bank.client)
    assert client.get(page("fulfillmentorder", "changelist")).status_code == 200
    act(client, "fulfillmentorder", "give_up", row)
    assert PointsTransfer.objects.get().status == "QUEUED"

"""Clients, secrets and tokens: for this door alone, changed over without a gap."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from loyalty.models import ClientSecret, LoyaltyClient
from loyalty.services import end_former_secrets, make_client, new_secret
from loyalty.tests.bank import refused
from loyalty.tests.factories import SECRET, ProgramFactory, programme_bearer

pytestmark = pytest.mark.django_db


def ask(client, secret=SECRET, *, prefix="", kind="json", **more):
    body = {"client_id": client.client_id, "client_secret": secret, **more}
    if kind == "form":
        text = "&".join(f"{name}={value}" for name, value in body.items())
        kind = "application/x-www-form-urlencoded"
        return APIClient().post(f"{prefix}/oauth/token", text, content_type=kind)
    return APIClient().post(f"{prefix}/oauth/token", body, format="json")


def opens(token, path="/gift-cards"):
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_X_ASCENDA_VERSION": "1.3"}
    return APIClient().get(path, **headers).status_code


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("kind", ["json", "form"])
def test_a_token_as_the_contract_has_it(bank, prefix, kind):
    answer = ask(bank.client, prefix=prefix, kind=kind, grant_type="client_credentials")
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert set(told) == {
        "token_id", "token", "access_token", "token_type", "expires_at", "scope",
    }  # fmt: skip
    assert told["token"] == told["access_token"]
    assert told["token_type"] == "Bearer"
    assert 3590 < told["expires_at"] - timezone.now().timestamp() <= 3600
    assert opens(told["access_token"]) == 200
    assert "no-cache" in answer["Cache-Control"]
    assert SECRET not in str(list(ClientSecret.objects.values()))


def test_wrong_credentials_say_no_more_than_that(bank):
    words = "Wrong client id or secret."
    refused(ask(bank.client, "wrong"), 401, "UNAUTHORIZED", words)
    refused(ask(LoyaltyClient(client_id="bdv_nobody")), 401, "UNAUTHORIZED", words)
    LoyaltyClient.objects.update(is_active=False)
    refused(ask(bank.client), 401, "UNAUTHORIZED", words)


def test_scopes_that_were_asked_for_and_no_others(bank):
    token = ask(bank.client, scope="orders:read").json()
    assert token["scope"] == "orders:read"
    assert opens(token["token"], "/fulfillment-orders") == 200
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token['token']}", "HTTP_X_ASCENDA_VERSION": "1.3"}
    words = "The token lacks the scope catalogue:read."
    refused(APIClient().get("/gift-cards", **headers), 403, "FORBIDDEN", words)
    LoyaltyClient.objects.update(scopes=["orders:read"])
    words = "scope is not granted to this client"
    refused(ask(bank.client, scope="orders:write"), 400, "NN1001", words)
    assert ask(bank.client).json()["scope"] == "orders:read"


def test_another_grant_is_not_offered(bank):
    answer = ask(bank.client, grant_type="password")
    refused(answer, 400, "NN1001", "grant_type: Only client_credentials is offered.")


def test_a_token_runs_out(bank):
    token = ask(bank.client).json()["token"]
    with time_machine.travel(timezone.now() + timedelta(seconds=3601)):
        assert opens(token) == 401


def test_no_token_of_another_door_opens_this_one_nor_the_reverse(bank):
    for user in (UserFactory(), UserFactory(owner=True)):
        headers = {**bearer(user), "HTTP_X_ASCENDA_VERSION": "1.3"}
        answer = APIClient().get("/gift-cards", **headers)
        assert (answer.status_code, set(answer.json())) == (401, {"error"})
    mine = programme_bearer(bank.client)
    for path in ("/api/v1/orders", "/api/v1/admin/orders", "/api/v1/vouchers"):
        assert APIClient().get(path, **mine).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer a b", "Basic eDp5"])
def test_a_token_that_is_none(db, header):
    extra = {"HTTP_AUTHORIZATION": header} if header else {}
    answer = APIClient().get("/fulfillment-orders", **extra)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_secret_is_changed_over_without_a_gap(bank):
    client, before = bank.client, ask(bank.client).json()["token"]
    fresh = new_secret(client, now=timezone.now())
    assert fresh != SECRET
    assert ask(client).status_code == ask(client, fresh).status_code == 200
    assert opens(before) == 200
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert ask(client).status_code == 401
        assert ask(client, fresh).status_code == 200


def test_a_secret_that_is_taken_back_ends_its_tokens_at_once(bank):
    client, before = bank.client, ask(bank.client).json()["token"]
    fresh = new_secret(client, now=timezone.now())
    after = ask(client, fresh).json()["token"]
    assert end_former_secrets(client, now=timezone.now()) == 1
    assert (opens(before), opens(after)) == (401, 200)
    LoyaltyClient.objects.update(is_active=False)
    assert opens(after) == 401


def test_a_client_is_made_with_its_first_secret(db):
    client, secret = make_client(ProgramFactory(), "Bank", ["orders:read"], now=timezone.now())
    assert ask(client, secret).json()["scope"] == "orders:read"
    assert secret not in json.dumps(list(ClientSecret.objects.values("hashed", "hint")))


def test_each_client_has_a_limit_of_its_own(bank, settings):
    bank.client.rate_limit = 3
    bank.client.save()
    for _ in range(3):
        assert bank.get("loyalty_programs").status_code == 200
    answer = bank.get("loyalty_programs")
    refused(answer, 429, "RATE_LIMITED", "Too many tries. Please try again later.")
    assert 0 < int(answer["Retry-After"]) <= 60


def test_guesses_at_a_secret_are_limited(bank, settings):
    for _ in range(settings.LOYALTY_TOKEN_TRIES):
        assert ask(bank.client, "wrong").status_code == 401
    assert ask(bank.client).status_code == 429

"""What is swept, and what our pages load."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.tests.factories import PASSWORD, UserFactory
from bdvoucher.celery import app
from bdvoucher.tasks import sweep_expired
from core.models import IdempotencyKey

V1 = "/api/v1/auth"


@pytest.mark.django_db
def test_dead_tokens_go_and_revoked_ones_that_live_stay():
    client, user = APIClient(), UserFactory()
    refresh = []
    for _ in range(2):
        body = {"msisdn": user.msisdn, "password": PASSWORD}
        signed_in = client.post(f"{V1}/sign-in", body, format="json").json()["data"]
        refresh.append({"refreshToken": signed_in["refreshToken"]})
        client.post(f"{V1}/sign-out", refresh[-1], format="json")
    dead = OutstandingToken.objects.earliest("pk")
    OutstandingToken.objects.filter(pk=dead.pk).update(expires_at=timezone.now())
    sweep_expired()
    assert not OutstandingToken.objects.filter(pk=dead.pk).exists()
    assert BlacklistedToken.objects.count() == 1
    assert client.post(f"{V1}/refresh-token", refresh[1], format="json").status_code == 401


@pytest.mark.django_db
def test_answers_are_kept_for_a_day():
    now = timezone.now()
    for key in ("old", "new"):
        IdempotencyKey.objects.create(caller="User:1", key=key, digest=b"", claimed_at=now)
    old = now - timedelta(hours=24, seconds=1)
    IdempotencyKey.objects.filter(key="old").update(created_at=old)
    sweep_expired()
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]


def test_it_is_on_the_plan():
    plan = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert sweep_expired.name in plan


def test_redoc_loads_nothing_from_elsewhere(client):
    page = client.get("/api/redoc/").content.decode()
    assert 'src="/api/redoc/redoc.js"' in page
    assert "http" not in page.replace("http-equiv", "")
    bundle = client.get("/api/redoc/redoc.js", headers={"Accept-Encoding": "gzip"})
    assert bundle["Content-Encoding"] == "gzip"
    assert bundle["Cache-Control"] == "public, max-age=86400"
    script = client.get("/api/redoc/redoc.js").content
    assert len(script) > 1_000_000
    assert b"cdn.redoc" not in script

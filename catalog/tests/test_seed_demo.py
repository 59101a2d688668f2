"""The demo shop as its visitors see it; repeated runs leave the same one."""

import json
from io import StringIO

import pytest
from django.conf import settings as live
from django.core.cache import cache
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import User
from catalog.tests.factories import BrandFactory, SourceFactory

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture(autouse=True)
def _demo_settings(monkeypatch):
    cache.clear()
    monkeypatch.setattr(live, "SETTINGS_MODULE", "bdvoucher.settings.test")


def seed(*options):
    out = StringIO()
    call_command("seed_demo", *options, stdout=out)
    return out.getvalue()


def stock(api):
    data = api.get(f"{V1}/catalog/products", {"limit": 100}).json()["data"]
    return {
        variant["variant_id"]: variant["stock"]
        for product in data["items"]
        for variant in product["variants"]
    }


def test_every_run_leaves_the_same_shop():
    api = APIClient()
    shops, people = [], []
    for _ in range(2):
        seed()
        shops.append(stock(api))
        people.append(list(User.objects.order_by("pk").values()))
    assert shops[0] == shops[1]
    assert people[0] == people[1]
    told = {variant: (each["status"], each["level"]) for variant, each in shops[0].items()}
    assert told == {
        22402: ("unlimited", None),
        22403: ("unlimited", None),
        22405: ("in_stock", 200),
        22406: ("in_stock", 60),
        22407: ("in_stock", 25),
        22408: ("low_stock", 3),
        22409: ("out_of_stock", 0),
        22410: ("unlimited", None),
    }


def test_everybody_it_names_can_sign_in():
    seed()
    api = APIClient()
    told = json.loads(seed("--summary"))
    customer = told["customer"]
    body = {"msisdn": customer["login"], "password": customer["password"]}
    assert api.post(f"{V1}/auth/sign-in", body, format="json").status_code == 200
    assert [user["who"] for user in told["users"]] == ["operator", "support", "owner", "finance"]
    for user in told["users"]:
        body = {"email": user["login"], "password": user["password"]}
        answer = api.post(f"{V1}/admin/auth/login", body, format="json").json()
        assert answer["data"]["user"]["groups"] == [user["who"]]


def test_rows_made_afterwards_find_free_numbers():
    seed()
    assert BrandFactory().pk > 5
    assert SourceFactory().variant.pk > 22410


def test_a_real_shop_is_refused(monkeypatch):
    monkeypatch.setattr(live, "SETTINGS_MODULE", "bdvoucher.settings.production")
    for options in ([], ["--summary"]):
        with pytest.raises(CommandError, match="known passwords"):
            seed(*options)
    assert not User.objects.exists()

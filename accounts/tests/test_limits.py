"""Tries are counted where no header and no parallel request gets around it."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import RequestFactory
from redis.exceptions import ConnectionError as NoRedis

from accounts.tests.factories import PASSWORD, UserFactory
from core import limits
from core.errors import RateLimited

MINUTE = timedelta(minutes=1)


def sign_in(api, number, password="", **headers):
    body = {"msisdn": number, "password": password or "wrong"}
    return api.post("/api/v1/auth/sign-in", body, format="json", **headers)


def test_parallel_tries_share_one_count():
    results = []

    def run():
        try:
            limits.count_and_check("test", "k", 5, MINUTE)
            results.append(True)
        except RateLimited:
            results.append(False)

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == 5


def test_a_window_ends_by_itself():
    limits.count_and_check("test", "k", 1, timedelta(milliseconds=30))
    with pytest.raises(RateLimited) as refused:
        limits.count_and_check("test", "k", 1, timedelta(milliseconds=30))
    assert refused.value.retry_after == 1
    threading.Event().wait(0.05)
    limits.count_and_check("test", "k", 1, MINUTE)


def test_keys_tell_nothing():
    limits.count_and_check("test", "8801712345678", 1, MINUTE)
    client = caches["default"]._cache.get_client()
    assert not [key for key in client.keys("*") if b"8801712345678" in key]


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, "6.6.6.6", "10.0.0.1"),
        (1, "6.6.6.6", "6.6.6.6"),
        (1, "1.1.1.1, 6.6.6.6", "6.6.6.6"),
        (2, "1.1.1.1, 6.6.6.6, 10.0.0.9", "6.6.6.6"),
        (2, "6.6.6.6", "10.0.0.1"),
        (1, "", "unknown"),
        (1, "rubbish", "unknown"),
        (1, "2001:db8::1", "2001:db8::/64"),
    ],
)
def test_whose_word_is_taken_for_an_address(settings, hops, forwarded, expected):
    settings.TRUSTED_PROXIES = hops
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert limits.client_address(request) == expected


@pytest.mark.django_db
def test_an_account_is_closed_to_guessing_even_with_the_right_password(api, settings):
    settings.SIGN_IN_TRIES = 3
    user = UserFactory()
    for n in range(3):
        assert sign_in(api, user.msisdn, HTTP_X_FORWARDED_FOR=f"9.9.9.{n}").status_code == 401
    refused = sign_in(api, user.msisdn, PASSWORD, REMOTE_ADDR="8.8.8.8")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


@pytest.mark.django_db
def test_an_unknown_number_is_limited_like_a_known_one(api, settings):
    settings.SIGN_IN_TRIES = 2
    statuses = [sign_in(api, "8801712345678").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


@pytest.mark.django_db
def test_an_address_that_tries_many_accounts_is_stopped(api, settings):
    settings.SIGN_IN_TRIES = 1
    statuses = [
        sign_in(api, f"88017000000{n:02d}", HTTP_X_FORWARDED_FOR=f"9.9.9.{n}").status_code
        for n in range(11)
    ]
    assert statuses == [401] * 10 + [429]


@pytest.mark.django_db
def test_good_sign_ins_use_up_nothing(api, settings):
    settings.SIGN_IN_TRIES = 2
    user = UserFactory()
    for _ in range(25):
        assert sign_in(api, user.msisdn, PASSWORD).status_code == 200


@pytest.mark.django_db
def test_the_admins_page_shares_the_staff_counter(api, client, settings):
    settings.SIGN_IN_TRIES = 2
    staff = UserFactory(operator=True)
    page = {"username": staff.email, "password": "wrong"}
    assert client.post("/admin/login/", page).status_code == 200
    body = {"email": staff.email, "password": "wrong"}
    url = "/api/v1/admin/auth/login"
    assert api.post(url, body, format="json").status_code == 401
    answer = client.post("/admin/login/", page | {"password": PASSWORD})
    assert "Too many tries" in answer.content.decode()
    assert api.post(url, body | {"password": PASSWORD}, format="json").status_code == 429


@pytest.mark.django_db
def test_staff_enter_the_admin_and_customers_do_not(client):
    staff, customer = UserFactory(owner=True), UserFactory(email="c@example.com")
    page = {"username": customer.email, "password": PASSWORD}
    assert client.post("/admin/login/?next=/admin/", page).status_code == 200
    page["username"] = staff.email
    assert client.post("/admin/login/?next=/admin/", page).status_code == 302


@pytest.mark.django_db
def test_without_redis_signing_in_works_and_messages_do_not(api, phone, monkeypatch):
    class Down:
        def eval(self, *args):
            raise NoRedis

    monkeypatch.setattr(limits, "_client", Down)
    assert sign_in(api, UserFactory().msisdn, PASSWORD).status_code == 200
    for path in ("send-otp", "forgot-password", "user-exist"):
        answer = api.post(f"/api/v1/auth/{path}", {"msisdn": "01712345678"}, format="json")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "UNAVAILABLE"
    assert phone.messages == []

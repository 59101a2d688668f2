"""One-time passwords: 6 digits, 5 minutes, 5 tries, one live per number, hashed at rest."""

import json
from datetime import timedelta

import pytest
import responses
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import sms
from accounts.models import OneTimePassword
from accounts.tests.factories import PASSWORD, UserFactory, bearer
from core.providers import Declined, Unavailable

pytestmark = pytest.mark.django_db
NUMBER = "8801712345678"


def post(api, path, **body):
    return api.post(f"/api/v1/auth/{path}", body, format="json")


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_works_once(api, phone):
    post(api, "send-otp", msisdn=NUMBER)
    assert post(api, "verify-otp", msisdn=NUMBER, otp=phone.code).status_code == 200
    assert post(api, "verify-otp", msisdn=NUMBER, otp=phone.code).status_code == 400


def test_the_fifth_try_still_counts_the_sixth_does_not(api, phone):
    for wrong_tries, status in ((4, 200), (5, 400)):
        cache.clear()
        post(api, "send-otp", msisdn=NUMBER)
        for _ in range(wrong_tries):
            assert post(api, "verify-otp", msisdn=NUMBER, otp=wrong(phone.code)).status_code == 400
        assert post(api, "verify-otp", msisdn=NUMBER, otp=phone.code).status_code == status


def test_a_code_dies_after_five_minutes(api, phone):
    post(api, "send-otp", msisdn=NUMBER)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert post(api, "verify-otp", msisdn=NUMBER, otp=phone.code).status_code == 400


def test_a_newer_code_replaces_the_older(api, phone):
    post(api, "send-otp", msisdn=NUMBER)
    old = phone.code
    cache.clear()
    post(api, "send-otp", msisdn=NUMBER)
    assert OneTimePassword.objects.count() == 1
    if old != phone.code:
        assert post(api, "verify-otp", msisdn=NUMBER, otp=old).status_code == 400
    assert post(api, "verify-otp", msisdn=NUMBER, otp=phone.code).status_code == 200


def test_nothing_at_rest_tells_the_code(api, phone):
    post(api, "send-otp", msisdn=NUMBER)
    row = OneTimePassword.objects.values().get()
    assert len(row["digest"]) == 32
    assert phone.code not in str({**row, "digest": "", "expires_at": ""})


def test_a_code_for_signing_up_sets_no_password(api, phone):
    UserFactory(msisdn=NUMBER)
    post(api, "send-otp", msisdn=NUMBER)
    body = {"msisdn": NUMBER, "otp": phone.code, "password": "another-long-one"}
    assert post(api, "reset-password", **body).status_code == 400


def test_a_new_password_ends_every_token(api, phone):
    user = UserFactory(msisdn=NUMBER)
    header = bearer(user)
    tokens = post(api, "sign-in", msisdn=NUMBER, password=PASSWORD).json()["data"]
    assert post(api, "forgot-password", msisdn=NUMBER).status_code == 200
    weak = {"msisdn": NUMBER, "otp": phone.code, "password": "password"}
    assert post(api, "reset-password", **weak).status_code == 400
    good = weak | {"password": "another-long-one"}
    assert post(api, "reset-password", **good).status_code == 200
    assert api.get("/api/v1/user/profile", **header).status_code == 401
    assert post(api, "refresh-token", refreshToken=tokens["refreshToken"]).status_code == 401
    assert post(api, "sign-in", msisdn=NUMBER, password=PASSWORD).status_code == 401
    assert post(api, "sign-in", msisdn=NUMBER, password="another-long-one").status_code == 200


def test_forgot_password_does_the_same_for_known_and_unknown_numbers(api, phone):
    UserFactory(msisdn=NUMBER)
    answers, work = [], []
    for number in (NUMBER, "8801812345678"):
        with CaptureQueriesContext(connection) as queries:
            answers.append(post(api, "forgot-password", msisdn=number))
        work.append(len(queries))
    assert work[0] == work[1]
    known, unknown = (answer.json() for answer in answers)
    assert known == unknown
    assert OneTimePassword.objects.count() == 2
    (_, told), (_, said_no) = phone.messages
    assert any(map(str.isdigit, told))
    assert "no account" in said_no.lower()


def test_a_message_speaks_the_accounts_language(api, phone):
    UserFactory(msisdn=NUMBER, language="bn")
    post(api, "forgot-password", msisdn=NUMBER)
    assert "কোড" in phone.messages[-1][1]


@pytest.mark.parametrize("path", ["send-otp", "forgot-password"])
def test_a_second_message_must_wait(api, phone, path):
    assert post(api, path, msisdn=NUMBER).status_code == 200
    refused = post(api, path, msisdn="01712345678")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 30
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert len(phone.messages) == 1


def test_a_message_that_could_not_go_is_said(api, monkeypatch):
    class Broken:
        def send(self, to, text):
            raise Unavailable("sms", "no connection")

    monkeypatch.setattr(sms, "get_sender", Broken)
    answer = post(api, "send-otp", msisdn=NUMBER)
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "BAD_GATEWAY"


def test_the_console_keeps_code_and_number_to_itself(capsys, caplog, settings):
    caplog.set_level("INFO")
    sender = sms.get_sender()
    assert sender == sms.ConsoleSms(show_text=False)
    sender.send(NUMBER, "123456 is your code")
    assert "123456" not in caplog.text
    assert NUMBER not in caplog.text


def test_a_local_machine_prints_the_message(caplog):
    caplog.set_level("INFO")
    sms.ConsoleSms(show_text=True).send(NUMBER, "123456 is your code")
    assert "123456" in caplog.text


@responses.activate
def test_the_http_adapter_posts_json(settings):
    settings.SMS_URL, settings.SMS_TOKEN = "http://inbox.test/sms", "t0k"
    responses.post("http://inbox.test/sms", status=202)
    sms.get_sender().send(NUMBER, "hello")
    request = responses.calls[0].request
    assert json.loads(request.body) == {"to": NUMBER, "text": "hello"}
    assert request.headers["Authorization"] == "Bearer t0k"
    responses.replace("POST", "http://inbox.test/sms", status=400)
    with pytest.raises(Declined):
        sms.get_sender().send(NUMBER, "hello")

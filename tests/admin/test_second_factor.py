"""The staff's second factor, at the page and at the API; and what is written down of acts."""

import base64
import re
import time

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import RecoveryCode, SecondFactor, StaffAction
from accounts.services import begin_second_factor, confirm_second_factor
from accounts.services.second_factor import STEP, code_at
from accounts.tests.factories import PASSWORD, UserFactory
from fulfillment.tests.factories import stuck_order

pytestmark = pytest.mark.django_db
LOGIN, API = "/admin/login/", "/api/v1/admin/auth/login"


def code(key, *, steps=0):
    return code_at(base64.b32decode(key.replace(" ", "")), int(time.time()) // STEP + steps)


@pytest.fixture
def guarded():
    """One of the staff with a second factor: the user, the key, the recovery codes."""
    user = UserFactory(operator=True)
    key, _ = begin_second_factor(user)
    return user, key, confirm_second_factor(user, code(key, steps=-1), now=timezone.now())


def enter(client, user, otp=""):
    client.logout()
    fields = {"username": user.email, "password": PASSWORD, "otp_code": otp, "next": "/admin/"}
    return client.post(LOGIN, fields)


def ask(client, user, **more):
    body = {"email": user.email, "password": PASSWORD, **more}
    return client.post(API, body, content_type="application/json")


def test_the_codes_are_those_of_the_standard():
    """RFC 6238, appendix B, by six digits."""
    key = b"12345678901234567890"
    told = {59: "287082", 1111111109: "081804", 2000000000: "279037"}
    assert {at: code_at(key, at // STEP) for at in told} == told


def test_it_is_set_up_on_its_page(client):
    user = UserFactory(support=True)
    client.force_login(user)
    address = reverse("admin:second_factor")
    page = client.get(address).content.decode()
    key = re.search(r'full-code mono id">([A-Z2-7 ]+)<', page)[1]
    assert f"secret={key.replace(' ', '')}" in page
    assert re.search(r'<svg [^>]*class="qr"', page)
    assert " style=" not in page[page.index("<svg") : page.index("</svg>")]  # the policy forbids it
    me = {"password": PASSWORD}
    stranger = client.post(address, {"password": "guessed", "code": code(key)})
    assert "This is not your password." in stranger.content.decode()
    assert "not the code" in client.post(address, me | {"code": "000000"}).content.decode()
    assert not SecondFactor.objects.exclude(confirmed_at=None).exists()
    done = client.post(address, me | {"code": code(key)}).content.decode()
    codes = re.findall(r'<li class="id">([A-Z2-9-]+)<', done)
    assert len(codes) == 10
    assert "data-print" in done
    assert bytes(SecondFactor.objects.get().secret).find(base64.b32decode(key.replace(" ", ""))) < 0
    again = client.get(address).content.decode()
    assert key not in again
    assert codes[0] not in again
    assert client.post(address, me | {"code": "000000", "off": "1"}).status_code == 302
    stranger = client.post(address, {"password": "guessed", "code": codes[0], "off": "1"})
    assert "This is not your password." in stranger.content.decode()
    assert SecondFactor.objects.count() == 1
    client.post(address, me | {"code": codes[0], "off": "1"})
    assert (SecondFactor.objects.count(), RecoveryCode.objects.count()) == (0, 0)


def test_the_sign_in_page_asks_for_it(client, guarded):
    user, key, recovery = guarded
    assert "code is needed" in enter(client, user).content.decode()
    assert "not good" in enter(client, user, "000000").content.decode()
    fresh = code(key)
    assert enter(client, user, fresh).status_code == 302
    assert enter(client, user, fresh).status_code == 200  # a code is good once
    assert enter(client, user, recovery[0].lower()).status_code == 302
    assert enter(client, user, recovery[0]).status_code == 200
    plain = UserFactory(support=True)
    assert enter(client, plain).status_code == 302


def test_the_api_asks_for_it(client, guarded):
    user, key, recovery = guarded
    refused = ask(client, user)
    assert refused.status_code == 401
    assert refused.json()["error"]["details"][0]["field"] == "otp_code"
    assert ask(client, user, otp_code="123456").status_code == 401
    assert ask(client, user, otp_code=code(key)).status_code == 200
    assert ask(client, user, otp_code=recovery[1]).status_code == 200
    assert ask(client, UserFactory(operator=True)).status_code == 200


def test_codes_cannot_be_guessed(client, guarded, settings):
    settings.SIGN_IN_TRIES = 3
    user, key, _ = guarded
    for _ in range(3):
        assert ask(client, user, otp_code="000000").status_code == 401
    assert ask(client, user, otp_code=code(key)).status_code == 429
    assert "Too many tries" in enter(client, user, code(key)).content.decode()


def test_a_shop_may_demand_it(client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    user = UserFactory(operator=True)
    order = stuck_order()
    assert ask(client, user).status_code == 401
    client.force_login(user)
    for address in ("/admin/", f"/admin/orders/order/{order.pk}/change/"):
        assert client.get(address).url == reverse("admin:second_factor")
    client.post(f"/admin/orders/order/{order.pk}/retry/", {"item": order.items.get().pk})
    assert order.attempts.filter(type="PARTNER_RETRY").count() == 0
    key, _ = begin_second_factor(user)
    confirm_second_factor(user, code(key), now=timezone.now())
    assert client.get("/admin/").status_code == 200


def test_only_an_owner_switches_anothers_off(client, guarded):
    user, _, _ = guarded
    act = {"action": "forget_second_factor", "_selected_action": [user.pk]}
    client.force_login(UserFactory(operator=True))
    client.post("/admin/accounts/user/", act)
    assert SecondFactor.objects.count() == 1
    client.force_login(UserFactory(owner=True))
    client.post("/admin/accounts/user/", act)
    assert SecondFactor.objects.count() == 0


def test_what_the_staff_does_is_written_down(client, page):
    order = stuck_order()
    page.enter(order, "SECRET-CODE-0001", notes="n")
    client.get(f"/admin/orders/order/{order.pk}/change/")
    rows = StaffAction.objects.order_by("pk").values_list("user", "action", "path", "status")
    address = f"/admin/orders/order/{order.pk}/enter-codes/"
    assert list(rows) == [(page.user.pk, "orders_order_codes", address, 302)]
    client.post("/admin/orders/order/find/", {"q": "SECRET-CODE-0001"})
    assert StaffAction.objects.count() == 1
    enter(client, UserFactory(support=True), "")
    assert StaffAction.objects.first().action == "sign_in"
    client.logout()
    client.post(LOGIN, {"username": "x@example.com", "password": "x"})
    assert (StaffAction.objects.first().user, StaffAction.objects.first().status) == (None, 200)
    client.force_login(UserFactory(owner=True))
    told = client.get("/admin/accounts/staffaction/").content.decode()
    assert "order codes" in told
    assert "SECRET-CODE" not in told
    client.force_login(UserFactory(support=True))
    assert client.get("/admin/accounts/staffaction/").status_code == 403

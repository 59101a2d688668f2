"""What people with bad intentions try first; each row of docs/security.md names its proof."""

import logging
import re

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import PASSWORD, UserFactory, bearer
from catalog.tests.factories import VariantFactory
from fulfillment.models import FulfillmentAttempt
from fulfillment.tests.desk import Desk
from fulfillment.tests.factories import item_of, stuck_order
from orders.models import Order
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import GatewayCallback, Payment
from payments.tests.conftest import paystation, wire  # noqa: F401
from payments.tests.factories import PaymentFactory
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


def events(caplog, name):
    return [text for each in caplog.records if name in (text := each.getMessage())]


def order_body(**more):
    variant = VariantFactory(preloaded=True)
    VoucherFactory(variant=variant)
    items = [{"variant_id": variant.pk, "quantity": 1}]
    return {"items": items, "payment_method": "paystation", "init_payment": False, **more}


# Mass assignment


@pytest.mark.parametrize(
    "field",
    ["status", "total_amount", "paid_at", "customer_id", "order_number", "discount_amount",
     "risk_held", "__class__", "id"],
)  # fmt: skip
def test_nobody_sets_what_is_ours_with_an_order(field):
    user = UserFactory()
    answer = APIClient().post(
        f"{V1}/orders", order_body(**{field: "1"}), format="json", **bearer(user)
    )
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["error"]["details"]] == [field]
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    "field", ["is_staff", "is_superuser", "is_active", "groups", "user_permissions", "id", "msisdn"]
)
def test_nobody_promotes_themselves(field):
    user = UserFactory()
    answer = APIClient().patch(f"{V1}/client/profile", {field: True}, format="json", **bearer(user))
    assert answer.status_code in (400, 404, 405)
    fresh = User.objects.get(pk=user.pk)
    assert (fresh.is_staff, fresh.is_superuser, fresh.msisdn) == (False, False, user.msisdn)


# Brute force


def test_guessing_discount_codes_by_ordering_is_limited():
    user = UserFactory()
    body = order_body(discount_code="GUESS1")
    tries = [
        APIClient().post(f"{V1}/orders", body, format="json", **bearer(user)).status_code
        for _ in range(22)
    ]
    assert tries[:20] == [400] * 20
    assert tries[20:] == [429] * 2
    assert Order.objects.count() == 0


def test_an_order_of_somebody_else_is_like_one_that_is_not_there():
    mine, theirs = UserFactory(), OrderFactory(customer=UserFactory())
    for path in ("", "/cancel"):
        call = APIClient().post if path else APIClient().get
        one = call(f"{V1}/orders/{theirs.order_number}{path}", format="json", **bearer(mine))
        none = call(f"{V1}/orders/00000007{path}", format="json", **bearer(mine))
        assert one.status_code == none.status_code == 404
        assert one.json()["message"] == none.json()["message"]


@pytest.mark.parametrize(
    "liar", ["1.1.1.{n}", "127.0.0.1, 1.1.1.{n}", "1.1.1.{n}, 10.0.0.1", "{n}"]
)
def test_no_forwarded_for_buys_more_tries(settings, liar):
    """Without a proxy of ours the header is a customer's own words."""
    settings.TRUSTED_PROXIES = 0
    settings.SIGN_IN_TRIES = 2
    user = UserFactory()
    answers = []
    for n in range(25):
        body = {"msisdn": f"0171{n:07d}", "password": "wrong"}
        header = {"HTTP_X_FORWARDED_FOR": liar.format(n=n)}
        answers.append(APIClient().post(f"{V1}/auth/sign-in", body, format="json", **header))
    assert {each.status_code for each in answers[-3:]} == {429}
    right = {"msisdn": user.msisdn, "password": PASSWORD}
    last = APIClient().post(
        f"{V1}/auth/sign-in", right, format="json", HTTP_X_FORWARDED_FOR="9.9.9.9"
    )
    assert last.status_code == 429


# Callbacks


def test_a_replayed_callback_moves_no_money_twice(paystation):  # noqa: F811
    order = OrderFactory()
    item = OrderItemFactory(order=order, variant=VariantFactory(preloaded=True))
    VoucherFactory(order_item=item, status="reserved", sold_at=None, reserved_until=timezone.now())
    payment = PaymentFactory(order=order)
    paystation.pays(payment.reference)
    query = {"invoice_number": payment.reference, "status": "Successful", "trx_id": "T1"}
    for _ in range(5):
        APIClient().get(f"{V1}/payments/paystation/callback", query)
    assert FulfillmentAttempt.objects.count() == 1
    assert Payment.objects.filter(effective=True).count() == 1
    assert GatewayCallback.objects.get().times == 5


def test_a_callback_of_one_gateway_says_nothing_of_anothers_payment(paystation):  # noqa: F811
    payment = PaymentFactory(order=OrderFactory(), method="bkash")
    APIClient().get(f"{V1}/payments/paystation/callback", {"invoice_number": payment.reference})
    assert GatewayCallback.objects.get().payment_id is None
    payment.refresh_from_db()
    assert payment.status == "PENDING"


# Where a browser is sent, and what a header says


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_to_the_admin_sends_nobody_elsewhere(client, target):
    user = UserFactory(owner=True)
    answer = client.post(
        f"/admin/login/?next={target}",
        {"username": user.email, "password": PASSWORD, "next": target},
    )
    assert answer.status_code == 302
    assert "evil" not in answer["Location"]
    assert answer["Location"].startswith("/")


@pytest.mark.parametrize("bad", ["a\r\nSet-Cookie: x=y", "a\nb", "<script>", "x" * 500, "é" * 9])
def test_an_id_of_the_clients_breaks_no_header_and_no_log_line(bad):
    answer = APIClient().get("/healthz", HTTP_X_CORRELATION_ID=bad)
    assert re.fullmatch(r"[A-Za-z0-9_-]{8,64}", answer["X-Correlation-ID"])
    assert "Set-Cookie" not in answer.headers


def test_a_recipient_cannot_carry_a_second_header():
    user = UserFactory()
    for address in ("a@example.com\r\nBcc: evil@example.com", "a@example.com\nX: y", "a@b\x00.com"):
        answer = APIClient().post(
            f"{V1}/orders", order_body(recipient_email=address), format="json", **bearer(user)
        )
        assert answer.status_code == 400
    assert Order.objects.count() == 0


def test_links_are_made_of_our_own_address_and_not_of_the_host_header(settings, paystation):  # noqa: F811
    settings.ALLOWED_HOSTS = ["*"]
    settings.PUBLIC_BASE_URL = "https://shop.example.com"
    answer = APIClient().post(
        f"{V1}/orders", order_body(init_payment=True), format="json",
        HTTP_HOST="evil.example", **bearer(UserFactory()),
    )  # fmt: skip
    assert answer.status_code == 201
    (opened,) = paystation.opened
    assert opened["callback_url"].startswith("https://shop.example.com/")
    assert "evil.example" not in str(opened)


@pytest.mark.parametrize("verb", ["TRACE", "CONNECT", "PROPFIND"])
def test_odd_verbs_are_not_offered(verb):
    user = UserFactory()
    answer = APIClient().generic(verb, f"{V1}/orders", **bearer(user))
    assert answer.status_code == 405


def test_a_parameter_given_twice_is_read_once_and_the_same_way():
    user = UserFactory()
    OrderFactory(customer=user)
    answer = APIClient().get(f"{V1}/orders?limit=1&limit=100000", **bearer(user))
    assert answer.status_code in (200, 400)


# Codes in other clothes


@pytest.mark.parametrize(
    "twin",
    ["TWIN-CODE-0001-ABCD", "twin-code-0001-abcd", "ＴＷＩＮ-ＣＯＤＥ-0001-ABCD",
     "TWIN-CODE-0001-\u200bABCD", " TWIN-CODE-0001-ABCD\u00a0", "TWIN-CODE-0001-ＡBCD"],
)  # fmt: skip
def test_a_sold_code_in_other_clothes_is_not_sold_again(twin):
    VoucherFactory(
        order_item=OrderItemFactory(order=OrderFactory(paid=True)), code="TWIN-CODE-0001-ABCD"
    )
    order = stuck_order()
    desk = Desk(UserFactory(operator=True))
    item = item_of(order)
    codes = [{"code": twin}, *({"code": f"FRESH-{n}-XYZ"} for n in range(1, item.quantity))]
    desk.post(order, "manual-code", status=409, orderItemId=item.pk, codes=codes)
    assert Voucher.objects.filter(order_item=item).count() == 0


# What our pages and cookies say to a browser


def test_a_real_shops_cookies_and_headers(client):
    from bdvoucher.settings import base

    production = base.BASE_DIR / "bdvoucher" / "settings" / "production.py"
    text = production.read_text(encoding="utf-8")
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_INCLUDE_SUBDOMAINS"):
        assert f"{name} = True" in text
    user = UserFactory(owner=True)
    answer = client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    cookie = answer.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    page = client.get("/admin/")
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in page.headers


def test_no_answer_with_codes_is_kept_by_anybody_between():
    user = UserFactory()
    answer = APIClient().get(f"{V1}/orders", HTTP_ORIGIN="https://evil.example", **bearer(user))
    assert "no-store" in answer.headers.get("Cache-Control", "")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/", 301), ("/payments/return?ref=x", 301), ("/healthz", 200),
        (f"{V1}/orders", 403), ("/admin/orders/1/fulfillment/attempts", 403),
    ],
)  # fmt: skip
def test_only_pages_are_sent_on_to_https(settings, path, status):
    """A client that speaks plain http has shown its token to everybody on the way."""
    settings.SECURE_SSL_REDIRECT = True
    token = bearer(UserFactory(operator=True)) if status == 403 else {}
    answer = APIClient().get(path, **token)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["message"] == "Use https."
    assert APIClient().get(path, secure=True, **token).status_code not in (301, 403)


# A colleague who reads on


def test_nobody_reads_codes_by_the_thousand(settings):
    settings.CODES_READ_PER_HOUR = 2
    order = OrderFactory(paid=True)
    item = OrderItemFactory(order=order, quantity=3)
    for _ in range(3):
        VoucherFactory(order_item=item)
    greedy, other = Desk(UserFactory(operator=True)), Desk(UserFactory(operator=True))
    assert len(greedy.get(order)["data"]["voucher_codes"]) == 3
    assert greedy.get(order, status=429)["error"]["code"] == "RATE_LIMITED"
    assert len(other.get(order)["data"]["voucher_codes"]) == 3


def test_a_right_refused_is_an_event_of_its_own(caplog):
    support = UserFactory(support=True)
    order = stuck_order()
    answer = Desk(support).retry(order, item_of(order), status=403)
    assert answer["error"]["code"] == "FORBIDDEN"
    (event,) = events(caplog, "rights.refused")
    assert str(support.pk) in event


def test_what_is_tried_in_vain_is_an_event_without_what_was_sent(caplog):
    caplog.set_level(logging.INFO)
    token = bearer(UserFactory())
    APIClient().post(f"{V1}/orders", {"SECRET-CODE": 1}, format="json", **token)
    APIClient().get(f"{V1}/orders/12345678", **token)
    shown = events(caplog, "request.refused")
    assert [re.search(r"status\W+(\d+)", each)[1] for each in shown] == ["400", "404"]
    assert "SECRET-CODE" not in caplog.text


@pytest.mark.parametrize("door", ["customers", "staff"])
def test_every_try_to_sign_in_at_the_api_is_an_event(caplog, door):
    caplog.set_level(logging.INFO)
    if door == "staff":
        user = UserFactory(operator=True)
        path, name = f"{V1}/admin/auth/login", {"email": user.email}
    else:
        user = UserFactory()
        path, name = f"{V1}/auth/sign-in", {"msisdn": user.msisdn}
    for password in ("not this one", PASSWORD):
        APIClient().post(path, {**name, "password": password}, format="json")
    refused, accepted = events(caplog, "sign_in.tried")
    for shown in (refused, accepted):
        assert str(user.pk) in shown
        assert "127.0.0.1" in shown
    assert ("'ok': False" in refused, "'ok': True" in accepted) == (True, True)
    assert PASSWORD not in caplog.text

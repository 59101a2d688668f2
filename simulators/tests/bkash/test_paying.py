"""bKash as its contract has it: tokens, the hosted page, execute."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from simulators.bkash import Bkash
from simulators.frame.faults import TRANSPORT_NAMES
from simulators.frame.http import Drop
from simulators.frame.outbound import Delivery
from simulators.tests.bkash.merchant import (
    CALLBACK,
    HOST,
    KEYS,
    USER,
    WISH,
    Merchant,
    code_of,
    returned,
    service_with,
)

# Tokens.


def test_a_grant_and_a_refresh_each_give_a_token(bkash: Bkash) -> None:
    shop = Merchant(bkash)
    granted = json.loads(shop.grant().body)
    assert (granted["statusCode"], granted["token_type"]) == ("0000", "Bearer")
    assert granted["expires_in"] == 3600
    refreshed = shop.grant("/token/refresh", refresh_token=granted["refresh_token"])
    shop.token = json.loads(refreshed.body)["id_token"]
    assert shop.token != granted["id_token"]
    assert shop.create()["statusCode"] == "0000"


def test_an_unknown_refresh_token_is_refused(bkash: Bkash) -> None:
    shop = Merchant(bkash)
    assert code_of(shop.grant("/token/refresh", refresh_token="junk")) == "2079"
    assert code_of(shop.grant("/token/refresh")) == "2079"


@pytest.mark.parametrize(
    ("body", "headers", "status", "part"),
    [
        ({**KEYS, "app_key": "nobody"}, USER, 200, "2001"),
        ({**KEYS, "app_secret": "wrong"}, USER, 200, "2043"),
        (KEYS, {**USER, "password": "wrong"}, 401, "Unauthorized"),
        (KEYS, {}, 401, "Unauthorized"),
        (["x"], USER, 200, "2025"),
    ],
)
def test_wrong_credentials_get_no_token(
    bkash: Bkash, body: object, headers: dict[str, str], status: int, part: str
) -> None:
    response = Merchant(bkash).post("/token/grant", body, headers)
    assert response.status == status
    assert part in response.body.decode()
    assert b"id_token" not in response.body


def test_the_third_token_call_of_an_hour_is_refused_for_an_hour(bkash: Bkash) -> None:
    shop = Merchant(bkash)
    assert [shop.grant().status for _ in range(4)] == [200, 200, 429, 429]
    bkash.advance(3590)
    assert json.loads(shop.grant().body) == {"message": "Limit Exceeded"}
    bkash.advance(20)
    assert [shop.grant().status for _ in range(3)] == [200, 200, 429]


def test_token_calls_an_hour_apart_are_not_limited(bkash: Bkash) -> None:
    shop = Merchant(bkash)
    for _ in range(6):
        assert shop.grant().status == 200
        bkash.advance(1900)


def test_another_limit_counts_from_the_next_call_on(bkash: Bkash) -> None:
    bkash.change_settings({"token_limit": 20})
    assert [Merchant(bkash).grant().status for _ in range(21)] == [200] * 20 + [429]


def test_tokens_and_the_count_of_calls_outlive_a_restart(tmp_path: Path) -> None:
    old = service_with(tmp_path)
    shop = Merchant(old).login()
    payment = shop.paid()
    shop.refund(payment, "10")
    old.environment.store.write_dirty()
    shop.service = service_with(tmp_path)
    assert shop.query(payment[0])["transactionStatus"] == "Completed"
    assert shop.ask("/general/searchTransaction", trxID=payment[1])["maxRefundableAmount"] == (
        "90.00"
    )
    assert [shop.grant().status for _ in range(2)] == [200, 429]


PATHS = ["/create", "/execute", "/payment/status", "/general/searchTransaction", "/payment/refund"]


@pytest.mark.parametrize("path", PATHS)
def test_bad_tokens_are_401_everywhere(shop: Merchant, path: str) -> None:
    good = shop.token
    for token, key in (("", KEYS["app_key"]), ("junk", KEYS["app_key"]), (good, "")):
        response = shop.post(path, WISH, {"authorization": token, "x-app-key": key})
        assert (response.status, json.loads(response.body)) == (401, {"message": "Unauthorized"})
    shop.service.advance(3601)
    response = shop.post(path, WISH)
    assert response.status == 401
    assert json.loads(response.body) == {"message": "The incoming token has expired"}


def other_app(shop: Merchant) -> Merchant:
    other = Merchant(shop.service)
    other.app_key = "other-app-key"
    body = {"app_key": "other-app-key", "app_secret": "other-app-secret"}
    other.token = json.loads(shop.post("/token/grant", body, USER).body)["id_token"]
    return other


def test_a_token_of_another_app_is_refused(shop: Merchant) -> None:
    shop.token = other_app(shop).token
    assert shop.create()["statusCode"] == "2079"


def test_another_app_cannot_touch_our_payments(shop: Merchant) -> None:
    ids = shop.paid()
    other = other_app(shop)
    assert other.query(ids[0])["statusCode"] == "2002"
    assert other.execute(ids[0])["statusCode"] == "2002"
    assert other.refund(ids, "1")["statusCode"] == "2002"


@pytest.mark.parametrize("path", ["/token/grant", "/token/refresh"])
@pytest.mark.parametrize(
    ("fault", "status", "part"),
    [
        ("blocked", 429, "Limit Exceeded"),
        ("refused", 200, "2043"),
        ("text_expires_in", 200, '"3600"'),
        ("no_token", 200, '"0000"'),
    ],
)
def test_token_faults(bkash: Bkash, path: str, fault: str, status: int, part: str) -> None:
    bkash.change_settings({"token_limit": 9})
    shop = Merchant(bkash)
    refresher = json.loads(shop.grant().body)["refresh_token"]
    shop.fault(path.rpartition("/")[2], fault, times=1)
    bad, good = (shop.grant(path, refresh_token=refresher) for _ in range(2))
    assert bad.status == status
    assert part in bad.body.decode()
    assert (b"id_token" in bad.body) is (fault == "text_expires_in")
    assert json.loads(good.body)["expires_in"] == 3600


# Create and the hosted page.


def test_create_answers_with_everything_the_contract_lists(shop: Merchant) -> None:
    created = shop.create()
    back = f"{CALLBACK}&paymentID={created['paymentID']}&status="
    assert created["bkashURL"].startswith(f"{HOST}/bkash/pay/")
    assert created["successCallbackURL"] == f"{back}success"
    assert created["failureCallbackURL"] == f"{back}failure"
    assert created["cancelledCallbackURL"] == f"{back}cancel"
    assert created["transactionStatus"] == "Initiated"
    assert created["amount"] == "100.00"
    time_form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d:\d{3} GMT\+0600"
    assert re.fullmatch(time_form, created["paymentCreateTime"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": "0"}, "2006"),
        ({"amount": "1.234"}, "2006"),
        ({"amount": 100}, "2006"),
        ({"currency": "USD"}, "2007"),
        ({"intent": "gift"}, "2008"),
        ({"merchantInvoiceNumber": "A 1"}, "2031"),
        ({"payerReference": "<b>"}, "2048"),
        ({"payerReference": "x" * 256}, "2048"),
        ({"callbackURL": "shop"}, "2049"),
        ({"mode": "9"}, "2063"),
        ({"mode": "0000"}, "2064"),
        ({"amount": None}, "2065"),
    ],
)
def test_create_refuses_bad_members(shop: Merchant, changes: dict[str, object], code: str) -> None:
    assert shop.create(**changes)["statusCode"] == code
    assert shop.service.payments == {}


def test_create_refuses_a_body_that_is_no_object(shop: Merchant) -> None:
    assert code_of(shop.post("/create", ["x"])) == "2025"


def test_create_without_an_address(shop: Merchant) -> None:
    shop.fault("create", "no_url", times=1)
    assert "bkashURL" not in shop.create()


def test_the_page_is_filled_in_and_waits(shop: Merchant) -> None:
    created = shop.create(payerReference="01929918378")
    html = shop.page(created)
    for part in ('value="01929918378"', 'value="123456"', 'value="12121"', "100.00", "A-1"):
        assert part in html
    assert shop.query(created["paymentID"])["verificationStatus"] == "Incomplete"
    assert shop.send("GET", "/bkash/pay/unknown", {}, b"").status == 404
    assert shop.send("POST", "/bkash/pay/unknown", {}, b"").status == 404


@pytest.mark.parametrize(
    ("action", "status", "verified"),
    [
        ("pay", "success", "Complete"),
        ("fail", "failure", "Incomplete"),
        ("cancel", "cancel", "Incomplete"),
    ],
)
def test_buttons_lead_back_and_move_no_money(
    shop: Merchant, action: str, status: str, verified: str
) -> None:
    created = shop.create()
    way = returned(shop.press(created, action))
    assert way == {"order": "7", "paymentID": created["paymentID"], "status": status}
    query = shop.query(created["paymentID"])
    assert (query["transactionStatus"], query["verificationStatus"]) == ("Initiated", verified)
    assert "trxID" not in query
    assert "paymentExecuteTime" not in query
    assert shop.charges() == {"A-1": 0}
    assert shop.press(created, "pay").status == 200  # decided: the page says so
    assert 'name="action"' not in shop.page(created)


def test_wrong_entries_stay_on_the_page_until_the_third(shop: Merchant) -> None:
    created = shop.create()
    assert b"code is wrong" in shop.press(created, otp="000000").body
    assert b"PIN is wrong" in shop.press(created, pin="00000").body
    assert returned(shop.press(created, pin="00000"))["status"] == "failure"


@pytest.mark.parametrize(("fault", "status"), [("declined", "failure"), ("cancelled", "cancel")])
def test_pay_faults(shop: Merchant, fault: str, status: str) -> None:
    shop.fault("pay", fault, times=1)
    assert returned(shop.press(shop.create()))["status"] == status


@pytest.mark.parametrize(
    ("fault", "pressed", "expected"),
    [
        ("forged_success", "cancel", {"status": "success"}),
        ("wrong_status", "pay", {"status": "unknown"}),
        ("wrong_payment_id", "pay", {"paymentID": "TR0011NOTYOURS"}),
    ],
)
def test_callback_faults(
    shop: Merchant, fault: str, pressed: str, expected: dict[str, str]
) -> None:
    shop.fault("callback", fault)
    assert expected.items() <= returned(shop.press(shop.create(), pressed)).items()


def test_the_newer_callback_is_signed(shop: Merchant) -> None:
    shop.service.change_settings({"callback_signature": True})
    assert {"signature", "apiVersion"} <= returned(shop.press(shop.create())).keys()


def test_a_return_may_be_missing_doubled_or_late(shop: Merchant, sent: list[Delivery]) -> None:
    shop.fault("callback", "never", times=1)
    shop.fault("callback", "repeat", times=1)
    shop.fault("callback", "late", times=1, seconds=30)
    answers = [shop.press(shop.create(merchantInvoiceNumber=name)).status for name in "ABC"]
    assert answers == [200, 303, 200]
    shop.service.run_due()
    assert [delivery.kind for delivery in sent] == ["return"]  # the second visit of B
    shop.service.advance(31)
    assert [delivery.kind for delivery in sent] == ["return", "return"]  # and C, late


# Execute.


def test_execute_moves_the_money_once(shop: Merchant) -> None:
    payment_id = shop.confirmed()
    done = shop.execute(payment_id)
    assert done["statusCode"] == "0000"
    assert done["transactionStatus"] == "Completed"
    assert (done["amount"], done["currency"]) == ("100.00", "BDT")
    assert (done["payerReference"], done["merchantInvoiceNumber"]) == ("CUSTOMER7", "A-1")
    assert done["customerMsisdn"] == "01770618575"
    assert len(done["trxID"]) == 10
    assert shop.execute(payment_id)["statusCode"] == "2062"
    assert shop.charges() == {"A-1": 1}
    query = shop.query(payment_id)
    assert (query["transactionStatus"], query["trxID"]) == ("Completed", done["trxID"])
    assert query["paymentExecuteTime"] == done["paymentExecuteTime"]


def test_an_authorization_is_captured_or_voided(shop: Merchant) -> None:
    first = shop.confirmed(intent="authorization")
    assert shop.execute(first)["transactionStatus"] == "Authorized"
    assert shop.query(first)["transactionStatus"] == "Authorized"
    assert shop.charges() == {"A-1": 0}
    assert shop.ask("/payment/confirm/capture", paymentID=first)["statusCode"] == "0000"
    assert shop.charges() == {"A-1": 1}
    assert shop.ask("/payment/confirm/void", paymentID=first)["statusCode"] == "2080"
    second = shop.confirmed(intent="authorization", merchantInvoiceNumber="A-2")
    shop.execute(second)
    assert shop.ask("/payment/confirm/void", paymentID=second)["statusCode"] == "0000"
    assert shop.ask("/payment/confirm/capture", paymentID=second)["statusCode"] == "2080"
    assert shop.charges() == {"A-1": 1, "A-2": 0}


def test_execute_before_the_payer_is_done_spoils_the_payment(shop: Merchant) -> None:
    created = shop.create()
    assert shop.execute(created["paymentID"])["statusCode"] == "2056"
    assert shop.press(created).status == 303
    for _ in range(2):
        assert shop.execute(created["paymentID"])["statusCode"] == "2117"
    assert shop.charges() == {"A-1": 0}


def test_execute_of_a_cancelled_or_unknown_payment(shop: Merchant) -> None:
    created = shop.create()
    shop.press(created, "cancel")
    assert shop.execute(created["paymentID"])["statusCode"] == "2069"
    assert shop.execute("nobody")["statusCode"] == "2002"


@pytest.mark.parametrize(("wallet", "code"), [("01823074817", "2023"), ("01823074818", "2003")])
def test_special_wallets(shop: Merchant, wallet: str, code: str) -> None:
    created = shop.create()
    assert returned(shop.press(created, wallet=wallet))["status"] == "success"
    assert shop.execute(created["paymentID"])["statusCode"] == code
    assert shop.execute(created["paymentID"])["statusCode"] == "2117"
    assert shop.charges() == {"A-1": 0}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("insufficient_balance", "2023"),
        ("wrong_pin", "2014"),
        ("duplicate_transaction", "2029"),
    ],
)
def test_refused_executes_take_nothing(shop: Merchant, fault: str, code: str) -> None:
    shop.fault("execute", fault, times=1, match={"reference": "A-1"})
    payment_id = shop.confirmed()
    shop.paid(merchantInvoiceNumber="A-2")
    assert shop.execute(payment_id)["statusCode"] == code
    assert shop.execute(payment_id)["statusCode"] == "2117"
    query = shop.query(payment_id)
    assert (query["transactionStatus"], query["verificationStatus"]) == ("Initiated", "Complete")
    assert shop.charges() == {"A-1": 0, "A-2": 1}


def test_equal_payments_in_a_short_time_if_asked_for(shop: Merchant) -> None:
    shop.service.change_settings({"duplicate_window": 120})
    shop.paid()
    second = shop.confirmed(merchantInvoiceNumber="A-2")
    assert shop.execute(second)["statusCode"] == "2029"
    assert shop.paid(merchantInvoiceNumber="A-3", amount="7.00")
    shop.service.advance(121)
    assert shop.paid(merchantInvoiceNumber="A-4")


@pytest.mark.parametrize(
    ("fault", "moved"),
    [(name, name.endswith("_after")) for name in sorted(TRANSPORT_NAMES) if "_" in name]
    + [("slow", True), ("cut_half", True), ("wrong_type", True), ("hang", False)],
)
def test_transport_faults_of_execute_with_and_without_the_money(
    shop: Merchant, fault: str, moved: bool
) -> None:
    moved = moved or fault in ("cut_half", "wrong_type")
    payment_id = shop.confirmed()
    shop.fault("execute", fault, times=1)
    response = shop.post("/execute", {"paymentID": payment_id})
    if fault.startswith("cut_") and fault != "cut_half":
        assert response.drop is Drop.EVERYTHING
    assert shop.charges() == {"A-1": int(moved)}
    status = "Completed" if moved else "Initiated"
    assert shop.query(payment_id)["transactionStatus"] == status


def test_a_message_or_nothing_at_all_with_status_200(shop: Merchant) -> None:
    payment_id = shop.confirmed()
    for fault in ("message", "empty"):
        shop.fault("execute", fault, times=1)
    first, second = (shop.post("/execute", {"paymentID": payment_id}) for _ in range(2))
    assert (first.status, list(json.loads(first.body))) == (200, ["message"])
    assert (second.status, second.body) == (200, b"")


def test_expired_token_fault_does_nothing(shop: Merchant) -> None:
    payment_id = shop.confirmed()
    shop.fault("execute", "expired_token", times=1)
    assert shop.post("/execute", {"paymentID": payment_id}).status == 401
    assert shop.execute(payment_id)["statusCode"] == "0000"


def test_unclear_execute_completes_later(shop: Merchant) -> None:
    shop.fault("execute", "pending", times=1, seconds=30)
    payment_id = shop.confirmed()
    assert shop.execute(payment_id)["statusCode"] == "2127"
    assert shop.execute(payment_id)["statusCode"] == "2117"
    assert shop.query(payment_id)["transactionStatus"] == "Initiated"
    shop.service.advance(31)
    assert shop.query(payment_id)["transactionStatus"] == "Completed"
    assert shop.charges() == {"A-1": 1}


def test_another_sum_taken_shows_everywhere(shop: Merchant) -> None:
    shop.fault("execute", "wrong_amount", times=1, amount="99.00")
    payment_id = shop.confirmed()
    assert shop.execute(payment_id)["amount"] == shop.query(payment_id)["amount"] == "99.00"

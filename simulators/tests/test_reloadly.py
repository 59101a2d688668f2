"""Reloadly as its contract has it, over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import pytest

ME = {
    "client_id": "demo-client",
    "client_secret": "demo-client-secret",
    "grant_type": "client_credentials",
    "audience": "https://giftcards-sandbox.reloadly.com",
}
V1 = "application/com.reloadly.giftcards-v1+json"
V2 = "application/com.reloadly.giftcards-v2+json"
FULL = 100_000


def granted(live, **changes):
    return live.post("/reloadly/oauth/token", json=ME | changes)


@pytest.fixture
def key(live):
    return {"Authorization": f"Bearer {granted(live).json()['access_token']}"}


def get(live, key, path, accept=V1, **params):
    return live.get(f"/reloadly{path}", headers={**key, "Accept": accept}, params=params)


def buy(live, key, number="A1", product=18, price=800, **more):
    body = {
        "productId": product,
        "quantity": 1,
        "unitPrice": price,
        "senderName": "Shop",
        "customIdentifier": number,
        **more,
    }
    return live.post("/reloadly/orders", headers=key, json=body)


def found(live, key, number="A1", **params):
    return get(live, key, "/reports/transactions", customIdentifier=number, **params)


def rows(live, key, number="A1", **params):
    return found(live, key, number, **params).json()["content"]


def cards(live, key, transaction_id, accept=V1):
    return get(live, key, f"/orders/transactions/{transaction_id}/cards", accept)


def wallet(live, key):
    return get(live, key, "/accounts/balance").json()["balance"]


# The token.


def test_a_token_opens_the_rest(live, key):
    answer = granted(live).json()
    assert set(answer) == {"access_token", "scope", "expires_in", "token_type"}
    assert (answer["expires_in"], answer["token_type"]) == (86400, "Bearer")
    assert get(live, key, "/accounts/balance").status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_secret": "x"}, ("error", "access_denied")),
        ({"client_id": "x"}, ("error", "access_denied")),
        ({"grant_type": "password"}, ("error", "access_denied")),
        ({"audience": "https://giftcards.reloadly.com"}, ("errorCode", "INVALID_AUDIENCE")),
    ],
)
def test_wrong_credentials_get_no_token(live, changes, said):
    answer = granted(live, **changes)
    assert (answer.status_code, answer.json()[said[0]]) == (401, said[1])


def test_tokens_run_out_and_are_forgotten(live, key):
    for headers, code in (
        ({}, "MISSING_TOKEN"),
        ({"Authorization": "Bearer x"}, "INVALID_TOKEN"),
    ):
        answer = live.get("/reloadly/accounts/balance", headers=headers)
        assert (answer.status_code, answer.json()["errorCode"]) == (401, code)
    live.control("reloadly/expire_tokens", at_once=True)
    assert get(live, key, "/accounts/balance").json()["errorCode"] == "TOKEN_EXPIRED"
    live.fault("reloadly", "token", "short_life", expires_in=30, times=1)
    short = {"Authorization": f"Bearer {granted(live).json()['access_token']}"}
    assert get(live, short, "/accounts/balance").status_code == 200
    live.control("reloadly/advance", seconds=31)
    assert get(live, short, "/accounts/balance").json()["errorCode"] == "TOKEN_EXPIRED"


@pytest.mark.parametrize("operation", ["order", "cards", "report", "balance", "products"])
def test_a_token_may_be_refused_in_the_middle(live, key, operation):
    live.fault("reloadly", operation, "token_expired", times=1)
    live.fault("reloadly", operation, "too_many", times=1)
    live.fault("reloadly", operation, "token_lost", times=1)
    call = {
        "order": lambda: buy(live, key),
        "cards": lambda: cards(live, key, 1),
        "report": lambda: found(live, key),
        "balance": lambda: get(live, key, "/accounts/balance"),
        "products": lambda: get(live, key, "/products"),
    }[operation]
    assert call().json()["errorCode"] == "TOKEN_EXPIRED"
    limited = call()
    assert limited.status_code == 429
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(
        limited.headers
    )
    assert "Retry-After" not in limited.headers
    assert call().json()["errorCode"] == "INVALID_TOKEN"
    assert live.ledger("reloadly")["transactions"] == []


@pytest.mark.parametrize("fault", ["refused", "no_token", "text_expires_in"])
def test_odd_answers_of_the_token_call(live, fault):
    live.fault("reloadly", "token", fault, times=1)
    answer = granted(live)
    assert answer.status_code == (401 if fault == "refused" else 200)
    said = {"refused": None, "no_token": 86400, "text_expires_in": "86400"}
    assert answer.json().get("expires_in") == said[fault]
    assert ("access_token" in answer.json()) is (fault == "text_expires_in")
    assert granted(live).status_code == 200


# The catalogue.


def test_products_come_in_pages_and_as_an_array(live, key):
    first = get(live, key, "/products", size=10).json()
    assert (first["first"], first["last"], first["number"]) == (True, False, 0)
    everything = [
        row
        for page in range(1, first["totalPages"] + 1)
        for row in get(live, key, "/products", size=10, page=page).json()["content"]
    ]
    assert len({row["productId"] for row in everything}) == first["totalElements"] > 20
    assert {row["denominationType"] for row in everything} == {"FIXED", "RANGE"}
    assert any("maxrecipientDenomination" in row for row in everything)
    assert all("byLink" not in row for row in everything)
    live.fault("reloadly", "products", "array", times=1)
    assert isinstance(get(live, key, "/products").json(), list)
    assert get(live, key, "/products", page=0).status_code == 400


def test_one_product_and_those_of_a_country(live, key):
    one = get(live, key, "/products/18").json()
    assert one["fixedRecipientToSenderDenominationsMap"]["800.00"] == pytest.approx(7.24)
    assert get(live, key, "/products/999").json()["errorCode"] == "INVALID_PRODUCT"
    assert {r["country"]["isoName"] for r in get(live, key, "/countries/BD/products").json()} == {
        "BD"
    }
    assert get(live, key, "/products", productName="netflix").json()["totalElements"] == 1


# Orders.


def test_an_order_is_charged_once_and_has_its_card(live, key):
    said = buy(live, key).json()
    assert (said["status"], said["customIdentifier"], said["amount"]) == ("SUCCESSFUL", "A1", 7.24)
    assert said["balanceInfo"]["cost"] == 7.24
    assert said["balanceInfo"]["newBalance"] == wallet(live, key) == FULL - 7.24
    (card,) = cards(live, key, said["transactionId"]).json()
    assert set(card) == {"cardNumber", "pinCode"}
    assert card["cardNumber"].startswith("REL-")
    (row,) = rows(live, key)
    assert row["transactionId"] == said["transactionId"]
    assert "balanceInfo" not in row
    ledger = live.ledger("reloadly")
    assert ledger["charges"] == {"A1": 1}
    assert ledger["codes"] == [{"customIdentifier": "A1", "code": card["cardNumber"]}]


def test_links_in_both_versions(live, key):
    number = buy(live, key, product=31, price=10).json()["transactionId"]
    (old,) = cards(live, key, number).json()
    (new,) = cards(live, key, number, V2).json()
    assert old["cardNumber"].startswith("https://")
    assert (old["pinCode"], "redemptionUrl" in old) == (None, False)
    assert new["redemptionUrl"] == old["cardNumber"]


def test_a_range_and_its_limits(live, key):
    assert buy(live, key, "A1", 15, 12.5).json()["amount"] == 12.0
    for price in (4.99, 100.01, "12", None, True):
        assert buy(live, key, "A2", 15, price).json()["errorCode"] == "WRONG_PRODUCT_PRICE"
    assert buy(live, key, "A3", 18, 801).json()["errorCode"] == "WRONG_PRODUCT_PRICE"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"productId": 999}, 404, "INVALID_PRODUCT"),
        ({"productId": 60}, 404, "INVALID_PRODUCT"),
        ({"quantity": 0}, 400, "INVALID_INPUT_PROVIDED"),
        ({"senderName": ""}, 400, "INVALID_INPUT_PROVIDED"),
        ({"customIdentifier": "x" * 151}, 400, "INVALID_INPUT_PROVIDED"),
        ({"productId": 50, "unitPrice": 5}, 400, "INVALID_INPUT_PROVIDED"),
    ],
)
def test_bad_orders(live, key, more, status, code):
    answer = buy(live, key, **more)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert live.ledger("reloadly")["transactions"] == []
    assert wallet(live, key) == FULL


def test_a_product_may_need_the_users_id(live, key):
    asked = {"productAdditionalRequirements": {"userId": "P7"}}
    assert buy(live, key, "A1", 50, 5, **asked).json()["status"] == "SUCCESSFUL"


def test_a_used_identifier_buys_nothing_more(live, key):
    buy(live, key)
    again = buy(live, key, product=5, price=10)
    said = again.json()
    assert (again.status_code, said["errorCode"]) == (400, "CUSTOM_IDENTIFIER_ALREADY_USED")
    assert live.ledger("reloadly")["charges"] == {"A1": 1}
    live.fault("reloadly", "order", "race", times=1)
    assert buy(live, key).status_code == 200
    assert live.ledger("reloadly")["charges"] == {"A1": 2}
    assert len(rows(live, key)) == 2
    live.fault("reloadly", "order", "twice", times=1)
    buy(live, key, "B1")
    assert live.ledger("reloadly")["charges"] == {"A1": 2, "B1": 2}
    assert len({entry["code"] for entry in live.ledger("reloadly")["codes"]}) == 4


def test_pieces_of_one_order(live, key):
    number = buy(live, key, quantity=3).json()["transactionId"]
    assert len(cards(live, key, number).json()) == 3
    assert wallet(live, key) == pytest.approx(FULL - 3 * 7.24)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("out_of_stock", 400, None),
        ("invalid_input", 400, "INVALID_INPUT_PROVIDED"),
        ("wrong_price", 400, "WRONG_PRODUCT_PRICE"),
        ("invalid_product", 404, "INVALID_PRODUCT"),
        ("insufficient_balance", 400, "INSUFFICIENT_BALANCE"),
        ("cannot_process", 400, "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT"),
    ],
)
def test_refused_orders(live, key, fault, status, code):
    live.fault("reloadly", "order", fault, times=1)
    answer = buy(live, key)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert answer.json()["message"]
    assert rows(live, key) == []


def test_refusals_in_other_shapes(live, key):
    live.fault("reloadly", "order", "framework_error", status=415, times=1)
    assert set(buy(live, key).json()) == {"timestamp", "status", "error", "path"}
    for fault, status in (("html_refusal", 400), ("html_502", 502)):
        live.fault("reloadly", "order", fault, times=1)
        answer = buy(live, key)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            status,
            "text/html; charset=utf-8",
        )
    assert rows(live, key) == []


@pytest.mark.parametrize("fault", ["cannot_process_after", "html_502_after", "cut_json_after"])
def test_bought_although_the_answer_says_otherwise(live, key, fault):
    live.fault("reloadly", "order", fault, times=1)
    answer = buy(live, key)
    assert fault == "cut_json_after" or answer.status_code >= 400
    assert [row["status"] for row in rows(live, key)] == ["SUCCESSFUL"]
    assert live.ledger("reloadly")["charges"] == {"A1": 1}


@pytest.mark.parametrize(
    "slow", [("pending", "PENDING", 5), ("processing", "PROCESSING", 20)], ids=lambda slow: slow[0]
)
@pytest.mark.parametrize(("then", "charges"), [("SUCCESSFUL", 1), ("REFUNDED", 0), ("FAILED", 1)])
def test_an_order_may_take_its_time(live, key, slow, then, charges):
    fault, first, seconds = slow
    live.fault("reloadly", "order", fault, then=then)
    said = buy(live, key).json()
    assert said["status"] == first
    assert cards(live, key, said["transactionId"]).status_code == 404
    live.control("reloadly/advance", seconds=seconds)
    assert rows(live, key)[0]["status"] == then
    assert live.ledger("reloadly")["charges"] == {"A1": charges}


def test_an_order_may_be_stuck_until_somebody_ends_it(live, key):
    live.fault("reloadly", "order", "pending", seconds=None)
    buy(live, key)
    live.control("reloadly/advance", seconds=10**6)
    live.control("reloadly/finish", customIdentifier="A1")
    key = {"Authorization": f"Bearer {granted(live).json()['access_token']}"}
    assert rows(live, key)[0]["status"] == "SUCCESSFUL"
    wrong = live.post("/control/reloadly/finish", json={"customIdentifier": "A2"})
    assert wrong.status_code == 400


def test_money_comes_back_at_once_or_later(live, key):
    live.fault("reloadly", "order", "refunded", times=1)
    assert buy(live, key, "A1").json()["status"] == "REFUNDED"
    assert wallet(live, key) == FULL
    live.fault("reloadly", "order", "failed", seconds=60, times=1)
    assert buy(live, key, "A2").json()["status"] == "FAILED"
    assert wallet(live, key) == FULL - 7.24
    assert live.ledger("reloadly")["charges"] == {"A1": 0, "A2": 1}
    live.control("reloadly/advance", seconds=61)
    assert rows(live, key, "A2")[0]["status"] == "REFUNDED"
    assert wallet(live, key) == FULL
    assert live.ledger("reloadly")["charges"] == {"A1": 0, "A2": 0}


def test_an_empty_wallet(live, key):
    live.control("reloadly/wallet", balance=7.23)
    assert buy(live, key).json()["errorCode"] == "INSUFFICIENT_BALANCE"
    live.control("reloadly/wallet", balance=7.24)
    assert buy(live, key).json()["status"] == "SUCCESSFUL"
    assert wallet(live, key) == 0
    live.fault("reloadly", "balance", "empty_wallet")
    assert wallet(live, key) == 0


# Cards.


@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        ("fewer_cards", lambda cards: cards == []),
        ("more_cards", lambda cards: len(cards) == 2),
        ("empty_card", lambda cards: cards == [{"cardNumber": None, "pinCode": ""}]),
        ("null_pin", lambda cards: cards[0]["pinCode"] is None and cards[0]["cardNumber"]),
        ("leading_zero", lambda cards: cards[0]["cardNumber"].startswith("00")),
        ("number_card", lambda cards: isinstance(cards[0]["cardNumber"], int)),
        ("link_in_card_number", lambda cards: cards[0]["cardNumber"].startswith("https://")),
    ],
)
def test_cards_may_be_odd(live, key, fault, holds):
    live.fault("reloadly", "order", fault)
    assert holds(cards(live, key, buy(live, key).json()["transactionId"]).json())


def test_cards_may_come_later_than_success(live, key):
    live.fault("reloadly", "cards", "not_ready", within=20)
    number = buy(live, key).json()["transactionId"]
    assert cards(live, key, number).status_code == 404
    live.control("reloadly/advance", seconds=21)
    assert len(cards(live, key, number).json()) == 1
    live.control("reloadly/faults", "DELETE")
    for fault, holds in (
        ("no_cards", lambda said: said == []),
        ("more", lambda said: len(said) == 2),
        ("not_a_list", lambda said: isinstance(said, dict)),
    ):
        live.fault("reloadly", "cards", fault, times=1)
        assert holds(cards(live, key, number).json())


def test_codes_are_unique_unless_asked_otherwise(live, key):
    for n in range(20):
        buy(live, key, f"A{n}")
    codes = [entry["code"] for entry in live.ledger("reloadly")["codes"]]
    assert len(set(codes)) == 20
    live.fault("reloadly", "order", "same_code", times=1)
    buy(live, key, "B1")
    assert live.ledger("reloadly")["codes"][-1]["code"] == codes[-1]


# The report.


def test_the_report_searches_loosely_and_in_a_window(live, key):
    for number in ("A1", "a1", "A10"):
        buy(live, key, number)
    assert [row["customIdentifier"] for row in rows(live, key)] == ["A10", "a1", "A1"]
    page = found(live, key, size=2, page=2).json()
    assert (len(page["content"]), page["last"], page["totalElements"]) == (1, True, 3)
    assert rows(live, key, startDate="2100-01-01 00:00:00") == []
    assert rows(live, key, endDate="2000-01-01 00:00:00") == []
    live.fault("reloadly", "report", "array", times=1)
    assert len(found(live, key).json()) == 3
    live.fault("reloadly", "report", "similar", times=1)
    assert [row["customIdentifier"] for row in rows(live, key)] == ["a1", "A10", "a1", "A1"]
    assert found(live, key, page=0).status_code == 400


def test_the_report_may_lag(live, key):
    live.fault("reloadly", "report", "lag", within=20)
    buy(live, key)
    assert rows(live, key) == []
    live.control("reloadly/advance", seconds=21)
    assert len(rows(live, key)) == 1


def test_one_transaction(live, key):
    number = buy(live, key).json()["transactionId"]
    assert get(live, key, f"/reports/transactions/{number}").json()["customIdentifier"] == "A1"
    assert get(live, key, "/reports/transactions/1").json()["errorCode"] == "TRANSACTION_NOT_FOUND"
    live.fault("reloadly", "report", "not_found", times=1)
    assert found(live, key).status_code == 404
    live.fault("reloadly", "report", "status_text", text="SHIPPED", times=1)
    assert rows(live, key)[0]["status"] == "SHIPPED"


# The webhook.


def listen(live, merchant, **settings):
    live.control("reloadly/settings", webhook_url=f"{merchant.url}/hook", webhook_waits=[])
    if settings:
        live.control("reloadly/settings", **settings)


def signed(heard):
    secret = "demo-reloadly-webhook-secret"
    stamp = heard.headers["x-reloadly-request-timestamp"]
    text = heard.body + f":{stamp}".encode()
    good = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return heard.headers.get("x-reloadly-signature") == good


@pytest.mark.parametrize(("unit", "factor"), [("seconds", 1), ("milliseconds", 1000)])
def test_the_webhook_is_signed(live, key, merchant, unit, factor):
    listen(live, merchant, webhook_stamp=unit)
    number = buy(live, key).json()["transactionId"]
    (heard,) = merchant.wait(1)
    assert json.loads(heard.body) == {
        "type": "giftcard_transaction.status",
        "data": {"transactionId": number, "customIdentifier": "A1", "status": "SUCCESSFUL"},
    }
    assert signed(heard)
    stamp = int(heard.headers["x-reloadly-request-timestamp"]) / factor
    assert abs(stamp - time.time()) < 10


@pytest.mark.parametrize("fault", ["wrong_signature", "no_signature", "old_stamp", "repeat"])
def test_webhook_faults(live, key, merchant, fault):
    listen(live, merchant)
    live.fault("reloadly", "webhook", fault, count=3)
    buy(live, key)
    heard = merchant.wait(3 if fault == "repeat" else 1)
    assert len(heard) == (3 if fault == "repeat" else 1)
    assert signed(heard[0]) is (fault in ("old_stamp", "repeat"))
    age = time.time() - int(heard[0].headers["x-reloadly-request-timestamp"])
    assert (age > 3000) is (fault == "old_stamp")


def test_the_webhook_is_retried_and_may_come_first(live, key, merchant):
    listen(live, merchant, webhook_waits=[0.01, 0.01])
    merchant.script = [500]
    live.fault("reloadly", "order", "webhook_first", times=1)
    buy(live, key)
    assert len(merchant.heard) >= 1
    assert len(merchant.wait(2)) == 2


def test_a_forged_success(live, key, merchant):
    listen(live, merchant)
    live.fault("reloadly", "order", "pending", seconds=None)
    live.fault("reloadly", "webhook", "forged_success", times=1)
    buy(live, key)
    assert json.loads(merchant.wait(1)[0].body)["data"]["status"] == "SUCCESSFUL"
    live.control("reloadly/forge", customIdentifier="A1")
    assert not signed(merchant.wait(2)[1])
    live.control("reloadly/forge", customIdentifier="A1", right_signature=True)
    assert signed(merchant.wait(3)[2])
    assert rows(live, key)[0]["status"] == "PENDING"


def test_silence_before_and_after_the_charge(live, key):
    live.fault("reloadly", "order", "rate_limited", times=1, retry_after=7)
    assert buy(live, key).headers["Retry-After"] == "7"
    live.fault("reloadly", "order", "error_500_before", times=1)
    assert buy(live, key, "A1").status_code == 500
    live.fault("reloadly", "order", "error_500_after", times=1)
    assert buy(live, key, "A2").status_code == 500
    assert live.ledger("reloadly")["charges"] == {"A2": 1}

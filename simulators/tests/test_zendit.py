"""Zendit as its contract has it, over HTTP."""

from __future__ import annotations

import json
import threading
import time

import pytest

API = "/zendit/v1"
BUY = f"{API}/vouchers/purchases"
KEY = {"Authorization": "Bearer sand_demo"}
FULL = 10_000_000


def get(live, path, **params):
    return live.get(API + path, headers=KEY, params=params)


def buy(live, number="A1", offer="NETFLIX_500", **more):
    body = {"offerId": offer, "transactionId": number, **more}
    return live.post(BUY, headers=KEY, json=body)


def seen(live, number="A1"):
    return get(live, f"/vouchers/purchases/{number}").json()


def ended(live, number="A1", offer="NETFLIX_500", **more):
    assert buy(live, number, offer, **more).json() == {
        "status": "ACCEPTED",
        "transactionId": number,
    }
    live.control("zendit/advance", seconds=1)
    return seen(live, number)


def available(live):
    return get(live, "/balance").json()["availableBalance"]


def test_the_key_is_needed(live):
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "sand_demo"}):
        answer = live.get(f"{API}/balance", headers=headers)
        assert (answer.status_code, answer.json()["errorCode"]) == (401, "NOT_AUTHORIZED")


def test_the_catalogue_has_every_kind(live):
    first = get(live, "/vouchers/offers", _limit=10).json()
    assert (first["limit"], first["offset"], len(first["list"])) == (10, 0, 10)
    assert first["total"] > 20
    rows = [
        row
        for offset in range(0, first["total"], 10)
        for row in get(live, "/vouchers/offers", _limit=10, _offset=offset).json()["list"]
    ]
    assert len({row["offerId"] for row in rows}) == first["total"]
    assert {row["priceType"] for row in rows} == {"FIXED", "RANGE"}
    assert {row["send"]["currencyDivisor"] for row in rows} == {1, 100, 1000}
    assert {row["enabled"] for row in rows} == {True, False}
    required = {row["offerId"]: row["requiredFields"] for row in rows}
    assert required["FF_100_DIAMONDS"] == ["player_id"]
    assert required["ROBI_BD_100"] == ["recipient.msisdn"]
    assert {"NETFLIX_500", "ZEN_GAME_1100"} <= required.keys()
    assert all("expiresDays" not in row for row in rows)


def test_offers_by_brand_country_and_id(live):
    rows = get(live, "/vouchers/offers", brand="NETFLIX", country="BD").json()["list"]
    assert {row["brand"] for row in rows} == {"NETFLIX"}
    assert get(live, "/vouchers/offers", regions="Asia", subType="Mobile").json()["total"] == 1
    assert get(live, "/vouchers/offers/NETFLIX_500").json()["cost"]["fixed"] == 455
    assert get(live, "/vouchers/offers/NOTHING").status_code == 404


@pytest.mark.parametrize(
    "params", [{"_limit": "0"}, {"_limit": "1025"}, {"_limit": "x"}, {"_offset": "-1"}]
)
def test_pages_have_bounds(live, params):
    answer = get(live, "/vouchers/offers", **params)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, set(params))


def test_a_purchase_runs_through_its_steps_and_takes_the_money_once(live):
    live.control("zendit/settings", done_after=100)
    buy(live)
    states, balances = [], []
    for seconds in (0, 16, 15, 20, 50):
        live.control("zendit/advance", seconds=seconds)
        states.append(seen(live)["status"])
        balances.append(available(live))
    assert states == ["ACCEPTED", "PENDING", "AUTHORIZED", "IN_PROGRESS", "DONE"]
    assert balances == [FULL, FULL, *[FULL - 455] * 3]
    done = seen(live)
    assert [entry["status"] for entry in done["log"]] == states
    assert done["receipt"]["epin"].startswith("ZEN-")
    assert len(done["receipt"]["epin"]) == len("ZEN-XXXX-XXXX-XXXX")
    assert "expiresAt" in done["receipt"]
    assert done["confirmation"]["confirmationNumber"]
    ledger = live.ledger("zendit")
    assert ledger["charges"] == {"A1": 1}
    assert ledger["codes"] == [{"transactionId": "A1", "code": done["receipt"]["epin"]}]
    assert ledger["wallet"] == {"balance": FULL - 455, "reserved": 0}


def test_the_usual_purchase_is_done_at_once_by_itself(live, eventually):
    buy(live)
    eventually(lambda: seen(live)["status"] == "DONE", 2)


def test_receipts_by_link_and_without_expiry(live):
    by_link = ended(live, "A1", "APPLE_US_10_EGIFT_WHS")["receipt"]
    assert by_link["redemptionUrl"].startswith("https://")
    assert "epin" not in by_link
    assert "expiresAt" not in ended(live, "A2", "ZEN_GAME_1100")["receipt"]


@pytest.mark.parametrize(
    ("kind", "value", "cost"),
    [("ZEND", 1000, 960), ("COST", 960, 960), ("PRICE", 1008, 960)],
)
def test_a_range_is_bought_by_value(live, kind, value, cost):
    done = ended(live, "A1", "STEAM_US_RANGE", value={"type": kind, "value": value})
    assert (done["status"], done["cost"], done["send"]) == ("DONE", cost, 1000)
    assert done["value"] == {"type": kind, "value": value}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"transactionId": "A-1"}, 400, "transactionId"),
        ({"transactionId": ""}, 400, "transactionId"),
        ({"offerId": None}, 400, "offerId"),
        ({"offerId": "NOTHING"}, 404, None),
        ({"offerId": "PLAY_US_15_OLD"}, 404, None),
        ({"offerId": "FF_100_DIAMONDS"}, 400, "player_id"),
        ({"offerId": "FF_100_DIAMONDS", "fields": [{"key": "x", "value": "1"}]}, 400, "player_id"),
        ({"value": {"type": "ZEND", "value": 100}}, 400, "value"),
        ({"offerId": "STEAM_US_RANGE"}, 400, "value"),
        ({"offerId": "STEAM_US_RANGE", "value": {"type": "ZEND", "value": 1}}, 400, "value"),
        ({"offerId": "STEAM_US_RANGE", "value": {"type": "USD", "value": 1000}}, 400, "value"),
        ({"offerId": "STEAM_US_RANGE", "value": {"type": "ZEND", "value": 9.5}}, 400, "value"),
    ],
)
def test_bad_purchases(live, body, status, field):
    wish = {"offerId": "NETFLIX_500", "transactionId": "A1", **body}
    answer = live.post(BUY, headers=KEY, json=wish)
    assert answer.status_code == status
    if field:
        assert answer.json()["errorCode"] == "INVALID_REQUEST"
        assert field in answer.json()["fields"]
    assert live.ledger("zendit")["purchases"] == []


def test_required_fields_are_accepted_and_shown(live):
    fields = [{"key": "player_id", "value": "P7"}]
    assert ended(live, "A1", "FF_100_DIAMONDS", fields=fields)["fields"] == fields
    assert live.post(BUY, headers=KEY, data=b"{").status_code == 400
    assert get(live, "/vouchers/purchases/UNKNOWN").status_code == 404


@pytest.mark.parametrize(("rule", "status"), [("refuse", 400), ("conflict", 409), ("echo", 200)])
def test_a_used_id_buys_nothing_more(live, rule, status):
    live.control("zendit/settings", used_id=rule)
    first = ended(live)
    assert buy(live).status_code == status
    assert buy(live, offer="ZEN_GAME_1100").status_code == status
    live.control("zendit/advance", seconds=1)
    assert seen(live)["receipt"] == first["receipt"]
    assert live.ledger("zendit")["charges"] == {"A1": 1}


def test_parallel_posts_with_one_id_are_one_purchase(live):
    barrier, answers = threading.Barrier(8), []

    def shop():
        barrier.wait()
        answers.append(buy(live).status_code)

    threads = [threading.Thread(target=shop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    live.control("zendit/advance", seconds=1)
    assert sorted(answers) == [200, *[400] * 7]
    assert live.ledger("zendit")["charges"] == {"A1": 1}
    assert available(live) == FULL - 455


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("out_of_stock", "FAILED", "OUT_OF_STOCK"),
        ("insufficient_funds", "FAILED", "INSUFFICIENT_FUNDS"),
        ("provider_error", "FAILED", "PROVIDER_ERROR"),
        ("fail_spelling", "FAIL", "PROVIDER_ERROR"),
    ],
)
def test_a_failed_purchase_costs_nothing(live, fault, status, code):
    live.fault("zendit", "purchase", fault, times=1, match={"offer_id": "NETFLIX_500"})
    failed = ended(live)
    assert (failed["status"], failed["error"]["code"]) == (status, code)
    assert "receipt" not in failed
    assert available(live) == FULL
    assert live.ledger("zendit")["charges"] == {"A1": 0}
    assert ended(live, "A2")["status"] == "DONE"


def test_a_reservation_is_released_by_the_failure(live):
    live.control("zendit/settings", done_after=100)
    live.fault("zendit", "purchase", "out_of_stock")
    buy(live)
    live.control("zendit/advance", seconds=60)
    assert available(live) == FULL - 455
    live.control("zendit/advance", seconds=60)
    assert available(live) == FULL


def test_an_empty_wallet_and_its_recharge(live):
    live.control("zendit/wallet", balance=454)
    assert ended(live)["error"]["code"] == "INSUFFICIENT_FUNDS"
    live.control("zendit/wallet", balance=455)
    assert ended(live, "A2")["status"] == "DONE"
    assert available(live) == 0
    rows = get(live, "/transactions").json()["list"]
    assert [(row["type"], row["amount"]) for row in rows] == [("CREDIT", 1), ("DEBIT", 455)]
    assert get(live, "/transactions", type="DEBIT").json()["total"] == 1
    assert get(live, "/transactions/A2").json()["amount"] == 455
    assert get(live, "/transactions/A1").status_code == 404
    live.fault("zendit", "balance", "empty_wallet")
    assert available(live) == 0


@pytest.mark.parametrize(("then", "status"), [("DONE", "DONE"), ("FAILED", "FAILED")])
def test_a_purchase_may_wait_for_the_provider(live, then, status):
    live.fault("zendit", "purchase", "in_progress", seconds=900, then=then)
    stuck = ended(live)
    assert stuck["status"] == "IN_PROGRESS"
    assert "tried again" in stuck["log"][-1]["statusMessage"]
    live.control("zendit/advance", seconds=901)
    assert seen(live)["status"] == status
    assert live.ledger("zendit")["charges"] == {"A1": int(then == "DONE")}


@pytest.mark.parametrize("status", ["DONE", "FAILED"])
def test_a_purchase_may_be_stuck_until_somebody_ends_it(live, status):
    live.fault("zendit", "purchase", "in_progress", seconds=None)
    assert ended(live)["status"] == "IN_PROGRESS"
    live.control("zendit/advance", seconds=10**6)
    assert seen(live)["status"] == "IN_PROGRESS"
    live.control("zendit/finish", transactionId="A1", status=status)
    assert seen(live)["status"] == status
    again = live.post("/control/zendit/finish", json={"transactionId": "A1"})
    assert again.status_code == 400


def test_done_later(live):
    live.fault("zendit", "purchase", "slow_done", seconds=30)
    assert ended(live)["status"] == "ACCEPTED"
    live.control("zendit/advance", seconds=30)
    assert seen(live)["status"] == "DONE"


def test_receipts_may_be_odd(live):
    for fault in ("empty_receipt", "url_receipt", "no_expiry"):
        live.fault("zendit", "purchase", fault, match={"reference": fault.replace("_", "")})
    assert ended(live, "emptyreceipt")["receipt"] == {}
    assert set(ended(live, "urlreceipt")["receipt"]) & {"epin", "redemptionUrl"} == {
        "redemptionUrl"
    }
    assert "expiresAt" not in ended(live, "noexpiry")["receipt"]
    assert sum(live.ledger("zendit")["charges"].values()) == 3


def test_codes_are_unique_unless_asked_otherwise(live):
    codes = [ended(live, f"A{number}")["receipt"]["epin"] for number in range(20)]
    assert len(set(codes)) == 20
    live.fault("zendit", "purchase", "same_code", times=1)
    assert ended(live, "B1")["receipt"]["epin"] == codes[-1]
    assert ended(live, "B2")["receipt"]["epin"] not in codes


@pytest.mark.parametrize(
    ("fault", "status", "bought"),
    [
        ("invalid_request", 400, False),
        ("offer_not_found", 404, False),
        ("system_unavailable", 503, False),
        ("system_unavailable_after", 503, True),
    ],
)
def test_refused_posts(live, fault, status, bought):
    live.fault("zendit", "purchase", fault, times=1)
    answer = buy(live)
    assert answer.status_code == status
    assert answer.json()["errorCode"]
    found = get(live, "/vouchers/purchases/A1").status_code
    assert found == (200 if bought else 404)


@pytest.mark.parametrize(
    ("fault", "member", "expected"),
    [
        ("in_progress", "status", "IN_PROGRESS"),
        ("status_text", "status", "UNHEARD_OF"),
        ("empty_receipt", "receipt", {}),
        ("wrong_transaction", "transactionId", "NOTYOURS1"),
        ("wrong_offer", "offerId", "NOT_YOURS"),
        ("system_unavailable", "errorCode", "SYSTEM_UNAVAILABLE"),
    ],
)
def test_a_look_up_may_say_something_else(live, fault, member, expected):
    ended(live)
    live.fault("zendit", "get", fault, times=1)
    assert seen(live)[member] == expected
    assert seen(live)["status"] == "DONE"


def test_a_purchase_may_be_invisible_at_first(live):
    live.fault("zendit", "get", "not_found", within=20)
    buy(live)
    assert get(live, "/vouchers/purchases/A1").status_code == 404
    live.control("zendit/advance", seconds=21)
    assert seen(live)["status"] == "DONE"


def test_purchases_by_status_and_time(live):
    ended(live, "A1")
    live.fault("zendit", "purchase", "out_of_stock", times=1)
    ended(live, "A2")
    live.control("zendit/advance", seconds=3600)
    ended(live, "A3")
    between = get(live, "/vouchers/purchases").json()["list"][2]["createdAt"]

    def found(**params):
        rows = get(live, "/vouchers/purchases", **params).json()["list"]
        return [row["transactionId"] for row in rows]

    assert found() == ["A1", "A2", "A3"]
    assert found(status="FAILED") == ["A2"]
    assert found(createdAt=f"lt{between}") == ["A1", "A2"]
    assert found(createdAt=f"gte{between}") == ["A3"]
    assert found(createdAt=f"gt{between}") == []
    assert found(createdAt=f"lte{between}", _offset=1, _limit=1) == ["A2"]
    assert found(createdAt=between) == ["A3"]
    assert get(live, "/vouchers/purchases", createdAt="soon").status_code == 400


def listen(live, merchant, **settings):
    told = live.control("zendit/webhook", url=f"{merchant.url}/hook")
    assert (told["verified"], merchant.heard.pop().method) == (True, "HEAD")
    live.control("zendit/settings", webhook_waits=[], **settings)


def bodies(merchant):
    return [json.loads(heard.body) for heard in merchant.heard if heard.method == "POST"]


def test_the_webhook_tells_every_state_with_the_secret(live, merchant, eventually):
    listen(live, merchant)
    ended(live)
    eventually(lambda: any(body["status"] == "DONE" for body in bodies(merchant)))
    eventually(lambda: len(bodies(merchant)) == 5)
    secret = "x-zendit-webhook-secret"
    assert {heard.headers[secret] for heard in merchant.heard} == {"demo-webhook-secret"}
    last = next(body for body in bodies(merchant) if body["status"] == "DONE")
    assert last == seen(live)


def test_the_webhook_may_tell_final_states_alone(live, merchant):
    listen(live, merchant, webhook_non_final=False)
    ended(live)
    merchant.wait(1)
    time.sleep(0.05)
    assert [body["status"] for body in bodies(merchant)] == ["DONE"]


def test_an_address_that_fails_the_check_is_not_taken(live, merchant):
    merchant.script = [404]
    told = live.control("zendit/webhook", url=merchant.url, header_name="X-Mine", header_value="s")
    assert told == {"verified": False, "head_status": 404, "url": ""}
    assert merchant.heard[0].headers["x-mine"] == "s"


def test_the_webhook_is_retried_until_it_is_taken(live, merchant):
    listen(live, merchant, webhook_non_final=False)
    live.control("zendit/settings", webhook_waits=[0.01, 0.01, 0.01])
    merchant.script = [500, 503]
    ended(live)
    merchant.wait(3)
    time.sleep(0.1)
    assert len(merchant.heard) == 3
    tries = [row["status"] for row in live.ledger("zendit")["deliveries"]]
    assert tries == [500, 503, 200]


def test_the_webhook_may_arrive_before_the_answer(live, merchant):
    listen(live, merchant)
    live.fault("zendit", "purchase", "webhook_first")
    assert buy(live).json() == {"status": "ACCEPTED", "transactionId": "A1"}
    assert [body["status"] for body in bodies(merchant)] == ["DONE"]


@pytest.mark.parametrize(
    ("fault", "secret"), [("wrong_header", "wrong"), ("no_header", None), ("repeat", None)]
)
def test_webhook_faults(live, merchant, fault, secret):
    listen(live, merchant, webhook_non_final=False)
    live.fault("zendit", "webhook", fault, count=3)
    ended(live)
    heard = merchant.wait(3 if fault == "repeat" else 1)
    if fault == "repeat":
        assert len(heard) == 3
    else:
        assert heard[0].headers.get("x-zendit-webhook-secret") == secret


def test_webhooks_may_be_late_out_of_order_or_missing(live, merchant):
    listen(live, merchant)
    live.fault("zendit", "webhook", "never", match={"status": "DONE"})
    live.fault("zendit", "webhook", "late", seconds=60, match={"status": "IN_PROGRESS"})
    ended(live)
    merchant.wait(3)
    assert "IN_PROGRESS" not in [body["status"] for body in bodies(merchant)]
    live.control("zendit/advance", seconds=61)
    assert json.loads(merchant.wait(4)[3].body)["status"] == "IN_PROGRESS"


def test_a_forged_done(live, merchant):
    listen(live, merchant)
    live.fault("zendit", "purchase", "in_progress", seconds=None)
    live.fault("zendit", "webhook", "forged_done", times=1)
    ended(live)
    merchant.wait(1)
    live.control("zendit/forge", transactionId="A1")
    live.control("zendit/forge", transactionId="A1", right_header=True, url=f"{merchant.url}/x")
    merchant.wait(6)
    forged = [body for body in bodies(merchant) if body["status"] == "DONE"]
    assert {body["receipt"]["epin"] for body in forged} == {"FAKE-0000-0000-0000"}
    assert seen(live)["status"] == "IN_PROGRESS"
    assert live.ledger("zendit")["charges"] == {"A1": 0}


def test_offers_can_be_changed_and_added(live):
    live.control("zendit/offers", offerId="NETFLIX_500", cost={"fixed": 500, "min": 500})
    assert ended(live)["cost"] == 500
    live.control("zendit/offers", offerId="NETFLIX_500", enabled=False)
    assert buy(live, "A2").status_code == 404
    live.control("zendit/offers", offerId="MINE_1", like="NETFLIX_1000", brandName="Mine")
    assert ended(live, "A3", "MINE_1")["brandName"] == "Mine"
    for wish in ({"offerId": "NOTHING"}, {"offerId": "MINE_1", "enabled": "no"}):
        assert live.post("/control/zendit/offers", json=wish).status_code == 400

"""PayStation as its contract has it, over HTTP."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

MERCHANT = "104-1653730183"
PASSWORD = "gamecoderstorepass"
CALLBACK = "http://shop.test/return/paystation"
WISH = {
    "merchantId": MERCHANT,
    "password": PASSWORD,
    "invoice_number": "A-1",
    "currency": "BDT",
    "payment_amount": "1500",
    "pay_with_charge": "0",
    "reference": "A-1",
    "cust_name": "Rahim",
    "cust_phone": "01711111111",
    "cust_email": "rahim@example.com",
    "callback_url": CALLBACK,
}


def create(live, *, as_form: bool = True, drop: str = "", **changes):
    body = {key: value for key, value in {**WISH, **changes}.items() if key != drop}
    sent = {"data": body} if as_form else {"json": body}
    answer = live.post("/paystation/initiate-payment", **sent)
    assert answer.status_code == 200
    return answer.json()


def press(live, created, action="pay", **fields):
    return live.post(created["payment_url"], data={"action": action, **fields})


def returned(answer) -> dict[str, str]:
    assert answer.status_code == 303
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def status(live, invoice="A-1", merchant=MERCHANT, **sent):
    sent = sent or {"data": {"invoice_number": invoice}}
    answer = live.post("/paystation/transaction-status", headers={"merchantId": merchant}, **sent)
    return answer.json()


def status_v2(live, trx_id):
    return live.post(
        "/paystation/v2/transaction-status",
        headers={"merchantId": MERCHANT},
        json={"trxId": trx_id},
    ).json()


@pytest.mark.parametrize("as_form", [True, False])
def test_create(live, as_form):
    created = create(live, as_form=as_form)
    assert created["status_code"] == "200"
    assert created["status"] == "success"
    assert created["payment_amount"] == "1500"
    assert created["payment_url"].startswith(f"{live.url}/paystation/pay/")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong"}, "1001"),
        ({"merchantId": "104-0"}, "1001"),
        ({"drop": "cust_email"}, "1002"),
        ({"drop": "callback_url"}, "1002"),
        ({"payment_amount": "0"}, "1002"),
        ({"payment_amount": "ten"}, "1002"),
        ({"cust_phone": "+8801711111111"}, "1002"),
        ({"callback_url": "shop"}, "1002"),
        ({"currency": "USD"}, "1002"),
        ({"pay_with_charge": "2"}, "1002"),
        ({"opt_a": ""}, "1002"),
    ],
)
def test_create_refused(live, changes, code):
    assert create(live, **changes)["status_code"] == code
    assert live.ledger("paystation")["payments"] == []


def test_a_null_member_is_refused(live):
    assert create(live, as_form=False, opt_a=None)["status_code"] == "1002"


def test_an_invoice_number_is_used_once(live):
    create(live)
    assert create(live)["status_code"] == "1008"
    assert len(live.ledger("paystation")["payments"]) == 1


@pytest.mark.parametrize(
    ("action", "spelling", "state"),
    [
        ("pay", "Successful", "Success"),
        ("fail", "Failed", "Failed"),
        ("cancel", "Canceled", "Cancelled"),
    ],
)
def test_the_page_and_the_way_back(live, action, spelling, state):
    created = create(live, callback_url=f"{CALLBACK}?order=7")
    page = live.get(created["payment_url"]).text
    assert "1500" in page
    assert all(f'value="{name}"' in page for name in ("pay", "fail", "cancel"))
    params = returned(press(live, created, action))
    assert (params["order"], params["status"]) == ("7", spelling)
    assert ("trx_id" in params) is (action == "pay")
    found = status(live)
    assert (found["status"], found["data"]["trx_status"]) == ("success", state)
    assert live.ledger("paystation")["charges"] == {"A-1": 1 if action == "pay" else 0}
    assert press(live, created).status_code == 200  # too late, nothing happens
    assert status(live)["data"]["trx_status"] == state


def test_a_link_is_initiated_then_processing(live):
    created = create(live)
    assert status(live)["data"]["trx_status"] == "Initiated"
    live.get(created["payment_url"])
    assert status(live)["data"]["trx_status"] == "Processing"
    assert live.get("/paystation/pay/nothing").status_code == 404


def test_both_generations_of_the_status_call(live):
    trx_id = returned(press(live, create(live)))["trx_id"]
    first, second = status(live)["data"], status_v2(live, trx_id)["data"]
    assert (first["trx_status"], first["payment_amount"]) == ("Success", "1500")
    assert "request_amount" not in first
    assert (second["trx_status"], second["trx_amount"]) == ("success", "1500")
    assert second["request_amount"] == "1500"
    assert status(live, json={"invoice_number": "A-1"})["data"] == first
    assert status(live, "A-2")["status_code"] == "1006"
    assert status(live, merchant="104-0")["status_code"] == "1001"


@pytest.mark.parametrize(
    ("rule", "paid"),
    [("never", "1500"), ("always", "1522.50"), ("when_0", "1522.50"), ("when_1", "1500")],
)
def test_the_fee_may_be_the_customers(live, rule, paid):
    live.control("paystation/settings", customer_pays_fee=rule)
    trx_id = returned(press(live, create(live)))["trx_id"]
    data = status_v2(live, trx_id)["data"]
    assert (data["trx_amount"], data["request_amount"]) == (paid, "1500")


@pytest.mark.parametrize(
    ("fault", "options", "member", "expected"),
    [
        ("status_text", {"text": "successful"}, "trx_status", "successful"),
        ("no_status", {}, "trx_status", ""),
        ("processing", {}, "trx_status", "Processing"),
        ("wrong_amount", {"amount": "1"}, "payment_amount", "1"),
        ("wrong_amount", {}, "payment_amount", "1499"),
        ("wrong_invoice", {}, "invoice_number", "NOT-YOURS-1"),
        ("wrong_reference", {}, "reference", "NOT-YOURS-1"),
        ("no_trx_id", {}, "trx_id", ""),
        ("used_trx_id", {"trx_id": "T1"}, "trx_id", "T1"),
    ],
)
def test_status_faults(live, fault, options, member, expected):
    press(live, create(live))
    live.fault("paystation", "status", fault, times=1, **options)
    assert status(live)["data"][member] == expected
    assert status(live)["data"]["trx_status"] == "Success"


def test_one_amount_alone(live):
    trx_id = returned(press(live, create(live)))["trx_id"]
    live.fault("paystation", "status", "one_amount")
    assert "request_amount" not in status_v2(live, trx_id)["data"]


@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [
        ("not_found", {}, "1006"),
        ("wrong_merchant", {}, "2001"),
        ("refused", {"code": "3001"}, "3001"),
        ("number_status_code", {}, 200),
    ],
)
def test_status_codes(live, fault, options, code):
    create(live)
    live.fault("paystation", "status", fault, **options)
    assert status(live)["status_code"] == code


def test_a_payment_may_be_invisible_for_the_first_seconds(live):
    create(live)
    live.fault("paystation", "status", "not_found", within=10)
    assert status(live)["status_code"] == "1006"
    live.control("paystation/advance", seconds=11)
    assert status(live)["status_code"] == "200"


@pytest.mark.parametrize(
    ("fault", "member", "expected"),
    [
        ("refused", "status_code", "1009"),
        ("invalid_credential", "status_code", "1001"),
        ("duplicate", "status_code", "1008"),
        ("number_status_code", "status_code", 200),
        ("no_url", "payment_url", None),
        ("wrong_host", "payment_url", "https://paystation.example/pay/1"),
        ("wrong_amount", "payment_amount", "1"),
    ],
)
def test_create_faults(live, fault, member, expected):
    live.fault("paystation", "create", fault, match={"reference": "A-1"})
    assert create(live).get(member) == expected
    assert create(live, invoice_number="A-2")["status_code"] == "200"


@pytest.mark.parametrize(
    ("fault", "state", "charges"), [("declined", "Failed", 0), ("cancelled", "Cancelled", 0)]
)
def test_pay_may_end_otherwise(live, fault, state, charges):
    live.fault("paystation", "pay", fault)
    press(live, create(live))
    assert status(live)["data"]["trx_status"] == state
    assert live.ledger("paystation")["charges"] == {"A-1": charges}


@pytest.mark.parametrize(("then", "state"), [("success", "Success"), ("failed", "Failed")])
def test_a_payment_may_stay_at_work(live, then, state):
    live.fault("paystation", "pay", "pending", seconds=60, then=then)
    created = create(live)
    assert returned(press(live, created)) == {"status": "Successful", "invoice_number": "A-1"}
    assert status(live)["data"]["trx_status"] == "Processing"
    assert press(live, created, "cancel").status_code == 200  # the wallet is at work
    page = live.get(created["payment_url"]).text
    assert "still being processed" in page
    assert "<form" not in page
    live.control("paystation/advance", seconds=61)
    assert status(live)["data"]["trx_status"] == state


def test_another_sum_is_taken(live):
    live.fault("paystation", "pay", "wrong_amount", amount="1000")
    trx_id = returned(press(live, create(live)))["trx_id"]
    assert status(live)["data"]["payment_amount"] == "1000"
    assert status_v2(live, trx_id)["data"]["request_amount"] == "1500"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("forged_success", {"status": "Successful", "trx_id": "FORGED0001"}),
        ("wrong_status", {"status": "Unknown"}),
        ("wrong_invoice", {"invoice_number": "NOT-YOURS-1"}),
    ],
)
def test_the_browser_may_say_anything(live, fault, expected):
    live.fault("paystation", "return", fault)
    assert expected.items() <= returned(press(live, create(live), "cancel")).items()
    assert status(live)["data"]["trx_status"] == "Cancelled"


def test_the_return_may_lack_things(live):
    live.fault("paystation", "return", "no_trx_id", times=1)
    assert "trx_id" not in returned(press(live, create(live)))
    live.fault("paystation", "return", "missing", times=1)
    answer = press(live, create(live, invoice_number="A-2"))
    assert answer.headers["Location"] == CALLBACK
    live.fault("paystation", "return", "never", times=1)
    answer = press(live, create(live, invoice_number="A-3"))
    assert (answer.status_code, 'id="closed"' in answer.text) == (200, True)


def test_the_return_may_come_several_times_or_late(live, merchant):
    live.fault("paystation", "return", "repeat", times=1, count=3)
    assert press(live, create(live, callback_url=merchant.url)).status_code == 303
    assert len(merchant.wait(2)) == 2
    live.fault("paystation", "return", "late", times=1, seconds=30)
    created = create(live, invoice_number="A-2", callback_url=merchant.url)
    assert press(live, created).status_code == 200
    live.control("paystation/advance", seconds=31)
    assert "invoice_number=A-2" in merchant.wait(3)[2].path


def test_the_ipn(live, merchant):
    live.control("paystation/settings", ipn_url=f"{merchant.url}/ipn", ipn_waits=[0.01, 0.01, 60])
    merchant.script = [503, 500]
    trx_id = returned(press(live, create(live)))["trx_id"]
    bodies = [json.loads(heard.body) for heard in merchant.wait(3)]
    assert bodies[0] == bodies[2]
    assert bodies[0]["trx_amount"] == 1500
    assert (bodies[0]["trx_status"], bodies[0]["trx_id"]) == ("Success", trx_id)
    press(live, create(live, invoice_number="A-2"), "fail")
    live.control("paystation/advance", seconds=100)
    assert len(merchant.heard) == 3  # failed ones are never reported, a 2xx ends it


def test_the_ipn_may_overtake_the_browser(live, merchant):
    live.control("paystation/settings", ipn_url=merchant.url)
    live.fault("paystation", "ipn", "before_return")
    press(live, create(live))
    assert len(merchant.heard) == 1


@pytest.mark.parametrize(
    ("fault", "member", "expected"),
    [
        ("wrong_amount", "trx_amount", 1499),
        ("unknown_invoice", "invoice_number", "UNKNOWN-INVOICE"),
    ],
)
def test_an_ipn_may_lie(live, merchant, fault, member, expected):
    live.control("paystation/settings", ipn_url=merchant.url)
    live.fault("paystation", "ipn", fault)
    press(live, create(live))
    assert json.loads(merchant.wait(1)[0].body)[member] == expected


def test_an_ipn_may_be_broken_doubled_late_or_missing(live, merchant):
    live.control("paystation/settings", ipn_url=merchant.url)
    for fault, options in (
        ("never", {}),
        ("malformed", {}),
        ("repeat", {"count": 3}),
        ("late", {"seconds": 50}),
    ):
        live.fault("paystation", "ipn", fault, times=1, match={"reference": fault}, **options)
        press(live, create(live, invoice_number=fault))
    assert len(merchant.wait(4)) == 4
    broken = [heard for heard in merchant.heard if not heard.body.endswith(b"}")]
    assert len(broken) == 1
    live.control("paystation/advance", seconds=51)
    assert json.loads(merchant.wait(5)[4].body)["invoice_number"] == "late"


def test_forged_messages_change_nothing(live, merchant):
    create(live, callback_url=merchant.url)
    live.control("paystation/forge", invoice_number="A-1", trx_id="T1")
    live.control("paystation/forge", invoice_number="A-1", channel="ipn", url=f"{merchant.url}/ipn")
    heard = sorted(merchant.wait(2), key=lambda each: each.method)
    assert "status=Successful" in heard[0].path
    assert json.loads(heard[1].body)["trx_status"] == "Success"
    assert status(live)["data"]["trx_status"] == "Initiated"
    assert live.post("/control/paystation/forge", json={}).status_code == 400


def test_late_money_refund_and_expiry(live):
    press(live, create(live), "fail")
    live.control("paystation/pay", invoice_number="A-1")
    assert status(live)["data"]["trx_status"] == "Success"
    live.control("paystation/refund", invoice_number="A-1")
    assert status(live)["data"]["trx_status"] == "Refund"
    create(live, invoice_number="A-2")
    live.control("paystation/expire", invoice_number="A-2")
    assert status(live, "A-2")["data"]["trx_status"] == "Expired"
    for path in ("pay", "refund", "expire"):
        assert live.post(f"/control/paystation/{path}", json={}).status_code == 400


def test_the_older_generation(live):
    headers = {"merchantId": MERCHANT, "password": PASSWORD}
    token = live.post("/paystation/grant-token", headers=headers).json()["token"]
    wrong = live.post("/paystation/grant-token", headers={**headers, "password": "x"}).json()
    assert wrong["status_code"] == "1001"
    body = {**WISH, "cust_address": "Dhaka"}
    path = "/paystation/create-payment"
    assert live.post(path, data=body).json()["status_code"] == "2001"
    assert live.post(path, data=WISH, headers={"token": token}).json()["status_code"] == "1002"
    created = live.post(path, data=body, headers={"token": token}).json()
    trx_id = returned(press(live, created))["trx_id"]
    asked = {"invoice_number": "A-1", "trx_id": trx_id}
    found = live.post("/paystation/retrive-transaction", data=asked, headers={"token": token})
    assert found.json()["data"]["trx_status"] == "Success"
    asked["trx_id"] = "OTHER"
    found = live.post("/paystation/retrive-transaction", data=asked, headers={"token": token})
    assert found.json()["status_code"] == "2001"
    live.fault("paystation", "token", "refused")
    refused = live.post("/paystation/grant-token", headers=headers).json()
    assert refused["status_code"] == "2001"

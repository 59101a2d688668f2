"""SSLCommerz as its contract has it, over HTTP: sessions, the page, posts and their signatures."""

from __future__ import annotations

import pytest

from simulators.sslcommerz.signing import signed
from simulators.tests.sslcommerz.merchant import SHOP, form_of, signatures


def test_the_signatures_of_the_contract() -> None:
    fields = {
        "amount": "100.00",
        "currency": "BDT",
        "status": "VALID",
        "store_id": "teststore",
        "tran_id": "ORD-1",
        "val_id": "V1",
    }
    said = signed({**fields, "error": "not covered"}, "secret")
    assert said["verify_sign"] == "1363cc731faddc489f40d7f7c93bd2dc"
    assert said["verify_sign_sha2"] == (
        "fbfcf19207042448a3eba740746deffe3002ff83da1f7c4135679ff55f2d4bfb"
    )


def test_open(shop):
    opened = shop.open()
    assert (opened["status"], opened["failedreason"]) == ("SUCCESS", "")
    assert len(opened["sessionkey"]) == 32
    assert opened["GatewayPageURL"] == (f"{shop.live.url}/sslcommerz/pay/{opened['sessionkey']}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"store_passwd": "wrong"}, "Store Credential"),
        ({"store_id": "nobody"}, "Store Credential"),
        ({"total_amount": "9.99"}, "Invalid amount"),
        ({"total_amount": "500000.01"}, "Invalid amount"),
        ({"total_amount": "ten"}, "decimal"),
        ({"total_amount": "0.05", "currency": "USD"}, "Invalid amount"),
        ({"currency": "XXX"}, "currency"),
        ({"tran_id": "A" * 31}, "longer than 30"),
        ({"cus_email": "nobody"}, "cus_email"),
        ({"success_url": "shop"}, "success_url"),
        ({"product_profile": "vouchers"}, "product_profile"),
        ({"product_profile": "telecom-vertical"}, "product_type"),
        ({"shipping_method": "YES"}, "ship_name"),
        ({"num_of_item": "one"}, "num_of_item"),
        ({"drop": "cus_phone"}, "cus_phone"),
        ({"drop": "fail_url"}, "fail_url"),
    ],
)
def test_open_refused(shop, changes, reason):
    answer = shop.open(**changes)
    assert answer["status"] == "FAILED"
    assert reason in answer["failedreason"]
    assert shop.live.ledger("sslcommerz")["sessions"] == []


def test_a_tran_id_is_used_once(shop):
    shop.open()
    assert "already used" in shop.open()["failedreason"]


def test_another_currency_is_converted(shop):
    opened = shop.open(total_amount="10.00", currency="USD")
    fields = shop.posted(opened)
    assert (fields["amount"], fields["currency"]) == ("1215.00", "BDT")
    assert (fields["currency_type"], fields["currency_amount"]) == ("USD", "10.00")


@pytest.mark.parametrize(
    ("action", "to", "status", "error"),
    [
        ("pay", "success", "VALID", ""),
        ("fail", "fail", "FAILED", "Invalid expiration date"),
        ("cancel", "cancel", "CANCELLED", "Cancelled by User"),
    ],
)
def test_the_page_and_what_the_browser_posts(shop, action, to, status, error):
    opened = shop.open(value_a="own id")
    page = shop.live.get(opened["GatewayPageURL"]).text
    buttons = ("pay", "risky", "fail", "cancel", "close", "expire", "decline")
    assert all(f'value="{name}"' in page for name in buttons)
    fields = shop.posted(opened, action)
    assert (fields.pop("to"), fields["status"]) == (f"{SHOP}/{to}", status)
    assert (fields["error"], fields["value_a"], fields["tran_id"]) == (error, "own id", "A-1")
    assert (fields["verify_sign"], fields["verify_sign_sha2"]) == signatures(fields)
    assert not {"error", "card_sub_brand"} & set(fields["verify_key"].split(","))
    assert bool(fields.get("val_id")) is (action == "pay")
    assert shop.live.ledger("sslcommerz")["charges"] == {"A-1": int(action == "pay")}
    assert 'id="return"' not in shop.press(opened).text  # too late, nothing happens
    assert shop.live.ledger("sslcommerz")["charges"] == {"A-1": int(action == "pay")}


def test_a_cancelled_post_is_shorter(shop):
    fields = shop.posted(shop.open(), "cancel")
    assert not {"val_id", "bank_tran_id", "card_no", "risk_level"} & fields.keys()


def test_the_page_submits_itself_by_a_script_of_ours(shop):
    answer = shop.press(shop.open())
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    script = shop.live.get("/static/return.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "submit" in script.text
    shown = shop.live.get(shop.open(tran_id="A-2")["GatewayPageURL"])
    assert "script-src" not in shown.headers["Content-Security-Policy"]
    assert shop.live.get("/sslcommerz/pay/nothing").status_code == 404


@pytest.mark.parametrize(("action", "status"), [("close", "UNATTEMPTED"), ("expire", "EXPIRED")])
def test_a_payer_who_is_gone_sends_no_browser(shop, merchant, action, status):
    opened = shop.open(ipn_url=f"{merchant.url}/ipn")
    answer = shop.press(opened, action)
    assert 'id="closed"' in answer.text
    assert form_of(merchant.wait(1)[0])["status"] == status


def test_a_refused_card_leaves_the_page_open(shop):
    opened = shop.open()
    for _ in range(2):
        assert 'value="pay"' in shop.press(opened, "decline").text
    assert shop.posted(opened)["status"] == "VALID"
    assert [each["status"] for each in shop.elements()] == ["FAILED", "FAILED", "VALID"]


def test_the_ipn_is_sent_until_it_is_taken(shop, merchant):
    shop.live.control("sslcommerz/settings", ipn_waits=[0.01, 0.01, 60])
    merchant.script = [503, 500]
    posted = shop.posted(shop.open(ipn_url=f"{merchant.url}/ipn"))
    heard = merchant.wait(3)
    assert {each.path for each in heard} == {"/ipn"}
    fields = form_of(heard[2])
    assert fields == {name: value for name, value in posted.items() if name != "to"}
    assert heard[0].headers["content-type"] == "application/x-www-form-urlencoded"
    shop.live.control("sslcommerz/advance", seconds=100)
    assert len(merchant.heard) == 3


def test_the_ipn_address_may_stand_in_the_panel(shop, merchant):
    shop.live.control("sslcommerz/settings", ipn_url=f"{merchant.url}/panel")
    shop.press(shop.open())
    assert merchant.wait(1)[0].path == "/panel"


def test_the_ipn_may_overtake_the_browser_be_late_doubled_broken_or_missing(shop, merchant):
    shop.live.fault("sslcommerz", "ipn", "before_return", times=1)
    shop.press(shop.open(ipn_url=merchant.url))
    assert len(merchant.heard) == 1
    for fault, options in (
        ("never", {}),
        ("malformed", {}),
        ("repeat", {"count": 3}),
        ("late", {"seconds": 50}),
    ):
        match = {"reference": fault}
        shop.live.fault("sslcommerz", "ipn", fault, times=1, match=match, **options)
        shop.press(shop.open(tran_id=fault, ipn_url=merchant.url))
    assert len(merchant.wait(5)) == 5
    shop.live.control("sslcommerz/advance", seconds=51)
    assert form_of(merchant.wait(6)[5])["tran_id"] == "late"


def test_the_browser_may_never_come_come_late_or_several_times(shop, merchant):
    for fault, options in (("never", {}), ("late", {"seconds": 30}), ("repeat", {"count": 3})):
        match = {"reference": fault}
        shop.live.fault("sslcommerz", "return", fault, times=1, match=match, **options)
        opened = shop.open(tran_id=fault, success_url=merchant.url)
        assert ('id="closed"' in shop.press(opened).text) is (fault != "repeat")
    assert [form_of(each)["tran_id"] for each in merchant.wait(2)] == ["repeat", "repeat"]
    shop.live.control("sslcommerz/advance", seconds=31)
    assert form_of(merchant.wait(3)[2])["tran_id"] == "late"


@pytest.mark.parametrize("channel", ["return", "ipn"])
@pytest.mark.parametrize(
    ("fault", "right"),
    [
        ("wrong_signature", (False, False)),
        ("wrong_sha2", (True, False)),
        ("forged_success", (False, False)),
        ("changed_after", (False, False)),
        ("wrong_tran_id", (True, True)),
        ("other_val_id", (True, True)),
        ("wrong_status", (True, True)),
        ("wrong_amount", (True, True)),
        ("short", (True, True)),
    ],
)
def test_posts_that_lie(shop, merchant, channel, fault, right):
    shop.live.fault("sslcommerz", channel, fault)
    fields = shop.posted(shop.open(ipn_url=merchant.url))
    if channel == "ipn":
        fields = form_of(merchant.wait(1)[0])
    true = signatures(fields)
    assert (fields["verify_sign"] == true[0], fields["verify_sign_sha2"] == true[1]) == right


def test_posts_without_signatures_and_of_another_store(shop):
    names = {"verify_sign", "verify_sign_sha2", "verify_key"}
    shop.live.fault("sslcommerz", "return", "unsigned", times=1)
    assert not names & shop.posted(shop.open()).keys()
    shop.live.fault("sslcommerz", "return", "md5_only", times=1)
    assert "verify_sign_sha2" not in shop.posted(shop.open(tran_id="A-2"))
    shop.live.fault("sslcommerz", "return", "other_store", times=1)
    fields = shop.posted(shop.open(tran_id="A-3"))
    assert fields["store_id"] == "otherstore"
    assert fields["verify_sign"] == signatures(fields, "otherstore-password")[0]
    shop.live.fault("sslcommerz", "return", "missing", times=1)
    assert set(shop.posted(shop.open(tran_id="A-4"))) == {"to"}


def test_forged_posts_change_nothing(shop, merchant):
    shop.open(success_url=merchant.url, ipn_url=f"{merchant.url}/ipn")
    shop.live.control("sslcommerz/forge", tran_id="A-1")
    shop.live.control("sslcommerz/forge", tran_id="A-1", channel="ipn", password="qwerty")
    heard = sorted(merchant.wait(2), key=lambda each: each.path)
    first, second = form_of(heard[0]), form_of(heard[1])
    assert first["verify_sign"] != signatures(first)[0]
    assert second["verify_sign"] == signatures(second)[0]
    assert shop.elements() == []
    assert shop.live.post("/control/sslcommerz/forge", json={}).status_code == 400


@pytest.mark.parametrize(
    ("fault", "member", "expected"),
    [
        ("refused", "failedreason", "Invalid Information!"),
        ("bad_credentials", "failedreason", "Store Credential Error Or Store is De-active"),
        ("no_url", "GatewayPageURL", ""),
        ("no_sessionkey", "sessionkey", ""),
        ("wrong_host", "GatewayPageURL", "http://sslcommerz.example/pay/1"),
        ("status_text", "status", "REVERSED"),
    ],
)
def test_session_faults(shop, fault, member, expected):
    shop.live.fault("sslcommerz", "session", fault, match={"reference": "A-1"})
    assert shop.open()[member] == expected
    assert shop.open(tran_id="A-2")["status"] == "SUCCESS"

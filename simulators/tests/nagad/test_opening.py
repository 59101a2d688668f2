"""Initialize and complete; numbers are those of the contract page's last table."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulators.app import Options, Simulators
from simulators.tests.nagad.merchant import CALLBACK, ID, KEY, SHA256, V15, now_in_dhaka

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def reason(answer) -> str:
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"reason", "message"}
    return answer.json()["reason"]


def test_a_payment_is_started_and_its_reference_ends_as_base64_does(shop):
    started = shop.read(shop.initialize())

    assert set(started) == {"paymentReferenceId", "challenge", "acceptDateTime"}
    assert started["paymentReferenceId"].endswith("=")
    assert started["challenge"] != "c" * 40
    assert abs(int(started["acceptDateTime"]) - int(now_in_dhaka())) < 100


def test_a_page_is_opened_in_plain_json(shop):
    payment = shop.opened()

    assert payment["page"].startswith(f"{shop.live.url}/nagad/check-out/")
    page = shop.live.get(payment["page"]).text
    assert "1500.00" in page
    assert all(f'value="{name}"' in page for name in ("pay", "fail", "cancel", "limit", "give_up"))
    assert "Nagad account number" in page


def test_sha1_another_padding_and_another_text_are_refused(shop):
    value = {"merchantId": ID, "datetime": now_in_dhaka(), "orderId": "A1", "challenge": "c" * 40}
    respelled = json.dumps(value, separators=(",", ":")).encode()
    wrong = "SignatureVerificationFailed"
    assert reason(shop.initialize(how={"digest": hashes.SHA1()})) == wrong  # noqa: S303
    assert reason(shop.initialize(how={"signed_text": respelled})) == wrong
    assert reason(shop.initialize(how={"key": STRANGER})) == wrong
    assert reason(shop.initialize(how={"padding": OAEP})) == "DecryptionError"
    assert reason(shop.initialize(sensitiveData="***")) == "DecryptionError"
    assert reason(shop.initialize(signature=None)) == wrong
    assert shop.live.ledger("nagad")["payments"] == []


def test_members_are_taken_in_their_order_only(shop):
    value = {"datetime": now_in_dhaka(), "merchantId": ID, "orderId": "A1", "challenge": "c" * 40}
    assert reason(shop.initialize(value=value)) == "InvalidApiRequest"
    assert reason(shop.initialize(value={**value, "challenge": ""})) == "InvalidApiRequest"
    assert reason(shop.initialize(value=[])) == "DecryptionError"


def test_the_clock_of_another_zone_is_refused(shop):
    utc = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    assert reason(shop.initialize(datetime=utc)) == "InvalidApiRequest"
    assert reason(shop.initialize(datetime="now")) == "InvalidApiRequest"
    assert reason(shop.initialize(dateTime="20200101000000")) == "InvalidApiRequest"


def test_an_order_id_is_short_and_used_once(shop):
    for bad in ("A-1", "A" * 21, "A.1"):
        assert reason(shop.initialize(bad)) == "InvalidOrderId"
    shop.read(shop.initialize())
    assert reason(shop.initialize()) == "DuplicateOrderId"
    assert len(shop.live.ledger("nagad")["payments"]) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-KM-Api-Version": ""},
        {"X-KM-Api-Version": "v-0.1.0"},
        {"X-KM-IP-V4": ""},
        {"X-KM-IP-V4": "::1"},
        {"X-KM-Client-Type": "TOASTER"},
    ],
)
def test_headers_are_wanted(shop, headers):
    assert reason(shop.post(f"/check-out/initialize/{ID}/A1", {}, **headers)) == "InvalidApiRequest"


def test_merchants_are_known_or_closed(shop):
    assert reason(shop.post("/check-out/initialize/1/A1", {})) == "InvalidMerchant"
    shop.live.control("nagad/merchant", merchant_id=ID, active=False)
    assert reason(shop.initialize()) == "InactiveMerchant"
    nobody = shop.live.post("/control/nagad/merchant", json={"merchant_id": "1", "active": False})
    assert nobody.status_code == 400
    bad = shop.live.post("/control/nagad/merchant", json={"merchant_id": "1", "public_key": "x"})
    assert bad.status_code == 400


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"challenge": "c" * 40}, "InvalidPurchaseInformation"),
        ({"orderId": "A2"}, "InvalidPurchaseInformation"),
        ({"currencyCode": "BDT"}, "InvalidCurrency"),
        ({"amount": 1500.0}, "InvalidApiRequest"),
        ({"amount": "0.00"}, "InvalidPurchaseInformation"),
        ({"amount": "1500.000"}, "InvalidPurchaseInformation"),
        ({"more": "x"}, "InvalidApiRequest"),
    ],
)
def test_complete_is_refused(shop, value, name):
    started = shop.read(shop.initialize())
    assert reason(shop.complete(started, value=value)) == name
    assert shop.complete(started).json()["status"] == "Success"


def test_complete_wants_a_known_reference_an_address_and_happens_once(shop):
    started = shop.read(shop.initialize())
    nobody = {**started, "paymentReferenceId": "Tk9C"}
    assert reason(shop.complete(nobody)) == "InvalidReferenceId"
    assert reason(shop.complete(started, merchantCallbackURL="shop")).startswith("InvalidPurchase")
    assert reason(shop.complete(started, additionalMerchantInfo={"a": {}})) == "InvalidApiRequest"
    shop.live.control("nagad/settings", allowed_callbacks=["https://other.test/"])
    assert reason(shop.complete(started)) == "InvalidPurchaseInformation"
    shop.live.control("nagad/settings", allowed_callbacks=[CALLBACK])
    assert shop.complete(started).status_code == 200
    assert reason(shop.complete(started)) == "InvalidReferenceId"


def test_forged_answers_are_what_they_are_called(shop):
    def answer(fault, order_id):
        shop.live.fault("nagad", "initialize", fault, times=1)
        return shop.initialize(order_id).json()

    for number, fault in enumerate(["foreign_key", "sha1_signature", "changed_text"]):
        body = answer(fault, f"F{number}")
        text = KEY.decrypt(base64.b64decode(body["sensitiveData"]), V15)
        assert "paymentReferenceId" in json.loads(text)
        with pytest.raises(InvalidSignature):
            shop.gateway.verify(base64.b64decode(body["signature"]), text, V15, SHA256)
    assert set(answer("unsigned", "F4")) == {"sensitiveData"}
    assert "paymentReferenceId" in answer("not_encrypted", "F5")
    hidden = base64.b64decode(answer("for_another", "F6")["sensitiveData"])
    with contextlib.suppress(ValueError):  # some libraries say so, others answer random bytes
        assert b"paymentReferenceId" not in KEY.decrypt(hidden, V15)
    assert answer("no_base64", "F7")["sensitiveData"].startswith("***")
    shop.live.fault("nagad", "initialize", "not_json", times=1)
    spoiled = shop.initialize("F8")
    with pytest.raises(ValueError, match="Expecting value"):
        shop.read(spoiled)
    assert len(shop.live.ledger("nagad")["payments"]) == 8  # each was created all the same


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"fault": "duplicate"}, "DuplicateOrderId"),
        ({"fault": "invalid_merchant"}, "InvalidMerchant"),
        ({"fault": "inactive_merchant"}, "InactiveMerchant"),
        ({"fault": "refused", "reason": "Whatever"}, "Whatever"),
    ],
)
def test_refusals_on_request(shop, fault, name):
    shop.live.fault("nagad", "initialize", **fault)
    assert reason(shop.initialize()) == name
    assert shop.live.ledger("nagad")["payments"] == []


def test_the_firewall_answers_html(shop):
    shop.live.fault("nagad", "*", "firewall")
    answer = shop.initialize()
    assert (answer.status_code, "Your support ID is:" in answer.text) == (200, True)
    assert answer.headers["Content-Type"].startswith("text/html")


def test_keys_outlive_a_restart_and_a_reset_and_only_public_ones_are_told(tmp_path):
    def started(**variables):
        simulators = Simulators(Options(state_dir=tmp_path, variables=variables))
        simulators.start()
        nagad = simulators.services["nagad"]
        nagad.reset()
        told = nagad.ring.as_json()["gateway_public_key"]
        simulators.stop()
        return told, nagad

    first, nagad = started()
    again, _ = started()
    assert first == again
    assert "PRIVATE" not in nagad.dump()
    assert (tmp_path / "nagad-keys.json").exists()
    (tmp_path / "nagad-keys.json").unlink()
    assert started()[0] != first

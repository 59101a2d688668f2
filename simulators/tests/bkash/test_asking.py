"""bKash as its contract has it: what queries say, search, refunds, SNS, control."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulators.bkash import Bkash
from simulators.frame.http import Drop, Request
from simulators.tests.bkash.merchant import (
    CALLBACK,
    HOST,
    WISH,
    Merchant,
    control,
)

# What execute and query may say wrongly.

SPOILED = [
    ("wrong_currency", "currency", "USD"),
    ("wrong_invoice", "merchantInvoiceNumber", "NOT-YOURS-1"),
    ("wrong_payment_id", "paymentID", "TR0011NOTYOURS"),
    ("no_trx_id", "trxID", None),
    ("status_text", "transactionStatus", "Processing"),
]


@pytest.mark.parametrize(("fault", "member", "value"), SPOILED)
@pytest.mark.parametrize("operation", ["execute", "query"])
def test_spoiled_answers(
    shop: Merchant, operation: str, fault: str, member: str, value: str | None
) -> None:
    shop.fault(operation, fault, times=1, text="Processing")
    payment_id = shop.confirmed()
    executed, queried = shop.execute(payment_id), shop.query(payment_id)
    bad, good = (executed, queried) if operation == "execute" else (queried, executed)
    assert bad.get(member) == value
    assert good.get(member) not in (None, value)
    assert shop.charges() == {"A-1": 1}


def test_query_alone_may_name_another_amount_or_a_used_transaction(shop: Merchant) -> None:
    _, used = shop.paid()
    payment_id, trx_id = shop.paid(merchantInvoiceNumber="A-2")
    for fault in ("wrong_amount", "used_trx_id"):
        shop.fault("query", fault, times=1)
    assert shop.query(payment_id)["amount"] == "99.00"
    assert shop.query(payment_id)["trxID"] == used
    assert (shop.query(payment_id)["amount"], shop.query(payment_id)["trxID"]) == (
        "100.00",
        trx_id,
    )


def test_both_spellings_of_the_invoice(shop: Merchant) -> None:
    payment_id, _ = shop.paid()
    names = {"merchantInvoice", "merchantInvoiceNumber"}
    assert names <= shop.query(payment_id).keys()
    for name in sorted(names):
        shop.fault("query", "one_spelling", times=1, spelling=name)
        assert names & shop.query(payment_id).keys() == {name}


def test_query_may_lag_behind(shop: Merchant) -> None:
    payment_id, _ = shop.paid()
    shop.fault("query", "initiated", times=1)
    early = shop.query(payment_id)
    assert early["transactionStatus"] == "Initiated"
    assert not {"trxID", "paymentExecuteTime"} & early.keys()
    assert shop.query(payment_id)["transactionStatus"] == "Completed"


def test_shapes_of_refusals_and_of_successes(shop: Merchant) -> None:
    payment_id, _ = shop.paid()
    shop.fault("query", "error_code_shape", times=1, code="2002", status=400)
    response = shop.post("/payment/status", {"paymentID": payment_id})
    assert response.status == 400
    assert json.loads(response.body)["errorCode"] == "2002"
    for fault in ("refused", "invalid_token", "number_status_code", "odd_time"):
        shop.fault("query", fault, times=1)
    codes = [shop.query(payment_id)["statusCode"] for _ in range(3)]
    assert codes == ["2003", "2079", 0]
    assert shop.query(payment_id)["paymentCreateTime"].endswith(" GMT+0000")
    for fault, status in (("unauthorized", 401), ("forbidden", 403), ("error_503", 503)):
        shop.fault("query", fault, times=1)
        response = shop.post("/payment/status", {"paymentID": payment_id})
        assert (response.status, list(json.loads(response.body))) == (status, ["message"])
    shop.fault("query", "html", times=1)
    assert shop.post("/payment/status", {"paymentID": payment_id}).body.startswith(b"<!doctype")


# Search and refund.


def test_search(shop: Merchant) -> None:
    ids = shop.paid()
    found = shop.ask("/general/searchTransaction", trxID=ids[1])
    assert (found["trxID"], found["amount"]) == (ids[1], "100.00")
    assert (found["transactionStatus"], found["maxRefundableAmount"]) == ("Completed", "100.00")
    assert shop.ask("/general/searchTransaction", trxID="NOBODY")["statusCode"] == "2033"
    shop.fault("search", "refused", times=1, code="2033")
    assert shop.ask("/general/searchTransaction", trxID=ids[1])["statusCode"] == "2033"


def test_refund_in_full_once(shop: Merchant) -> None:
    ids = shop.paid()
    assert shop.ask("/payment/refund", paymentID=ids[0], trxID=ids[1])["statusCode"] == "2033"
    made = shop.refund(ids, "100.00")
    assert (made["statusCode"], made["transactionStatus"]) == ("0000", "Completed")
    assert (made["originalTrxID"], made["amount"]) == (ids[1], "100.00")
    assert made["refundTrxID"] != ids[1]
    assert shop.refund(ids, "100.00")["statusCode"] == "2034"
    assert shop.ask("/payment/refund", paymentID=ids[0], trxID=ids[1]) == made
    found = shop.ask("/general/searchTransaction", trxID=ids[1])
    assert float(found["maxRefundableAmount"]) == 0
    assert len(shop.service.ledger()["payments"][0]["refunds"]) == 1


def test_refund_in_parts(shop: Merchant) -> None:
    ids = shop.paid()
    assert shop.refund(ids, "40")["statusCode"] == "0000"
    assert shop.refund(ids, "60.01")["statusCode"] == "2026"
    assert shop.refund(ids, "60.00")["statusCode"] == "0000"
    assert shop.refund(ids, "1")["statusCode"] == "2034"


@pytest.mark.parametrize(
    ("amount", "changes", "code"),
    [
        ("100.01", {}, "2026"),
        ("0", {}, "2072"),
        ("x", {}, "2072"),
        ("1", {"sku": "s" * 256}, "2075"),
        ("1", {"reason": "r" * 256}, "2076"),
        ("1", {"reason": None}, "2065"),
    ],
)
def test_refunds_that_cannot_be(
    shop: Merchant, amount: str, changes: dict[str, object], code: str
) -> None:
    assert shop.refund(shop.paid(), amount, **changes)["statusCode"] == code
    assert shop.service.ledger()["payments"][0]["refunds"] == []


def test_refund_needs_the_right_ids_and_the_window(shop: Merchant) -> None:
    ids = shop.paid()
    assert shop.refund(("nobody", ids[1]), "1")["statusCode"] == "2002"
    assert shop.refund((ids[0], "WRONG"), "1")["statusCode"] == "2077"
    shop.service.advance(15 * 24 * 3600 + 60)
    shop.service.change_settings({"token_limit": 9})
    assert shop.login().refund(ids, "1")["statusCode"] == "2071"


def test_an_unpaid_payment_is_not_refunded(shop: Merchant) -> None:
    assert shop.refund((shop.confirmed(), "X"), "1")["statusCode"] == "2127"


def test_refund_faults(shop: Merchant) -> None:
    ids = shop.paid()
    body = {"paymentID": ids[0], "trxID": ids[1], "amount": "10", "sku": "s", "reason": "r"}
    shop.fault("refund", "cut_before", times=1)
    assert shop.post("/payment/refund", body).drop is Drop.EVERYTHING
    assert shop.ask("/payment/refund", paymentID=ids[0], trxID=ids[1])["statusCode"] == "2033"
    shop.fault("refund", "cut_after", times=1)
    assert shop.post("/payment/refund", body).drop is Drop.EVERYTHING
    assert shop.ask("/payment/refund", paymentID=ids[0], trxID=ids[1])["amount"] == "10.00"
    shop.fault("refund", "wrong_amount", times=1, amount="7.00")
    assert shop.refund(ids, "5")["amount"] == "7.00"
    shop.fault("refund_status", "refused", times=1)
    assert shop.ask("/payment/refund", paymentID=ids[0], trxID=ids[1])["statusCode"] == "2003"
    rows = shop.service.ledger()["payments"][0]["refunds"]
    assert [row["amount"] for row in rows] == ["10.00", "5.00"]


# Messages of the second channel.


def sns_messages(shop: Merchant) -> list[dict[str, Any]]:
    return [json.loads(args["body"]) for args in shop.service.ledger()["planned"]]


def holds(shop: Merchant, message: dict[str, Any]) -> bool:
    """Whether the signature fits, checked from the served certificate as SNS says."""
    path = urlsplit(message["SigningCertURL"]).path
    key = x509.load_pem_x509_certificate(shop.send("GET", path, {}, b"").body).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    signature = base64.b64decode(message["Signature"])
    try:
        key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    except InvalidSignature:
        return False
    return True


def subscribed(shop: Merchant) -> dict[str, Any]:
    wish = {"url": "http://shop.test/hook", "base_url": HOST}
    assert control(shop.service, "subscribe", wish)[0] == 200
    return sns_messages(shop)[0]


def test_a_subscription_is_confirmed_by_its_address(shop: Merchant) -> None:
    message = subscribed(shop)
    assert message["Type"] == "SubscriptionConfirmation"
    assert holds(shop, message)
    address = urlsplit(message["SubscribeURL"])
    for token, status in (("wrong", 403), (dict(parse_qsl(address.query))["Token"], 200)):
        request = Request("GET", address.path, {"Token": token}, {}, b"", HOST)
        assert shop.service.dispatch(request).status == status
    assert shop.service.ledger()["subscription"]["confirmed"] is True
    assert control(shop.service, "subscribe", {"url": "x"})[0] == 400


def notified(shop: Merchant, fault: str = "") -> tuple[str, list[dict[str, Any]]]:
    """The trxID of a payment made now, and the notifications planned for it."""
    shop.service.settings["webhook_url"] = "http://shop.test/hook"
    payment_id = shop.confirmed()
    if fault:
        shop.fault("webhook", fault, times=1)
    return shop.execute(payment_id)["trxID"], sns_messages(shop)


def test_a_notification_tells_of_the_money(shop: Merchant) -> None:
    trx_id, (message,) = notified(shop)
    assert message["Type"] == "Notification"
    assert holds(shop, message)
    inner = json.loads(message["Message"])
    assert (inner["trxID"], inner["amount"], inner["currency"]) == (trx_id, "100.00", "BDT")
    assert re.fullmatch(r"\d{14}", inner["dateTime"])


def test_bad_notifications(shop: Merchant) -> None:
    _, (message,) = notified(shop, "changed_message")
    assert not holds(shop, message)


@pytest.mark.parametrize(("fault", "count"), [("never", 0), ("repeat", 2), ("late", 1)])
def test_notifications_may_be_missing_doubled_or_late(
    shop: Merchant, fault: str, count: int
) -> None:
    assert len(notified(shop, fault)[1]) == count


def test_notifications_with_a_foreign_certificate_or_none(shop: Merchant) -> None:
    _, (message,) = notified(shop, "wrong_cert_host")
    assert urlsplit(message["SigningCertURL"]).hostname == "sns.example.com"


def test_a_notification_without_signature(shop: Merchant) -> None:
    _, (message,) = notified(shop, "unsigned")
    assert "Signature" not in message


# Control.


def test_the_payer_without_a_browser(shop: Merchant) -> None:
    first = shop.create()["paymentID"]
    assert control(shop.service, "pay", {"invoice": "A-1"})[0] == 200
    assert shop.charges() == {"A-1": 0}
    assert shop.execute(first)["statusCode"] == "0000"
    second = shop.create(merchantInvoiceNumber="A-2")["paymentID"]
    assert control(shop.service, "pay", {"payment_id": second, "action": "cancel"})[0] == 200
    assert shop.query(second)["verificationStatus"] == "Incomplete"
    assert control(shop.service, "ledger")[1]["charges"] == {"A-1": 1, "A-2": 0}
    for wish in ({}, {"invoice": "A-9"}, {"invoice": "A-2", "action": "x"}):
        assert control(shop.service, "pay", wish)[0] == 400


def test_all_tokens_may_be_ended(shop: Merchant) -> None:
    assert control(shop.service, "expire_tokens", {}) == (200, {"expired": 1})
    assert shop.post("/create", WISH).status == 401


def test_forged_callbacks(shop: Merchant) -> None:
    payment_id = shop.create()["paymentID"]
    status, sent = control(shop.service, "forge", {"payment_id": payment_id})
    assert status == 200
    assert sent["sent_to"] == f"{CALLBACK}&paymentID={payment_id}&status=success"
    wish = {"payment_id": "NOBODY", "status": "cancel", "url": "http://shop.test/r"}
    sent = control(shop.service, "forge", wish)[1]
    assert sent["sent_to"] == "http://shop.test/r?paymentID=NOBODY&status=cancel"
    assert control(shop.service, "forge", {"payment_id": "NOBODY"})[0] == 400
    assert shop.query(payment_id)["verificationStatus"] == "Incomplete"


@pytest.mark.parametrize("name", [preset.name for preset in Bkash.presets])
def test_presets_apply(shop: Merchant, name: str) -> None:
    assert control(shop.service, "preset", {"preset": name})[1]["preset"] == name
    assert control(shop.service, "reset", {})[0] == 200
    assert shop.service.payments == {}


def test_index_figures_and_links(shop: Merchant) -> None:
    created = shop.create()
    assert shop.service.overview()[0] == ("payments", "1")
    assert shop.service.links() == [("Pay A-1", urlsplit(created["bkashURL"]).path)]

"""The page, the way back, verify and refunds."""

from __future__ import annotations

import json

import pytest

from simulators.tests.nagad.merchant import CALLBACK, ID, carried


def state(shop, payment) -> str:
    return shop.verify(payment["ref"]).json()["status"]


def test_paid(shop):
    payment = shop.opened()
    assert state(shop, payment) == "Ready"
    shop.live.get(payment["page"])
    assert state(shop, payment) == "OtpSent"

    answer = shop.press(payment)

    assert answer.headers["Location"].startswith(f"{CALLBACK}/?merchant={ID}&order_id=A1&")
    back = carried(answer)
    found = shop.verify(payment["ref"]).json()
    assert back["status"] == "Success"
    assert (back["status_code"], back["payment_ref_id"]) == ("00_0000_000", payment["ref"])
    assert len(back["payment_dt"]) == 14
    assert found["issuerPaymentRefNo"] == back["issuer_payment_ref"]
    assert (found["merchantId"], found["orderId"]) == (ID, "A1")
    assert (found["paymentRefId"], found["amount"]) == (payment["ref"], "1500.00")
    assert (found["status"], found["statusCode"]) == ("Success", "000")
    assert found["issuerPaymentDateTime"].endswith(".0")
    assert found["clientMobileNo"] == "017****0001"
    assert (found["cancelIssuerRefNo"], found["additionalMerchantInfo"]) == (None, None)
    assert shop.live.ledger("nagad")["charges"] == {"A1": 1}
    assert shop.press(payment).status_code == 200  # too late, nothing happens
    assert shop.live.ledger("nagad")["charges"] == {"A1": 1}


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [
        ("fail", "Failed", "50_0011_020"),
        ("limit", "Failed", "50_0026_851"),
        ("cancel", "Aborted", "50_0005_001"),
        ("give_up", "Cancelled", "50_0005_002"),
    ],
)
def test_not_paid(shop, action, status, code):
    payment = shop.opened()
    back = carried(shop.press(payment, action))
    assert (back["status"], back["status_code"]) == (status, code)
    assert not back.keys() & {"payment_dt", "issuer_payment_ref"}
    found = shop.verify(payment["ref"]).json()
    assert (found["status"], found["issuerPaymentRefNo"]) == (status, None)
    assert shop.live.ledger("nagad")["charges"] == {"A1": 0}


def test_a_wrong_pin_may_be_given_twice(shop):
    payment = shop.opened()
    for _ in range(2):
        assert "PIN is wrong" in shop.press(payment, pin="0000").text
    assert carried(shop.press(payment, otp="0"))["status_code"] == "50_0004_010"


@pytest.mark.parametrize(
    ("fault", "status"),
    [("declined", "Failed"), ("over_limit", "Failed"), ("cancelled", "Aborted")],
)
def test_faults_of_paying(shop, fault, status):
    shop.live.fault("nagad", "pay", fault, match={"amount": "1500.00"})
    payment, other = shop.opened(), shop.opened("A2", "20.00")
    assert carried(shop.press(payment))["status"] == status
    assert carried(shop.press(other))["status"] == "Success"


def test_pending_then_paid(shop, eventually):
    shop.live.fault("nagad", "pay", "pending", seconds=0.2)
    payment = shop.opened()
    assert carried(shop.press(payment))["status"] == "Success"
    assert state(shop, payment) == "TransactionInProgress"
    eventually(lambda: state(shop, payment) == "Success")


def test_pending_for_ever_and_late_money(shop):
    shop.live.fault("nagad", "pay", "pending", seconds=None, then="Failed")
    payment = shop.opened()
    shop.press(payment)
    assert state(shop, payment) == "TransactionInProgress"
    shop.live.control("nagad/pay", order_id="A1", action="fail")
    assert state(shop, payment) == "Failed"
    shop.live.control("nagad/pay", payment_ref_id=payment["ref"])
    assert state(shop, payment) == "Success"
    assert shop.live.post("/control/nagad/pay", json={"order_id": "A1"}).status_code == 400


def test_another_sum_is_really_taken(shop):
    shop.live.fault("nagad", "pay", "wrong_amount", amount="15.00")
    payment = shop.opened()
    shop.press(payment)
    assert shop.verify(payment["ref"]).json()["amount"] == "15.00"


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ({"fault": "wrong_amount"}, {"amount": "1499.00"}),
        ({"fault": "no_decimals"}, {"amount": "1500"}),
        ({"fault": "wrong_merchant"}, {"merchantId": "683002007100000"}),
        ({"fault": "wrong_order"}, {"orderId": "NOTYOURS1"}),
        ({"fault": "wrong_reference", "reference": "x"}, {"paymentRefId": "x"}),
        ({"fault": "status_text", "text": "Fraud"}, {"status": "Fraud"}),
        ({"fault": "status_code"}, {"statusCode": "001"}),
        ({"fault": "pending"}, {"status": "TransactionInProgress"}),
        ({"fault": "used_issuer_ref", "issuer_ref": "U1"}, {"issuerPaymentRefNo": "U1"}),
        ({"fault": "no_info"}, {"additionalMerchantInfo": None}),
    ],
)
def test_verify_says_something_else_than_the_ledger(shop, fault, shown):
    payment = shop.opened(additionalMerchantInfo={"order": "A1"})
    shop.press(payment)
    true = shop.verify(payment["ref"]).json()
    assert true["additionalMerchantInfo"] == '{"order": "A1"}'
    shop.live.fault("nagad", "verify", **fault, times=1)
    assert shop.verify(payment["ref"]).json().items() >= shown.items()
    assert shop.verify(payment["ref"]).json() == true


def test_verify_of_what_is_not_there(shop):
    assert shop.verify("Tk9C").json()["reason"] == "InvalidReferenceId"
    payment = shop.opened()
    shop.press(payment)
    shop.live.fault("nagad", "verify", "no_issuer_ref")
    assert "issuerPaymentRefNo" not in shop.verify(payment["ref"]).json()


# The way back.


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ({"fault": "forged_success"}, {"status": "Success", "issuer_payment_ref": "FORGED01"}),
        ({"fault": "wrong_status"}, {"status": "Unknown"}),
        ({"fault": "wrong_reference", "reference": "x="}, {"payment_ref_id": "x="}),
        ({"fault": "wrong_order"}, {"order_id": "NOTYOURS1"}),
        ({"fault": "lower_case"}, {"status": "failed"}),
    ],
)
def test_the_browser_says_something_else(shop, fault, shown):
    shop.live.fault("nagad", "callback", **fault)
    assert carried(shop.press(shop.opened(), "fail")).items() >= shown.items()


def test_callbacks_that_never_come_or_come_often_or_forged(shop, merchant):
    url = f"{merchant.url}/back"
    shop.live.fault("nagad", "callback", "never", times=1)
    shop.live.fault("nagad", "callback", "repeat", count=3, times=1)
    shop.live.fault("nagad", "callback", "missing", times=1)
    first = shop.opened("A1", merchantCallbackURL=url)
    assert "close this page" in shop.press(first).text
    second = shop.opened("A2", merchantCallbackURL=url)
    assert shop.press(second).status_code == 303
    heard = merchant.wait(2)
    assert all(each.path.startswith("/back/?merchant=") for each in heard)
    third = shop.press(shop.opened("A3", merchantCallbackURL=url))
    assert third.headers["Location"] == f"{url}/?"
    shop.live.control("nagad/settings", callback_glue="?")
    fourth = shop.opened("A4", merchantCallbackURL=url)
    shop.live.control("nagad/forge", payment_ref_id=fourth["ref"])
    assert merchant.wait(3)[2].path.startswith("/back?merchant=")
    assert "status=Success" in merchant.heard[2].path
    assert state(shop, fourth) == "Ready"
    assert shop.live.post("/control/nagad/forge", json={}).status_code == 400


# Refunds.


def test_refunded_in_parts(shop):
    payment = shop.opened()
    shop.press(payment)

    part = shop.read(shop.cancel(payment["ref"], "500.00"))

    assert part.items() >= {"status": "PartialCancelled", "cancelAmount": "500.00"}.items()
    found = shop.verify(payment["ref"]).json()
    assert (found["status"], found["cancelIssuerRefNo"]) == (
        "PartialCancelled",
        part["cancelTrxId"],
    )
    assert found["cancelIssuerDateTime"].endswith(".0")
    too_much = shop.cancel(payment["ref"], "1000.01")
    assert (too_much.status_code, too_much.json()["reason"]) == (400, "InvalidPurchaseInformation")
    rest = shop.read(shop.cancel(payment["ref"], "1000"))
    assert rest["status"] == state(shop, payment) == "Cancelled"
    assert shop.cancel(payment["ref"], "0.01").status_code == 400
    (row,) = shop.live.ledger("nagad")["payments"]
    assert [each["cancelAmount"] for each in row["refunds"]] == ["500.00", "1000.00"]


@pytest.mark.parametrize(
    "changes",
    [
        {"originalRequestDate": "20200101"},
        {"originalAmount": "1501.00"},
        {"cancelAmount": "0"},
        {"cancelAmount": "all"},
        {"merchantId": "1"},
        {"referenceNo": ""},
        {"orderId": "A2"},
    ],
)
def test_refund_refused(shop, changes):
    payment = shop.opened()
    shop.press(payment)
    assert shop.cancel(payment["ref"], "500.00", **changes).status_code == 400
    assert state(shop, payment) == "Success"


def test_refund_of_what_was_not_paid_and_by_hand(shop):
    payment = shop.opened()
    assert shop.cancel(payment["ref"], "1.00").status_code == 400
    assert shop.cancel("Tk9C", "1.00").json()["reason"] == "InvalidReferenceId"
    shop.press(payment)
    words = {"whole": "Refunded", "part": "PartialRefunded"}
    shop.live.control("nagad/settings", refund_words=words)
    shop.live.control("nagad/refund", order_id="A1", amount="1.00")
    assert state(shop, payment) == "PartialRefunded"
    shop.live.control("nagad/refund", order_id="A1")
    assert state(shop, payment) == "Refunded"
    assert shop.live.post("/control/nagad/refund", json={"order_id": "A1"}).status_code == 400


def test_faults_of_refunding(shop):
    payment = shop.opened()
    shop.press(payment)
    shop.live.fault("nagad", "refund", "status_text", times=1)
    assert shop.read(shop.cancel(payment["ref"], "1.00"))["status"] == "InProgress"
    shop.live.fault("nagad", "refund", "wrong_amount", times=1)
    assert shop.read(shop.cancel(payment["ref"], "1.00"))["cancelAmount"] == "0.50"
    shop.live.fault("nagad", "refund", "refused", reason="ServerError", times=1)
    assert shop.cancel(payment["ref"], "1.00").json()["reason"] == "ServerError"
    (row,) = shop.live.ledger("nagad")["payments"]
    assert len(row["refunds"]) == 2


def test_the_ledger_outlives_a_restart(shop):
    payment = shop.opened()
    shop.press(payment)
    nagad = shop.live.simulators.services["nagad"]
    before = nagad.ledger()
    nagad.load(json.loads(nagad.dump()))
    assert nagad.ledger() == before
    assert state(shop, payment) == "Success"

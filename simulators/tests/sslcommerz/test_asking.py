"""SSLCommerz: validation, the two queries, refunds."""

from __future__ import annotations

import pytest

from simulators.tests.sslcommerz.merchant import QUERIES, STORE, VALIDATION


def paid(shop, tran_id="A-1", action="pay"):
    """A paid session and the element that says so."""
    opened = shop.open(tran_id=tran_id)
    shop.press(opened, action)
    return opened, shop.elements(tran_id)[-1]


def test_the_first_validation_and_all_others(shop):
    _, element = paid(shop)
    first, second = (shop.validate(element["val_id"]) for _ in range(2))
    assert (first["APIConnect"], first["status"], second["status"]) == (
        "DONE",
        "VALID",
        "VALIDATED",
    )
    assert (first["tran_id"], first["amount"], first["currency"]) == ("A-1", "1500.00", "BDT")
    assert (first["risk_level"], first["store_amount"]) == ("0", "1462.50")
    assert second["validated_on"]
    assert shop.elements()[0]["status"] == "VALIDATED"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"store_passwd": "x"}, {"APIConnect": "FAILED"}),
        ({"store_id": "x"}, {"APIConnect": "FAILED"}),
        ({"val_id": ""}, {"APIConnect": "INVALID_REQUEST"}),
        ({"val_id": "V0"}, {"APIConnect": "DONE", "status": "INVALID_TRANSACTION"}),
        (
            {"store_id": "otherstore", "store_passwd": "otherstore-password"},
            {"APIConnect": "DONE", "status": "INVALID_TRANSACTION"},
        ),
    ],
)
def test_validation_refused(shop, changes, expected):
    _, element = paid(shop)
    assert shop.validate(**{"val_id": element["val_id"], **changes}) == expected


def test_a_store_that_is_switched_off(shop):
    _, element = paid(shop)
    shop.live.control("sslcommerz/settings", active=False)
    assert shop.validate(element["val_id"]) == {"APIConnect": "INACTIVE"}
    assert "De-active" in shop.open(tran_id="A-2")["failedreason"]


def test_by_transaction_with_no_one_and_three_elements(shop):
    shop.open()
    assert shop.query(tran_id="A-1") == {
        "APIConnect": "DONE",
        "no_of_trans_found": 0,
        "element": [],
    }
    assert shop.query(tran_id="unknown")["no_of_trans_found"] == 0
    paid(shop, "A-2")
    assert shop.query(tran_id="A-2")["no_of_trans_found"] == 1
    opened = shop.open(tran_id="A-3")
    shop.press(opened, "decline")
    shop.live.fault("sslcommerz", "pay", "twice")
    shop.press(opened)
    found = shop.query(tran_id="A-3")
    assert [each["status"] for each in found["element"]] == ["FAILED", "VALID", "VALID"]
    assert len({each["val_id"] for each in found["element"]}) == 3
    assert shop.live.ledger("sslcommerz")["charges"]["A-3"] == 2


def test_by_session(shop):
    opened = shop.open()
    assert shop.query(sessionkey=opened["sessionkey"])["status"] == "PENDING"
    shop.press(opened, "decline")
    assert shop.query(sessionkey=opened["sessionkey"])["status"] == "PENDING"
    shop.press(opened, "fail")
    assert shop.query(sessionkey=opened["sessionkey"])["status"] == "FAILED"
    opened, element = paid(shop, "A-2")
    said = shop.query(sessionkey=opened["sessionkey"])
    assert (said["status"], said["val_id"]) == ("VALID", element["val_id"])
    assert shop.query(sessionkey="unknown")["status"] == "INVALID_TRANSACTION"


def test_another_store_sees_nothing(shop):
    opened, _ = paid(shop)
    other = {"store_id": "otherstore", "store_passwd": "otherstore-password"}
    assert shop.query(tran_id="A-1", **other)["no_of_trans_found"] == 0
    assert shop.query(sessionkey=opened["sessionkey"], **other)["status"] == "INVALID_TRANSACTION"
    assert shop.query(tran_id="A-1", store_passwd="x") == {"APIConnect": "FAILED"}
    assert shop.query() == {"APIConnect": "INVALID_REQUEST"}


@pytest.mark.parametrize("call", ["validate", "query", "query_session"])
@pytest.mark.parametrize(
    ("fault", "options", "expected"),
    [
        ("api_failed", {}, {"APIConnect": "FAILED"}),
        ("inactive", {}, {"APIConnect": "INACTIVE"}),
        ("invalid_request", {}, {"APIConnect": "INVALID_REQUEST"}),
        ("no_api_connect", {}, {"APIConnect": None}),
        ("status_text", {"text": "ODD"}, {"status": "ODD"}),
        ("pending", {}, {"status": "PENDING"}),
        ("wrong_amount", {}, {"amount": "1499.00"}),
        ("wrong_amount", {"amount": "15.00"}, {"amount": "15.00", "currency_amount": "15.00"}),
        ("wrong_currency", {}, {"currency": "USD", "currency_type": "USD"}),
        ("wrong_tran_id", {}, {"tran_id": "NOT-YOURS-1"}),
        ("risky", {}, {"risk_level": "1"}),
        ("no_val_id", {}, {"val_id": ""}),
        ("used_val_id", {"val_id": "V9"}, {"val_id": "V9"}),
        ("no_bank_tran_id", {}, {"bank_tran_id": ""}),
    ],
)
def test_faults_of_what_is_told(shop, call, fault, options, expected):
    opened, element = paid(shop)
    shop.live.fault("sslcommerz", call, fault, match={"reference": "A-1"}, **options)
    if call == "validate":
        said = shop.validate(element["val_id"])
    elif call == "query":
        answer = shop.query(tran_id="A-1")
        said = {**answer, **(answer.get("element") or [{}])[0]}
    else:
        said = shop.query(sessionkey=opened["sessionkey"])
    assert {name: said.get(name) for name in expected} == expected


def test_faults_of_one_call_only(shop):
    _, element = paid(shop)
    shop.live.fault("sslcommerz", "validate", "invalid_transaction", times=1)
    assert shop.validate(element["val_id"])["status"] == "INVALID_TRANSACTION"
    shop.live.fault("sslcommerz", "query", "no_elements", times=1)
    assert "element" not in shop.query(tran_id="A-1")
    shop.live.fault("sslcommerz", "query", "not_found", within=10)
    assert shop.elements() == []
    shop.live.control("sslcommerz/advance", seconds=11)
    assert len(shop.elements()) == 1


@pytest.mark.parametrize(
    ("operation", "spoiled"),
    [
        ("query", {"tran_id": "A-1"}),
        ("query_session", {"sessionkey": "x"}),
        ("refund", {"bank_tran_id": "x"}),
        ("refund_query", {"refund_ref_id": "x"}),
    ],
)
def test_four_calls_share_a_path_and_go_wrong_alone(shop, operation, spoiled):
    calls = ({"tran_id": "A-1"}, {"sessionkey": "x"}, {"bank_tran_id": "x"}, {"refund_ref_id": "x"})
    shop.live.fault("sslcommerz", operation, "error_502")
    for each in calls:
        status = shop.live.get(QUERIES, params={**STORE, **each}).status_code
        assert status == (502 if each == spoiled else 200)
    assert shop.live.get(VALIDATION, params=STORE).status_code == 200


@pytest.mark.parametrize(
    ("fault", "options", "words", "charges"),
    [
        ("declined", {}, ["FAILED"], 0),
        ("cancelled", {}, [], 0),
        ("wrong_amount", {"amount": "1000.00"}, ["VALID"], 1),
        ("wrong_currency", {}, ["VALID"], 1),
        ("risky", {}, ["VALID"], 1),
        ("twice", {}, ["VALID", "VALID"], 2),
    ],
)
def test_pay_may_end_otherwise(shop, fault, options, words, charges):
    shop.live.fault("sslcommerz", "pay", fault, **options)
    shop.press(shop.open())
    elements = shop.elements()
    assert [each["status"] for each in elements] == words
    assert shop.live.ledger("sslcommerz")["charges"] == {"A-1": charges}
    if fault == "wrong_amount":
        assert elements[0]["amount"] == "1000.00"
    if fault == "wrong_currency":
        assert elements[0]["currency"] == "USD"
    if fault == "risky":
        assert elements[0]["risk_level"] == "1"


@pytest.mark.parametrize(("then", "word"), [("paid", "VALID"), ("failed", "FAILED")])
def test_a_bank_may_take_its_time(shop, then, word):
    shop.live.fault("sslcommerz", "pay", "pending", seconds=60, then=then)
    opened = shop.open()
    assert "being processed" in shop.press(opened).text
    assert [each["status"] for each in shop.elements()] == ["PENDING"]
    assert shop.query(sessionkey=opened["sessionkey"])["status"] == "PENDING"
    assert "<form" not in shop.press(opened, "cancel").text
    shop.live.control("sslcommerz/advance", seconds=61)
    assert [each["status"] for each in shop.elements()] == [word]


def test_late_money_and_a_second_payment_by_control(shop):
    shop.press(shop.open(), "cancel")
    shop.pay({})
    assert shop.live.post("/control/sslcommerz/pay", json={"tran_id": "A-1"}).status_code == 400
    shop.pay({}, again=True, amount="15.00")
    assert [each["amount"] for each in shop.elements()] == ["1500.00", "15.00"]
    for wish in ({"tran_id": "none"}, {"tran_id": "A-1", "action": "no", "again": True}):
        assert shop.live.post("/control/sslcommerz/pay", json=wish).status_code == 400


# Refunds.


def test_a_refund_is_taken_then_given(shop):
    _, element = paid(shop)
    taken = shop.refund(element["bank_tran_id"])
    assert (taken["status"], taken["trans_id"]) == ("success", "A-1")
    again = shop.refund(element["bank_tran_id"])
    assert (again["status"], again["refund_ref_id"]) == ("processing", taken["refund_ref_id"])
    asked = shop.query(refund_ref_id=taken["refund_ref_id"])
    assert (asked["status"], asked["refunded_on"]) == ("processing", "")
    shop.live.control("sslcommerz/advance", seconds=3)
    asked = shop.query(refund_ref_id=taken["refund_ref_id"])
    assert asked["status"] == "refunded"
    assert asked["refunded_on"]


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"refund_trans_id": ""}, "failed", "refund_trans_id is missing"),
        ({"refund_trans_id": "R" * 31}, "failed", "refund_trans_id is missing"),
        ({"bank_tran_id": "none"}, "failed", "Invalid bank_tran_id"),
        ({"refund_amount": "1500.01"}, "failed", "more than"),
        ({"refund_amount": "0"}, "failed", "Invalid refund_amount"),
        ({"refund_remarks": ""}, "failed", "Invalid refund_remarks"),
    ],
)
def test_a_refund_is_refused(shop, changes, status, reason):
    _, element = paid(shop)
    answer = shop.refund(**{"bank_tran_id": element["bank_tran_id"], **changes})
    assert answer["status"] == status
    assert reason in answer["errorReason"]
    assert shop.live.ledger("sslcommerz")["sessions"][0]["attempts"][0]["refunds"] == []


def test_not_more_is_given_back_than_was_taken(shop):
    _, element = paid(shop)
    bank = element["bank_tran_id"]
    first = shop.refund(bank, refund_amount="1000.00")
    assert shop.refund(bank, refund_trans_id="R-2", refund_amount="500.01")["status"] == "failed"
    shop.live.control("sslcommerz/refund", refund_ref_id=first["refund_ref_id"], status="cancelled")
    assert shop.query(refund_ref_id=first["refund_ref_id"])["status"] == "cancelled"
    assert shop.refund(bank, refund_trans_id="R-2", refund_amount="500.01")["status"] == "success"
    _, other = paid(shop, "A-2")
    used = shop.refund(other["bank_tran_id"], refund_trans_id="R-2")
    assert "already used" in used["errorReason"]
    assert shop.live.post("/control/sslcommerz/refund", json={}).status_code == 400


def test_an_unpaid_try_is_not_refunded(shop):
    shop.press(shop.open(), "fail")
    assert "not paid" in shop.refund(shop.elements()[0]["bank_tran_id"])["errorReason"]


@pytest.mark.parametrize(
    ("operation", "fault", "member", "expected"),
    [
        ("refund", "refused", "errorReason", "Refund is not allowed for this transaction"),
        ("refund", "processing", "status", "processing"),
        ("refund", "status_text", "status", "REVERSED"),
        ("refund", "no_ref", "refund_ref_id", ""),
        ("refund", "api_failed", "APIConnect", "FAILED"),
        ("refund", "no_api_connect", "APIConnect", None),
        ("refund_query", "processing", "status", "processing"),
        ("refund_query", "refunded", "status", "refunded"),
        ("refund_query", "cancelled", "status", "cancelled"),
        ("refund_query", "wrong_ref", "refund_ref_id", "NOT-YOURS-1"),
        ("refund_query", "inactive", "APIConnect", "INACTIVE"),
    ],
)
def test_refund_faults(shop, operation, fault, member, expected):
    _, element = paid(shop)
    if operation == "refund":
        shop.live.fault("sslcommerz", operation, fault)
        assert shop.refund(element["bank_tran_id"]).get(member) == expected
        return
    taken = shop.refund(element["bank_tran_id"])
    shop.live.fault("sslcommerz", operation, fault)
    assert shop.query(refund_ref_id=taken["refund_ref_id"]).get(member) == expected


def test_a_ledger_survives(shop):
    _, element = paid(shop)
    shop.refund(element["bank_tran_id"])
    service = shop.live.simulators.services["sslcommerz"]
    kept = service.ledger()
    service.restore({"sessions": kept["sessions"]})
    assert service.ledger()["sessions"] == kept["sessions"]
    session = service.by_key(kept["sessions"][0]["sessionkey"])
    assert session.attempts[0].refunds[0].amount == "500.00"

"""bdapps and Applink as their contracts have them, over HTTP."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

ROBI, BANGLALINK, GRAMEEN = "8801812345678", "8801912345678", "8801712345678"
DEBIT = {
    "applicationId": "APP_000001",
    "password": "bdapps-demo",
    "externalTrxId": "BDV1",
    "subscriberId": f"tel:{ROBI}",
    "paymentInstrumentName": "MobileAccount",
    "amount": "50.00",
    "currency": "BDT",
}
START = {
    "applicationId": "APP_000002",
    "password": "applink-demo",
    "externalTrxId": "BDV2",
    "subscriberId": f"tel:{BANGLALINK}",
    "paymentInstrumentName": "Mobile Account",
    "amount": "50.00",
    "Currency": "BDT",
}


def debit(live, drop="", **changes):
    body = {key: value for key, value in {**DEBIT, **changes}.items() if key != drop}
    answer = live.post("/dcb/bdapps/caas/direct/debit", json=body)
    assert answer.status_code == 200  # also for failures
    return answer.json()


def start(live, **changes):
    return live.post("/dcb/applink/caas/direct/debit", json={**START, **changes}).json()


def otp_of(live, number=BANGLALINK):
    people = {row["number"]: row for row in live.ledger("dcb")["subscribers"]}
    return people[number]["messages"][-1]["otp"]


def verify(live, started, otp=None, **changes):
    body = {
        "applicationId": "APP_000002",
        "password": "applink-demo",
        "referenceNo": started["requestCorrelator"],
        "otp": otp or otp_of(live),
        "sourceAddress": START["subscriberId"],
    }
    return live.post("/dcb/applink/caas/otp/verify", json={**body, **changes}).json()


def charges(live):
    return live.ledger("dcb")["charges"]


def charge_of(live, reference="BDV2"):
    rows = live.ledger("dcb")["payments"]
    return next(row for row in rows if row["external"] == reference)


@pytest.fixture
def told(live, merchant):
    """Applink tells the merchant of charges."""
    live.control("dcb/settings", notification_url=merchant.url, notification_waits=[0.01, 60])
    return merchant


# bdapps.


def test_a_debit_is_charged_at_once(live):
    answer = debit(live)
    assert (answer["statusCode"], answer["externalTrxId"]) == ("S1000", "BDV1")
    assert answer["internalTrxId"].isdigit()
    assert charges(live) == {"BDV1": 1}
    page = live.get(f"/dcb/phone/{ROBI}").text
    assert '<span id="balance">4950.00</span>' in page


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong"}, "E1313"),
        ({"applicationId": "APP_000002"}, "E1313"),
        ({"drop": "externalTrxId"}, "E1312"),
        ({"externalTrxId": "x" * 33}, "E1312"),
        ({"amount": 50}, "E1312"),
        ({"amount": "50"}, "E1605"),
        ({"amount": "0.00"}, "E1605"),
        ({"currency": "USD"}, "E1380"),
        ({"subscriberId": ROBI}, "E1325"),
        ({"subscriberId": f"tel:{GRAMEEN}"}, "E1317"),
        ({"paymentInstrumentName": "Mobile Account"}, "E1336"),
    ],
)
def test_a_debit_is_refused(live, changes, code):
    assert debit(live, **changes)["statusCode"] == code
    assert charges(live) == {}


def test_the_price_band_of_an_application(live):
    live.control("dcb/settings", least_amount="1", most_amount="50")
    assert debit(live, amount="50.01")["statusCode"] == "E1329"
    assert debit(live, amount="0.99")["statusCode"] == "E1330"
    assert debit(live)["statusCode"] == "S1000"


def test_a_repetition_is_completed_and_never_charged_again(live):
    debit(live)
    assert [debit(live)["statusCode"] for _ in range(3)] == ["E1379"] * 3
    assert debit(live, amount="51.00")["statusCode"] == "E1337"
    assert charges(live) == {"BDV1": 1}


def test_parallel_debits_of_one_id_are_one_charge(live):
    def ask(_):
        return requests.post(f"{live.url}/dcb/bdapps/caas/direct/debit", json=DEBIT, timeout=5)

    with ThreadPoolExecutor(8) as pool:
        codes = [answer.json()["statusCode"] for answer in pool.map(ask, range(16))]
    assert sorted(codes) == ["E1379"] * 15 + ["S1000"]
    assert charges(live) == {"BDV1": 1}


@pytest.mark.parametrize(
    "code",
    ["E1378", "E1343", "E1313", "E1303", "E1330", "E1318", "E1406", "E1601", "E1337", "E1308"],
)
def test_any_code_on_request(live, code):
    live.fault("dcb", "debit", "refused", code=code, times=1, match={"amount": "50.00"})
    assert debit(live)["statusCode"] == code
    assert sum(charges(live).values()) == 0
    assert debit(live)["statusCode"] == "S1000"


def test_charged_without_an_answer(live):
    live.fault("dcb", "debit", "cut_after", times=1)
    with pytest.raises(requests.ConnectionError):
        debit(live)
    assert charges(live) == {"BDV1": 1}
    assert debit(live)["statusCode"] == "E1379"


def test_neither_charged_nor_answered(live):
    live.fault("dcb", "debit", "cut_before", times=1)
    with pytest.raises(requests.ConnectionError):
        debit(live)
    assert charges(live) == {}
    assert debit(live)["statusCode"] == "S1000"


def test_charged_and_then_called_a_duplicate(live):
    live.fault("dcb", "debit", "cut_after", times=1)
    with pytest.raises(requests.ConnectionError):
        debit(live)
    live.fault("dcb", "debit", "refused", code="E1337")
    assert debit(live)["statusCode"] == "E1337"
    assert charges(live) == {"BDV1": 1}


def test_a_charge_may_stay_at_work(live):
    live.fault("dcb", "debit", "pending", times=1, seconds=30)
    assert debit(live)["statusCode"] == "E1601"
    assert debit(live)["statusCode"] == "E1601"
    assert charges(live) == {"BDV1": 0}
    live.control("dcb/advance", seconds=31)
    assert debit(live)["statusCode"] == "E1379"
    assert charges(live) == {"BDV1": 1}


@pytest.mark.parametrize(
    ("fault", "member", "expected"),
    [
        ("no_code", "statusCode", None),
        ("wrong_reference", "externalTrxId", "NOTYOURS1"),
        ("no_internal_id", "internalTrxId", None),
        ("refused_after", "statusCode", "E1337"),
    ],
)
def test_an_answer_may_be_odd_although_it_is_charged(live, fault, member, expected):
    live.fault("dcb", "debit", fault)
    assert debit(live).get(member) == expected
    assert charges(live) == {"BDV1": 1}


def test_the_internal_id_of_another_charge(live):
    first = debit(live)
    live.fault("dcb", "debit", "used_internal_id")
    assert debit(live, externalTrxId="BDV3")["internalTrxId"] == first["internalTrxId"]


@pytest.mark.parametrize(("stance", "code"), [("fail", "E1378"), ("cancel", "E1406")])
def test_the_subscriber_decides_on_his_phone(live, stance, code):
    page = live.get(f"/dcb/phone/{ROBI}").text
    assert all(f'value="{name}"' in page for name in ("pay", "fail", "cancel"))
    assert live.post(f"/dcb/phone/{ROBI}", data={"action": stance}).status_code == 303
    assert debit(live)["statusCode"] == code
    assert charges(live) == {"BDV1": 0}
    assert live.get("/dcb/phone/12").status_code == 404


def test_a_balance_too_small(live):
    live.control("dcb/subscriber", number=ROBI, balance="49.99")
    assert debit(live)["statusCode"] == "E1378"
    assert live.post("/control/dcb/subscriber", json={"stance": "x"}).status_code == 400


def test_a_masked_subscriber(live):
    live.control("dcb/settings", masked={"AZ110abc": ROBI})
    assert debit(live, subscriberId="AZ110abc")["statusCode"] == "S1000"


def test_the_balance_call(live):
    body = {key: DEBIT[key] for key in ("applicationId", "password", "subscriberId")}
    body["paymentInstrumentName"] = "MobileAccount"
    for path in ("get/balance", "balance/query"):
        answer = live.post(f"/dcb/bdapps/caas/{path}", json=body).json()
        assert (answer["statusCode"], answer["chargeableBalance"]) == ("S1000", "5000.00")
    live.control("dcb/settings", balance_provisioned=False)
    answer = live.post("/dcb/bdapps/caas/get/balance", json=body).json()
    assert answer["statusCode"] == "E1309"


# Applink.


def test_two_steps_and_a_notification(live, told):
    started = start(live)
    assert (started["statusCode"], charges(live)) == ("P1003", {"BDV2": 0})
    assert verify(live, started)["statusCode"] == "S1000"
    (heard,) = told.wait(1)
    notice = json.loads(heard.body)
    assert notice["statusCode"] == "S1000"
    assert (notice["TotalAmount"], notice["paidAmount"], notice["balanceDue"]) == (
        "50.00",
        "50.00",
        "0.00",
    )
    assert notice["externalTrxId"] == "BDV2"
    assert notice["internalTrxId"] == started["internalTrxId"]
    assert charges(live) == {"BDV2": 1}


def test_the_first_step_is_never_repeated(live):
    start(live)
    assert start(live)["statusCode"] == "E1337"
    assert start(live, externalTrxId="BDV9", subscriberId=f"tel:{ROBI}")["statusCode"] == "E1317"


def test_wrong_passwords(live):
    started = start(live)
    codes = [verify(live, started, otp="0000000")["statusCode"] for _ in range(3)]
    assert codes == ["E1850", "E1850", "E1853"]
    assert verify(live, started)["statusCode"] == "E1853"
    assert verify(live, {"requestCorrelator": "NOBODY"})["statusCode"] == "E1855"
    assert verify(live, started, sourceAddress="tel:1")["statusCode"] == "E1856"
    assert charges(live) == {"BDV2": 0}


def test_a_password_expires_and_is_used_once(live):
    started = start(live)
    live.control("dcb/advance", seconds=301)
    assert verify(live, started)["statusCode"] == "E1851"
    started = start(live, externalTrxId="BDV3")
    assert verify(live, started)["statusCode"] == "S1000"
    assert verify(live, started)["statusCode"] == "E1852"


@pytest.mark.parametrize(
    ("fault", "options", "member", "said"),
    [
        ("wrong_amount", {}, "paidAmount", "49.00"),
        ("wrong_currency", {}, "currency", "USD"),
        ("wrong_internal_id", {}, "internalTrxId", "99999999"),
        ("unknown_id", {}, "externalTrxId", "UNKNOWN1"),
        ("no_code", {}, "statusCode", None),
        ("refused", {"code": "E1406"}, "statusCode", "E1406"),
        ("partial", {"amount": "20.00"}, "balanceDue", "30.00"),
        ("before_answer", {}, "statusCode", "S1000"),
    ],
)
def test_a_notification_may_say_anything(live, told, fault, options, member, said):  # noqa: PLR0917
    live.fault("dcb", "notification", fault, **options)
    verify(live, start(live))
    assert json.loads(told.wait(1)[0].body).get(member) == said


def test_authorised_then_confirmed_or_refused(live, told):
    for reference, stance, state in (("BDV2", "pay", "charged"), ("BDV3", "fail", "refused")):
        live.control("dcb/subscriber", number=BANGLALINK, stance=stance)
        live.fault("dcb", "notification", "late", times=1, seconds=60)
        verify(live, start(live, externalTrxId=reference))
        assert charge_of(live, reference)["state"] == "authorised"
        live.control("dcb/advance", seconds=61)
        assert charge_of(live, reference)["state"] == state
    assert len(told.wait(2)) == 2


def test_a_person_confirms_on_the_phone(live, told):
    live.fault("dcb", "notification", "late", times=1, seconds=None)
    verify(live, start(live))
    assert "Confirm it" in live.get(f"/dcb/phone/{BANGLALINK}").text
    live.post(f"/dcb/phone/{BANGLALINK}", data={"action": "pay", "external": "BDV2"})
    assert len(told.wait(1)) == 1
    assert charges(live) == {"BDV2": 1}


def test_partial_money_and_late_money(live, told):
    live.fault("dcb", "notification", "partial", times=1)
    verify(live, start(live))
    told.wait(1)
    charge = charge_of(live)
    assert (charge["state"], charge["paid_amount"]) == ("partial", "25.00")
    live.control("dcb/subscriber", number=BANGLALINK, stance="fail")
    verify(live, start(live, externalTrxId="BDV3"))
    told.wait(2)
    live.control("dcb/decide", reference="BDV3")
    assert json.loads(told.wait(3)[2].body)["statusCode"] == "S1000"
    assert live.post("/control/dcb/decide", json={"reference": "BDV3"}).status_code == 400


def test_a_notification_may_be_doubled_broken_or_missing(live, told):
    for fault, options in (("never", {}), ("malformed", {}), ("repeat", {"count": 3})):
        live.fault("dcb", "notification", fault, times=1, match={"reference": fault}, **options)
        verify(live, start(live, externalTrxId=fault))
    assert len(told.wait(4)) == 4
    assert len([heard for heard in told.heard if not heard.body.endswith(b"}")]) == 1
    live.control("dcb/notify", reference="never")
    told.wait(5)


def test_a_notification_is_told_again_until_it_is_taken(live, told):
    told.script = [503]
    verify(live, start(live))
    first, second = told.wait(2)
    assert first.body == second.body


def test_a_forged_notification_charges_nobody(live, told):
    start(live)
    live.control("dcb/forge", reference="BDV2")
    assert json.loads(told.wait(1)[0].body)["statusCode"] == "S1000"
    assert charges(live) == {"BDV2": 0}


def test_the_ledger_survives_a_restart(live):
    started = start(live)
    service = live.simulators.services["dcb"]
    saved = json.loads(service.dump())
    service.clear()
    service.load(saved)
    assert verify(live, started)["statusCode"] == "S1000"


# Consent by redirect.


def prepared(live):
    urls = {name: f"http://shop.test/{name}" for name in ("ok", "deny", "error")}
    wish = {"amount": "50.00", "currency": "BDT", "urls": urls, "referenceId": "R1"}
    answer = live.post("/dcb/dob/partner/v3/consent/prepare", json=wish).json()
    assert answer["resultCode"] == "SUCCESS"
    return answer["url"]


def charge(live, location):
    given = dict(pair.split("=") for pair in location.partition("?")[2].split("&"))
    mandate = {"consentId": given["consentId"]}
    wish = {"paymentAmount": {"chargingMetaData": {"mandateId": mandate}}}
    path = f"/dcb/dob/partner/payment/v1/{given['customerReference']}/transactions/amount"
    return live.post(path, json={"amountTransaction": wish}).json()


@pytest.mark.parametrize(("action", "where"), [("cancel", "deny"), ("fail", "error")])
def test_consent_may_be_refused(live, action, where):
    answer = live.post(prepared(live), data={"action": action})
    assert answer.headers["Location"] == f"http://shop.test/{where}"


def test_consent_is_charged_once(live):
    url = prepared(live)
    assert "50.00" in live.get(url).text
    location = live.post(url, data={"action": "pay"}).headers["Location"]
    first, second = charge(live, location), charge(live, location)
    assert first == second
    assert first["amountTransaction"]["transactionOperationStatus"] == "Charged"
    live.fault("dcb", "amount", "refused")
    assert "policyException" in charge(live, location)["requestError"]


def test_a_forged_consent_is_not_charged(live):
    live.fault("dcb", "return", "forged_ok", times=1)
    location = live.post(prepared(live), data={"action": "cancel"}).headers["Location"]
    assert "requestError" in charge(live, location)
    live.fault("dcb", "return", "closed", times=1)
    assert 'id="closed"' in live.post(prepared(live), data={"action": "pay"}).text

"""bKash, by canned answers; section numbers are those of contract page bkash."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from typing import Any, Final

import pytest
import requests
import responses
import time_machine
from django.core.cache import cache

from core.http import Outbound
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from payments.gateways.base import Claim, Known, Outcome, PaymentGateway, Verdict
from payments.gateways.bkash import Account, BkashGateway, Tokens
from payments.gateways.tests.contract import (
    AMOUNT,
    REFERENCE,
    REQUEST,
    Canned,
    GatewayContract,
    known,
    whole_text,
)

BASE: Final = "https://bkash.test/v1"
CHECKOUT: Final = f"{BASE}/tokenized/checkout"
GRANT: Final = f"{CHECKOUT}/token/grant"
REFRESH: Final = f"{CHECKOUT}/token/refresh"
CREATE: Final = f"{CHECKOUT}/create"
EXECUTE: Final = f"{CHECKOUT}/execute"
QUERY: Final = f"{CHECKOUT}/payment/status"
PAYMENT: Final = "TR0011ON1565154754797"
PAGE: Final = "https://payment.bkash.com/?paymentId=TR0011ON1565154754797&hash=a"
START: Final = "2026-04-27T14:00:00Z"


def token(name: str = "token-one", **changes: object) -> dict[str, Any]:
    body = {
        "statusCode": "0000",
        "statusMessage": "Successful",
        "id_token": name,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": f"refresh-of-{name}",
    }
    return {"json": body | changes}


def created(**changes: object) -> dict[str, Any]:
    body = {
        "statusCode": "0000",
        "statusMessage": "Successful",
        "paymentID": PAYMENT,
        "bkashURL": PAGE,
        "amount": "1500.00",
        "intent": "sale",
        "currency": "BDT",
        "paymentCreateTime": "2026-04-27T20:00:00:123 GMT+0600",
        "transactionStatus": "Initiated",
        "merchantInvoiceNumber": REFERENCE,
    }
    return {"json": body | changes}


def payment(**changes: object) -> dict[str, Any]:
    """The answer of query and execute; a member given as None is left out."""
    body: dict[str, object] = {
        "statusCode": "0000",
        "statusMessage": "Successful",
        "paymentID": PAYMENT,
        "mode": "0011",
        "payerReference": "01712345678",
        "customerMsisdn": "01712345678",
        "paymentCreateTime": "2026-04-27T20:00:00:123 GMT+0600",
        "paymentExecuteTime": "2026-04-27T20:01:00:456 GMT+0600",
        "trxID": "AH24068KCQ",
        "amount": "1500.00",
        "currency": "BDT",
        "intent": "sale",
        "merchantInvoice": REFERENCE,
        "transactionStatus": "Completed",
        "verificationStatus": "Complete",
    }
    return {"json": {name: value for name, value in (body | changes).items() if value is not None}}


def waiting(**changes: object) -> dict[str, Any]:
    none_yet: dict[str, object] = {"trxID": None, "paymentExecuteTime": None}
    return payment(**{**none_yet, "transactionStatus": "Initiated", **changes})


def refused(code: str, words: str = "No.") -> dict[str, Any]:
    return {"json": {"statusCode": code, "statusMessage": words}}


def refused_otherwise(code: str, status: int = 400) -> dict[str, Any]:
    return {"json": {"errorCode": code, "errorMessage": "No."}, "status": status}


OPENING: Final = {
    "opened": created(),
    "refused": refused("2006", "Invalid Amount"),
    "bad_credentials": {"status": 403, "json": {"message": "Forbidden"}},
}
VERIFYING: Final = {
    "paid": payment(),
    "paid_wrong_sum": payment(amount="15.00"),
    "paid_without_transaction": payment(trxID=None),
    "not_paid_yet": waiting(verificationStatus="Incomplete"),
    "given_up": waiting(verificationStatus="Incomplete"),
    "foreign": payment(merchantInvoice="BDV-48213378-1"),
    "unknown_status": payment(transactionStatus="Reversing"),
    "bad_credentials": refused("2001", "Invalid App Key"),
}


def gateway(**changes: Any) -> BkashGateway:
    account = Account(
        base_url=BASE,
        app_key="very-secret-key",
        app_secret="very-secret-secret",
        username="very-secret-user",
        password="very-secret-password",
    )
    return BkashGateway(out=Outbound("bkash"), account=replace(account, **changes))


@pytest.fixture(autouse=True)
def own_cache(settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "bkash"}
    }
    cache.clear()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def granted(wire: responses.RequestsMock) -> responses.RequestsMock:
    wire.post(GRANT, **token())
    return wire


def calls(wire: responses.RequestsMock, url: str) -> int:
    return sum(call.request.url == url for call in wire.calls)


def query(wire: responses.RequestsMock, answer: dict[str, Any], **of: Any) -> Verdict:
    wire.post(QUERY, **answer)
    return gateway().verify(known(PAYMENT, **of))


def execute(wire: responses.RequestsMock, answer: dict[str, Any]) -> Verdict:
    wire.post(EXECUTE, **answer)
    return gateway().capture(known(PAYMENT, execute_sent=True))


class TestBkash(GatewayContract):
    secrets = (
        "very-secret-key",
        "very-secret-secret",
        "very-secret-user",
        "very-secret-password",
        "token-one",
    )
    needed = (
        "BKASH_BASE_URL",
        "BKASH_APP_KEY",
        "BKASH_APP_SECRET",
        "BKASH_USERNAME",
        "BKASH_PASSWORD",
    )

    @pytest.fixture
    def world(self, granted: responses.RequestsMock) -> Canned:
        return Canned(
            granted,
            gateway(),
            open_url=CREATE,
            opening=OPENING,
            verify_url=QUERY,
            verifying=VERIFYING,
            gateway_reference=PAYMENT,
        )

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        return [
            {
                "query": {"paymentID": payment.gateway_reference, "status": status},
                "body": b"",
                "content_type": "",
            }
            for status in ("success", "failure", "cancel")
        ]

    def from_settings(self) -> PaymentGateway:
        return BkashGateway.from_settings(4.0)


# Create (section 3).


def test_the_order_as_it_is_sent(granted: responses.RequestsMock) -> None:
    granted.post(CREATE, **created())

    session = gateway().open_session(REQUEST)

    grant, create = (call.request for call in granted.calls)
    assert json.loads(grant.body) == {
        "app_key": "very-secret-key",
        "app_secret": "very-secret-secret",
    }
    assert grant.headers["username"] == "very-secret-user"
    assert grant.headers["password"] == "very-secret-password"
    assert create.headers["Authorization"] == "token-one"  # no "Bearer", section 1
    assert create.headers["X-APP-Key"] == "very-secret-key"
    assert json.loads(create.body) == {
        "mode": "0011",
        "payerReference": "01712345678",
        "callbackURL": "https://shop.example/api/v1/payments/gateway/callback",
        "amount": "1500.00",
        "currency": "BDT",
        "intent": "sale",
        "merchantInvoiceNumber": REFERENCE,
    }
    assert (session.redirect_url, session.gateway_reference) == (PAGE, PAYMENT)


def test_a_payer_without_a_number_is_our_reference(granted: responses.RequestsMock) -> None:
    granted.post(CREATE, **created())

    gateway().open_session(replace(REQUEST, customer_msisdn=""))

    assert json.loads(granted.calls[1].request.body)["payerReference"] == "BDV482133771"


@pytest.mark.parametrize("code", [*map(str, range(2006, 2020)), "2023", "2029", "2048", "2057"])
@pytest.mark.parametrize("shape", [refused, refused_otherwise])
def test_create_is_refused(granted: responses.RequestsMock, code: str, shape: Any) -> None:
    granted.post(CREATE, **shape(code))

    with pytest.raises(Declined) as caught:
        gateway().open_session(REQUEST)

    assert caught.value.raw_code == code


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused("2001"), Misconfigured),
        (refused("2043"), Misconfigured),
        (refused("2049"), Misconfigured),
        (refused("2063"), Misconfigured),
        (refused("2065"), Misconfigured),
        (refused_otherwise("2118"), Misconfigured),
        (refused("503"), OutcomeUnknown),
        (refused("2003"), OutcomeUnknown),
        (refused("2020"), OutcomeUnknown),
        (refused("4711"), OutcomeUnknown),
        (created(statusCode=0), OutcomeUnknown),
        (created(message="Endpoint request timed out"), OutcomeUnknown),
        ({**created(), "status": 202}, OutcomeUnknown),
        (created(paymentID=""), OutcomeUnknown),
        (created(paymentID="a b"), OutcomeUnknown),
        (created(bkashURL=None), OutcomeUnknown),
        (created(merchantInvoiceNumber="BDV-48213378-1"), OutcomeUnknown),
        (created(bkashURL="http://payment.bkash.com/"), Misconfigured),
        (created(bkashURL="https://a@evil.example/"), Misconfigured),
        (created(bkashURL="javascript:alert(1)"), Misconfigured),
    ],
)
def test_other_answers_to_create(
    granted: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    granted.post(CREATE, **answer)

    with pytest.raises(kind):
        gateway().open_session(REQUEST)


# Query (section 6).


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (payment(), Outcome.PAID),
        (payment(merchantInvoice=None, merchantInvoiceNumber=REFERENCE), Outcome.PAID),
        (payment(merchantInvoiceNumber=REFERENCE), Outcome.PAID),
        (payment(merchantInvoiceNumber="BDV-48213378-1"), Outcome.FOREIGN),
        (payment(merchantInvoice=None), Outcome.UNKNOWN),
        (payment(paymentID="TR0011ON0000000000000"), Outcome.FOREIGN),
        (payment(paymentID=None), Outcome.UNKNOWN),
        (payment(amount=None), Outcome.UNKNOWN),
        (payment(amount="1e3"), Outcome.UNKNOWN),
        (payment(currency=None), Outcome.UNKNOWN),
        (payment(transactionStatus="Authorized"), Outcome.UNKNOWN),
        (payment(transactionStatus="completed"), Outcome.UNKNOWN),
        (payment(transactionStatus=None), Outcome.UNKNOWN),
        (payment(statusCode=0), Outcome.UNKNOWN),
        (payment(message="Endpoint request timed out"), Outcome.UNKNOWN),
        ({**payment(), "status": 400}, Outcome.UNKNOWN),
        (waiting(), Outcome.PENDING),
        (waiting(verificationStatus=None), Outcome.PENDING),
        (refused("2002"), Outcome.UNKNOWN),
        (refused("2023"), Outcome.UNKNOWN),
        (refused("2033"), Outcome.UNKNOWN),
        (refused("2062"), Outcome.UNKNOWN),
        (refused("503"), Outcome.UNKNOWN),
        (refused_otherwise("4711"), Outcome.UNKNOWN),
    ],
)
def test_what_a_query_says(
    granted: responses.RequestsMock, answer: dict[str, Any], outcome: Outcome
) -> None:
    assert query(granted, answer).outcome is outcome


def test_the_currency_is_reported(granted: responses.RequestsMock) -> None:
    verdict = query(granted, payment(currency="USD"))

    assert (verdict.outcome, verdict.currency) == (Outcome.PAID, "USD")


def test_what_is_kept_of_an_answer(granted: responses.RequestsMock) -> None:
    verdict = query(granted, payment())

    assert verdict.gateway_transaction_id == "AH24068KCQ"
    assert dict(verdict.evidence) == {
        "paymentCreateTime": "2026-04-27T20:00:00:123 GMT+0600",
        "paymentExecuteTime": "2026-04-27T20:01:00:456 GMT+0600",
        "trxID": "AH24068KCQ",
        "amount": "1500.00",
        "currency": "BDT",
        "transactionStatus": "Completed",
        "verificationStatus": "Complete",
    }


def test_a_payment_without_a_name_was_never_shown(wire: responses.RequestsMock) -> None:
    assert gateway().verify(known("")).outcome is Outcome.FAILED
    assert len(wire.calls) == 0


@pytest.mark.parametrize(
    ("answer", "execute_sent", "ready"),
    [
        (waiting(), False, True),
        (waiting(amount="1500"), False, True),
        (waiting(), True, False),
        (waiting(verificationStatus="Incomplete"), False, False),
        (waiting(verificationStatus=None), False, False),
        (waiting(verificationStatus=True), False, False),
        (waiting(amount="15.00"), False, False),
        (waiting(amount=None), False, False),
        (waiting(currency="USD"), False, False),
        (waiting(merchantInvoice="BDV-48213378-1"), False, False),
        (waiting(transactionStatus="Authorized"), False, False),
        (payment(), False, False),
        (refused("2056"), False, False),
    ],
)
def test_ready_to_capture(
    granted: responses.RequestsMock, answer: dict[str, Any], execute_sent: bool, ready: bool
) -> None:
    verdict = query(granted, answer, execute_sent=execute_sent)

    assert gateway().ready_to_capture(verdict) is ready


# Execute (section 5).


def test_execute_takes_the_money(granted: responses.RequestsMock) -> None:
    verdict = execute(
        granted, payment(merchantInvoice=None, merchantInvoiceNumber=REFERENCE, mode=None)
    )

    assert (verdict.outcome, verdict.amount) == (Outcome.PAID, AMOUNT)
    assert verdict.gateway_transaction_id == "AH24068KCQ"
    assert json.loads(granted.calls[1].request.body) == {"paymentID": PAYMENT}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        *[(refused(str(code)), Outcome.FAILED) for code in (*range(2006, 2020), 2023, 2029, 2069)],
        (refused_otherwise("2023"), Outcome.FAILED),
        (refused_otherwise("2014", status=200), Outcome.FAILED),
        *[(refused(code), Outcome.PENDING) for code in ("2056", "2062", "2068", "2116", "2117")],
        (refused("2119"), Outcome.PENDING),
        (refused("2003"), Outcome.PENDING),
        (refused_otherwise("2062"), Outcome.PENDING),
        (waiting(), Outcome.PENDING),
        (payment(trxID=None), Outcome.UNKNOWN),
        (payment(paymentID="TR0011ON0000000000000"), Outcome.FOREIGN),
    ],
)
def test_what_execute_says(
    granted: responses.RequestsMock, answer: dict[str, Any], outcome: Outcome
) -> None:
    verdict = execute(granted, answer)

    assert verdict.outcome is outcome
    assert not gateway().ready_to_capture(verdict)


@pytest.mark.parametrize(
    "answer",
    [
        refused("2020"),
        refused("2024"),
        refused("2127"),
        refused("503"),
        refused("4711"),
        {"json": {"message": "Endpoint request timed out"}},
        {"json": {**payment()["json"], "message": "Endpoint request timed out"}},
        {**payment(), "status": 202},
        {"body": ""},
        {"body": "<h1>Bad gateway</h1>"},
        {"status": 500},
        {"status": 404, "json": {"message": "Not found"}},
        {"body": requests.ReadTimeout("no answer")},
    ],
)
def test_after_an_unclear_execute_only_the_query_knows(
    granted: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    with pytest.raises(OutcomeUnknown):
        execute(granted, answer)

    assert calls(granted, EXECUTE) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"body": requests.ConnectTimeout("no route")}, Unavailable),
        ({"status": 429}, Unavailable),
        ({"status": 403}, Misconfigured),
        (refused("2001"), Misconfigured),
    ],
)
def test_an_execute_that_surely_did_nothing(
    granted: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        execute(granted, answer)


# Tokens (section 2).


def test_one_token_serves_every_call_and_process(granted: responses.RequestsMock) -> None:
    granted.post(CREATE, **created())
    granted.post(QUERY, **payment())

    gateway().open_session(REQUEST)
    for _ in range(3):
        gateway().verify(known(PAYMENT))

    assert calls(granted, GRANT) == 1


@pytest.mark.parametrize("expires_in", [3600, "3600", None, "soon", True])
def test_a_token_is_refreshed_before_it_ends(
    granted: responses.RequestsMock, expires_in: object
) -> None:
    granted.replace(responses.POST, GRANT, **token(expires_in=expires_in))
    granted.post(REFRESH, **token("token-two"))
    granted.post(QUERY, **payment())
    with time_machine.travel(START, tick=False) as clock:
        gateway().verify(known(PAYMENT))
        clock.shift(timedelta(minutes=49))
        gateway().verify(known(PAYMENT))
        assert calls(granted, REFRESH) == 0
        clock.shift(timedelta(minutes=2))
        gateway().verify(known(PAYMENT))

    assert (calls(granted, GRANT), calls(granted, REFRESH)) == (1, 1)
    sent = next(call.request for call in granted.calls if call.request.url == REFRESH)
    assert json.loads(sent.body)["refresh_token"] == "refresh-of-token-one"
    assert granted.calls[-1].request.headers["Authorization"] == "token-two"


@pytest.mark.parametrize(
    "refusal", [refused("2079"), refused("4711"), {"status": 401, "json": {"message": "No"}}]
)
def test_a_refused_refresh_falls_back_to_a_grant(
    wire: responses.RequestsMock, refusal: dict[str, Any]
) -> None:
    wire.post(GRANT, **token(expires_in=60 * 120))
    wire.post(GRANT, **token("token-two"))
    wire.post(REFRESH, **refusal)
    wire.post(QUERY, **payment())
    with time_machine.travel(START, tick=False) as clock:
        gateway().verify(known(PAYMENT))
        clock.shift(timedelta(minutes=101))
        gateway().verify(known(PAYMENT))

    assert (calls(wire, GRANT), calls(wire, REFRESH)) == (2, 1)
    assert wire.calls[-1].request.headers["Authorization"] == "token-two"


def test_a_good_token_is_used_while_it_cannot_be_renewed(granted: responses.RequestsMock) -> None:
    granted.post(REFRESH, status=500)
    granted.post(QUERY, **payment())
    with time_machine.travel(START, tick=False) as clock:
        gateway().verify(known(PAYMENT))
        clock.shift(timedelta(minutes=51))
        for _ in range(3):
            assert gateway().verify(known(PAYMENT)).outcome is Outcome.PAID
        clock.shift(timedelta(minutes=9, seconds=1))  # now it has ended, and two calls were made
        with pytest.raises(Unavailable):
            gateway().verify(known(PAYMENT))

    assert (calls(granted, GRANT), calls(granted, REFRESH)) == (1, 1)


@pytest.mark.parametrize(
    "expired",
    [{"status": 401, "json": {"message": "The incoming token has expired"}}, refused("2079")],
)
def test_an_expired_token_is_replaced_and_the_call_repeated_once(
    wire: responses.RequestsMock, expired: dict[str, Any]
) -> None:
    wire.post(GRANT, **token())
    wire.post(GRANT, **token("token-two"))
    wire.post(EXECUTE, **expired)
    wire.post(EXECUTE, **payment())

    verdict = gateway().capture(known(PAYMENT, execute_sent=True))

    assert verdict.outcome is Outcome.PAID
    sent = [call.request for call in wire.calls if call.request.url == EXECUTE]
    assert [request.headers["Authorization"] for request in sent] == ["token-one", "token-two"]


@pytest.mark.parametrize("expired", [{"status": 401}, refused("2079")])
def test_a_new_token_that_is_refused_too_is_our_fault(
    wire: responses.RequestsMock, expired: dict[str, Any]
) -> None:
    wire.post(GRANT, **token())
    wire.post(GRANT, **token("token-two"))
    wire.post(QUERY, **expired)

    with pytest.raises(Misconfigured):
        gateway().verify(known(PAYMENT))

    assert (calls(wire, GRANT), calls(wire, QUERY)) == (2, 2)


def test_a_token_replaced_by_somebody_else_is_taken(wire: responses.RequestsMock) -> None:
    wire.post(GRANT, **token())
    wire.post(GRANT, **token("token-two"))
    tokens = Tokens(Outbound("bkash"), gateway().account)
    assert tokens.current() == "token-one"
    assert tokens.current(bad="token-one") == "token-two"

    assert tokens.current(bad="token-one") == "token-two"  # a second process that got a 401

    assert calls(wire, GRANT) == 2


def test_never_more_than_two_token_calls_an_hour(wire: responses.RequestsMock) -> None:
    wire.post(GRANT, status=500)
    with time_machine.travel(START, tick=False) as clock:
        for minute in range(0, 240, 5):
            clock.move_to(f"2026-04-27T{14 + minute // 60}:{minute % 60:02}:00Z")
            before = len(wire.calls)
            with pytest.raises(Unavailable):
                gateway().verify(known(PAYMENT))
            assert len(wire.calls) - before <= 1

    assert calls(wire, GRANT) == 8


def test_a_spent_allowance_says_how_long_to_wait(wire: responses.RequestsMock) -> None:
    wire.post(GRANT, status=500)
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(2):
            with pytest.raises(Unavailable):
                gateway().verify(known(PAYMENT))
        clock.shift(timedelta(minutes=10))
        with pytest.raises(Unavailable) as caught:
            gateway().verify(known(PAYMENT))

    assert caught.value.retry_after == 50 * 60 + 30


@pytest.mark.parametrize(
    "block",
    [{"status": 429}, refused("4711", "Too many token requests"), refused_otherwise("2116")],
)
def test_a_blocked_grant_is_remembered_for_its_hour(
    wire: responses.RequestsMock, block: dict[str, Any]
) -> None:
    wire.post(GRANT, **block)
    wire.post(GRANT, **token())
    wire.post(QUERY, **payment())
    with time_machine.travel(START, tick=False) as clock:
        for minutes in (0, 1, 58):
            clock.shift(timedelta(minutes=minutes))
            with pytest.raises(Unavailable):
                gateway().verify(known(PAYMENT))
        assert calls(wire, GRANT) == 1
        clock.shift(timedelta(minutes=3))
        assert gateway().verify(known(PAYMENT)).outcome is Outcome.PAID


@pytest.mark.parametrize("maintenance", [refused("503"), {"status": 503}, {"body": "<h1>Oh</h1>"}])
def test_maintenance_is_not_a_block(
    wire: responses.RequestsMock, maintenance: dict[str, Any]
) -> None:
    wire.post(GRANT, **maintenance)
    wire.post(GRANT, **token())
    wire.post(QUERY, **payment())
    with pytest.raises(Unavailable):
        gateway().verify(known(PAYMENT))

    assert gateway().verify(known(PAYMENT)).outcome is Outcome.PAID


@pytest.mark.parametrize(
    "refusal", [{"status": 401}, {"status": 403}, refused("2001"), refused("2043")]
)
def test_wrong_credentials_are_not_tried_again_but_new_ones_are(
    wire: responses.RequestsMock, refusal: dict[str, Any]
) -> None:
    wire.post(GRANT, **refusal)
    wire.post(GRANT, **token())
    wire.post(QUERY, **payment())
    for _ in range(3):
        with pytest.raises(Misconfigured):
            gateway().verify(known(PAYMENT))
    assert calls(wire, GRANT) == 1

    assert gateway(password="mended").verify(known(PAYMENT)).outcome is Outcome.PAID


def test_another_account_has_another_token(wire: responses.RequestsMock) -> None:
    wire.post(GRANT, **token())
    wire.post(QUERY, **payment())

    gateway().verify(known(PAYMENT))
    gateway(app_key="another-key").verify(known(PAYMENT))

    assert calls(wire, GRANT) == 2


def test_many_workers_renew_once(granted: responses.RequestsMock) -> None:
    granted.post(QUERY, **payment())
    seen: list[Outcome] = []

    def ask() -> None:
        seen.append(gateway().verify(known(PAYMENT)).outcome)

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [Outcome.PAID] * 8
    assert calls(granted, GRANT) == 1


def test_a_renewal_that_never_ends_is_not_waited_for(wire: responses.RequestsMock) -> None:
    tokens = Tokens(Outbound("bkash", answer_seconds=0.2), gateway().account)
    cache.add(tokens._key("lock"), "somebody else", timeout=60)

    with pytest.raises(Unavailable, match="being renewed"):
        tokens.current()

    assert len(wire.calls) == 0
    assert cache.get(tokens._key("lock")) == "somebody else"


def test_a_failed_renewal_gives_the_lock_back(wire: responses.RequestsMock) -> None:
    wire.post(GRANT, status=500)
    tokens = Tokens(Outbound("bkash"), gateway().account)

    with pytest.raises(Unavailable):
        tokens.current()

    assert cache.get(tokens._key("lock")) is None


def test_without_the_store_no_token_is_asked_for(
    wire: responses.RequestsMock, settings: Any
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }

    with pytest.raises(Unavailable, match="store of tokens"):
        gateway().verify(known(PAYMENT))

    assert len(wire.calls) == 0


def test_no_secret_in_a_refused_grant(
    wire: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    wire.post(GRANT, **refused("2001", "very-secret-password is wrong"))

    with pytest.raises(Misconfigured) as caught:
        gateway().verify(known(PAYMENT))

    assert "very-secret" not in whole_text(caught.value) + caplog.text


def test_no_secret_in_the_names_of_the_cache(granted: responses.RequestsMock) -> None:
    granted.post(QUERY, **payment())

    gateway().verify(known(PAYMENT))

    backend: Any = cache
    assert "secret" not in " ".join(backend._cache)


# Callback (section 4).


@pytest.mark.parametrize("status", ["success", "failure", "cancel", "", "paid"])
def test_a_callback_says_nothing_but_which_payment(status: str) -> None:
    query = {"paymentID": PAYMENT, "status": status, "trxID": "FORGED", "amount": "1500.00"}

    claim = gateway().read_callback(query=query, body=b'{"paymentID": "X"}', content_type="")

    assert claim == Claim(gateway_reference=PAYMENT)


def test_the_sum_is_sent_with_two_places(granted: responses.RequestsMock) -> None:
    granted.post(CREATE, **created())

    gateway().open_session(replace(REQUEST, amount=Decimal("99.5")))

    assert json.loads(granted.calls[1].request.body)["amount"] == "99.50"

"""bKash: two token calls an hour and no more (contract page bkash, section 2)."""

import json
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
import responses
import time_machine
from django.core.cache import cache

from core.http import Outbound
from core.providers import Misconfigured, Unavailable
from core.tests.wire import whole_text
from payments.gateways.base import Outcome
from payments.gateways.bkash_tokens import Tokens
from payments.gateways.tests.bkash_answers import (
    CREATE,
    EXECUTE,
    GRANT,
    PAYMENT,
    QUERY,
    REFRESH,
    START,
    calls,
    created,
    gateway,
    payment,
    refused,
    refused_otherwise,
    token,
)
from payments.gateways.tests.canned import REQUEST, known


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


def test_no_secret_in_a_refused_grant(
    wire: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    wire.post(GRANT, **refused("2001", "very-secret-password is wrong"))

    with pytest.raises(Misconfigured) as caught:
        gateway().verify(known(PAYMENT))

    assert "very-secret" not in whole_text(caught.value) + caplog.text

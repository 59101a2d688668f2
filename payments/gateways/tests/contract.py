"""What every gateway adapter promises, told once.

An adapter's test module subclasses `GatewayContract` twice: with a world of canned answers
(`Canned`) and with one that is a simulator. A world brings about a *situation*; the adapter
has to find the words for it.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Final, Protocol

import pytest
from django.db import transaction

from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from core.tests.wire import UNSURE, whole_text
from payments.gateways.base import Claim, Known, Outcome, PaymentGateway
from payments.gateways.tests.canned import AMOUNT, OTHER_AMOUNT, REQUEST, known

GARBAGE: Final[tuple[bytes, ...]] = (
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"\xff\xfe\x00",
    b"[" * 60_000,
    b'{"a":' * 9_000,
    b"a=1&" * 5_000,
    b'{"invoice_number": {"$ne": 1}, "paymentID": ["x"]}',
    b'{"invoice_number": "BDV 1 \\u0000", "paymentID": null}',
    b"invoice_number=" + b"9" * 500,
    b"x" * 2_000_000,
)


class World(Protocol):
    """The provider's side of a test, and the adapter that speaks to it."""

    gateway: PaymentGateway

    def next_session(self, situation: str) -> None:
        """What the next `open_session` meets."""

    def payment(self, situation: str) -> Known:
        """A payment of ours of `AMOUNT`, in that situation when the gateway is asked."""


class GatewayContract:
    """Subclass, give `secrets`, the fixture `world` and what the callbacks look like."""

    #: Whatever must never be seen in a log, an exception or a repr.
    secrets: ClassVar[tuple[str, ...]]
    #: Names of the settings without which there is no adapter.
    needed: ClassVar[tuple[str, ...]]
    #: The transport situations this world can bring about.
    unsure: ClassVar[tuple[str, ...]] = UNSURE

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrise by what the subclass says of itself."""
        for name, values in (("unsure_situation", self.unsure), ("setting_name", self.needed)):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values)

    @pytest.fixture
    def world(self) -> Iterator[World]:
        raise NotImplementedError

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        """Arguments of `read_callback` for every channel of the contract."""
        raise NotImplementedError

    # Opening.

    def test_session_has_a_page_and_a_name(self, world: World) -> None:
        world.next_session("opened")

        session = world.gateway.open_session(REQUEST)

        assert session.redirect_url.startswith(("https://", "http://127.0.0.1"))
        assert 0 < len(session.gateway_reference) <= 120

    @pytest.mark.parametrize(
        ("situation", "kind"),
        [
            ("refused", Declined),
            ("bad_credentials", Misconfigured),
            ("rate_limited", Unavailable),
            ("no_connection", Unavailable),
        ],
    )
    def test_session_is_refused(
        self, world: World, situation: str, kind: type[ProviderError]
    ) -> None:
        world.next_session(situation)

        with pytest.raises(kind):
            world.gateway.open_session(REQUEST)

    def test_session_with_an_unclear_answer_may_exist(
        self, world: World, unsure_situation: str
    ) -> None:
        world.next_session(unsure_situation)

        with pytest.raises(OutcomeUnknown):
            world.gateway.open_session(REQUEST)

    # Verifying.

    def test_paid(self, world: World) -> None:
        payment = world.payment("paid")

        verdict = world.gateway.verify(payment)

        assert verdict.outcome is Outcome.PAID
        assert verdict.amount == AMOUNT
        assert verdict.currency == "BDT"
        assert 0 < len(verdict.gateway_transaction_id) <= 120

    def test_a_wrong_sum_is_reported_not_judged(self, world: World) -> None:
        payment = world.payment("paid_wrong_sum")

        verdict = world.gateway.verify(payment)

        assert (verdict.outcome, verdict.amount) == (Outcome.PAID, OTHER_AMOUNT)

    @pytest.mark.parametrize("situation", ["not_paid_yet", "given_up"])
    def test_not_paid(self, world: World, situation: str) -> None:
        payment = world.payment(situation)

        verdict = world.gateway.verify(payment)

        assert verdict.outcome in {Outcome.PENDING, Outcome.CANCELLED, Outcome.FAILED}
        assert (verdict.amount, verdict.gateway_transaction_id) == (None, "")

    def test_waiting_is_not_a_no(self, world: World) -> None:
        payment = world.payment("not_paid_yet")

        assert world.gateway.verify(payment).outcome is Outcome.PENDING

    def test_paid_without_a_transaction_is_unknown(self, world: World) -> None:
        payment = world.payment("paid_without_transaction")

        assert world.gateway.verify(payment).outcome is Outcome.UNKNOWN

    def test_an_answer_about_another_payment_is_foreign(self, world: World) -> None:
        payment = world.payment("foreign")

        assert world.gateway.verify(payment).outcome is Outcome.FOREIGN

    def test_an_unknown_status_is_unknown(self, world: World) -> None:
        payment = world.payment("unknown_status")

        assert world.gateway.verify(payment).outcome is Outcome.UNKNOWN

    def test_an_unclear_answer_is_never_a_no(self, world: World, unsure_situation: str) -> None:
        payment = world.payment(unsure_situation)

        try:
            outcome = world.gateway.verify(payment).outcome
        except Unavailable:
            return
        assert outcome in {Outcome.UNKNOWN, Outcome.PENDING}

    def test_verify_with_bad_credentials(self, world: World) -> None:
        payment = world.payment("bad_credentials")

        with pytest.raises(Misconfigured):
            world.gateway.verify(payment)

    def test_verify_says_how_long_to_wait(self, world: World) -> None:
        payment = world.payment("rate_limited")

        with pytest.raises(Unavailable) as caught:
            world.gateway.verify(payment)

        assert caught.value.retry_after

    def test_asking_twice_gives_the_same(self, world: World) -> None:
        payment = world.payment("paid")

        assert world.gateway.verify(payment) == world.gateway.verify(payment)

    # Callbacks.

    def test_a_callback_names_the_payment(self, world: World) -> None:
        payment = world.payment("paid")
        for notice in self.callbacks(payment):
            claim = world.gateway.read_callback(**notice)

            names = (claim.reference, claim.gateway_reference)
            assert names in {(payment.reference, ""), ("", payment.gateway_reference)}

    @pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
    @pytest.mark.parametrize(
        "content_type", ["", "application/json", "application/x-www-form-urlencoded", "image/png"]
    )
    def test_garbage_names_nothing(self, world: World, body: bytes, content_type: str) -> None:
        claim = world.gateway.read_callback(query={}, body=body, content_type=content_type)

        assert claim == Claim()

    @pytest.mark.parametrize("value", ["", "x" * 300, "a b", "a\n", "\x00", "<script>", "\ud800"])
    def test_an_impossible_name_is_none(self, world: World, value: str) -> None:
        query = {"invoice_number": value, "paymentID": value}

        claim = world.gateway.read_callback(query=query, body=b"", content_type="")

        assert claim == Claim()

    # The house rules.

    @pytest.mark.django_db
    def test_nothing_is_sent_inside_a_transaction(self, world: World) -> None:
        payment = known("TR0011")
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            world.gateway.open_session(REQUEST)
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            world.gateway.verify(payment)

    def test_no_secret_is_shown(
        self, world: World, unsure_situation: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        world.next_session(unsure_situation)

        with pytest.raises(ProviderError) as caught:
            world.gateway.open_session(REQUEST)

        shown = repr(world.gateway) + whole_text(caught.value) + caplog.text
        assert [secret for secret in self.secrets if secret in shown] == []

    def test_a_missing_setting_is_named(self, settings: Any, setting_name: str) -> None:
        setattr(settings, setting_name, "")

        with pytest.raises(Misconfigured, match=setting_name):
            self.from_settings()

    def from_settings(self) -> PaymentGateway:
        raise NotImplementedError

    def test_settings_make_an_adapter(self) -> None:
        assert self.from_settings()

"""What every partner adapter promises, told once.

An adapter's test module subclasses `PartnerContract` twice: with a world of canned answers
(`Canned`) and with one that is a simulator. A world brings about a *situation*; the adapter
has to find the words for it.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final, Protocol

import pytest
import responses
from django.db import transaction

from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from core.tests import wire
from core.tests.wire import whole_text
from fulfillment.partners.base import Anomaly, AtWork, IssuedCode, Offer, VoucherPartner

REFERENCE: Final = "48213377I7U1T1"
OFFER: Final = Offer("OFFER")

#: What the wire may do to any adapter, and what this kind of partner may answer besides.
TRANSPORT: Final[Mapping[str, dict[str, Any]]] = {
    **wire.TRANSPORT,
    "bad_key": {"status": 401},
    "forbidden": {"status": 403},
    "html_404": {"status": 404, "body": "<h1>Not found</h1>", "content_type": "text/html"},
}
UNSURE: Final = (*wire.UNSURE, "html_404")


class World(Protocol):
    """The partner's side of a test, and the adapter that speaks to it."""

    partner: VoucherPartner

    def next_purchase(self, situation: str) -> Offer:
        """What the next purchase meets, and the offer to buy."""

    def purchase(self, situation: str) -> str:
        """The reference of a purchase in that situation when the partner is asked."""

    def wallet(self) -> tuple[Decimal, str]:
        """What the partner keeps for us."""


class Canned:
    """A world of answers written down beforehand, with the network closed."""

    def __init__(
        self,
        wire: responses.RequestsMock,
        partner: VoucherPartner,
        *,
        purchase_url: str,
        buying: Mapping[str, dict[str, Any]],
        lookup_url: str,
        looking: Mapping[str, dict[str, Any]],
        wallet_url: str,
        wallet: tuple[dict[str, Any], tuple[Decimal, str]],
        offer: Offer = OFFER,
    ) -> None:
        self.wire = wire
        self.partner = partner
        self.purchase_url = purchase_url
        self.buying = {**TRANSPORT, **buying}
        self.lookup_url = lookup_url
        self.looking = {**TRANSPORT, **looking}
        self.wallet_url = wallet_url
        self.wallet_answer, self.wallet_content = wallet
        self.offer = offer

    def next_purchase(self, situation: str) -> Offer:
        self.wire.post(self.purchase_url, **self.buying[situation])
        self.wire.get(self.lookup_url, **self.looking["not_known"])
        return self.offer

    def purchase(self, situation: str) -> str:
        self.wire.get(self.lookup_url, **self.looking[situation])
        return REFERENCE

    def wallet(self) -> tuple[Decimal, str]:
        self.wire.get(self.wallet_url, **self.wallet_answer)
        return self.wallet_content


class PartnerContract:
    """Subclass, give `secrets` and the fixture `world`."""

    #: Whatever must never be seen in a log, an exception or a repr, codes included.
    secrets: ClassVar[tuple[str, ...]]
    #: Names of the settings without which there is no adapter.
    needed: ClassVar[tuple[str, ...]]
    #: The transport situations this world can bring about.
    unsure: ClassVar[tuple[str, ...]] = UNSURE
    #: Of these, the ones that are clear when they answer a look-up.
    clear_to_a_look: ClassVar[frozenset[str]] = frozenset()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrise by what the subclass says of itself."""
        for name, values in (("unsure_situation", self.unsure), ("setting_name", self.needed)):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values)

    @pytest.fixture
    def world(self) -> Iterator[World]:
        raise NotImplementedError

    def buy(self, world: World, situation: str) -> IssuedCode | AtWork:
        offer = world.next_purchase(situation)
        return world.partner.purchase(reference=REFERENCE, offer=offer, inputs={})

    def look(self, world: World, situation: str) -> IssuedCode | AtWork | None:
        return world.partner.lookup(reference=world.purchase(situation))

    # Buying.

    def test_accepted_is_followed_by_plan(self, world: World) -> None:
        assert isinstance(self.buy(world, "accepted"), AtWork)

    @pytest.mark.parametrize(
        ("situation", "kind"),
        [
            ("no_such_offer", Declined),
            ("bad_request", Declined),
            ("bad_key", Misconfigured),
            ("forbidden", Misconfigured),
            ("rate_limited", Unavailable),
            ("no_connection", Unavailable),
        ],
    )
    def test_nothing_was_bought(
        self, world: World, situation: str, kind: type[ProviderError]
    ) -> None:
        with pytest.raises(kind):
            self.buy(world, situation)

    def test_an_unclear_answer_may_be_a_purchase(self, world: World, unsure_situation: str) -> None:
        with pytest.raises(OutcomeUnknown):
            self.buy(world, unsure_situation)

    def test_a_limit_says_how_long_to_wait(self, world: World) -> None:
        with pytest.raises(Unavailable) as caught:
            self.buy(world, "rate_limited")

        assert caught.value.retry_after

    # Looking.

    def test_delivered(self, world: World) -> None:
        issued = self.look(world, "delivered")

        assert isinstance(issued, IssuedCode)
        assert issued.code
        assert len(issued.serial_number) <= 120
        assert len(issued.partner_transaction_id) <= 120

    def test_delivered_as_a_link(self, world: World) -> None:
        issued = self.look(world, "delivered_as_link")

        assert isinstance(issued, IssuedCode)
        assert issued.redemption_url.startswith("http")

    def test_looking_does_not_buy(self, world: World) -> None:
        assert self.look(world, "not_known") is None
        assert self.look(world, "not_known") is None

    def test_looking_twice_gives_the_same(self, world: World) -> None:
        reference = world.purchase("delivered")

        first = world.partner.lookup(reference=reference)
        assert first is not None
        assert first == world.partner.lookup(reference=reference)

    def test_at_work(self, world: World) -> None:
        assert isinstance(self.look(world, "at_work"), AtWork)

    def test_ended_without_a_voucher(self, world: World) -> None:
        with pytest.raises(Declined) as caught:
            self.look(world, "failed")

        assert caught.value.raw_code

    def test_not_known_is_none(self, world: World) -> None:
        assert self.look(world, "not_known") is None

    def test_done_without_goods_is_held(self, world: World) -> None:
        with pytest.raises(Anomaly):
            self.look(world, "done_without_goods")

    def test_an_unclear_look_is_repeated(self, world: World, unsure_situation: str) -> None:
        if unsure_situation in self.clear_to_a_look:
            assert self.look(world, unsure_situation) is None
            return
        with pytest.raises(Unavailable):
            self.look(world, unsure_situation)

    def test_a_look_with_a_bad_key(self, world: World) -> None:
        with pytest.raises(Misconfigured):
            self.look(world, "bad_key")

    # The house rules.

    def test_balance(self, world: World) -> None:
        wallet = world.wallet()

        assert world.partner.balance() == wallet

    @pytest.mark.django_db
    def test_nothing_is_sent_inside_a_transaction(self, world: World) -> None:
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            world.partner.purchase(reference=REFERENCE, offer=Offer("OFFER"), inputs={})
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            world.partner.lookup(reference=REFERENCE)

    def test_goods_are_not_shown(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        issued = self.look(world, "delivered")

        assert isinstance(issued, IssuedCode)
        shown = f"{issued!r} {issued} {caplog.text}"
        assert [
            s for s in (issued.code, issued.pin, issued.redemption_url) if s and s in shown
        ] == []

    def test_no_secret_is_shown(
        self, world: World, unsure_situation: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        with pytest.raises(ProviderError) as caught:
            self.buy(world, unsure_situation)

        shown = repr(world.partner) + whole_text(caught.value) + caplog.text
        assert [secret for secret in self.secrets if secret in shown] == []

    def test_a_missing_setting_is_named(self, settings: Any, setting_name: str) -> None:
        setattr(settings, setting_name, "")

        with pytest.raises(Misconfigured, match=setting_name):
            self.from_settings()

    def test_settings_make_an_adapter(self) -> None:
        assert self.from_settings()

    def from_settings(self) -> VoucherPartner:
        raise NotImplementedError

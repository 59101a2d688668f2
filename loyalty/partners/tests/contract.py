"""What every points partner's adapter promises, told once, in the style of the voucher partners'.

A subclass gives the wire: which canned answer makes which situation. The network is closed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import pytest
import responses
from django.db import transaction

from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from core.tests import wire
from core.tests.wire import whole_text
from loyalty.partners.base import AtWork, Credited, Member, PointsPartner

REFERENCE: Final = "BDVP0b8e7c4e64f45b4e9e0b0c8a51f8a0d2"
MEMBER: Final = Member("BENGAL", "BG1234567", "Nadia", "Islam")
AMOUNT: Final = 2500
TRANSPORT: Final[Mapping[str, dict[str, Any]]] = {
    **wire.TRANSPORT,
    "bad_key": {"status": 401},
    "forbidden": {"status": 403},
    "html_404": {"status": 404, "body": "<h1>Not found</h1>", "content_type": "text/html"},
}
UNSURE: Final = (*wire.UNSURE, "html_404")


@pytest.mark.django_db
class PointsPartnerContract:
    """Subclass, give the wire and `connect`."""

    credit_url: ClassVar[str]
    lookup_url: ClassVar[str]
    check_url: ClassVar[str]
    #: Situation -> what a credit, or a look-up, is answered.
    crediting: ClassVar[Mapping[str, dict[str, Any]]]
    looking: ClassVar[Mapping[str, dict[str, Any]]]
    checking: ClassVar[Mapping[str, dict[str, Any]]]
    secrets: ClassVar[tuple[str, ...]]

    def connect(self, answer_seconds: float = 1.0) -> PointsPartner:
        raise NotImplementedError

    @pytest.fixture
    def wire(self) -> Iterator[responses.RequestsMock]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as closed:
            yield closed

    def credit(self, wire: Any, situation: str, *, then: str = "not_known") -> Any:
        wire.reset()
        wire.post(self.credit_url, **{**TRANSPORT, **self.crediting}[situation])
        wire.get(self.lookup_url, **{**TRANSPORT, **self.looking}[then])
        return self.connect().credit(reference=REFERENCE, member=MEMBER, amount=AMOUNT)

    def look(self, wire: Any, situation: str) -> Any:
        wire.reset()
        wire.get(self.lookup_url, **{**TRANSPORT, **self.looking}[situation])
        return self.connect().lookup(reference=REFERENCE)

    def check(self, wire: Any, situation: str) -> None:
        wire.reset()
        wire.post(self.check_url, **{**TRANSPORT, **self.checking}[situation])
        self.connect().check_member(member=MEMBER)

    # Crediting

    def test_credited_at_once(self, wire: Any) -> None:
        said = self.credit(wire, "credited")
        assert isinstance(said, Credited)
        assert said.partner_transaction_id == "PB0000000001"

    @pytest.mark.parametrize("situation", ["accepted", "processing"])
    def test_at_work_is_no_end(self, wire: Any, situation: str) -> None:
        assert isinstance(self.credit(wire, situation), AtWork)
        assert isinstance(self.look(wire, situation), AtWork)

    def test_what_is_asked_for(self, wire: Any) -> None:
        self.credit(wire, "credited")
        sent = self.sent(wire.calls[0].request)
        assert sent == (REFERENCE, AMOUNT, "BENGAL", "BG1234567", "Nadia", "Islam")

    def sent(self, request: Any) -> tuple[object, ...]:
        """Reference, amount and member, as the wire carries them."""
        raise NotImplementedError

    def test_a_definite_no(self, wire: Any) -> None:
        with pytest.raises(Declined) as caught:
            self.credit(wire, "refused")
        assert caught.value.raw_code == "member_not_found"

    def test_a_no_that_is_none_is_found_by_its_reference(self, wire: Any) -> None:
        """The refusal was about a repeat: the first one had been carried out."""
        assert isinstance(self.credit(wire, "refused", then="credited"), Credited)

    def test_a_no_that_can_not_be_checked_is_no_no(self, wire: Any) -> None:
        with pytest.raises(OutcomeUnknown):
            self.credit(wire, "refused", then="server_error")

    def test_a_rejection_in_a_good_answer(self, wire: Any) -> None:
        with pytest.raises(Declined):
            self.credit(wire, "rejected")

    @pytest.mark.parametrize("situation", UNSURE)
    def test_after_which_nobody_knows(self, wire: Any, situation: str) -> None:
        with pytest.raises(OutcomeUnknown):
            self.credit(wire, situation)

    @pytest.mark.parametrize("situation", ["unheard_of", "other_reference", "no_status"])
    def test_an_answer_that_can_not_be_placed(self, wire: Any, situation: str) -> None:
        with pytest.raises(OutcomeUnknown):
            self.credit(wire, situation)
        with pytest.raises(Unavailable):
            self.look(wire, situation)

    @pytest.mark.parametrize("situation", ["rate_limited", "no_connection"])
    def test_after_which_surely_nothing_happened(self, wire: Any, situation: str) -> None:
        with pytest.raises(Unavailable):
            self.credit(wire, situation)
        assert len(wire.calls) == 1, "what surely did not arrive is not asked about"

    def test_how_long_to_wait_is_heard(self, wire: Any) -> None:
        with pytest.raises(Unavailable) as caught:
            self.credit(wire, "rate_limited")
        assert caught.value.retry_after == 7

    @pytest.mark.parametrize("situation", ["bad_key", "forbidden"])
    def test_our_own_fault(self, wire: Any, situation: str) -> None:
        for act in (self.credit, self.look, self.check):
            with pytest.raises(Misconfigured):
                act(wire, situation)

    # Looking up

    def test_looked_up(self, wire: Any) -> None:
        assert isinstance(self.look(wire, "credited"), Credited)

    def test_a_reference_nobody_knows(self, wire: Any) -> None:
        assert self.look(wire, "not_known") is None

    def test_a_rejection_that_is_found(self, wire: Any) -> None:
        with pytest.raises(Declined):
            self.look(wire, "rejected")

    @pytest.mark.parametrize("situation", UNSURE)
    def test_a_look_that_says_nothing(self, wire: Any, situation: str) -> None:
        """Above all: not "unknown reference", after which it would be sent again."""
        with pytest.raises(Unavailable):
            self.look(wire, situation)

    # Checking a member

    def test_a_member_who_is_taken(self, wire: Any) -> None:
        self.check(wire, "accepted")

    def test_a_member_who_is_not(self, wire: Any) -> None:
        with pytest.raises(Declined) as caught:
            self.check(wire, "refused")
        assert caught.value.raw_code == "TC40002"

    @pytest.mark.parametrize("situation", [*UNSURE, "not_accepted", "rate_limited"])
    def test_a_check_that_says_nothing(self, wire: Any, situation: str) -> None:
        with pytest.raises(Unavailable):
            self.check(wire, situation)

    # Always

    def test_nothing_is_asked_inside_a_transaction(self, wire: Any) -> None:
        for act in (self.credit, self.look, self.check):
            with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
                act(wire, "server_error")
        assert len(wire.calls) == 0

    @pytest.mark.parametrize("situation", [*UNSURE, "refused", "bad_key", "rate_limited"])
    def test_no_secret_in_any_error(self, wire: Any, situation: str) -> None:
        with pytest.raises(ProviderError) as caught:
            self.credit(wire, situation)
        told = whole_text(caught.value) + repr(self.connect())
        assert [each for each in self.secrets if each in told] == []

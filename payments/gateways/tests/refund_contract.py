"""What every adapter with a refund call promises, told once; see `contract.py` for worlds.

A world that can refund has `paid_back(situation)`: a request to pay back `PART` of a payment
that is paid, made so that the refund call meets the situation; and `asked(request, situation)`,
which makes the next `query_refund` meet one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar, Final, Protocol

import pytest
from django.db import transaction

from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from core.tests.wire import UNSURE
from payments.gateways.base import Known, RefundingGateway, RefundRequest, RefundState

PART: Final = Decimal("500.00")
PAID_AT: Final = datetime(2026, 4, 27, 14, tzinfo=UTC)


def refund_of(payment: Known, transaction_id: str, **more: object) -> RefundRequest:
    given = {
        "reference": f"{payment.reference}-R1",
        "amount": PART,
        "reason": "the customer asked for it",
        "payment": payment,
        "gateway_transaction_id": transaction_id,
        "paid_at": PAID_AT,
    }
    return RefundRequest(**(given | more))


class RefundWorld(Protocol):
    gateway: RefundingGateway

    def paid_back(self, situation: str) -> RefundRequest:
        """A paid payment, and what the refund call meets: `done`, `refused`, `bad_credentials`,
        or one of the transport situations."""

    def asked(self, request: RefundRequest, situation: str) -> RefundRequest:
        """The same refund, `done` or `not_found` when the gateway is asked about it."""


class RefundContract:
    """Subclass beside `GatewayContract`, with the fixture `refunds`."""

    #: The states a taken refund may have at once; SSLCommerz only takes the request.
    taken: ClassVar[frozenset[RefundState]] = frozenset({RefundState.DONE})
    unsure: ClassVar[tuple[str, ...]] = UNSURE
    #: Whether the gateway tells "never heard of it" from other answers.
    tells_not_found: ClassVar[bool] = True

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "unsure_situation" in metafunc.fixturenames:
            metafunc.parametrize("unsure_situation", self.unsure)

    @pytest.fixture
    def refunds(self) -> Iterator[RefundWorld]:
        raise NotImplementedError

    def test_it_is_a_refunding_gateway(self, refunds: RefundWorld) -> None:
        assert isinstance(refunds.gateway, RefundingGateway)

    def test_a_part_is_paid_back(self, refunds: RefundWorld) -> None:
        answer = refunds.gateway.refund(refunds.paid_back("done"))

        assert answer.state in self.taken
        assert 0 < len(answer.gateway_refund_id) <= 120

    @pytest.mark.parametrize(
        ("situation", "kind"),
        [
            ("refused", Declined),
            ("bad_credentials", Misconfigured),
            ("rate_limited", Unavailable),
            ("no_connection", Unavailable),
        ],
    )
    def test_a_refund_is_refused(
        self, refunds: RefundWorld, situation: str, kind: type[ProviderError]
    ) -> None:
        request = refunds.paid_back(situation)

        with pytest.raises(kind):
            refunds.gateway.refund(request)

    def test_an_unclear_answer_may_have_paid(
        self, refunds: RefundWorld, unsure_situation: str
    ) -> None:
        """Never a no, and never sent again by itself."""
        request = refunds.paid_back(unsure_situation)

        try:
            state = refunds.gateway.refund(request).state
        except OutcomeUnknown:
            return
        assert state in {RefundState.UNKNOWN, RefundState.PENDING}

    def test_asked_about(self, refunds: RefundWorld) -> None:
        request = refunds.asked(refunds.paid_back("done"), "done")

        answer = refunds.gateway.query_refund(request)

        assert answer.state is RefundState.DONE
        assert refunds.gateway.query_refund(request) == answer

    def test_one_that_never_arrived(self, refunds: RefundWorld) -> None:
        request = refunds.asked(refunds.paid_back("done"), "not_found")

        state = refunds.gateway.query_refund(request).state

        wanted = RefundState.NOT_FOUND if self.tells_not_found else RefundState.UNKNOWN
        assert state is wanted

    @pytest.mark.django_db
    def test_no_refund_inside_a_transaction(self, refunds: RefundWorld) -> None:
        request = refunds.paid_back("done")
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            refunds.gateway.refund(request)
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            refunds.gateway.query_refund(request)

"""bKash's contract and refunds, with its simulator on the wire."""

import itertools
from dataclasses import replace
from typing import Any, Final

import pytest

from core.http import Outbound
from fulfillment.partners.tests.simulator import (
    ANSWER_SECONDS,
    CREDENTIALS,
    NOWHERE,
    UNSURE,
    Simulator,
)
from payments.gateways.base import Known, PaymentGateway, RefundRequest, RefundState
from payments.gateways.bkash import BkashGateway
from payments.gateways.bkash_tokens import Account
from payments.gateways.tests.canned import REQUEST, known
from payments.gateways.tests.contract import GatewayContract
from payments.gateways.tests.refund_contract import PART, RefundContract, refund_of

SERVICE: Final = "bkash"
BASE: Final = "v1.2.0-beta"
#: Situation -> what the payer does, whether we execute, and what is wrong with the answer.
PAYMENTS: Final[dict[str, tuple[str, bool, dict[str, Any]]]] = {
    "paid": ("pay", True, {}),
    "paid_wrong_sum": ("pay", True, {"fault": "wrong_amount", "amount": "15.00"}),
    "paid_without_transaction": ("pay", True, {"fault": "no_trx_id"}),
    "not_paid_yet": ("", False, {}),
    "given_up": ("cancel", False, {}),
    "foreign": ("pay", True, {"fault": "wrong_invoice"}),
    "unknown_status": ("pay", True, {"fault": "status_text", "text": "Reversing"}),
    "bad_credentials": ("", False, {"fault": "refused", "code": "2001"}),
}
OPENING: Final[dict[str, dict[str, Any]]] = {
    "refused": {"fault": "refused", "code": "2006"},
    "bad_credentials": {"fault": "forbidden"},
}
REFUNDING: Final[dict[str, dict[str, Any]]] = {
    "refused": {"fault": "refused", "code": "2071"},
    "bad_credentials": {"fault": "refused", "code": "2001"},
}
numbers: Final = itertools.count(30_000_000)


class SimulatedBkash:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        simulator.reset(SERVICE)
        self.gateway = BkashGateway(
            out=Outbound(SERVICE, answer_seconds=ANSWER_SECONDS),
            account=Account(
                base_url=f"{simulator.url}/{SERVICE}/{BASE}",
                app_key=CREDENTIALS["BKASH_APP_KEY"],
                app_secret=CREDENTIALS["BKASH_APP_SECRET"],
                username=CREDENTIALS["BKASH_USERNAME"],
                password=CREDENTIALS["BKASH_PASSWORD"],
            ),
        )

    def next_session(self, situation: str) -> None:
        if situation == "no_connection":
            self.lose_connection()
        elif situation != "opened":
            wish = OPENING.get(situation, {"fault": situation})
            self.simulator.fault(SERVICE, "create", **wish)

    def payment(self, situation: str) -> Known:
        action, executed, wish = PAYMENTS.get(situation, ("pay", True, {"fault": situation}))
        payment = self.opened()
        if action:
            self.press(payment.gateway_reference, action)
        if executed:
            self.gateway.capture(payment)
        if wish:
            self.simulator.fault(SERVICE, "query", **wish)
        return payment

    def opened(self) -> Known:
        reference = f"BDV-{next(numbers)}-1"
        session = self.gateway.open_session(replace(REQUEST, reference=reference))
        return known(session.gateway_reference, reference=reference)

    def press(self, payment_id: str, action: str = "pay") -> None:
        self.simulator.call(f"{SERVICE}/pay", payment_id=payment_id, action=action)

    def paid_back(self, situation: str) -> RefundRequest:
        payment = self.payment("paid")
        transaction = self.gateway.verify(payment).gateway_transaction_id
        if situation == "no_connection":
            self.lose_connection()
        elif situation != "done":
            wish = REFUNDING.get(situation, {"fault": situation})
            self.simulator.fault(SERVICE, "refund", **wish)
        return refund_of(payment, transaction)

    def asked(self, request: RefundRequest, situation: str) -> RefundRequest:
        if situation == "done":
            self.gateway.refund(request)
        return request

    def lose_connection(self) -> None:
        """The token is there, the next call finds nobody."""
        self.gateway = replace(
            self.gateway, account=replace(self.gateway.account, base_url=NOWHERE)
        )


class TestSimulatedBkash(GatewayContract):
    secrets = (CREDENTIALS["BKASH_PASSWORD"], CREDENTIALS["BKASH_APP_SECRET"])
    needed = ("BKASH_APP_KEY", "BKASH_PASSWORD")
    unsure = UNSURE

    @pytest.fixture
    def world(self, simulator: Simulator) -> SimulatedBkash:
        return SimulatedBkash(simulator)

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        query = {"paymentID": payment.gateway_reference, "status": "success"}
        return [{"query": query, "body": b"", "content_type": ""}]

    def from_settings(self) -> PaymentGateway:
        return BkashGateway.from_settings(ANSWER_SECONDS)


class TestSimulatedBkashRefunds(RefundContract):
    unsure = UNSURE

    @pytest.fixture
    def refunds(self, simulator: Simulator) -> SimulatedBkash:
        return SimulatedBkash(simulator)


def test_a_second_refund_is_not_taken_for_the_first(simulator: Simulator) -> None:
    world = SimulatedBkash(simulator)
    first = world.paid_back("done")
    done = world.gateway.refund(first)
    second = replace(
        first, reference=f"{first.payment.reference}-R2", earlier={done.gateway_refund_id}
    )

    assert world.gateway.query_refund(second).state is RefundState.NOT_FOUND
    again = world.gateway.refund(second)
    assert (again.state, again.gateway_refund_id != done.gateway_refund_id) == (
        RefundState.DONE,
        True,
    )
    assert world.gateway.query_refund(second) == again


def test_another_sum_is_not_done(simulator: Simulator) -> None:
    world = SimulatedBkash(simulator)
    request = world.paid_back("wrong_amount")

    assert request.amount == PART
    assert world.gateway.refund(request).state is RefundState.UNKNOWN

"""The gateway contract once more, with PayStation's simulator at the other end of the wire."""

import itertools
from dataclasses import replace
from typing import Any, Final

import pytest

from core.http import Outbound
from core.providers import Declined
from fulfillment.partners.tests.simulator import (
    ANSWER_SECONDS,
    CREDENTIALS,
    NOWHERE,
    UNSURE,
    Simulator,
)
from payments.gateways.base import Known, Outcome, PaymentGateway
from payments.gateways.paystation import PayStationGateway
from payments.gateways.tests.canned import AMOUNT, REQUEST, known
from payments.gateways.tests.contract import GatewayContract

SERVICE: Final = "paystation"
#: Situation -> what the payer does, and what is wrong with the answer to our question.
PAYMENTS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "paid": ("pay", {}),
    "paid_wrong_sum": ("pay", {"fault": "wrong_amount", "amount": "15.00"}),
    "paid_without_transaction": ("pay", {"fault": "no_trx_id"}),
    "not_paid_yet": ("", {}),
    "given_up": ("cancel", {}),
    "foreign": ("pay", {"fault": "wrong_invoice"}),
    "unknown_status": ("pay", {"fault": "status_text", "text": "Reversing"}),
    "bad_credentials": ("", {"fault": "unauthorized"}),
}
OPENING: Final[dict[str, dict[str, Any]]] = {
    "refused": {"fault": "duplicate"},
    "bad_credentials": {"fault": "invalid_credential"},
}
numbers: Final = itertools.count(10_000_000)


class SimulatedPayStation:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        simulator.reset(SERVICE)
        self.gateway: PayStationGateway = PayStationGateway(
            out=Outbound(SERVICE, answer_seconds=ANSWER_SECONDS),
            base_url=f"{simulator.url}/{SERVICE}",
            merchant_id=CREDENTIALS["PAYSTATION_MERCHANT_ID"],
            password=CREDENTIALS["PAYSTATION_PASSWORD"],
            page_host="127.0.0.1",
            pay_with_charge="0",
        )

    def next_session(self, situation: str) -> None:
        if situation == "no_connection":
            self.gateway = replace(self.gateway, base_url=NOWHERE)
        elif situation != "opened":
            wish = OPENING.get(situation, {"fault": situation})
            self.simulator.fault(SERVICE, "create", **wish)

    def payment(self, situation: str) -> Known:
        action, wish = PAYMENTS.get(situation, ("pay", {"fault": situation}))
        payment = self.opened()
        if action:
            self.pay(payment, action)
        if wish:
            self.simulator.fault(SERVICE, "status", **wish)
        return payment

    def opened(self) -> Known:
        reference = f"BDV-{next(numbers)}-1"
        session = self.gateway.open_session(replace(REQUEST, reference=reference))
        return known(session.gateway_reference, reference=reference)

    def pay(self, payment: Known, action: str = "pay", **how: object) -> None:
        wish = {"invoice_number": payment.reference, "action": action, **how}
        self.simulator.call(f"{SERVICE}/pay", **wish)


@pytest.fixture
def world(simulator: Simulator) -> SimulatedPayStation:
    return SimulatedPayStation(simulator)


class TestSimulatedPayStation(GatewayContract):
    secrets = (CREDENTIALS["PAYSTATION_PASSWORD"],)
    needed = ("PAYSTATION_MERCHANT_ID", "PAYSTATION_PASSWORD")
    unsure = UNSURE

    @pytest.fixture
    def world(self, simulator: Simulator) -> SimulatedPayStation:
        return SimulatedPayStation(simulator)

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        query = {"invoice_number": payment.reference, "status": "Successful", "trx_id": "A1"}
        return [{"query": query, "body": b"", "content_type": ""}]

    def from_settings(self) -> PaymentGateway:
        return PayStationGateway.from_settings(ANSWER_SECONDS)


def test_a_number_is_taken_once(world: SimulatedPayStation) -> None:
    world.gateway.open_session(REQUEST)

    with pytest.raises(Declined, match="1008"):
        world.gateway.open_session(REQUEST)


@pytest.mark.parametrize("fault", ["number_status_code", "wrong_type"])
def test_a_strange_envelope_is_still_read(world: SimulatedPayStation, fault: str) -> None:
    payment = world.opened()
    world.pay(payment)
    world.simulator.fault(SERVICE, "status", fault)

    assert world.gateway.verify(payment).outcome is Outcome.PAID


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"fault": "not_found"}, Outcome.PENDING),
        ({"fault": "processing"}, Outcome.PENDING),
        ({"fault": "no_status"}, Outcome.UNKNOWN),
        ({"fault": "wrong_merchant"}, Outcome.UNKNOWN),
        ({"fault": "refused", "code": "4711"}, Outcome.UNKNOWN),
    ],
)
def test_faults_of_the_status_call(
    world: SimulatedPayStation, fault: dict[str, Any], outcome: Outcome
) -> None:
    payment = world.opened()
    world.pay(payment)
    world.simulator.fault(SERVICE, "status", **fault)

    assert world.gateway.verify(payment).outcome is outcome


@pytest.mark.parametrize(
    ("action", "outcome"), [("fail", Outcome.FAILED), ("cancel", Outcome.CANCELLED)]
)
def test_an_end_and_the_money_that_came_late(
    world: SimulatedPayStation, action: str, outcome: Outcome
) -> None:
    payment = world.opened()
    world.pay(payment, action)
    assert world.gateway.verify(payment).outcome is outcome

    world.pay(payment)

    assert world.gateway.verify(payment).outcome is Outcome.PAID


def test_expired_and_refunded(world: SimulatedPayStation) -> None:
    expired, refunded = world.opened(), world.opened()
    world.simulator.call(f"{SERVICE}/expire", invoice_number=expired.reference)
    world.pay(refunded)
    world.simulator.call(f"{SERVICE}/refund", invoice_number=refunded.reference)

    assert world.gateway.verify(expired).outcome is Outcome.CANCELLED
    assert world.gateway.verify(refunded).outcome is Outcome.REFUNDED


@pytest.mark.parametrize("rule", ["always", "when_0"])
def test_a_fee_on_the_customer_does_not_change_the_total(
    world: SimulatedPayStation, rule: str
) -> None:
    world.simulator.call(f"{SERVICE}/settings", customer_pays_fee=rule)
    payment = world.opened()
    world.pay(payment)

    verdict = world.gateway.verify(payment)

    assert (verdict.outcome, verdict.amount) == (Outcome.PAID, AMOUNT)
    assert verdict.evidence["payment_amount"] == "1522.50"

"""Nagad's contract and refunds, with its simulator on the wire."""

import itertools
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
import time_machine
from django.utils import timezone

from core.http import Outbound
from core.providers import Declined, Misconfigured
from fulfillment.partners.tests.simulator import (
    ANSWER_SECONDS,
    CREDENTIALS,
    NOWHERE,
    UNSURE,
    Simulator,
)
from payments.gateways.base import Known, Outcome, PaymentGateway, RefundRequest, RefundState
from payments.gateways.nagad import NagadGateway, order_id
from payments.gateways.nagad_crypto import Keys
from payments.gateways.tests.canned import AMOUNT, REQUEST, known
from payments.gateways.tests.contract import GatewayContract
from payments.gateways.tests.refund_contract import PART, RefundContract, refund_of

SERVICE: Final = "nagad"
API: Final = "remote-payment-gateway-1.0/api/dfs"
#: Situation -> what the payer does, and what is wrong with the answer to our question.
PAYMENTS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "paid": ("pay", {}),
    "paid_wrong_sum": ("pay", {"fault": "wrong_amount", "amount": "15.00"}),
    "paid_without_transaction": ("pay", {"fault": "no_issuer_ref"}),
    "not_paid_yet": ("", {}),
    "given_up": ("cancel", {}),
    "foreign": ("pay", {"fault": "wrong_order"}),
    "unknown_status": ("pay", {"fault": "status_text", "text": "Reversing"}),
    "bad_credentials": ("", {"fault": "refused", "reason": "InvalidMerchant"}),
}
OPENING: Final[dict[str, dict[str, Any]]] = {
    "refused": {"fault": "duplicate"},
    "bad_credentials": {"fault": "invalid_merchant"},
}
REFUNDING: Final[dict[str, dict[str, Any]]] = {
    "refused": {"fault": "refused", "reason": "InvalidPurchaseInformation"},
    "bad_credentials": {"fault": "refused", "reason": "InactiveMerchant"},
}
numbers: Final = itertools.count(40_000_000)


class SimulatedNagad:
    """The situation of opening a session is that of `operation`."""

    def __init__(self, simulator: Simulator, operation: str = "initialize") -> None:
        self.simulator = simulator
        self.operation = operation
        simulator.reset(SERVICE)
        self.gateway = NagadGateway(
            out=Outbound(SERVICE, answer_seconds=ANSWER_SECONDS),
            base_url=f"{simulator.url}/{SERVICE}/{API}",
            page_host="127.0.0.1",
            merchant_id=CREDENTIALS["NAGAD_MERCHANT_ID"],
            client_ip="127.0.0.1",
            keys=Keys.read(
                CREDENTIALS["NAGAD_MERCHANT_PRIVATE_KEY"], CREDENTIALS["NAGAD_GATEWAY_PUBLIC_KEY"]
            ),
        )

    def next_session(self, situation: str) -> None:
        if situation == "no_connection":
            self.gateway = replace(self.gateway, base_url=NOWHERE)
        elif situation in OPENING:
            self.simulator.fault(SERVICE, "initialize", **OPENING[situation])
        elif situation != "opened":
            self.simulator.fault(SERVICE, self.operation, situation)

    def payment(self, situation: str) -> Known:
        action, wish = PAYMENTS.get(situation, ("pay", {"fault": situation}))
        payment = self.opened()
        if action:
            self.press(payment, action)
        if wish:
            self.simulator.fault(SERVICE, "verify", **wish)
        return payment

    def opened(self) -> Known:
        reference = f"BDV-{next(numbers)}-1"
        session = self.gateway.open_session(replace(REQUEST, reference=reference))
        return known(session.gateway_reference, reference=reference)

    def press(self, payment: Known, action: str = "pay", **how: object) -> None:
        wish = {"payment_ref_id": payment.gateway_reference, "action": action, **how}
        self.simulator.call(f"{SERVICE}/pay", **wish)

    def paid_back(self, situation: str) -> RefundRequest:
        payment = self.payment("paid")
        verdict = self.gateway.verify(payment)
        if situation == "no_connection":
            self.gateway = replace(self.gateway, base_url=NOWHERE)
        elif situation != "done":
            wish = REFUNDING.get(situation, {"fault": situation})
            self.simulator.fault(SERVICE, "refund", **wish)
        return refund_of(
            payment,
            verdict.gateway_transaction_id,
            evidence=verdict.evidence,
            paid_at=timezone.now(),
        )

    def asked(self, request: RefundRequest, situation: str) -> RefundRequest:
        if situation == "done":
            self.gateway.refund(request)
        return request

    def ledger(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.simulator.read(f"{SERVICE}/ledger")["payments"]
        return rows


@pytest.fixture
def world(simulator: Simulator) -> SimulatedNagad:
    return SimulatedNagad(simulator)


class TestSimulatedNagad(GatewayContract):
    secrets = (
        CREDENTIALS["NAGAD_MERCHANT_PRIVATE_KEY"],
        CREDENTIALS["NAGAD_MERCHANT_PRIVATE_KEY"][64:128],
    )
    needed = ("NAGAD_MERCHANT_ID", "NAGAD_MERCHANT_PRIVATE_KEY", "NAGAD_GATEWAY_PUBLIC_KEY")
    unsure = UNSURE

    @pytest.fixture
    def world(self, simulator: Simulator) -> SimulatedNagad:
        return SimulatedNagad(simulator)

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        query = {"order_id": order_id(payment.reference), "status": "Success"}
        return [{"query": query, "body": b"", "content_type": ""}]

    def from_settings(self) -> PaymentGateway:
        return NagadGateway.from_settings(ANSWER_SECONDS)


@pytest.mark.parametrize("situation", UNSURE)
def test_complete_with_an_unclear_answer_may_exist(simulator: Simulator, situation: str) -> None:
    TestSimulatedNagad().test_session_with_an_unclear_answer_may_exist(
        SimulatedNagad(simulator, "complete"), situation
    )


class TestSimulatedNagadRefunds(RefundContract):
    unsure = UNSURE

    @pytest.fixture
    def refunds(self, simulator: Simulator) -> SimulatedNagad:
        return SimulatedNagad(simulator)


@pytest.mark.parametrize(
    "fault",
    [
        "foreign_key",
        "unsigned",
        "sha1_signature",
        "changed_text",
        "for_another",
        "no_base64",
        "not_json",
    ],
)
def test_a_forged_answer_opens_nothing_and_a_forged_refund_is_unclear(
    world: SimulatedNagad, fault: str
) -> None:
    request = world.paid_back("done")
    world.simulator.fault(SERVICE, "initialize", fault)
    with pytest.raises(Misconfigured):
        world.opened()
    assert [row["status"] for row in world.ledger()] == ["Success", "OrderInitiated"]

    world.simulator.fault(SERVICE, "refund", fault)
    RefundContract().test_an_unclear_answer_may_have_paid(Again(world.gateway, request), "")
    assert world.gateway.query_refund(request).state is RefundState.DONE


class Again:
    """A world whose refund is prepared already."""

    def __init__(self, gateway: NagadGateway, request: RefundRequest) -> None:
        self.gateway, self.request = gateway, request

    def paid_back(self, situation: str) -> RefundRequest:
        return self.request


@pytest.mark.parametrize("zone", ["Asia/Dhaka", "America/New_York"])
def test_the_stamp_is_dhakas_whatever_the_host_says(
    world: SimulatedNagad, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator refuses a stamp of any other zone."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert world.opened().gateway_reference
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_clock_that_is_hours_off_is_our_fault(world: SimulatedNagad) -> None:
    elsewhere = time_machine.travel(timezone.now() + timedelta(hours=6))
    with elsewhere, pytest.raises(Misconfigured, match="not the time in Dhaka"):
        world.opened()


def test_a_number_is_taken_once(world: SimulatedNagad) -> None:
    world.gateway.open_session(REQUEST)

    with pytest.raises(Declined, match="Duplicate"):
        world.gateway.open_session(REQUEST)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"fault": "pending"}, Outcome.PENDING),
        ({"fault": "no_decimals"}, Outcome.PAID),
        ({"fault": "no_info"}, Outcome.PAID),
        ({"fault": "wrong_type"}, Outcome.PAID),
        ({"fault": "status_code"}, Outcome.UNKNOWN),
        ({"fault": "status_text", "text": ""}, Outcome.UNKNOWN),
        ({"fault": "wrong_merchant"}, Outcome.FOREIGN),
        ({"fault": "wrong_reference"}, Outcome.FOREIGN),
        ({"fault": "refused"}, Outcome.UNKNOWN),
    ],
)
def test_faults_of_verify(world: SimulatedNagad, fault: dict[str, Any], outcome: Outcome) -> None:
    payment = world.opened()
    world.press(payment)
    world.simulator.fault(SERVICE, "verify", **fault)

    assert world.gateway.verify(payment).outcome is outcome


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("fail", Outcome.FAILED),
        ("limit", Outcome.FAILED),
        ("cancel", Outcome.CANCELLED),
        ("give_up", Outcome.CANCELLED),
    ],
)
def test_an_end_and_the_money_that_came_late(
    world: SimulatedNagad, action: str, outcome: Outcome
) -> None:
    payment = world.opened()
    world.press(payment, action)
    assert world.gateway.verify(payment).outcome is outcome

    world.press(payment)

    assert world.gateway.verify(payment).outcome is Outcome.PAID


def test_given_back_in_the_portal(world: SimulatedNagad) -> None:
    payment = world.opened()
    world.press(payment)
    world.simulator.call(f"{SERVICE}/refund", payment_ref_id=payment.gateway_reference)

    assert world.gateway.verify(payment).outcome is Outcome.REFUNDED


def test_paid_back_in_two_parts(world: SimulatedNagad) -> None:
    first = world.paid_back("done")
    one = world.gateway.refund(first)
    second = replace(
        first,
        reference=f"{first.payment.reference}-R2",
        amount=AMOUNT - PART,
        earlier=frozenset({one.gateway_refund_id}),
    )
    assert world.gateway.query_refund(second).state is RefundState.NOT_FOUND

    two = world.gateway.refund(second)

    told = replace(second, gateway_refund_id=two.gateway_refund_id)
    assert world.gateway.query_refund(told).state is RefundState.DONE
    (row,) = world.ledger()
    assert [refund["cancelAmount"] for refund in row["refunds"]] == ["500.00", "1000.00"]
    with pytest.raises(Declined):
        world.gateway.refund(replace(second, amount=PART))

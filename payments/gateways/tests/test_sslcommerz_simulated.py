"""SSLCommerz's contract and refunds, with its simulator on the wire."""

import itertools
from dataclasses import replace
from typing import Any, Final

import pytest

from core.http import Outbound
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from core.tests.wire import whole_text
from fulfillment.partners.tests.simulator import (
    ANSWER_SECONDS,
    CREDENTIALS,
    NOWHERE,
    UNSURE,
    Simulator,
)
from payments.gateways.base import Known, Outcome, PaymentGateway, RefundRequest, RefundState
from payments.gateways.sslcommerz import SslCommerzGateway
from payments.gateways.sslcommerz_wire import Store
from payments.gateways.tests.canned import AMOUNT, REQUEST, known
from payments.gateways.tests.contract import GatewayContract
from payments.gateways.tests.refund_contract import RefundContract, refund_of
from payments.gateways.tests.sslcommerz_answers import form, post_of, signed

SERVICE: Final = "sslcommerz"
PASSWORD: Final = CREDENTIALS["SSLCOMMERZ_STORE_PASSWORD"]
#: Situation -> what the payer does, and what is wrong with the answer to which question.
PAYMENTS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "paid": ("pay", "", {}),
    "paid_wrong_sum": ("pay", "validate", {"fault": "wrong_amount", "amount": "15.00"}),
    "paid_without_transaction": ("pay", "query", {"fault": "no_val_id"}),
    "not_paid_yet": ("", "", {}),
    "given_up": ("cancel", "", {}),
    "foreign": ("pay", "query", {"fault": "wrong_tran_id"}),
    "unknown_status": ("pay", "query", {"fault": "status_text", "text": "REVERSED"}),
    "bad_credentials": ("", "query", {"fault": "api_failed"}),
}
REFUNDING: Final[dict[str, dict[str, Any]]] = {"bad_credentials": {"fault": "api_failed"}}
numbers: Final = itertools.count(50_000_000)


class SimulatedSslCommerz:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        simulator.reset(SERVICE)
        self.gateway = SslCommerzGateway(
            out=Outbound(SERVICE, answer_seconds=ANSWER_SECONDS),
            store=Store(
                base_url=f"{simulator.url}/{SERVICE}",
                store_id=CREDENTIALS["SSLCOMMERZ_STORE_ID"],
                password=PASSWORD,
            ),
        )

    def next_session(self, situation: str) -> None:
        if situation == "no_connection":
            self.lose_connection()
        elif situation != "opened":
            self.fault("session", {"fault": situation})

    def payment(self, situation: str) -> Known:
        action, operation, wish = PAYMENTS.get(situation, ("pay", "query", {"fault": situation}))
        payment = self.opened()
        if action:
            self.pay(payment, action)
        if operation:
            self.fault(operation, wish)
        return payment

    def opened(self) -> Known:
        reference = f"BDV-{next(numbers)}-1"
        session = self.gateway.open_session(replace(REQUEST, reference=reference))
        return known(session.gateway_reference, reference=reference)

    def pay(self, payment: Known, action: str = "pay", **how: object) -> None:
        wish = {"tran_id": payment.reference, "action": action, **how}
        self.simulator.call(f"{SERVICE}/pay", **wish)

    def fault(self, operation: str, wish: dict[str, Any]) -> None:
        self.simulator.fault(SERVICE, operation, **wish)

    def paid_back(self, situation: str) -> RefundRequest:
        payment = self.payment("paid")
        verdict = self.gateway.verify(payment)
        if situation == "no_connection":
            self.lose_connection()
        elif situation != "done":
            self.fault("refund", REFUNDING.get(situation, {"fault": situation}))
        return refund_of(payment, verdict.gateway_transaction_id, evidence=verdict.evidence)

    def asked(self, request: RefundRequest, situation: str) -> RefundRequest:
        if situation == "not_found":
            return request
        taken = self.gateway.refund(request)
        self.simulator.call(f"{SERVICE}/refund", refund_ref_id=taken.gateway_refund_id)
        return replace(request, gateway_refund_id=taken.gateway_refund_id)

    def lose_connection(self) -> None:
        store = replace(self.gateway.store, base_url=NOWHERE)
        self.gateway = replace(self.gateway, store=store)


@pytest.fixture
def world(simulator: Simulator) -> SimulatedSslCommerz:
    return SimulatedSslCommerz(simulator)


class TestSimulatedSslCommerz(GatewayContract):
    secrets = (PASSWORD,)
    needed = ("SSLCOMMERZ_STORE_ID", "SSLCOMMERZ_STORE_PASSWORD")
    unsure = UNSURE

    @pytest.fixture
    def world(self, simulator: Simulator) -> SimulatedSslCommerz:
        return SimulatedSslCommerz(simulator)

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        return [form(signed(post_of(payment.reference), PASSWORD))]

    def from_settings(self) -> PaymentGateway:
        return SslCommerzGateway.from_settings(ANSWER_SECONDS)


class TestSimulatedSslCommerzRefunds(RefundContract):
    unsure = UNSURE
    taken = frozenset({RefundState.PENDING})

    @pytest.fixture
    def refunds(self, simulator: Simulator) -> SimulatedSslCommerz:
        return SimulatedSslCommerz(simulator)


def test_the_store_must_be_right(world: SimulatedSslCommerz) -> None:
    payment = world.payment("paid")
    wrong = replace(world.gateway, store=replace(world.gateway.store, password="x"))

    with pytest.raises(Misconfigured):
        wrong.open_session(REQUEST)
    with pytest.raises(Misconfigured):
        wrong.verify(payment)


@pytest.mark.parametrize("fault", ["cut_before", "hang_before", "cut_half"])
def test_a_broken_wire_does_not_show_the_password(world: SimulatedSslCommerz, fault: str) -> None:
    request = world.paid_back("done")
    world.fault("query", {"fault": fault})
    world.fault("refund", {"fault": fault})

    with pytest.raises(Unavailable) as asked:
        world.gateway.verify(request.payment)
    with pytest.raises(OutcomeUnknown) as paid_back:
        world.gateway.refund(request)
    world.lose_connection()
    with pytest.raises(Unavailable) as nobody:
        world.gateway.verify(request.payment)

    shown = "".join(whole_text(each.value) for each in (asked, paid_back, nobody))
    assert PASSWORD not in shown


def test_a_number_is_taken_once(world: SimulatedSslCommerz) -> None:
    world.gateway.open_session(REQUEST)

    with pytest.raises(Declined, match="already used"):
        world.gateway.open_session(REQUEST)


@pytest.mark.parametrize(
    ("operation", "fault", "outcome"),
    [
        ("query", "not_found", Outcome.PENDING),
        ("query", "pending", Outcome.PENDING),
        ("query", "no_elements", Outcome.UNKNOWN),
        ("query", "no_api_connect", Outcome.UNKNOWN),
        ("query", "invalid_request", Outcome.UNKNOWN),
        ("validate", "invalid_transaction", Outcome.UNKNOWN),
        ("validate", "no_api_connect", Outcome.UNKNOWN),
        ("validate", "pending", Outcome.UNKNOWN),
        ("validate", "status_text", Outcome.UNKNOWN),
        ("validate", "wrong_tran_id", Outcome.FOREIGN),
        ("validate", "used_val_id", Outcome.PAID),  # the only one paid is this one
        ("validate", "no_bank_tran_id", Outcome.PAID),
        ("validate", "html", None),
        ("validate", "hang", None),
    ],
)
def test_faults_of_our_questions(
    world: SimulatedSslCommerz, operation: str, fault: str, outcome: Outcome | None
) -> None:
    payment = world.opened()
    world.pay(payment)
    world.fault(operation, {"fault": fault})

    if outcome is None:
        with pytest.raises(Exception, match="sslcommerz"):
            world.gateway.verify(payment)
        return
    assert world.gateway.verify(payment).outcome is outcome


def test_the_val_id_of_another_payment_is_not_ours(world: SimulatedSslCommerz) -> None:
    other, payment = world.opened(), world.opened()
    world.pay(other)
    world.pay(payment)
    world.fault("query", {"fault": "used_val_id", "match": {"reference": payment.reference}})

    assert world.gateway.verify(payment).outcome is Outcome.FOREIGN


def test_another_currency_is_reported(world: SimulatedSslCommerz) -> None:
    payment = world.opened()
    world.pay(payment)
    world.fault("validate", {"fault": "wrong_currency"})

    verdict = world.gateway.verify(payment)

    assert (verdict.outcome, verdict.currency) == (Outcome.PAID, "USD")


def test_risk(world: SimulatedSslCommerz) -> None:
    payment = world.opened()
    world.pay(payment, "risky")

    verdict = world.gateway.verify(payment)

    assert (verdict.outcome, verdict.risky) == (Outcome.PAID, True)


def test_a_refused_card_is_not_the_end(world: SimulatedSslCommerz) -> None:
    payment = world.opened()
    world.pay(payment, "decline")
    assert world.gateway.verify(payment).outcome is Outcome.PENDING

    world.pay(payment, "fail")
    assert world.gateway.verify(payment).outcome is Outcome.FAILED

    world.pay(payment)
    assert world.gateway.verify(payment).outcome is Outcome.PAID


@pytest.mark.parametrize("action", ["cancel", "close", "expire"])
def test_gone_is_open_until_our_deadline_and_late_money_counts(
    world: SimulatedSslCommerz, action: str
) -> None:
    payment = world.opened()
    world.pay(payment, action)
    assert world.gateway.verify(payment).outcome is Outcome.PENDING

    world.pay(payment)

    assert world.gateway.verify(payment).amount == AMOUNT


def test_paid_twice(world: SimulatedSslCommerz) -> None:
    payment = world.opened()
    world.pay(payment, "decline")
    world.pay(payment)
    first = world.gateway.verify(payment)
    world.pay(payment, again=True)

    second = world.gateway.verify(
        replace(payment, gateway_transaction_id=first.gateway_transaction_id)
    )

    assert second.gateway_transaction_id == first.gateway_transaction_id
    assert (len(first.also_paid), len(second.also_paid)) == (0, 1)


def test_the_posts_of_the_simulator_are_ours(world: SimulatedSslCommerz) -> None:
    """Both sides sign by the contract, each in its own words."""
    payment = world.opened()
    made_up = {"tran_id": payment.reference, "url": f"{world.simulator.url}/healthz"}

    right = world.simulator.call(f"{SERVICE}/forge", password=PASSWORD, **made_up)
    wrong = world.simulator.call(f"{SERVICE}/forge", **made_up)

    read = world.gateway.read_callback
    claims = [
        read(query={}, body=sent["body"].encode(), content_type="") for sent in (right, wrong)
    ]
    assert [claim.reference for claim in claims] == [payment.reference, ""]


@pytest.mark.parametrize("fault", ["cut_after", "html_after", "hang_after", "no_api_connect"])
def test_a_start_without_an_answer_is_made_again_and_is_one_refund(
    world: SimulatedSslCommerz, fault: str
) -> None:
    request = world.paid_back("done")
    world.fault("refund", {"fault": fault, "times": 1})
    with pytest.raises(OutcomeUnknown):
        world.gateway.refund(request)
    assert world.gateway.query_refund(request).state is RefundState.NOT_FOUND

    again = world.gateway.refund(request)

    assert (again.state, again.reason) == (RefundState.PENDING, "status 'processing'")
    sessions = world.simulator.read(f"{SERVICE}/ledger")["sessions"]
    (mine,) = [row for row in sessions if row["tran_id"] == request.payment.reference]
    assert [each["amount"] for each in mine["attempts"][0]["refunds"]] == ["500.00"]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("processing", RefundState.PENDING),
        ("cancelled", RefundState.REFUSED),
        ("status_text", RefundState.UNKNOWN),
        ("wrong_ref", RefundState.UNKNOWN),
    ],
)
def test_faults_of_the_refund_query(
    world: SimulatedSslCommerz, fault: str, state: RefundState
) -> None:
    request = world.asked(world.paid_back("done"), "done")
    world.fault("refund_query", {"fault": fault})

    assert world.gateway.query_refund(request).state is state


def test_not_more_than_was_paid(world: SimulatedSslCommerz) -> None:
    request = world.paid_back("done")

    with pytest.raises(Declined, match="more than"):
        world.gateway.refund(replace(request, amount=AMOUNT + 1))

"""The partner contract once more, with Reloadly's simulator at the other end of the wire."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest

from core.http import Outbound
from core.providers import Misconfigured, OutcomeUnknown
from fulfillment.partners.base import Anomaly, AtWork, IssuedCode, Offer, VoucherPartner
from fulfillment.partners.reloadly import ReloadlyPartner
from fulfillment.partners.reloadly_tokens import Account
from fulfillment.partners.tests.contract import REFERENCE, PartnerContract
from fulfillment.partners.tests.simulator import (
    ANSWER_SECONDS,
    CREDENTIALS,
    NOWHERE,
    UNSURE,
    Simulator,
)

SERVICE: Final = "reloadly"
OFFER: Final = Offer("18", Decimal(800))
BUYING: Final[dict[str, dict[str, Any]]] = {
    "accepted": {"fault": "pending"},
    "no_such_offer": {"fault": "invalid_product"},
    "bad_request": {"fault": "invalid_input"},
    "bad_key": {"fault": "unauthorized"},
    "rate_limited": {"fault": "rate_limited", "retry_after": 7},
}
#: Situation -> what the order met when it was made.
BOUGHT: Final[dict[str, dict[str, Any]]] = {
    "delivered_as_link": {"fault": "link_in_card_number"},
    "at_work": {"fault": "processing", "seconds": None},
    "failed": {"fault": "pending", "seconds": 1, "then": "REFUNDED"},
    "done_without_goods": {"fault": "empty_card"},
}


class SimulatedReloadly:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        simulator.reset(SERVICE)
        base = f"{simulator.url}/{SERVICE}"
        self.partner = ReloadlyPartner(
            out=Outbound(SERVICE, answer_seconds=ANSWER_SECONDS),
            account=Account(
                base_url=base,
                auth_url=base,
                audience=CREDENTIALS["RELOADLY_AUDIENCE"],
                client_id=CREDENTIALS["RELOADLY_CLIENT_ID"],
                client_secret=CREDENTIALS["RELOADLY_CLIENT_SECRET"],
            ),
            sender_name="Shop",
        )

    def next_purchase(self, situation: str) -> Offer:
        if situation == "no_connection":
            account = replace(self.partner.account, base_url=NOWHERE)
            self.partner = replace(self.partner, account=account)
        else:
            self.simulator.fault(SERVICE, "order", **BUYING.get(situation, {"fault": situation}))
        return OFFER

    def purchase(self, situation: str) -> str:
        if situation == "not_known":
            return REFERENCE
        self.order(BOUGHT.get(situation))
        self.simulator.call(f"{SERVICE}/advance", seconds=2)
        if situation not in BOUGHT and situation != "delivered":
            self.simulator.fault(SERVICE, "report", **BUYING.get(situation, {"fault": situation}))
        return REFERENCE

    def order(self, wish: dict[str, Any] | None = None) -> IssuedCode | AtWork | Anomaly:
        if wish:
            self.simulator.fault(SERVICE, "order", **wish)
        try:
            return self.partner.purchase(reference=REFERENCE, offer=OFFER, inputs={})
        except Anomaly as exc:
            return exc

    def look(self) -> IssuedCode | AtWork | None:
        return self.partner.lookup(reference=REFERENCE)

    @property
    def charges(self) -> int:
        charges: dict[str, int] = self.simulator.read(f"{SERVICE}/ledger")["charges"]
        return charges.get(REFERENCE, 0)

    def wallet(self) -> tuple[Decimal, str]:
        self.simulator.call(f"{SERVICE}/wallet", balance=1250.5)
        return Decimal("1250.50"), "USD"


@pytest.fixture
def world(simulator: Simulator) -> SimulatedReloadly:
    return SimulatedReloadly(simulator)


class TestSimulatedReloadly(PartnerContract):
    secrets = (CREDENTIALS["RELOADLY_CLIENT_SECRET"], CREDENTIALS["RELOADLY_CLIENT_ID"])
    needed = ("RELOADLY_BASE_URL", "RELOADLY_AUDIENCE", "RELOADLY_CLIENT_SECRET")
    unsure = UNSURE

    @pytest.fixture
    def world(self, simulator: Simulator) -> SimulatedReloadly:
        return SimulatedReloadly(simulator)

    def from_settings(self) -> VoucherPartner:
        return ReloadlyPartner.from_settings(ANSWER_SECONDS)


def test_sold_at_once_with_what_it_cost(world: SimulatedReloadly) -> None:
    issued = world.order()

    assert isinstance(issued, IssuedCode)
    assert issued.code.startswith("REL-")
    assert (issued.cost, issued.cost_currency) == (Decimal("7.24"), "USD")
    assert world.look() == replace(issued, cost=None, cost_currency="")
    assert world.charges == 1


@pytest.mark.parametrize("fault", ["token_expired", "token_lost"])
@pytest.mark.parametrize("operation", ["order", "report", "cards"])
def test_a_refused_token_is_replaced_once(
    world: SimulatedReloadly, fault: str, operation: str
) -> None:
    if operation != "order":
        world.order({"fault": "pending", "seconds": 0, "times": 1})
    world.simulator.fault(SERVICE, operation, fault, times=1)

    assert isinstance(world.order() if operation == "order" else world.look(), IssuedCode)

    assert world.charges == 1
    assert world.simulator.read(f"{SERVICE}/calls")["counts"]["token"] == 2


def test_a_token_that_is_always_refused_buys_nothing(world: SimulatedReloadly) -> None:
    world.simulator.fault(SERVICE, "order", "token_lost")

    with pytest.raises(Misconfigured):
        world.order()

    assert world.charges == 0
    assert world.simulator.read(f"{SERVICE}/calls")["counts"] == {"token": 2, "order": 2}


@pytest.mark.parametrize(
    "fault", ["cannot_process_after", "html_502_after", "cut_json_after", "no_identifier"]
)
def test_bought_although_the_answer_says_otherwise(world: SimulatedReloadly, fault: str) -> None:
    with pytest.raises(OutcomeUnknown):
        world.order({"fault": fault})

    assert isinstance(world.look(), IssuedCode)
    assert world.charges == 1


@pytest.mark.parametrize("fault", ["cannot_process", "html_502", "html_refusal"])
def test_not_bought_and_sent_again_under_the_same_reference(
    world: SimulatedReloadly, fault: str
) -> None:
    with pytest.raises(OutcomeUnknown):
        world.order({"fault": fault, "times": 1})
    assert world.look() is None

    assert isinstance(world.order(), IssuedCode)

    assert world.charges == 1


def test_a_used_identifier_is_found(world: SimulatedReloadly) -> None:
    first, again = world.order(), world.order()

    assert isinstance(first, IssuedCode)
    assert isinstance(again, IssuedCode)
    assert again.code == first.code
    assert world.charges == 1


def test_a_used_identifier_that_the_report_does_not_show_yet(world: SimulatedReloadly) -> None:
    world.order()
    world.simulator.fault(SERVICE, "report", "lag", within=20)

    with pytest.raises(OutcomeUnknown) as caught:
        world.order()
    assert caught.value.raw_code == "CUSTOM_IDENTIFIER_ALREADY_USED"
    assert world.look() is None

    world.simulator.call(f"{SERVICE}/advance", seconds=21)
    assert isinstance(world.look(), IssuedCode)
    assert world.charges == 1


def test_two_orders_under_one_identifier(world: SimulatedReloadly) -> None:
    first = world.order()
    world.order({"fault": "race", "times": 1})

    found = world.look()

    assert isinstance(first, IssuedCode)
    assert isinstance(found, IssuedCode)
    assert found.code == first.code
    assert "transactions 10001, 10002" in found.remark


@pytest.mark.parametrize("fault", ["similar", "array"])
def test_forms_of_the_report(world: SimulatedReloadly, fault: str) -> None:
    issued = world.order()
    world.simulator.fault(SERVICE, "report", fault)

    found = world.look()

    assert isinstance(issued, IssuedCode)
    assert isinstance(found, IssuedCode)
    assert found.partner_transaction_id == issued.partner_transaction_id
    assert found.remark == ""


def test_several_pages_of_similar_orders(
    world: SimulatedReloadly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fulfillment.partners.reloadly.PAGE_SIZE", 2)
    world.order()
    for number in range(5):
        world.partner.purchase(reference=f"{REFERENCE}X{number}", offer=OFFER, inputs={})

    found = world.look()

    assert isinstance(found, IssuedCode)
    assert found.partner_transaction_id == "10001"


@pytest.mark.parametrize("fault", ["not_ready", "no_cards", "not_a_list", "too_many"])
def test_done_and_its_cards_are_late(world: SimulatedReloadly, fault: str) -> None:
    world.simulator.fault(SERVICE, "cards", fault)

    assert world.order() == AtWork("SUCCESSFUL")
    assert world.look() == AtWork("SUCCESSFUL")
    world.simulator.heal(SERVICE)
    assert isinstance(world.look(), IssuedCode)


@pytest.mark.parametrize("fault", ["not_ready", "no_cards"])
def test_done_and_its_cards_never_come(world: SimulatedReloadly, fault: str) -> None:
    world.simulator.fault(SERVICE, "cards", fault)
    assert world.order() == AtWork("SUCCESSFUL")
    world.partner = replace(world.partner, cards_may_lag=0.0)

    with pytest.raises(Anomaly, match="has no cards"):
        world.look()


def test_a_card_too_many_is_told(world: SimulatedReloadly) -> None:
    issued = world.order({"fault": "more_cards"})

    assert isinstance(issued, IssuedCode)
    assert issued.remark == "transaction 10001 has 2 cards for one unit"


@pytest.mark.parametrize(
    ("fault", "pins"), [("null_pin", False), ("leading_zero", True), ("number_card", True)]
)
def test_values_of_a_card(world: SimulatedReloadly, fault: str, pins: bool) -> None:
    issued = world.order({"fault": fault})

    assert isinstance(issued, IssuedCode)
    assert [issued.code] == [
        each["code"] for each in world.simulator.read(f"{SERVICE}/ledger")["codes"]
    ]
    assert bool(issued.pin) is pins


def test_a_token_is_shared_by_processes(world: SimulatedReloadly) -> None:
    world.order()
    other = replace(world.partner, out=Outbound(SERVICE, answer_seconds=ANSWER_SECONDS))

    assert isinstance(other.lookup(reference=REFERENCE), IssuedCode)
    assert world.simulator.read(f"{SERVICE}/calls")["counts"]["token"] == 1

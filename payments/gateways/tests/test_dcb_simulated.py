"""The gateway contract once more, with the simulators of bdapps and Applink at the wire's end."""

import itertools
import time
from dataclasses import replace
from typing import Any, Final

import pytest

from core.http import Outbound
from core.providers import OutcomeUnknown
from fulfillment.partners.tests.simulator import (
    ANSWER_SECONDS,
    CREDENTIALS,
    NOWHERE,
    UNSURE,
    Simulator,
)
from payments.gateways.base import Consent, Known, Outcome
from payments.gateways.carriers.applink import Applink
from payments.gateways.carriers.bdapps import Bdapps
from payments.gateways.carriers.caas import CaasAccount
from payments.gateways.dcb import DcbGateway, external_id
from payments.gateways.tests.canned import OTHER_AMOUNT, known
from payments.gateways.tests.dcb_answers import BANGLALINK, ROBI
from payments.gateways.tests.test_dcb import CarrierContract

SERVICE: Final = "dcb"
#: Situation -> what is wrong with the answer to our repeated debit.
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "paid": {},
    "given_up": {"fault": "refused", "code": "E1406"},
    "paid_without_transaction": {"fault": "no_internal_id"},
    "foreign": {"fault": "wrong_reference"},
    "unknown_status": {"fault": "unknown_code"},
    "bad_credentials": {"fault": "refused", "code": "E1313"},
}
OPENING: Final[dict[str, dict[str, Any]]] = {
    "refused": {"fault": "refused", "code": "E1378"},
    "bad_credentials": {"fault": "refused", "code": "E1313"},
}
numbers: Final = itertools.count(20_000_000)


class SimulatedDcb:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        simulator.reset(SERVICE)
        waits = {"notification_url": NOWHERE, "notification_waits": [3600.0]}
        simulator.call(f"{SERVICE}/settings", **waits)
        self.gateway = self.connected(simulator.url)

    def connected(self, url: str) -> DcbGateway:
        out = Outbound(SERVICE, answer_seconds=ANSWER_SECONDS)

        def account(name: str, instrument: str) -> CaasAccount:
            prefix = f"DCB_{name.upper()}"
            return CaasAccount(
                name=SERVICE,
                out=out,
                base_url=f"{url}/{SERVICE}/{name}",
                application_id=CREDENTIALS[f"{prefix}_APP_ID"],
                password=CREDENTIALS[f"{prefix}_PASSWORD"],
                instrument=instrument,
            )

        bdapps = Bdapps(account("bdapps", "MobileAccount"))
        applink = Applink(account("applink", "Mobile Account"))
        return DcbGateway(carriers={"bdapps": bdapps, "applink": applink})

    def next_session(self, situation: str) -> None:
        if situation == "no_connection":
            self.gateway = self.connected(NOWHERE)
        elif situation != "opened":
            wish = OPENING.get(situation, {"fault": situation})
            self.simulator.fault(SERVICE, "start", **wish)

    def payment(self, situation: str) -> Known:
        reference = f"BDV-{next(numbers)}-1"
        payment = known(external_id(reference), reference=reference)
        if situation == "paid_wrong_sum":
            return self.confirmed(payment, fault="partial", amount=str(OTHER_AMOUNT))
        given = situation != "not_paid_yet"
        consent = Consent(carrier="bdapps", subscriber=ROBI, given=given)
        sent = replace(payment, execute_sent=given, consent=consent)
        if situation == "paid":
            self.gateway.capture(sent)
        wish = ANSWERS.get(situation, {"fault": situation})
        if given and wish:
            self.simulator.fault(SERVICE, "debit", **wish)
        return sent

    def confirmed(self, payment: Known, **notification: object) -> Known:
        """Both steps at Applink, and what it then notifies."""
        wish = {"operation": "notification", **notification}
        self.simulator.call(f"{SERVICE}/faults", **wish)
        begun = self.gateway.begin(payment, "applink", BANGLALINK)
        consent = Consent("applink", BANGLALINK, False, begun.correlator, begun.internal_id)
        payment = replace(payment, execute_sent=True, consent=consent)
        people = self.simulator.read(f"{SERVICE}/ledger")["subscribers"]
        verdict = self.gateway.capture(payment, people[-1]["messages"][-1]["otp"])
        assert verdict.outcome is Outcome.AUTHORIZED
        return replace(payment, consent=replace(consent, notices=self.told()))

    def told(self) -> tuple[str, ...]:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            planned = self.simulator.read(f"{SERVICE}/ledger")["planned"]
            if planned:
                return tuple(each["body"] for each in planned)
            time.sleep(0.02)
        raise AssertionError("the simulator told nothing")

    def charges(self) -> int:
        return sum(self.simulator.read(f"{SERVICE}/ledger")["charges"].values())


@pytest.fixture
def world(simulator: Simulator) -> SimulatedDcb:
    return SimulatedDcb(simulator)


class TestSimulatedDcb(CarrierContract):
    unsure = UNSURE
    secrets = (CREDENTIALS["DCB_BDAPPS_PASSWORD"], CREDENTIALS["DCB_APPLINK_PASSWORD"])

    @pytest.fixture
    def world(self, simulator: Simulator) -> SimulatedDcb:
        return SimulatedDcb(simulator)

    def test_paid_without_a_transaction_is_unknown(self, world: Any) -> None:
        super().test_paid_without_a_transaction_is_unknown(world)
        world.simulator.heal(SERVICE)


@pytest.mark.parametrize(
    ("fault", "charged"),
    [("cut_before", 0), ("cut_after", 1), ("hang_before", 0), ("html_after", 1)],
)
def test_one_id_is_charged_once_however_often_it_is_sent(world, fault, charged):
    payment = replace(world.payment("given_up"), consent=Consent("bdapps", ROBI, given=True))
    world.simulator.heal(SERVICE)
    world.simulator.fault(SERVICE, "debit", fault, times=1)

    assert world.gateway.capture(payment).outcome is Outcome.AUTHORIZED
    assert world.charges() == charged
    assert world.gateway.verify(payment).outcome is Outcome.PAID
    assert world.gateway.verify(payment).outcome is Outcome.PAID
    assert world.charges() == 1


def test_a_charge_at_work_is_asked_for_until_it_is_decided(world):
    payment = world.payment("not_paid_yet")
    payment = replace(payment, execute_sent=True, consent=Consent("bdapps", ROBI, given=True))
    world.simulator.call(
        f"{SERVICE}/faults", operation="debit", fault="pending", times=1, seconds=60
    )
    assert world.gateway.capture(payment).outcome is Outcome.AUTHORIZED
    assert world.gateway.verify(payment).outcome is Outcome.UNKNOWN
    world.simulator.call(f"{SERVICE}/advance", seconds=61)
    assert world.gateway.verify(payment).outcome is Outcome.PAID
    assert world.charges() == 1


def test_the_first_step_at_applink_is_refused_a_second_time(world):
    payment = world.payment("not_paid_yet")
    world.gateway.begin(payment, "applink", BANGLALINK)
    with pytest.raises(OutcomeUnknown, match="E1337"):
        world.gateway.begin(payment, "applink", BANGLALINK)

"""The partner contract once more, with Zendit's simulator at the other end of the wire."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest

from core.http import Outbound
from fulfillment.partners.base import Offer, VoucherPartner
from fulfillment.partners.tests.contract import REFERENCE, PartnerContract
from fulfillment.partners.tests.simulator import (
    ANSWER_SECONDS,
    CREDENTIALS,
    NOWHERE,
    UNSURE,
    Simulator,
)
from fulfillment.partners.zendit import ZenditPartner

SERVICE: Final = "zendit"
OFFER: Final = Offer("NETFLIX_500")
BUYING: Final[dict[str, dict[str, Any]]] = {
    "no_such_offer": {"fault": "offer_not_found"},
    "bad_request": {"fault": "invalid_request"},
    "bad_key": {"fault": "unauthorized"},
    "rate_limited": {"fault": "rate_limited", "retry_after": 7},
}
#: Situation -> what the purchase met when it was made.
BOUGHT: Final[dict[str, dict[str, Any]]] = {
    "delivered_as_link": {"fault": "url_receipt"},
    "at_work": {"fault": "in_progress", "seconds": None},
    "failed": {"fault": "out_of_stock"},
    "done_without_goods": {"fault": "empty_receipt"},
}


class SimulatedZendit:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        simulator.reset(SERVICE)
        self.partner: VoucherPartner = ZenditPartner(
            out=Outbound(SERVICE, answer_seconds=ANSWER_SECONDS),
            base_url=f"{simulator.url}/{SERVICE}/v1",
            api_key=CREDENTIALS["ZENDIT_API_KEY"],
        )

    def next_purchase(self, situation: str) -> Offer:
        if situation == "no_connection":
            self.partner = replace(self.partner, base_url=NOWHERE)  # type: ignore[type-var]
        elif situation != "accepted":
            wish = BUYING.get(situation, {"fault": situation})
            self.simulator.fault(SERVICE, "purchase", **wish)
        return OFFER

    def purchase(self, situation: str) -> str:
        if situation == "not_known":
            return REFERENCE
        if situation in BOUGHT:
            self.simulator.fault(SERVICE, "purchase", **BOUGHT[situation])
        self.partner.purchase(reference=REFERENCE, offer=OFFER, inputs={})
        self.simulator.call(f"{SERVICE}/advance", seconds=1)
        if situation not in BOUGHT and situation != "delivered":
            self.simulator.fault(SERVICE, "get", **BUYING.get(situation, {"fault": situation}))
        return REFERENCE

    def wallet(self) -> tuple[Decimal, str]:
        self.simulator.call(f"{SERVICE}/wallet", balance=125050)
        return Decimal("1250.50"), "USD"


class TestSimulatedZendit(PartnerContract):
    secrets = (CREDENTIALS["ZENDIT_API_KEY"],)
    needed = ("ZENDIT_BASE_URL", "ZENDIT_API_KEY")
    unsure = UNSURE

    @pytest.fixture
    def world(self, simulator: Simulator) -> SimulatedZendit:
        return SimulatedZendit(simulator)

    def from_settings(self) -> VoucherPartner:
        return ZenditPartner.from_settings(ANSWER_SECONDS)

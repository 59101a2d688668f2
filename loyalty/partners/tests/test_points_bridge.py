"""Points Bridge's field names: canned answers of the contract in docs/domain/loyalty.md."""

import json
from typing import Any

import pytest

from core.providers import Misconfigured, OutcomeUnknown, Unavailable
from loyalty.partners.base import PointsPartner
from loyalty.partners.points_bridge import PointsBridge
from loyalty.partners.tests.contract import AMOUNT, MEMBER, REFERENCE, PointsPartnerContract

BASE, KEY = "https://points.test", "canary-points-key"


def credit(status: object = "credited", reference: str = REFERENCE, **more: Any) -> dict[str, Any]:
    body = {"reference": reference, "status": status, "transaction_id": None, "error": None}
    return {"json": body | more}


def refusal(http: int, code: str) -> dict[str, Any]:
    return {"status": http, "json": {"error": {"code": code, "message": "No."}}}


_STATES: dict[str, dict[str, Any]] = {
    "credited": credit(transaction_id="PB0000000001"),
    "accepted": credit("accepted"),
    "processing": credit("processing"),
    "rejected": credit("rejected", error={"code": "closed", "message": "Closed."}),
    "unheard_of": credit("unheard_of"),
    "other_reference": credit(reference="another"),
    "no_status": credit(None),
}


class TestPointsBridge(PointsPartnerContract):
    credit_url = f"{BASE}/v1/credits"
    lookup_url = f"{BASE}/v1/credits/{REFERENCE}"
    check_url = f"{BASE}/v1/members/check"
    crediting = {**_STATES, "refused": refusal(422, "member_not_found")}
    looking = {**_STATES, "not_known": refusal(404, "not_found")}
    checking = {
        "accepted": {"json": {"accepted": True}},
        "not_accepted": {"json": {"accepted": "yes"}},
        "refused": refusal(422, "TC40002"),
    }
    secrets = (KEY,)

    @pytest.fixture(autouse=True)
    def _configured(self, settings: Any) -> None:
        settings.POINTS_BRIDGE_BASE_URL, settings.POINTS_BRIDGE_API_KEY = f"{BASE}/", KEY

    def connect(self, answer_seconds: float = 1.0) -> PointsPartner:
        return PointsBridge.from_settings(answer_seconds)

    def sent(self, request: Any) -> tuple[object, ...]:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        body = json.loads(request.body)
        names = ("reference", "amount", "program", "member_id", "first_name", "last_name")
        return tuple(body[name] for name in names)

    @pytest.mark.parametrize("name", ["POINTS_BRIDGE_BASE_URL", "POINTS_BRIDGE_API_KEY"])
    def test_a_setting_that_is_missing_is_named(self, settings: Any, name: str) -> None:
        setattr(settings, name, "")
        with pytest.raises(Misconfigured, match=name):
            self.connect()

    @pytest.mark.parametrize(("http", "code"), [(400, "invalid_request"), (409, "duplicate")])
    def test_a_refusal_of_another_kind_is_no_proof(self, wire: Any, http: int, code: str) -> None:
        wire.post(self.credit_url, **refusal(http, code))
        wire.get(self.lookup_url, **self.looking["not_known"])
        with pytest.raises(OutcomeUnknown):
            self.connect().credit(reference=REFERENCE, member=MEMBER, amount=AMOUNT)

    def test_a_404_that_names_another_reason_is_not_unknown(self, wire: Any) -> None:
        wire.get(self.lookup_url, **refusal(404, "no_such_route"))
        with pytest.raises(Unavailable):
            self.connect().lookup(reference=REFERENCE)

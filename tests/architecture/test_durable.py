"""Nothing leaves the house inside a transaction: each way out refuses to run in one."""

from decimal import Decimal

import pytest
import responses
from django.db import transaction
from django.utils import timezone

from fulfillment.partners.base import Offer
from fulfillment.partners.registry import PARTNERS
from loyalty.partners.base import Member
from loyalty.partners.registry import PARTNERS as POINTS_PARTNERS
from notifications.delivery import send
from payments.gateways.base import Known, SessionRequest
from payments.gateways.registry import GATEWAYS
from payments.refunding import carry_out
from payments.services import open_session
from payments.verification import verify

pytestmark = pytest.mark.django_db

REQUEST = SessionRequest("BDV-1", Decimal(5), "d", "https://shop.example/", "n", "a@b.example", "")
KNOWN = Known("BDV-1", "BDV-1", Decimal(5))
MEMBER = Member("P", "M1")
CALLS = [
    *((GATEWAYS, slug, "open_session", (REQUEST,), {}) for slug in GATEWAYS),
    *((GATEWAYS, slug, "verify", (KNOWN,), {}) for slug in GATEWAYS),
    (GATEWAYS, "bkash", "capture", (KNOWN,), {}),
    *(
        (POINTS_PARTNERS, slug, method, (), kwargs)
        for slug in POINTS_PARTNERS
        for method, kwargs in (
            ("credit", {"reference": "R1", "member": MEMBER, "amount": 1}),
            ("lookup", {"reference": "R1"}),
            ("check_member", {"member": MEMBER}),
        )
    ),
    *((PARTNERS, slug, "lookup", (), {"reference": "R1"}) for slug in PARTNERS),
    *(
        (PARTNERS, slug, "purchase", (), {"reference": "R1", "offer": Offer("O"), "inputs": {}})
        for slug in PARTNERS
    ),
]


@pytest.mark.parametrize(
    ("registry", "slug", "method", "args", "kwargs"), CALLS, ids=[f"{c[1]}.{c[2]}" for c in CALLS]
)
def test_an_adapter_does_not_call_out_in_a_transaction(registry, slug, method, args, kwargs):
    adapter = registry[slug](1.0)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            getattr(adapter, method)(*args, **kwargs)
        assert len(wire.calls) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: verify(1),
        lambda: open_session(None),
        lambda: carry_out(1),
        lambda: send(message_id=1, now=timezone.now()),
    ],
    ids=["verify", "open_session", "carry_out", "send"],
)
def test_our_own_work_that_calls_out_does_not_run_in_one(call):
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        call()

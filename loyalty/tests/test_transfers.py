"""Points transfers at the simulated partner: whatever happens, a member is credited once."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from core.actors import SYSTEM
from core.errors import Conflict
from fulfillment.partners.tests.simulator import NOWHERE, UNSURE
from loyalty.models import FulfillmentOrder, PointsTransfer
from loyalty.processing import process
from loyalty.selectors import due_transfers
from loyalty.services import give_up, settle_transfer
from loyalty.tests.bank import MEMBER
from loyalty.tests.factories import transfer_of
from notifications.models import AdminAlert

pytestmark = pytest.mark.django_db

PATIENT = timedelta(minutes=10)


@pytest.fixture
def order(bank):
    """Placed over HTTP, not sent yet."""
    answer = bank.order(bank.points())
    assert answer.status_code == 201, answer.content
    return FulfillmentOrder.objects.get()


def worked(order, *, after=timedelta(0)):
    """The worker comes, now or after a while."""
    with time_machine.travel(timezone.now() + after, tick=True):
        process(order.transfer.pk)
    row = PointsTransfer.objects.get(fulfillment=order)
    order = FulfillmentOrder.objects.get(pk=order.pk)
    return row, order.item_state


def credited(points):
    """Amount by member, and how often each reference was charged."""
    ledger = points.read("points/ledger")
    return ledger["balances"], [row["charges"] for row in ledger["credits"]]


def alerts():
    return list(AdminAlert.objects.filter(resolved_at=None).values_list("kind", flat=True))


def test_it_is_stored_before_anybody_is_asked(bank, order, points):
    row = order.transfer
    assert (row.status, order.item_state) == ("QUEUED", "pending")
    assert row.reference == f"BDVP{order.pk.hex}"
    assert (row.member_id, row.amount) == ("M1001", 500)  # as the programme reads `M-1001`
    assert credited(points) == ({}, [])
    told = bank.get(f"fulfillment-orders/{order.pk}").json()["data"]
    assert told["membership"] == MEMBER | {"id": "M1001"}
    assert told["order_items"][0]["status"] == "pending"


def test_by_its_own_path(bank, points):
    body = {
        "reference": "own-1", "user": {"id": str(uuid.uuid4())}, "amount": 250,
        "transferred_at": "2026-04-27T14:22:00Z", "membership": MEMBER,
        "loyalty_program_id": str(bank.client.program.pk),
    }  # fmt: skip
    answer = bank.order(body, "/points-transfers")
    assert answer.status_code == 201, answer.content
    assert answer.json()["data"]["order_items"][0]["amount"] == 250


def test_fulfilled_at_once(bank, order, points):
    row, state = worked(order)
    assert (row.status, state) == ("SUCCEEDED", "fulfilled")
    assert row.partner_transaction_id.startswith("PB")
    key = f"{row.program_code}/M1001"
    assert credited(points) == ({key: 500}, [1])
    item = bank.get(f"fulfillment-orders/{order.pk}").json()["data"]["order_items"][0]
    assert (item["status"], item["points_to_be_returned"]) == ("fulfilled", False)
    assert item["fulfilled_at"].endswith("Z")
    worked(order, after=PATIENT)
    assert credited(points) == ({key: 500}, [1])


def test_refused_is_failed_and_says_that_points_go_back(bank, order, points):
    points.fault("points", "credit", "rejected", code="member_closed")
    row, state = worked(order)
    assert (row.status, state, row.error_code) == ("FAILED", "failed", "member_closed")
    item = bank.get(f"fulfillment-orders/{order.pk}").json()["data"]["order_items"][0]
    assert item["points_to_be_returned"] is True
    assert item["failure"] == {
        "code": "member_closed", "message": "The member can't be credited",
    }  # fmt: skip
    assert credited(points)[0] == {}


@pytest.mark.parametrize(
    ("then", "state", "charges"), [("credited", "fulfilled", [1]), ("rejected", "failed", [0])]
)
def test_it_may_take_days(order, points, then, state, charges):
    points.fault("points", "credit", "pending", seconds=400_000, then=then)
    row, seen = worked(order)
    assert (row.status, seen) == ("PENDING", "processing")
    row, seen = worked(order, after=PATIENT)
    assert (row.status, seen) == ("PENDING", "processing")
    assert alerts() == []
    points.call("points/advance", seconds=400_001)
    row, seen = worked(order, after=timedelta(days=5))
    assert seen == state
    assert credited(points)[1] == charges


def test_longer_than_any_programme_takes_needs_a_person(order, points):
    points.fault("points", "credit", "pending", seconds=None)
    worked(order)
    worked(order, after=timedelta(days=9))
    assert alerts() == ["points_transfer"]


@pytest.mark.parametrize("fault", UNSURE)
def test_an_answer_that_does_not_come_is_looked_up_and_never_credited_twice(order, points, fault):
    points.fault("points", "credit", fault, times=1)
    row, state = worked(order)
    done = fault.endswith("_after") or fault in ("cut_half", "slow")
    assert state == "processing"
    assert row.status == "UNKNOWN"
    for after in (timedelta(seconds=5), PATIENT, 2 * PATIENT, 3 * PATIENT):
        row, state = worked(order, after=after)
    assert (row.status, state) == ("SUCCEEDED", "fulfilled")
    assert row.tries == (1 if done else 2)
    assert credited(points)[1] == [1]
    assert alerts() == []


@pytest.mark.parametrize("fault", ["status_text", "other_reference"])
def test_an_answer_that_can_not_be_placed(order, points, fault):
    points.fault("points", "credit", fault)
    assert worked(order)[0].status == "UNKNOWN"
    assert worked(order, after=PATIENT)[0].status == "SUCCEEDED"
    assert credited(points)[1] == [1]


def test_unknown_for_long_tells_a_person_and_goes_on(order, points):
    points.fault("points", "credit", "cut_after")
    points.fault("points", "lookup", "error_500")
    worked(order)
    for hours in range(1, 5):
        row, state = worked(order, after=timedelta(hours=hours))
        assert (row.status, state) == ("UNKNOWN", "processing")
    assert alerts() == ["points_transfer"]
    points.heal("points")
    row, state = worked(order, after=timedelta(hours=6))
    assert (row.status, state) == ("SUCCEEDED", "fulfilled")
    assert alerts() == []


def test_what_the_partner_had_accepted_is_never_sent_again(order, points):
    points.fault("points", "credit", "pending", seconds=None)
    worked(order)
    points.fault("points", "lookup", "not_found")
    for hours in range(1, 4):
        row, _ = worked(order, after=timedelta(hours=hours))
    assert (row.status, row.tries) == ("PENDING", 1)
    assert alerts() == ["points_transfer"]


@pytest.mark.parametrize("fault", ["rate_limited", "no_connection"])
def test_surely_nothing_happened_is_sent_again_under_the_same_reference(
    order, points, settings, fault
):
    good = settings.POINTS_BRIDGE_BASE_URL
    if fault == "no_connection":
        settings.POINTS_BRIDGE_BASE_URL = NOWHERE
    else:
        points.fault("points", "credit", fault, times=1)
    row, state = worked(order)
    assert (row.status, state, row.tries) == ("QUEUED", "pending", 1)
    assert not due_transfers(now=timezone.now()).exists()
    settings.POINTS_BRIDGE_BASE_URL = good
    row, state = worked(order, after=PATIENT)
    assert (row.status, state, row.tries) == ("SUCCEEDED", "fulfilled", 2)
    assert credited(points)[1] == [1]


def test_wrong_credentials_wait_and_are_told(order, points, settings):
    settings.POINTS_BRIDGE_API_KEY = "wrong"
    row, _ = worked(order)
    assert row.status == "QUEUED"
    assert alerts() == ["partner_misconfigured"]
    settings.POINTS_BRIDGE_API_KEY = ""
    assert worked(order, after=PATIENT)[0].status == "QUEUED"


def test_a_sender_that_died_is_looked_up_first(order, points):
    """SENT and committed, and then the power went: nobody knows whether it left."""
    sent = timezone.now() - timedelta(minutes=2)
    PointsTransfer.objects.update(status="SENT", sent_at=sent, tries=1, next_check_at=None)
    row, state = worked(order)
    assert (row.status, state) == ("UNKNOWN", "processing")
    row, _ = worked(order, after=PATIENT)
    assert row.status == "QUEUED"
    row, state = worked(order, after=PATIENT)
    assert (row.status, state, row.tries) == ("SUCCEEDED", "fulfilled", 2)
    assert credited(points)[1] == [1]


def test_a_fresh_claim_is_left_alone(order, points):
    PointsTransfer.objects.update(
        status="SENT", sent_at=timezone.now(), tries=1, next_check_at=None
    )
    assert worked(order)[0].status == "SENT"
    assert credited(points) == ({}, [])


def test_an_operator_closes_what_nobody_can_look_up(bank, points):
    now = timezone.now()
    for is_credited, status, state in (
        (True, "SUCCEEDED", "fulfilled"),
        (False, "FAILED", "failed"),
    ):
        order = transfer_of(bank.client, status="UNKNOWN", sent_at=now)
        row = settle_transfer(
            order.transfer.pk, credited=is_credited, operator=SYSTEM, reason="they told me"
        )
        assert (row.status, row.settled_by) == (status, "system")
        assert FulfillmentOrder.objects.get(pk=order.pk).item_state == state
        with pytest.raises(Conflict):
            settle_transfer(row.pk, credited=True, operator=SYSTEM, reason="again")
    waiting = transfer_of(bank.client)
    with pytest.raises(Conflict):
        settle_transfer(waiting.transfer.pk, credited=True, operator=SYSTEM, reason="early")


def test_given_up_before_it_was_sent_is_cancelled(bank, order, points):
    give_up(order, operator=SYSTEM, reason="asked by the bank", now=timezone.now())
    item = bank.get(f"fulfillment-orders/{order.pk}").json()["data"]["order_items"][0]
    assert (item["status"], item["points_to_be_returned"]) == ("cancelled", True)
    worked(order, after=PATIENT)
    assert credited(points) == ({}, [])
    sent = transfer_of(bank.client, status="UNKNOWN", sent_at=timezone.now())
    with pytest.raises(Conflict, match="sent already"):
        give_up(sent, operator=SYSTEM, reason="no", now=timezone.now())

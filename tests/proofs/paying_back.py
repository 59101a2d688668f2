"""Paying money back, one act at a time: through bKash, whose API can do it.

However it is killed: what left the gateway is what was asked for, once, and what was paid back is
not delivered.
"""

import uuid
from decimal import Decimal
from typing import Any, Final

from tests.proofs.story import Story

Answer = dict[str, Any]
FINANCE: Final = "finance@bdvoucher.com"
#: Nothing of it is in our own stock: while the partner has none, nothing is delivered.
TOP_UPS: Final = [
    {"variant_id": 22402, "quantity": 2, "fulfillment_input": {"player_id": "1234567"}},
    {"variant_id": 22403, "quantity": 1, "fulfillment_input": {"player_id": "1234567"}},
]
#: What was sent may be on its way for ten minutes; then the same goes out again.
LONG_ENOUGH: Final = 30


def undelivered(story: Story, *, lines: list[dict[str, Any]] | None = None) -> Answer:
    """Paid at bKash, and stuck; the request that pays it back stands ready."""
    story.method = "bkash"
    story.lines = lines or story.lines
    now = story.stuck()
    path = f"/api/v1/admin/payments/{now['payments'][0]}/refund"
    story.will_repair(path, {"reason": "proof"}, who=FINANCE)
    return now


def refund(story: Story, die_at: int | None) -> Answer:
    undelivered(story, lines=TOP_UPS)
    return story.act("request", die_at=die_at, **story.repair)


def refund_a_part(story: Story, die_at: int | None) -> Answer:
    """One unit of three; the two others are still to be delivered."""
    now = undelivered(story, lines=TOP_UPS)
    units = [{"orderItemId": now["items"][0], "units": [2]}]
    story.repair["body"] = {"reason": "proof", "items": units}
    return story.act("request", die_at=die_at, **story.repair)


def refund_what_was_delivered(story: Story, die_at: int | None) -> Answer:
    """The pool's code has gone out: it is taken back."""
    undelivered(story)
    story.repair["body"] = {"reason": "proof", "revokeCodes": True}
    return story.act("request", die_at=die_at, **story.repair)


def refund_that_is_refused(story: Story, die_at: int | None) -> Answer:
    """The gateway says no: the money stays, and so does the debt."""
    undelivered(story, lines=TOP_UPS)
    fault = {"code": "2071", "message": "too late"}
    story.world.client.fault("bkash", "refund", "refused", times=1, **fault)
    answer = story.act("request", die_at=die_at, **story.repair)
    story.world.client.control("DELETE", "bkash/faults")
    return answer


def unanswered(story: Story, fault: str) -> None:
    undelivered(story, lines=TOP_UPS)
    story.world.client.fault("bkash", "refund", fault, times=1)
    told = story.quietly("request", **story.repair)
    assert told["body"]["data"]["status"] == "PENDING", told
    story.world.client.control("DELETE", "bkash/faults")


def ask_about_a_refund(story: Story, die_at: int | None) -> Answer:
    """The money left, but nobody told us: we ask."""
    unanswered(story, "error_500_after")
    story.world.passes(2)
    return story.act("sweep", die_at=die_at, order=story.number, minutes=3)


def send_a_lost_refund_again(story: Story, die_at: int | None) -> Answer:
    """It never arrived: when that is sure, the same is sent again."""
    unanswered(story, "error_500_before")
    story.world.passes(12)
    return story.act("sweep", die_at=die_at, order=story.number, minutes=3)


# What must be true at the end


def is_paid_back(story: Story) -> None:
    """All of it, once; nothing is owed, and the order has left the queue."""
    now = ended(story)
    if not now["refunds"]:  # killed before it was written down: it is asked for again
        answer = story.press()
        assert answer["status"] == 200, answer
        now = ended(story)
    assert [each["status"] for each in now["refunds"]] == ["SUCCEEDED"], now
    assert left_the_gateway(story) == Decimal(now["refunds"][0]["amount"])
    assert (now["status"], now["closed"], now["alerts"]) == ("NEEDS_ATTENTION", True, []), now
    assert now["unended"] == 0, now
    assert now["breaches"] == []
    assert len(story.ids_of_mails("paid back", "refund")) <= 1


def is_paid_back_in_part(story: Story) -> None:
    """A unit's worth, once; a code for each other unit can still be entered, no more."""
    now = ended(story)
    if not now["refunds"]:
        assert story.press()["status"] == 200
        now = ended(story)
    again = story.press()
    assert again["status"] == 400, again
    assert [each["status"] for each in now["refunds"]] == ["SUCCEEDED"], now
    assert left_the_gateway(story) == Decimal(now["refunds"][0]["amount"]) > 0
    typed = [{"code": f"HAND-{uuid.uuid4().hex[:12].upper()}"} for _ in range(2)]
    path = f"/admin/orders/{now['id']}/fulfillment/manual-code"
    for item, units in zip(now["items"], (1, 1), strict=True):
        body = {"orderItemId": item, "codes": [typed.pop() for _ in range(units)]}
        story.will_repair(path, body)
        answer = story.press()
        assert answer["status"] == 200, answer
    now = story.now
    assert len(now["codes"]) == 2
    assert now["closed"] is True
    assert (now["alerts"], now["unended"], now["breaches"]) == ([], 0, []), now


def is_refused(story: Story) -> None:
    """No money left, and the order is owed as before; or it was never asked for."""
    now = ended(story)
    gone = left_the_gateway(story)
    states = [each["status"] for each in now["refunds"]]
    if gone:  # killed on the way there; what was sent later was not refused any more
        assert states == ["SUCCEEDED"], now
        assert now["closed"] is True
    else:
        assert states in ([], ["FAILED"]), now
        assert now["closed"] is False
        assert "fulfillment_failed" in now["alerts"], now
        body = {"orderItemId": now["items"][0], "notes": "proof"}
        story.will_repair(f"/admin/orders/{now['id']}/fulfillment/partner-retry", body)
        story.press()
        assert len(story.now["codes"]) == 2
    assert story.now["breaches"] == []


def ended(story: Story) -> Answer:
    """After the sweeps no refund is under way any more."""
    story.swept(LONG_ENOUGH)
    story.swept(1)
    now = story.now
    assert not {each["status"] for each in now["refunds"]} & {"REQUESTED", "PENDING"}, now
    return now


def left_the_gateway(story: Story) -> Decimal:
    """By bKash's own ledger."""
    rows = story.world.client.control("GET", "bkash/ledger")["payments"]
    mine = [row for row in rows if f"-{story.number}-" in str(row["invoice"])]
    assert mine, [row["invoice"] for row in rows][-3:]
    return sum((Decimal(each["amount"]) for row in mine for each in row["refunds"]), Decimal(0))

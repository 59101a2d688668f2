"""What the shop does for an order, one act at a time, and what must be true after each.

An act is done with a point to die at, or None. Its end is asked for after the sweeps.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bdvoucher.local.client import CUSTOMER
from tests.proofs import paying_back
from tests.proofs.paying_back import TOP_UPS
from tests.proofs.story import Story

#: The client asks again after so many minutes; the sweeps come every minute until then.
PATIENCE: Final = 12
#: Longer than a customer may take to pay.
OVERDUE_MINUTES: Final = 125
Answer = dict[str, Any]


@dataclass(frozen=True)
class Act:
    do: Callable[[Story, int | None], Answer]
    end: Callable[[Story], None]


# Selling


def place(story: Story, die_at: int | None) -> Answer:
    return story.act("request", die_at=die_at, **story.placing)


def call_back(story: Story, die_at: int | None) -> Answer:
    page = story.took(story.quietly("request", **story.placing))
    return story.act("request", die_at=die_at, **story.paid(page))


def fulfil(story: Story, die_at: int | None) -> Answer:
    story.bought()
    return story.act("work", die_at=die_at)


def waiting_at_the_partner(story: Story) -> Answer:
    """The partner took the purchases and has finished them since; it tells us so."""
    client = story.world.client
    client.fault("zendit", "purchase", "in_progress", seconds=40)
    story.bought()
    story.quietly("work")
    client.control("DELETE", "zendit/faults")
    client.control("POST", "zendit/advance", {"seconds": 60})
    now = story.now
    assert (now["status"], len(now["references"])) == ("PENDING", 2), now
    return {
        "method": "POST", "path": "/api/v1/zendit/webhook", "who": "", "key": "",
        "secret": story.world.shop.env["ZENDIT_WEBHOOK_SECRET"],
        "body": {"transactionId": now["references"][0], "status": "DONE"},
    }  # fmt: skip


def hear_the_partner(story: Story, die_at: int | None) -> Answer:
    return story.act("request", die_at=die_at, **waiting_at_the_partner(story))


def look_up_what_the_partner_told(story: Story, die_at: int | None) -> Answer:
    told = story.quietly("request", **waiting_at_the_partner(story))
    assert told["status"] == 200, told
    return story.act("work", die_at=die_at)


# Repairing


def typed(count: int) -> list[dict[str, str]]:
    return [{"code": f"HAND-{uuid.uuid4().hex[:12].upper()}"} for _ in range(count)]


def enter_codes(story: Story, die_at: int | None) -> Answer:
    now = story.stuck()
    body = {"orderItemId": now["items"][0], "codes": typed(2), "notes": "proof"}
    story.will_repair(f"/admin/orders/{now['id']}/fulfillment/manual-code", body)
    return story.act("request", die_at=die_at, **story.repair)


def enter_codes_for_the_order(story: Story, die_at: int | None) -> Answer:
    story.lines = TOP_UPS
    now = story.stuck()
    rows = [
        {"orderItemId": item, "codes": typed(2 - place)} for place, item in enumerate(now["items"])
    ]
    path = f"/admin/orders/{now['id']}/fulfillment/manual-codes"
    story.will_repair(path, {"items": rows, "notes": "proof"})
    return story.act("request", die_at=die_at, **story.repair)


def retry_with_partner(story: Story, die_at: int | None) -> Answer:
    now = story.stuck()
    body = {"orderItemId": now["items"][0], "notes": "proof"}
    story.will_repair(f"/admin/orders/{now['id']}/fulfillment/partner-retry", body)
    return story.act("request", die_at=die_at, **story.repair)


def resend_email(story: Story, die_at: int | None) -> Answer:
    now = story.delivered()
    path = f"/admin/orders/{now['id']}/fulfillment/resend-email"
    story.will_repair(path, {"notes": "proof"})
    story.presses = 1
    return story.act("request", die_at=die_at, **story.repair)


def resend_a_part(story: Story, die_at: int | None) -> Answer:
    """The pool's code was mailed, the partner owes the others."""
    now = story.stuck()
    path = f"/admin/orders/{now['id']}/fulfillment/resend-email"
    story.will_repair(path, {"notes": "proof"})
    answer = story.act("request", die_at=die_at, **story.repair)
    body = {"orderItemId": now["items"][0], "notes": "proof"}
    story.will_repair(f"/admin/orders/{now['id']}/fulfillment/partner-retry", body)
    return answer


# Giving up


def cancel(story: Story, die_at: int | None) -> Answer:
    story.took(story.quietly("request", **story.placing))
    story.repair = {
        "method": "POST", "path": f"/api/v1/orders/{story.number}/cancel", "body": {},
        "who": CUSTOMER.name, "key": "",
    }  # fmt: skip
    return story.act("request", die_at=die_at, **story.repair)


def close_overdue(story: Story, die_at: int | None) -> Answer:
    story.took(story.quietly("request", **story.placing))
    story.world.passes(OVERDUE_MINUTES)
    return story.act("sweep", die_at=die_at, order=story.number)


# What must be true at the end


def can_be_paid(story: Story) -> None:
    """Killed before the customer could pay: the same request again leads to the same order."""
    story.swept(3)
    assert not story.number or story.now["status"] == "INITIATED"
    story.bought()
    is_delivered(story)


def is_delivered(story: Story) -> None:
    """Every code once, by one mail, each unit charged once."""
    story.swept(PATIENCE)
    story.swept(1)
    now = story.now
    if now["status"] == "NEEDS_ATTENTION":
        # An operator sees it in the queue and presses the same button again.
        answer = story.press()
        assert answer["status"] in (200, 409), answer
        story.swept(2)
        now = story.now
    assert now["status"] == "SUCCEEDED", now
    holds_its_promises(story, now)
    assert len(_ids_of(complete_mails(story, now))) == 1


def is_sent_again(story: Story) -> None:
    """One mail more for each press that was accepted, and no press half done for ever."""
    story.swept(PATIENCE)
    story.world.passes(PATIENCE)
    story.quietly("sweep", order=story.number)
    before = story.now
    assert before["unended"] == 0, before
    answer = story.press()
    assert answer["status"] == 200, answer
    assert answer["body"]["data"]["emailSent"] is True, answer
    now = story.now
    holds_its_promises(story, now)
    ids = _ids_of(complete_mails(story, now))
    assert 2 <= len(ids) <= 1 + story.presses
    assert ids == set(now["mails"]), "what the mail server took is what we know of"


def is_given_up(story: Story) -> None:
    """Cancelled, told once at most, and every code is back in the pool."""
    story.swept(3)
    story.swept(1)
    now = story.now
    if now["status"] == "INITIATED" and story.repair:
        answer = story.press()
        assert answer["status"] == 200, answer
        now = story.now
    assert (now["status"], now["held"], now["codes"]) == ("CANCELLED", 0, []), now
    assert now["breaches"] == []
    assert len(_ids_of(story.world.client.mails(story.address))) <= 1


def holds_its_promises(story: Story, now: Answer) -> None:
    assert now["breaches"] == []
    assert now["unended"] == 0, now
    wanted = sum(line["quantity"] for line in story.lines)
    assert len(set(now["codes"])) == len(now["codes"]) == wanted
    ledger = story.world.client.control("GET", "zendit/ledger")["purchases"]
    bought = [row for row in ledger if str(row["transaction_id"]).startswith(story.number)]
    assert all(row["charges"] <= 1 for row in bought), bought
    by_hand = "manual-code" in story.repair.get("path", "")
    charged = [row for row in bought if row["charges"]]
    assert len(charged) == (0 if by_hand else 2), bought


def complete_mails(story: Story, now: Answer) -> list[Answer]:
    """In the gap between the server's OK and our commit a copy may go out; its id is the same."""
    mails = story.world.client.mails(story.address)
    complete = [mail for mail in mails if all(code in mail["text"] for code in now["codes"])]
    assert complete, "the customer has no mail with every code"
    return complete


def _ids_of(mails: list[Answer]) -> set[str]:
    return {mail["message_id"] for mail in mails}


ACTS: Final = {
    "place": Act(place, can_be_paid),
    "call_back": Act(call_back, is_delivered),
    "fulfil": Act(fulfil, is_delivered),
    "hear_the_partner": Act(hear_the_partner, is_delivered),
    "look_up_what_the_partner_told": Act(look_up_what_the_partner_told, is_delivered),
    "enter_codes": Act(enter_codes, is_delivered),
    "enter_codes_for_the_order": Act(enter_codes_for_the_order, is_delivered),
    "retry_with_partner": Act(retry_with_partner, is_delivered),
    "resend_email": Act(resend_email, is_sent_again),
    "resend_a_part": Act(resend_a_part, is_delivered),
    "cancel": Act(cancel, is_given_up),
    "close_overdue": Act(close_overdue, is_given_up),
    "refund": Act(paying_back.refund, paying_back.is_paid_back),
    "refund_a_part": Act(paying_back.refund_a_part, paying_back.is_paid_back_in_part),
    "refund_what_was_delivered": Act(
        paying_back.refund_what_was_delivered, paying_back.is_paid_back
    ),
    "refund_that_is_refused": Act(paying_back.refund_that_is_refused, paying_back.is_refused),
    "ask_about_a_refund": Act(paying_back.ask_about_a_refund, paying_back.is_paid_back),
    "send_a_lost_refund_again": Act(paying_back.send_a_lost_refund_again, paying_back.is_paid_back),
}
#: What a run of the suite takes of them: one of each kind.
SAMPLED: Final = ("call_back", "fulfil", "enter_codes", "cancel", "refund")

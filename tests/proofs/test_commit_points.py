"""The process is killed before and after every commit and every call to the outside.

A run without a kill counts the points; then each one is a run of its own: killed there, swept as
the schedule would, and at the end the customer has every code once, by one mail, the partner
charged once, and no rule is broken. `PROVE=1` takes every point, else one in `STEP`.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from bdvoucher.local.client import CUSTOMER, OPERATOR, SEED_ORDER, ShopClient
from bdvoucher.local.places import PROJECT
from bdvoucher.local.stack import Shop
from tests.proofs.zygote import KILLED

pytestmark = [pytest.mark.timeout(1800), pytest.mark.journey, pytest.mark.xdist_group("proofs")]
STEP = 1 if os.environ.get("PROVE") else 17
#: The client asks again after so many minutes; the sweeps come every minute until then.
PATIENCE = 12
CODES = 3


class Zygote:
    """Runs jobs in forked children of one loaded process."""

    def __init__(self, shop: Shop) -> None:
        self.log = (shop.home / "logs" / "zygote.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.zygote"],
            cwd=PROJECT, env=shop.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True,
        )  # fmt: skip
        assert self._line() == "ready\n"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def run(self, job: str, **options: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"job": job, **options}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._line())
        assert "error" not in answer, answer["error"]
        return answer

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.communicate(timeout=10)
        self.log.close()


@dataclass
class World:
    shop: Shop
    zygote: Zygote
    client: ShopClient
    minutes: int = 0
    """How far the shop's clock has been moved on; one clock for all stories."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    env = {
        "LOOKUP_WAITS": "1,1,2,5", "PAYMENT_DEADLINE_SECONDS": "7200", "LOG_LEVEL": "WARNING",
        "EMAIL_TIMEOUT_SECONDS": "5",
    }  # fmt: skip
    with Shop.fresh(extra_env=env, only=("simulators",)) as shop:
        zygote = Zygote(shop)
        client = ShopClient(shop.url, shop.simulators_url)
        client.control("POST", "zendit/settings", {"done_after": 0})
        try:
            yield World(shop, zygote, client)
        finally:
            zygote.stop()


class Story:
    """One order's life; `act` is where the kill may strike."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.key = uuid.uuid4().hex
        self.address = f"proof-{self.key[:10]}@example.com"
        self.number = ""
        self.repair: dict[str, Any] = {}

    @property
    def by_hand(self) -> bool:
        return "manual-code" in self.repair.get("path", "")

    def act(self, job: str, *, die_at: int | None = None, **arguments: Any) -> dict[str, Any]:
        return self.world.zygote.run(
            job, arguments=arguments, die_at=die_at, watched=True, minutes_later=self.world.minutes
        )

    def quietly(self, job: str, **arguments: Any) -> dict[str, Any]:
        answer = self.world.zygote.run(job, arguments=arguments, minutes_later=self.world.minutes)
        result: dict[str, Any] = answer["result"]
        return result

    def swept(self, minutes: int) -> None:
        """The schedule, minute by minute, until everything that was due is done."""
        for _ in range(minutes):
            self.world.minutes += 1
            if self.quietly("sweep", order=self.number)["status"] == "SUCCEEDED":
                break

    @property
    def placing(self) -> dict[str, Any]:
        body = {**SEED_ORDER, "recipient_email": self.address}
        return {
            "method": "POST", "path": "/api/v1/orders", "body": body, "who": CUSTOMER.name,
            "key": self.key,
        }  # fmt: skip

    def took(self, answer: dict[str, Any]) -> str:
        """Remember the order; where the customer pays."""
        assert answer["status"] == 201, answer
        self.number = answer["body"]["data"]["order_number"]
        payment = answer["body"]["data"]["payment"]
        return "" if payment is None else str(payment["paymentGatewayUrl"])

    def paid(self, page: str) -> dict[str, Any]:
        """The customer presses "Pay"; the request with which the browser comes back to us."""
        if not page:
            path = f"/api/v1/payments/initiate/{self.number}"
            again = self.quietly(
                "request", method="POST", path=path, body={}, who=CUSTOMER.name, key=""
            )
            assert again["status"] == 200, again
            page = again["body"]["data"]["paymentGatewayUrl"]
        session = self.world.client.session
        seen = session.get(page, timeout=10)
        left = session.post(seen.url, data={"action": "pay"}, timeout=10, allow_redirects=False)
        target = urlsplit(left.headers["Location"])
        return {
            "method": "GET", "path": f"{target.path}?{target.query}", "body": None, "who": "",
            "key": "",
        }  # fmt: skip

    @property
    def now(self) -> dict[str, Any]:
        return self.quietly("state", order=self.number)


def place(story: Story, die_at: int | None) -> dict[str, Any]:
    return story.act("request", die_at=die_at, **story.placing)


def call_back(story: Story, die_at: int | None) -> dict[str, Any]:
    page = story.took(story.quietly("request", **story.placing))
    return story.act("request", die_at=die_at, **story.paid(page))


def fulfil(story: Story, die_at: int | None) -> dict[str, Any]:
    page = story.took(story.quietly("request", **story.placing))
    story.quietly("request", **story.paid(page))
    return story.act("work", die_at=die_at)


def stuck(story: Story) -> dict[str, Any]:
    """Paid, and the partner had nothing: the operator's turn."""
    client = story.world.client
    client.fault("zendit", "purchase", "out_of_stock")
    page = story.took(story.quietly("request", **story.placing))
    story.quietly("request", **story.paid(page))
    story.quietly("work")
    client.control("DELETE", "zendit/faults")
    now = story.now
    assert now["status"] == "NEEDS_ATTENTION", now
    return now


def enter_codes(story: Story, die_at: int | None) -> dict[str, Any]:
    now = stuck(story)
    rows = [{"code": f"HAND-{story.key[:8]}-{n}"} for n in (1, 2)]
    story.repair = {
        "method": "POST", "who": OPERATOR.name, "key": "",
        "path": f"/admin/orders/{now['id']}/fulfillment/manual-code",
        "body": {"orderItemId": now["items"][0], "codes": rows, "notes": "proof"},
    }  # fmt: skip
    return story.act("request", die_at=die_at, **story.repair)


def retry_with_partner(story: Story, die_at: int | None) -> dict[str, Any]:
    now = stuck(story)
    story.repair = {
        "method": "POST", "who": OPERATOR.name, "key": "",
        "path": f"/admin/orders/{now['id']}/fulfillment/partner-retry",
        "body": {"orderItemId": now["items"][0], "notes": "proof"},
    }  # fmt: skip
    return story.act("request", die_at=die_at, **story.repair)


ACTS = {act.__name__: act for act in (place, call_back, fulfil, enter_codes, retry_with_partner)}


def at_the_end(story: Story) -> None:
    """Everything there is to promise, for this order and for the shop."""
    story.swept(3)
    if not story.number:
        page = story.took(story.quietly("request", **story.placing))
        story.quietly("request", **story.paid(page))
    story.swept(PATIENCE)
    story.swept(1)
    now = story.now
    if now["status"] == "INITIATED":  # killed before the customer could pay
        page = story.took(story.quietly("request", **story.placing))
        story.quietly("request", **story.paid(page))
        story.swept(PATIENCE)
        now = story.now
    if now["status"] == "NEEDS_ATTENTION":
        # An operator sees it in the queue and presses the same button again.
        answer = story.quietly("request", **story.repair)
        assert answer["status"] in (200, 409), answer
        story.swept(2)
        now = story.now
    assert now["status"] == "SUCCEEDED", now
    assert now["breaches"] == []
    assert len(set(now["codes"])) == len(now["codes"]) == CODES
    client = story.world.client
    mails = client.mails(story.address)
    complete = [mail for mail in mails if all(code in mail["text"] for code in now["codes"])]
    assert complete, "the customer has no mail with every code"
    # In the gap between the server's OK and our commit a copy may go out; its id is the same.
    assert len({mail["message_id"] for mail in complete}) == 1
    ledger = client.control("GET", "zendit/ledger")["purchases"]
    bought = [row for row in ledger if str(row["transaction_id"]).startswith(story.number)]
    assert all(row["charges"] <= 1 for row in bought), bought
    charged = [row for row in bought if row["charges"]]
    assert len(charged) == (0 if story.by_hand else 2), bought


@pytest.mark.parametrize("name", ACTS)
def test_killed_at_every_point(world: World, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = Story(world)
    whole.quietly("flush")
    points = ACTS[name](whole, None)["points"]
    if not whole.number:
        whole.took(whole.quietly("request", **whole.placing))
    assert len(points) >= 6
    sampled = list(range(0 if STEP == 1 else len(name) % 5, len(points), STEP))
    for point in sampled:
        story = Story(world)
        story.quietly("flush")
        died = ACTS[name](story, point)
        assert died["exit"] == KILLED, died
        try:
            at_the_end(story)
        except AssertionError as exc:
            raise AssertionError(f"killed {points[point]} ({point} of {len(points)})") from exc
    with capsys.disabled():
        print(f"\n{name}: {len(points)} points, killed at {len(sampled)} of them")

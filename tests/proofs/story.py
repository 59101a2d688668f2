"""One order's life in a shop whose processes are forked, and die, at our word."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bdvoucher.local.client import CUSTOMER, OPERATOR, SEED_ORDER, ShopClient
from bdvoucher.local.places import PROJECT
from bdvoucher.local.stack import Shop


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

    def passes(self, minutes: int) -> None:
        """At bKash, too: its tokens live for an hour."""
        self.minutes += minutes
        self.client.control("POST", "bkash/advance", {"seconds": 60 * minutes})


@contextmanager
def living_world() -> Iterator[World]:
    env = {
        "LOOKUP_WAITS": "1,1,2,5", "PAYMENT_DEADLINE_SECONDS": "7200", "LOG_LEVEL": "WARNING",
        "EMAIL_TIMEOUT_SECONDS": "5",
    }  # fmt: skip
    with Shop.fresh(extra_env=env, only=("simulators",)) as shop:
        zygote = Zygote(shop)
        client = ShopClient(shop.url, shop.simulators_url)
        client.control("POST", "zendit/settings", {"done_after": 0})
        client.control("POST", "bkash/settings", {"token_limit": 0})  # one for each story
        zygote.run("stock", arguments={"variant": POOL_VARIANT, "count": 2000})
        try:
            yield World(shop, zygote, client)
        finally:
            zygote.stop()


POOL_VARIANT = 22405


class Story:
    """One order's life; `act` is where the kill may strike."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.key = uuid.uuid4().hex
        self.address = f"proof-{self.key[:10]}@example.com"
        self.lines = SEED_ORDER["items"]
        self.method = "paystation"
        self.number = ""
        self.repair: dict[str, Any] = {}
        """The request an operator makes, and makes again when it did not help."""
        self.presses = 0

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
        self.world.passes(1)
        told = self.quietly("sweep", order=self.number, minutes=minutes)
        self.world.passes(told["minutes"] - 1)

    @property
    def placing(self) -> dict[str, Any]:
        body = {
            **SEED_ORDER, "items": self.lines, "recipient_email": self.address,
            "payment_method": self.method,
        }  # fmt: skip
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

    def bought(self) -> str:
        """Placed and paid, and not fulfilled yet; the gateway's page."""
        page = self.took(self.quietly("request", **self.placing))
        self.quietly("request", **self.paid(page))
        return page

    def delivered(self) -> dict[str, Any]:
        self.bought()
        self.quietly("work")
        now = self.now
        assert now["status"] == "SUCCEEDED", now
        return now

    def stuck(self) -> dict[str, Any]:
        """Paid, and the partner had nothing: the operator's turn."""
        client = self.world.client
        client.fault("zendit", "purchase", "out_of_stock")
        self.bought()
        self.quietly("work")
        client.control("DELETE", "zendit/faults")
        now = self.now
        assert now["status"] == "NEEDS_ATTENTION", now
        return now

    def will_repair(self, path: str, body: dict[str, Any], *, who: str = OPERATOR.name) -> None:
        self.repair = {"method": "POST", "who": who, "key": "", "path": path}
        self.repair |= {"body": body}

    def press(self) -> dict[str, Any]:
        """The operator presses the button (again)."""
        self.presses += 1
        return self.quietly("request", **self.repair)

    def ids_of_mails(self, *words: str) -> set[str]:
        """Message-IDs of the mails whose subject has one of these words."""
        return {
            mail["message_id"]
            for mail in self.world.client.mails(self.address)
            if any(word in str(mail["subject"]).lower() for word in words)
        }

    @property
    def now(self) -> dict[str, Any]:
        return self.quietly("state", order=self.number)

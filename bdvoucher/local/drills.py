"""A bad day on a shop of its own: what fails, and promise by promise what was kept of it.

Told from outside, over HTTP, by the same client as the demo. Each drill sells under the fault, ends
it, and counts: every taka that was taken ends in a delivered voucher or an open alert, no code is
sold or mailed twice, nothing is charged twice.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import redis
import requests

from bdvoucher.local.client import SEED_ORDER, ShopClient, StoryError
from bdvoucher.local.stack import Shop

UNITS: Final = sum(item["quantity"] for item in SEED_ORDER["items"])
#: After every fault, all that was sold is decided within this.
RECOVERY_SECONDS: Final = 300.0
#: No customer waits longer for an answer of ours.
ANSWER_SECONDS: Final = 5.0
ASK_DOUBT: Final = (
    "from django.conf import settings; print(settings.PARTNER_UNKNOWN_WINDOW.total_seconds())"
)
QUICK: Final[Mapping[str, str]] = {
    "SWEEP_ORDERS_SECONDS": "1",
    "SWEEP_PAYMENTS_SECONDS": "1",
    "SWEEP_EMAILS_SECONDS": "1",
    "CLOSE_OVERDUE_SECONDS": "1",
    "ATTEMPT_WAITS": "2,3,5",
    "LOOKUP_WAITS": "0.3,0.5,1,1,2",
    "MAIL_WAITS": "2,2,3",
    "VERIFY_WAITS": "1,1,2",
    "PARTNER_ANSWER_SECONDS": "2",
    "PARTNER_SENT_LEASE_SECONDS": "15",
    "PARTNER_UNKNOWN_WINDOW_SECONDS": "3",
    "ATTEMPT_LEASE_SECONDS": "8",
    "MAIL_LEASE_SECONDS": "12",
    "EMAIL_TIMEOUT_SECONDS": "3",
    "BREAKER_PAUSE_SECONDS": "2",
}


@dataclass
class Day:
    """One shop, what was sold on it, and what was promised."""

    shop: Shop
    client: ShopClient
    orders: list[dict[str, Any]] = field(default_factory=list)
    promises: list[tuple[str, bool]] = field(default_factory=list)
    slowest: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        print(f"  {time.monotonic() - self.started:6.1f} s  {text}", flush=True)

    def promise(self, text: str, kept: bool) -> None:
        self.promises.append((text, kept))

    def place(self) -> dict[str, Any]:
        body = {**SEED_ORDER, "recipient_email": f"drill-{len(self.orders)}@example.com"}
        since = time.monotonic()
        placed = self.client.place_order(body)
        self.slowest = max(self.slowest, time.monotonic() - since)
        self.orders.append(placed)
        return placed

    def sell(self, count: int) -> None:
        for _ in range(count):
            placed = self.place()
            self.client.pay(placed["payment"]["paymentGatewayUrl"])
        self.say(f"{count} orders placed and paid, the slowest answer {self.slowest:.1f} s")

    def wait_for(self, *statuses: str, seconds: float = RECOVERY_SECONDS) -> float:
        """Seconds until every order has one of these states."""
        since = time.monotonic()
        for placed in self.orders:
            left = max(1.0, seconds - (time.monotonic() - since))
            self.client.wait_for(placed["id"], *statuses, seconds=left)
        return time.monotonic() - since

    def now(self) -> list[dict[str, Any]]:
        return [self.client.order(placed["id"]) for placed in self.orders]

    def alerts(self, order: Mapping[str, Any]) -> list[str]:
        data = self.client.admin("GET", f"/admin/orders/{order['id']}")["data"]
        return [str(alert["type"]) for alert in data["alerts"]]

    def recovered(self, after: str, *, in_doubt: float = 0.0) -> None:
        """What must be true at the end of every such day.

        A purchase that nobody answered for is in doubt for `in_doubt` seconds: as long as it may
        still turn up at the partner, its unit is not bought again (D18).
        """
        doubt = f" and {in_doubt:g} s of doubt" if in_doubt else ""
        promise = f"every paid order is delivered within 5 minutes{doubt} of {after}"
        try:
            took = self.wait_for("SUCCEEDED", seconds=RECOVERY_SECONDS + in_doubt)
            self.say(f"all delivered {took:.0f} s after {after}")
            self.promise(promise, True)
        except StoryError as error:
            self.say(str(error))
            self.promise(promise, False)
        orders = self.now()
        codes = [code for order in orders for code in order["voucher_codes"]]
        self.promise("every unit has its code", len(codes) == UNITS * len(orders))
        self.promise("no code was given to two customers", len(set(codes)) == len(codes))
        told = [self.client.mails(f"drill-{number}@example.com") for number in range(len(orders))]
        complete = all(
            mails and all(code in str(mails[-1]["text"]) for code in order["voucher_codes"])
            for mails, order in zip(told, orders, strict=True)
        )
        self.promise("every customer has one mail with every code", complete)
        bought = self.client.control("GET", "zendit/ledger")["purchases"]
        self.promise(
            "the partner charged no purchase twice", all(r["charges"] <= 1 for r in bought)
        )
        self.promise("no alert is left open", not any(self.alerts(order) for order in orders))
        quick = self.slowest <= ANSWER_SECONDS
        self.promise(f"no customer waited over {ANSWER_SECONDS:g} s for an answer", quick)
        self.promise("every rule of the books holds", self._books())

    def _books(self) -> bool:
        try:
            self.shop.manage("check_invariants")
        except Exception as error:  # noqa: BLE001 - its text is the finding
            self.say(str(error))
            return False
        return True


def partner_down(day: Day) -> None:
    """The partner answers nothing but errors while customers buy."""
    day.client.control("POST", "zendit/faults", {"operation": "*", "fault": "error_503"})
    day.say("the partner answers 503 to everything")
    day.sell(3)
    day.wait_for("PENDING", "NEEDS_ATTENTION")
    words = " ".join(each["status_label"] + each["status_message"] for each in day.now())
    day.promise("no customer who paid reads 'failed'", "fail" not in words.lower())
    day.client.all_well()
    day.say("the partner is back")
    in_doubt = float(day.shop.manage("shell", "--verbosity", "0", "--command", ASK_DOUBT))
    day.recovered("the partner's return", in_doubt=in_doubt)


def smtp_down(day: Day) -> None:
    """The mail server refuses for now while customers buy."""
    day.client.mail_server("temporary")
    day.say("the mail server takes nothing")
    day.sell(3)
    day.wait_for("NEEDS_ATTENTION", "SUCCEEDED")
    orders = day.now()
    day.promise(
        "codes are safe and shown in the account before any mail",
        all(len(order["voucher_codes"]) == UNITS for order in orders),
    )
    day.promise("an alert is open for each", all(day.alerts(order) for order in orders))
    day.client.mail_server("accept")
    day.say("the mail server is back")
    day.recovered("the mail server's return")


def late_callback(day: Day) -> None:
    """Customers pay and nobody calls back: the sweep finds the money, the callback comes late."""
    day.client.control("POST", "paystation/preset", {"preset": "no_return"})
    day.say("no browser comes back from the gateway, and no notice is sent")
    day.sell(3)
    day.recovered("the payment")
    before = day.now()
    for placed in day.orders:
        query = {"invoice_number": placed["payment"]["transactionId"], "status": "Failed"}
        url = f"{day.shop.url}/api/v1/payments/paystation/callback"
        requests.get(url, params=query, timeout=20, allow_redirects=False)
    day.say("the callbacks come now, and say that nothing was paid")
    day.promise("what comes late, and lies, changes nothing", day.now() == before)


def worker_kill(day: Day) -> None:
    """kill -9 of the worker while it delivers, and of the web while it is called."""
    day.sell(2)
    day.shop.kill("worker")
    day.say("the worker was killed")
    day.sell(1)
    day.shop.kill("web")
    day.say("the web was killed")
    day.shop.start("web")
    day.shop.start("worker")
    day.say("both are started again")
    day.recovered("the restart")


def broker_flush(day: Day) -> None:
    """The broker forgets every task while nobody works."""
    day.shop.kill("worker")
    day.sell(3)
    for name in ("CELERY_BROKER_URL", "REDIS_URL"):
        with redis.Redis.from_url(day.shop.env[name]) as client:
            day.say(f"{client.dbsize()} keys thrown away ({name})")
            client.flushdb()
    day.shop.start("worker")
    day.recovered("the loss")


DRILLS: Final[Mapping[str, Callable[[Day], None]]] = {
    "partner-down": partner_down,
    "smtp-down": smtp_down,
    "late-callback": late_callback,
    "worker-kill": worker_kill,
    "broker-flush": broker_flush,
}


def run(name: str, shop: Shop) -> Day:
    """One drill on a shop that stands for it alone."""
    drill = DRILLS[name]
    day = Day(shop, ShopClient(shop.url, shop.simulators_url))
    print(f"\n{name}: {(drill.__doc__ or '').strip()}", flush=True)
    drill(day)
    for text, kept in day.promises:
        print(f"  {'kept  ' if kept else 'BROKEN'}  {text}", flush=True)
    return day

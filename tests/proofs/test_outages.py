"""Outages of a running shop: what it does by itself, and what the API alone can mend.

Real processes, a real broker, database and mail server, killed and emptied in the middle of the
work. `./run prove` takes the intervals as they are shipped and gives each story five minutes; a run
of the suite takes quicker ones.
"""

import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import redis

from bdvoucher.local.client import SEED_ORDER, ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.conftest import QUICK
from tests.journeys.hung import postgres_of, valkey_of
from tests.telling import FULL, Teller

pytestmark = [
    pytest.mark.journey, pytest.mark.timeout(3600),
]  # fmt: skip
SECONDS = 300.0 if FULL else 60.0
#: Told by `./run prove` alone.
long = pytest.mark.skipif(not FULL, reason="./run prove tells it")


@pytest.fixture(scope="module")
def running() -> Iterator[Shop]:
    with Shop.fresh(extra_env={} if FULL else QUICK) as shop:
        yield shop


@pytest.fixture
def client(running: Shop) -> Iterator[ShopClient]:
    client = ShopClient(running.url, running.simulators_url)
    client.all_well()
    yield client
    for name in ("simulators", "web", "worker", "beat"):
        if not running.running(name):
            running.start(name)
    client.all_well()


class Story:
    """One paid order, and how long it took from the outage to its delivery."""

    def __init__(self, client: ShopClient) -> None:
        self.client = client
        self.address = f"outage-{uuid.uuid4().hex[:10]}@example.com"
        self.placed = client.place_order({**SEED_ORDER, "recipient_email": self.address})
        self.began = time.monotonic()

    def pays(self) -> None:
        self.client.pay(self.placed["payment"]["paymentGatewayUrl"])
        self.began = time.monotonic()

    def in_the_middle(self, running: Shop) -> None:
        """The partner has been asked for the first unit, and does not answer yet."""
        self.client.fault("zendit", "purchase", "slow", seconds=4, times=1)
        self.pays()
        self.client.until(
            self.purchases, lambda rows: len(rows) >= 1, "a purchase to begin", seconds=SECONDS
        )

    def purchases(self) -> list[dict[str, Any]]:
        rows = self.client.control("GET", "zendit/ledger")["purchases"]
        number = self.placed["order_number"]
        return [row for row in rows if str(row["transaction_id"]).startswith(number)]

    def ends_well(self) -> float:
        """Delivered, each unit charged once, every code in one mail; the seconds it took."""
        left = max(1.0, SECONDS - (time.monotonic() - self.began))
        order = self.client.wait_for(self.placed["id"], "SUCCEEDED", seconds=left)
        took = time.monotonic() - self.began
        assert len(set(order["voucher_codes"])) == 3
        assert [row["charges"] for row in self.purchases()] == [1, 1]
        mails = [
            mail
            for mail in self.client.mails(self.address)
            if all(code in mail["text"] for code in order["voucher_codes"])
        ]
        assert len({mail["message_id"] for mail in mails}) == 1
        assert self.client.admin("GET", f"/admin/orders/{order['id']}")["data"]["alerts"] == []
        return took


def test_the_worker_is_killed_in_the_middle_of_a_purchase(
    running: Shop, client: ShopClient, tell: Teller
) -> None:
    story = Story(client)
    story.in_the_middle(running)
    running.kill("worker")
    running.start("worker")
    tell.figure(f"worker killed in a purchase: delivered after {story.ends_well():.0f} s")


@long
def test_everything_is_killed_in_the_middle_of_a_purchase(
    running: Shop, client: ShopClient, tell: Teller
) -> None:
    story = Story(client)
    story.in_the_middle(running)
    for name in ("worker", "beat", "web"):
        running.kill(name)
    for name in ("web", "worker", "beat"):
        running.start(name)
    tell.figure(f"web, worker and beat killed: delivered after {story.ends_well():.0f} s")


@long
def test_the_whole_machine_loses_power_in_the_middle_of_a_purchase(
    running: Shop, client: ShopClient, tell: Teller
) -> None:
    """Database and broker with the rest; the broker comes back empty."""
    story = Story(client)
    story.in_the_middle(running)
    family, broker = postgres_of(running), valkey_of(running)
    for name in ("worker", "beat", "web"):
        running.kill(name)
    for pid in family + broker:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for server in (running.servers.postgres, running.servers.valkey):
        assert server is not None
        server.stop()
        server.start()
    for name in ("web", "worker", "beat"):
        running.start(name)
    tell.figure(f"everything killed, servers too: delivered after {story.ends_well():.0f} s")


def test_the_broker_forgets_the_work_in_it(running: Shop, client: ShopClient, tell: Teller) -> None:
    story = Story(client)
    running.stop("worker")
    story.pays()
    with redis.Redis.from_url(running.env["CELERY_BROKER_URL"]) as broker:
        assert broker.llen("money") >= 1, "there was no work in it"
        broker.flushdb()
    running.start("worker")
    tell.figure(f"broker flushed: delivered after {story.ends_well():.0f} s")


@long
def test_the_mail_server_refuses_for_a_while(
    running: Shop, client: ShopClient, tell: Teller
) -> None:
    client.mail_server("refuse")
    story = Story(client)
    story.pays()
    client.wait_for(story.placed["id"], "NEEDS_ATTENTION", seconds=SECONDS)
    client.mail_server("accept")
    if FULL:  # the plan's next try may be later than five minutes: an operator need not wait
        client.recover(story.placed["id"], "resend-email", {"notes": "outage"})
    tell.figure(f"mail refused, then accepted: delivered after {story.ends_well():.0f} s")


@long
def test_the_mail_server_hangs_after_the_final_dot(
    running: Shop, client: ShopClient, tell: Teller
) -> None:
    client.mail_server("hang_after_dot", seconds=60, times=1)
    story = Story(client)
    story.pays()
    took = story.ends_well()
    tell.figure(f"mail server silent after the dot: delivered after {took:.0f} s, one Message-ID")


def test_the_partner_charges_and_is_silent(running: Shop, client: ShopClient, tell: Teller) -> None:
    client.fault("zendit", "purchase", "hang_after", seconds=60, times=1)
    story = Story(client)
    story.pays()
    tell.figure(f"partner charged and silent: delivered after {story.ends_well():.0f} s")


@long
def test_the_database_restarts_in_the_middle_of_a_purchase(
    running: Shop, client: ShopClient, tell: Teller
) -> None:
    """An immediate restart: every connection is cut, what was not committed is gone."""
    story = Story(client)
    story.in_the_middle(running)
    _restart_database(running)
    tell.figure(f"database restarted: delivered after {story.ends_well():.0f} s")


def _restart_database(running: Shop) -> None:
    """A killed backend makes PostgreSQL end all others and recover from its log."""
    with psycopg.connect(running.env["DATABASE_URL"], autocommit=True) as connection:
        pid = connection.info.backend_pid
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with psycopg.connect(running.env["DATABASE_URL"], connect_timeout=2) as again:
                again.execute("SELECT 1")
                return
        except psycopg.OperationalError:
            time.sleep(0.2)
    raise AssertionError("the database did not come back")

"""One shop for all journeys of a test process: real servers, worker, scheduler, simulators, SMTP.

Its plan is the shipped one with shorter waits, so that a story takes seconds.
"""

from collections.abc import Iterator

import pytest

from bdvoucher.local.client import ShopClient
from bdvoucher.local.stack import Shop

QUICK = {
    "SWEEP_ORDERS_SECONDS": "1",
    "SWEEP_PAYMENTS_SECONDS": "1",
    "SWEEP_EMAILS_SECONDS": "2",
    "SWEEP_SUBSCRIPTIONS_SECONDS": "2",
    "CLOSE_OVERDUE_SECONDS": "2",
    "SWEEP_IMPORTS_SECONDS": "2",
    "SWEEP_TRANSFERS_SECONDS": "2",
    "TRANSFER_WAITS": "0.5,1,1,2",
    "SWEEP_WEBHOOKS_SECONDS": "2",
    "WEBHOOK_WAITS": "0.5,0.5,1,1",
    "WEBHOOK_SECONDS": "3",
    "WEBHOOK_LEASE_SECONDS": "8",
    "ATTEMPT_WAITS": "2,3,5",
    "LOOKUP_WAITS": "0.3,0.5,1,1,2",
    "MAIL_WAITS": "2,2,3",
    "VERIFY_WAITS": "1,1,2",
    "PAYMENT_LEASE_SECONDS": "15",
    "PARTNER_SENT_LEASE_SECONDS": "15",
    "IMPORT_LEASE_SECONDS": "8",
    "PARTNER_UNKNOWN_WINDOW_SECONDS": "3",
    "PARTNER_ANSWER_SECONDS": "3",
    "ATTEMPT_LEASE_SECONDS": "7",
    "MAIL_LEASE_SECONDS": "12",
    "EMAIL_TIMEOUT_SECONDS": "3",
    "OPERATOR_WAIT_SECONDS": "9",
}


@pytest.fixture(scope="session")
def running_shop() -> Iterator[Shop]:
    with Shop.fresh(extra_env=QUICK) as shop:
        yield shop


@pytest.fixture
def shop(running_shop: Shop) -> Iterator[Shop]:
    yield running_shop
    for name in ("web", "worker", "beat", "simulators"):
        if not running_shop.running(name):
            running_shop.start(name)


@pytest.fixture
def client(shop: Shop) -> Iterator[ShopClient]:
    client = ShopClient(shop.url, shop.simulators_url)
    client.all_well()
    yield client
    client.all_well()

"""Three workers, two schedulers, two sweeps at once: nothing is bought, mailed or filled twice."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bdvoucher.local.children import Child
from bdvoucher.local.client import ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
ORDERS = 9


@pytest.fixture
def doubled(shop: Shop) -> Iterator[Shop]:
    """Beside what runs already: two more workers and a second beat, with sweeps each second."""
    more = []
    for name, source, extra in (
        ("worker-2", "worker", ["-n", "second@%h"]),
        ("worker-3", "worker", ["-n", "third@%h"]),
        ("beat-2", "beat", ["--schedule", str(shop.home / "second-schedule")]),
    ):
        recipe = shop.children[source].recipe
        recipe = replace(recipe, command=[*recipe.command, *extra])
        more.append(Child(name, recipe, shop.env, shop.home / "logs" / f"{name}.log"))
    for child in more:
        child.start()
    for child in more:
        child.wait_ready()
    yield shop
    for child in more:
        child.stop()


def test_many_of_everything_change_nothing(doubled: Shop, client: ShopClient) -> None:
    client.fault("zendit", "purchase", "cut_after", times=2)

    def buy(_number: int) -> dict:
        buyer = ShopClient(client.url, client.simulators_url)
        placed = buyer.place_order(seed_order())
        buyer.pay(placed["payment"]["paymentGatewayUrl"])
        return placed

    with ThreadPoolExecutor(3) as crowd:
        placed = list(crowd.map(buy, range(ORDERS)))
    orders = [client.wait_for(each["id"], "SUCCEEDED", seconds=90) for each in placed]

    codes = [code for order in orders for code in order["voucher_codes"]]
    assert len(codes) == len(set(codes)) == 3 * ORDERS
    for order in orders:
        mails = client.mails(order["dispatched_email"])
        # One with everything; before it one with what there was, where a look-up was slow (D12).
        assert len({each["message_id"] for each in mails}) == len(mails) <= 2, mails
        assert all(code in mails[-1]["text"] for code in order["voucher_codes"]), mails[-1]
        statuses = [each["status"] for each in client.attempts(order["id"])]
        assert statuses.count("SUCCESS") == 2, statuses
    numbers = {order["order_number"] for order in orders}
    purchases = [
        each
        for each in client.control("GET", "zendit/ledger")["purchases"]
        if str(each["transaction_id"])[:8] in numbers
    ]
    assert len(purchases) == 2 * ORDERS
    assert {each["charges"] for each in purchases} == {1}
    told = json.loads(doubled.manage("check_invariants", "--json"))
    assert told["breaches"] == []

"""After an outage fifty orders come home in one run, though its worker is killed on the way.

`./run test` takes twelve of them, `./run prove bulk` all.
"""

from collections import Counter

import pytest

from bdvoucher.local.client import ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.test_buy_and_receive import seed_order
from tests.telling import FULL

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
ORDERS = 50 if FULL else 12
RUNS = "/api/v1/admin/recovery-runs"


def test_bulk_recovery_survives_kill(shop: Shop, client: ShopClient) -> None:
    client.fault("zendit", "purchase", "out_of_stock")
    bodies = [
        {**seed_order(), "items": [{"variant_id": 22402, "quantity": 1,
                                    "fulfillment_input": {"player_id": "123456789"}}]}
        for _ in range(ORDERS)
    ]  # fmt: skip
    placed = [client.place_order(body) for body in bodies]
    for order in placed:
        client.pay(order["payment"]["paymentGatewayUrl"])
    for order in placed:
        client.wait_for(order["id"], "NEEDS_ATTENTION", seconds=60)
    client.control("DELETE", "zendit/faults")
    client.control("POST", "zendit/settings", {"done_after": 0.05})

    ids = [order["id"] for order in placed]
    body = {"action": "partner_retry", "orderIds": ids, "perMinute": 600, "notes": "02:10"}
    planned = client.admin("POST", RUNS, body, expect=201)["data"]
    assert planned["progress"]["waiting"] == ORDERS
    assert planned["foreseen"]["codes"] == ORDERS
    run = f"{RUNS}/{planned['id']}"
    client.admin("POST", f"{run}/start", {})

    def progress() -> dict[str, int]:
        figures: dict[str, int] = client.admin("GET", run)["data"]["progress"]
        return figures

    client.until(progress, lambda now: now["delivered"] >= 3, "three orders", seconds=90)
    shop.kill("worker")
    killed_at = progress()["delivered"]
    assert killed_at < ORDERS
    shop.start("worker")

    done = client.until(
        lambda: client.admin("GET", run)["data"],
        lambda data: data["status"] == "DONE",
        "the run to end",
        seconds=200,
    )
    assert done["progress"]["delivered"] == ORDERS, done
    orders = [client.order(pk) for pk in ids]
    assert {order["status"] for order in orders} == {"SUCCEEDED"}
    codes = [code for order in orders for code in order["voucher_codes"]]
    assert len(set(codes)) == len(codes) == ORDERS
    numbers = {order["order_number"] for order in orders}
    ledger = client.control("GET", "zendit/ledger")["purchases"]
    charges: Counter[str] = Counter()
    for row in ledger:
        charges[str(row["transaction_id"]).split("I")[0]] += row["charges"]
    assert {number: charges[number] for number in numbers} == dict.fromkeys(numbers, 1)
    for body in bodies:
        mails = client.mails(str(body["recipient_email"]))
        assert len({mail["message_id"] for mail in mails}) == 1
    rows = client.admin("GET", f"{run}/rows?limit=100")["data"]["items"]
    assert {row["status"] for row in rows} == {"DELIVERED"}

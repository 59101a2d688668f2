"""After an outage an operator brings the orders home from the page of a run, and only watches
while its worker is killed and comes back. `./run prove bulk` takes fifty orders.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bdvoucher.local.client import OPERATOR, ShopClient
from bdvoucher.local.stack import Shop
from conftest import no_browser
from tests.browser.conftest import chromium, complaints
from tests.browser.watching import watch
from tests.journeys.test_buy_and_receive import seed_order
from tests.telling import FULL, Teller

__all__ = ["chromium", "complaints"]
pytestmark = [
    pytest.mark.journey, pytest.mark.timeout(600),
    pytest.mark.skipif(bool(no_browser()), reason=no_browser()),
]  # fmt: skip
ORDERS = 50 if FULL else 6
GOODS = {"variant_id": 22402, "quantity": 1, "fulfillment_input": {"player_id": "123456789"}}


def stuck(client: ShopClient) -> list[dict[str, Any]]:
    """Paid while the partner has nothing; each with an address of its own."""
    client.fault("zendit", "purchase", "out_of_stock")

    def buy(_: int) -> dict[str, Any]:
        buyer = ShopClient(client.url, client.simulators_url)
        placed = buyer.place_order({**seed_order(), "items": [GOODS]})
        buyer.pay(placed["payment"]["paymentGatewayUrl"])
        return buyer.wait_for(placed["id"], "NEEDS_ATTENTION", seconds=120)

    with ThreadPoolExecutor(3) as crowd:
        orders = list(crowd.map(buy, range(ORDERS)))
    client.control("DELETE", "zendit/faults")
    client.control("POST", "zendit/settings", {"done_after": 0.05})
    return orders


def test_an_operator_brings_them_home(
    shop: Shop,
    client: ShopClient,
    chromium: Any,
    complaints: list[str],
    tell: Teller,
) -> None:
    orders = stuck(client)
    context = chromium.new_context(base_url=shop.url)
    context.set_default_timeout(120_000)
    page = context.new_page()
    watch(page, shop.url, complaints)
    page.goto("/admin/")
    page.get_by_label("Email").fill(OPERATOR.name)
    page.get_by_label("Password").fill(OPERATOR.password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Operations").wait_for()

    ids = ",".join(str(order["id"]) for order in orders)
    page.goto(f"/admin/fulfillment/recoveryrun/add/?ids={ids}")
    page.get_by_label("Orders a minute").fill("600")
    page.get_by_role("button", name="Dry run").click()
    page.get_by_text(f"{ORDERS} of {ORDERS} would be worked on").wait_for()
    assert {client.order(order["id"])["status"] for order in orders} == {"NEEDS_ATTENTION"}
    page.get_by_role("button", name=f"Start: work on {ORDERS} rows").click()
    page.get_by_role("heading", name="Progress").wait_for()

    def delivered() -> int:
        """As the page shows it, which is never loaded again by us."""
        return int(page.locator("[data-figure=delivered]").inner_text())

    client.until(delivered, bool, "the first order", seconds=120)
    shop.kill("worker")
    killed_at = delivered()
    shop.start("worker")
    page.get_by_text("Done").first.wait_for()
    assert delivered() == ORDERS
    context.close()

    assert complaints == []
    ended = [client.order(order["id"]) for order in orders]
    assert {order["status"] for order in ended} == {"SUCCEEDED"}
    codes = [code for order in ended for code in order["voucher_codes"]]
    assert len(set(codes)) == len(codes) == ORDERS
    charges: Counter[str] = Counter()
    for row in client.control("GET", "zendit/ledger")["purchases"]:
        charges[str(row["transaction_id"]).split("I")[0]] += row["charges"]
    assert {charges[order["order_number"]] for order in ended} == {1}
    for order in ended:
        mails = client.mails(order["dispatched_email"])
        assert len({mail["message_id"] for mail in mails}) == 1
    tell.figure(
        f"{ORDERS} orders by one run from a browser, worker killed after {killed_at} were shown "
        "delivered: 0 bought twice, one mail each"
    )

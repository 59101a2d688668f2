"""A partner has none left: codes bought elsewhere are imported, and the orders that wait are
served, oldest first, without anybody touching an order."""

import re
import uuid
from typing import Any

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.backoffice import BackOffice
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]
BATCHES = "/api/v1/admin/batches"
ALERTS = "/api/v1/admin/alerts?type=low_stock"


def newest(office: BackOffice, model: str) -> str:
    found = re.search(
        rf"/admin/catalog/{model}/(\d+)/change/", office.get(f"/admin/catalog/{model}/")
    )
    assert found
    return found[1]


def offer(office: BackOffice) -> dict[str, str]:
    """What is bought from Zendit, as a form takes it."""
    page = office.get("/admin/catalog/partner/?q=zendit")
    partner = re.search(r"/admin/catalog/partner/(\d+)/change/", page)
    assert partner
    return {
        "partner": partner[1], "fulfillment_type": "API", "priority": "1",
        "external_offer_id": "FF_100_DIAMONDS",
    }  # fmt: skip


def new_variant(office: BackOffice, name: str) -> int:
    """Bought from Zendit, watched from two codes down."""
    source = {f"sources-0-{name}": value for name, value in offer(office).items()}
    office.post(
        "/admin/catalog/variant/add/",
        **{"product": "101", "name": name, "price": "95", "is_active": "on",
           "low_stock_threshold": "2", "sources-TOTAL_FORMS": "1", "sources-0-is_active": "on"}
        | source,
    )  # fmt: skip
    return int(newest(office, "variant"))


def switch_the_source_off(office: BackOffice, variant: int) -> None:
    """Nobody buys there for now: the variant is sold from the pool."""
    source = newest(office, "partnersource")
    fields = offer(office) | {"variant": str(variant), "field_map": "{}"}
    office.post(f"/admin/catalog/partnersource/{source}/change/", **fields)


def test_import_serves_waiting_orders(client: ShopClient) -> None:
    office = BackOffice(client)
    name = f"W-{uuid.uuid4().hex[:8]} Diamonds"
    variant = new_variant(office, name)
    client.fault("zendit", "purchase", "out_of_stock")
    waiting: list[dict[str, Any]] = []
    for _ in range(3):
        item = {"variant_id": variant, "quantity": 1, "fulfillment_input": {"player_id": "123456"}}
        placed = client.place_order({**seed_order(), "items": [item]})
        client.pay(placed["payment"]["paymentGatewayUrl"])
        waiting.append(placed)
    oldest, second, youngest = [
        client.wait_for(each["id"], "NEEDS_ATTENTION")["id"] for each in waiting
    ]
    switch_the_source_off(office, variant)

    def watched() -> list[str]:
        rows = client.admin("GET", ALERTS)["data"]["items"]
        return [row["message"] for row in rows if name in row["message"]]

    client.until(watched, bool, "the alert of low stock")

    codes = [f"WAIT-{uuid.uuid4().hex[:12].upper()}" for _ in range(7)]
    text = f"code,expiry\n{codes[0]},\n{codes[2]},2020-01-31\n{codes[1]},\n{codes[1]},\n"
    office.post(
        "/admin/vouchers/batch/import/",
        ("codes.csv", text),
        variant=str(variant),
        supplier="Acme Vouchers",
        unit_cost="80",
    )
    batch = client.admin("GET", BATCHES)["data"]["items"][0]
    read = client.until(
        lambda: client.admin("GET", f"{BATCHES}/{batch['id']}")["data"],
        lambda now: now["status"] == "READY",
        "the file to be read",
    )
    assert (read["variant_id"], read["rows_read"], read["rows_good"]) == (variant, 4, 2)
    rows = client.admin("GET", f"{BATCHES}/{batch['id']}/rows")["data"]["items"]
    assert [(row["row"], row["outcome"]) for row in rows] == [(3, "error"), (5, "double")]
    assert client.order(oldest)["status"] == "NEEDS_ATTENTION"
    office.press(f"/admin/vouchers/batch/{batch['id']}/change/", "confirm")

    served = [client.wait_for(pk, "SUCCEEDED") for pk in (oldest, second)]

    given = [code for order in served for code in order["voucher_codes"]]
    assert sorted(given) == sorted(codes[:2])
    assert client.order(youngest)["status"] == "NEEDS_ATTENTION"
    assert watched()
    for order in served:
        (mail,) = client.mails(order["dispatched_email"])
        assert order["voucher_codes"][0] in mail["text"]
        desk = client.admin("GET", f"/admin/orders/{order['id']}")["data"]
        assert desk["alerts"] == []

    body = {
        "variant_id": variant,
        "supplier": "Acme Vouchers",
        "codes": [{"code": code} for code in codes[3:]],
    }
    client.admin("POST", BATCHES, body, expect=201)

    last = client.wait_for(youngest, "SUCCEEDED")
    (code,) = last["voucher_codes"]
    assert code in codes[3:]
    assert len(client.mails(last["dispatched_email"])) == 1
    client.until(watched, lambda alerts: not alerts, "the alert of low stock to close itself")

"""PayStation: paid, delivered, and one unit paid back by a person, since it has no refund call."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.refunding import finance, refunded_in_part

pytestmark = pytest.mark.journey


def test_paid_delivered_and_refunded_in_part(client: ShopClient) -> None:
    order, refund = refunded_in_part(client, "paystation")

    assert (refund["status"], refund["by_hand"]) == ("REQUESTED", True)
    told = client.expect(200, "GET", f"/admin/orders/{order['id']}", who="operator")["data"]
    assert [alert["type"] for alert in told["alerts"]] == ["refund_by_hand"]
    payment = order["payments"][0]["id"]
    settled = finance(client).expect(
        200, "POST", f"/admin/payments/{payment}/refunds/{refund['id']}/settle",
        {"outcome": "paid", "reference": "PANEL-4711"}, who="finance",
    )["data"]  # fmt: skip
    assert (settled["status"], settled["hand_reference"]) == ("SUCCEEDED", "PANEL-4711")
    told = client.expect(200, "GET", f"/admin/orders/{order['id']}", who="operator")["data"]
    assert told["alerts"] == []

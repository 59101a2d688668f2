"""Money that comes late is honoured, and shown to operators (D15)."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey


def test_paid_after_cancel(client: ShopClient) -> None:
    placed = client.place_order(seed_order())
    page = placed["payment"]["paymentGatewayUrl"]
    client.expect(200, "POST", f"/api/v1/orders/{placed['id']}/cancel", who="customer")
    assert client.order(placed["id"])["status"] == "CANCELLED"

    client.pay(page)
    order = client.wait_for(placed["id"], "SUCCEEDED")

    assert len(order["voucher_codes"]) == 3
    desk = client.admin("GET", f"/admin/orders/{order['id']}")["data"]
    assert [alert["type"] for alert in desk["alerts"]] == ["late_payment"]
    client.expect(409, "POST", f"/api/v1/orders/{placed['id']}/cancel", who="customer")

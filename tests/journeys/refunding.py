"""What every gateway's journey does: pay, receive, and have one unit paid back."""

from typing import Any, Final

from bdvoucher.local.client import Login, ShopClient
from tests.journeys.test_buy_and_receive import seed_order

FINANCE: Final = Login("finance@bdvoucher.com", "finance-demo")


def finance(client: ShopClient) -> ShopClient:
    """The same shop, with finance at the desk."""
    return ShopClient(client.url, client.simulators_url, operator=FINANCE)


def refund_when_ended(client: ShopClient, payment_id: int) -> dict[str, Any]:
    """The payment's only refund, once the sweep has heard how it ended."""

    def refund() -> dict[str, Any]:
        (only,) = client.admin("GET", f"/admin/payments/{payment_id}")["data"]["refunds"]
        return dict(only)

    ended = ("SUCCEEDED", "FAILED")
    return client.until(refund, lambda it: it["status"] in ended, "the refund to end", seconds=90)


def refunded_in_part(client: ShopClient, method: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The order as its customer sees it after the refund, and the refund."""
    placed = client.place_order(seed_order(method))
    client.pay(placed["payment"]["paymentGatewayUrl"])
    return one_unit_back(client, client.wait_for(placed["id"], "SUCCEEDED"))


def one_unit_back(
    client: ShopClient, paid: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Have the first unit of a delivered order paid back, its code revoked."""
    codes = paid["voucher_codes"]
    assert len(codes) == 3
    item = paid["items"][0]
    body = {
        "reason": "the issuer rejected the code",
        "items": [{"orderItemId": item["id"], "units": [1]}],
    }
    path = f"/admin/payments/{paid['payments'][0]['id']}/refund"
    client.expect(403, "POST", path, body, who="operator")
    till = finance(client)
    till.expect(409, "POST", path, body, who="finance")  # delivered: its code must be revoked
    refund = till.expect(200, "POST", path, {**body, "revokeCodes": True}, who="finance")["data"]
    assert refund["amount"] == item["unit_price"]
    assert refund["revoked_codes"] == 1
    order = client.order(paid["id"])
    assert order["status"] == "SUCCEEDED"
    assert order["voucher_codes"] == codes[1:]
    return order, refund

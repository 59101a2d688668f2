"""A bank's system as it calls the running shop: a token, then orders by its contract."""

import uuid
from typing import Any

from bdvoucher.local.client import ShopClient

CLIENT = {"client_id": "bdv_demo_bank", "client_secret": "bank-demo-secret"}


class Bank:
    """Calls at the contract's literal addresses."""

    def __init__(self, shop: ShopClient) -> None:
        self.shop = shop
        self.user_id = str(uuid.uuid4())
        token = shop.expect(200, "POST", "/oauth/token", CLIENT)
        assert token["token_type"] == "Bearer"
        self.headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "X-Ascenda-Version": "1.3",
        }

    def ask(self, verb: str, path: str, body: Any = None, *, expect: int = 200, **headers: str):
        return self.shop.expect(expect, verb, path, body, headers=self.headers | headers)

    def order(self, path: str, *, expect: int = 201, **body: Any) -> dict[str, Any]:
        sent = {"reference": f"BANK-{uuid.uuid4().hex}", "user": {"id": self.user_id}, **body}
        return self.ask("POST", f"/fulfillment-orders{path}", sent, expect=expect)

    def read(self, order_id: str) -> dict[str, Any]:
        return self.ask("GET", f"/fulfillment-orders/{order_id}")["data"]

    def item(self, order_id: str) -> dict[str, Any]:
        return self.read(order_id)["order_items"][0]

    def wait_for(self, order_id: str, *states: str, seconds: float = 30) -> dict[str, Any]:
        return ShopClient.until(
            lambda: self.item(order_id),
            lambda item: item["status"] in states,
            f"fulfilment order {order_id} to be {' or '.join(states)}",
            seconds=seconds,
        )

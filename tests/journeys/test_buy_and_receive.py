"""The main job: ordered with the seed's own body, paid, delivered, mailed once."""

import uuid

import pytest

from bdvoucher.local.client import SEED_ORDER, ShopClient

pytestmark = pytest.mark.journey


def seed_order(method: str = "paystation") -> dict[str, object]:
    """The seed's body, with an address of its own so that its mails are told apart."""
    address = f"gift-{uuid.uuid4().hex[:10]}@example.com"
    return {**SEED_ORDER, "payment_method": method, "recipient_email": address}


@pytest.mark.parametrize("method", ["paystation", "bkash"])
def test_buy_and_receive(client: ShopClient, method: str) -> None:
    body = seed_order(method)
    placed = client.place_order(body)
    assert placed["status"] == "INITIATED"
    assert placed["voucher_codes"] == []

    client.pay(placed["payment"]["paymentGatewayUrl"])
    order = client.wait_for(placed["id"], "SUCCEEDED")

    assert client.order(order["order_number"]) == order
    assert [item["variant_id"] for item in order["items"]] == [22402, 22405]
    assert [len(item["voucher_codes"]) for item in order["items"]] == [2, 1]
    flat = [code for item in order["items"] for code in item["voucher_codes"]]
    assert order["voucher_codes"] == flat
    assert len(set(flat)) == 3
    assert all(item["fulfilled"] and item["fulfilled_at"] for item in order["items"])
    assert order["dispatched_email"] == body["recipient_email"]
    assert order["email_sent_at"].endswith("Z")
    assert [payment["status"] for payment in order["payments"]] == ["SUCCEEDED"]

    (mail,) = client.mails(str(body["recipient_email"]))
    assert mail["subject"] == f"Your vouchers — Order #{order['order_number']}"
    assert all(code in mail["text"] and code in mail["html"] for code in flat)
    assert [entry["status"] for entry in client.attempts(order["id"])] == ["SUCCESS", "SUCCESS"]


def test_a_declined_payment_is_told_and_its_stock_goes_back(client: ShopClient) -> None:
    placed = client.place_order(seed_order())
    client.pay(placed["payment"]["paymentGatewayUrl"], "fail")

    order = client.wait_for(placed["id"], "FAILED")

    assert order["voucher_codes"] == []
    assert [payment["status"] for payment in order["payments"]] == ["FAILED"]


def test_the_same_request_twice_is_one_order(client: ShopClient) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = seed_order()
    first = client.place_order(body, **key)
    again = client.place_order(body, **key)
    assert again == first

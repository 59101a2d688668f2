"""A member pays a gift card in points: one call, one code, one mail; repaired as any order."""

import uuid

import pytest

from bdvoucher.local.client import ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.bank import Bank

pytestmark = pytest.mark.journey
STEAM = 22405
DIAMONDS = 22402


def recipient() -> dict[str, str]:
    return {"email": f"nadia-{uuid.uuid4().hex[:10]}@example.com", "first_name": "Nadia"}


def test_a_gift_card_for_points(client: ShopClient, shop: Shop) -> None:
    bank, to = Bank(client), recipient()
    cards = bank.ask("GET", "/gift-cards?name=Steam")["data"]
    assert STEAM in [card["id"] for card in cards]

    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = {
        "reference": f"BANK-{uuid.uuid4().hex}", "user_id": bank.user_id, "recipient": to,
        "order_items": [{"type": "gift_card", "gift_card_id": STEAM, "quantity": 2}],
    }  # fmt: skip
    placed = bank.ask("POST", "/fulfillment-orders", body, expect=201, **key)["data"]
    again = bank.ask("POST", "/fulfillment-orders", body, expect=201, **key)["data"]
    assert again == placed
    refused = bank.ask("POST", "/fulfillment-orders", body, expect=409)
    assert refused["error"]["code"] == "NN1011"

    item = bank.wait_for(placed["id"], "fulfilled")
    (mail,) = client.mails(to["email"])
    assert mail["subject"] == f"Your vouchers — Order #{item['order_number']}"
    seen = client.admin("GET", f"/admin/orders/{item['order_number']}")["data"]
    assert (seen["status"], seen["customer"]) == ("SUCCEEDED", None)
    assert [(each["payment_method"], each["status"]) for each in seen["payments"]] == [
        ("points", "SUCCEEDED")
    ]
    found = bank.ask("GET", f"/fulfillment-orders?reference={placed['reference']}")["data"]
    assert [row["id"] for row in found] == [placed["id"]]
    shop.manage("check_invariants")


def test_the_partner_has_none_and_an_operator_repairs_it(client: ShopClient) -> None:
    client.fault("zendit", "purchase", "out_of_stock")
    bank, to = Bank(client), recipient()
    cards = [{"gift_card_id": DIAMONDS, "fulfillment_input": {"player_id": "123456789"}}]
    placed = bank.order("/gift-cards", gift_cards=cards, recipient=to)["data"]
    number = placed["order_items"][0]["order_number"]

    def stuck() -> dict[str, object]:
        return client.admin("GET", f"/admin/orders/{number}")["data"]

    order = ShopClient.until(stuck, lambda row: row["status"] == "NEEDS_ATTENTION", "attention")
    assert bank.item(placed["id"])["status"] == "processing"
    (item,) = order["items"]
    code = f"BY-HAND-{uuid.uuid4().hex[:8]}"

    def entered() -> bool:
        body = {"orderItemId": item["order_item_id"], "code": code}
        try:
            client.recover(number, "manual-code", body)
        except AssertionError as exc:
            if "is working on item" not in str(exc):
                raise
            return False
        return True

    ShopClient.until(entered, bool, "the automatic try to make way")
    assert bank.wait_for(placed["id"], "fulfilled")["points_to_be_returned"] is False
    assert any(code in mail["text"] for mail in client.mails(to["email"]))

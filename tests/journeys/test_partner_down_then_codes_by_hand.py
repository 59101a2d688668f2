"""The partner is down; an operator types the codes, one item at a time or all at once."""

import uuid
from typing import Any

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey


def broken_order(client: ShopClient) -> dict[str, Any]:
    """A paid order whose game top-up the partner refuses to sell."""
    client.control("POST", "zendit/preset", {"preset": "out_of_stock"})
    placed = client.place_order(seed_order())
    client.pay(placed["payment"]["paymentGatewayUrl"])
    return client.wait_for(placed["id"], "NEEDS_ATTENTION")


def codes(count: int) -> list[dict[str, str]]:
    return [{"code": f"HAND-{uuid.uuid4().hex[:12].upper()}"} for _ in range(count)]


def test_partner_down_then_codes_by_hand(client: ShopClient) -> None:
    order = broken_order(client)
    assert "failed" not in order["status_message"].lower()
    desk = client.admin("GET", f"/admin/orders/{order['id']}")["data"]
    assert [alert["type"] for alert in desk["alerts"]] == ["fulfillment_partial"]
    (owing,) = [item for item in desk["items"] if item["owed"]]
    assert (owing["variant_id"], owing["owed"]) == (22402, 2)
    failure = client.attempts(order["id"])[-1]
    assert (failure["type"], failure["status"]) == ("AUTO", "PARTNER_FAILED")

    given = codes(2)
    answer = client.recover(
        order["id"],
        "manual-code",
        {"orderItemId": owing["order_item_id"], "codes": given, "notes": "supplier's e-mail"},
    )

    assert answer["success"] is True
    assert answer["message"] == "2 voucher code(s) delivered to customer"
    assert answer["data"]["status"] == "DISPATCHED"
    assert answer["data"]["emailSent"] is True
    repaired = client.order(order["id"])
    assert repaired["status"] == "SUCCEEDED"
    typed = [each["code"] for each in given]
    assert set(typed) < set(repaired["voucher_codes"])
    last = client.mails(repaired["dispatched_email"])[-1]
    assert all(code in last["text"] for code in repaired["voucher_codes"])
    entry = client.attempts(order["id"])[0]
    assert entry["code_provided"] == f"{typed[0]} (+1 more)"
    assert entry["partner_response"]["allCodes"] == typed
    assert entry["correlation_id"] == answer["data"]["correlationId"]
    assert client.admin("GET", f"/admin/orders/{order['id']}")["data"]["alerts"] == []


def test_the_same_codes_never_serve_two_orders(client: ShopClient) -> None:
    first, second = broken_order(client), broken_order(client)
    given = codes(2)
    items = [
        next(item["id"] for item in order["items"] if item["variant_id"] == 22402)
        for order in (first, second)
    ]
    client.recover(first["id"], "manual-code", {"orderItemId": items[0], "codes": given})

    refused = client.recover(
        second["id"], "manual-code", {"orderItemId": items[1], "codes": given}, expect=409
    )

    assert refused["error"]["code"] == "CONFLICT"
    assert client.order(second["id"])["status"] == "NEEDS_ATTENTION"
    whole = client.recover(
        second["id"],
        "manual-codes",
        {"notes": "all at once", "items": [{"orderItemId": items[1], "codes": codes(2)}]},
    )
    assert [row["status"] for row in whole["data"]["results"]] == ["DISPATCHED"]
    assert client.order(second["id"])["status"] == "SUCCEEDED"


def test_a_retry_after_the_outage_buys_exactly_what_is_owed(client: ShopClient) -> None:
    order = broken_order(client)
    item = next(each["id"] for each in order["items"] if each["variant_id"] == 22402)
    refused = client.recover(order["id"], "partner-retry", {"orderItemId": item, "notes": "hope"})
    assert (refused["success"], refused["data"]["status"]) == (False, "PARTNER_FAILED")
    assert refused["message"].startswith("Partner responded with status ")
    client.all_well()

    answer = client.recover(order["id"], "partner-retry", {"orderItemId": item, "notes": "over"})

    assert answer["message"] == "Voucher delivered via zendit"
    assert answer["data"]["status"] == "DISPATCHED"
    repaired = client.order(order["id"])
    assert repaired["status"] == "SUCCEEDED"
    assert len(repaired["voucher_codes"]) == 3

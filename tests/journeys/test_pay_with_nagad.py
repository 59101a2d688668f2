"""Nagad from order to voucher: sealed calls, its own page, and the browser's way back."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.refunding import refunded_in_part
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey


def of_nagad(client: ShopClient, reference: str) -> dict:
    """What Nagad's own books say of one of our payments."""
    rows = client.control("GET", "nagad/ledger")["payments"]
    return next(row for row in rows if row["order_id"] == reference.replace("-", ""))


def test_paid_and_delivered(client: ShopClient) -> None:
    body = seed_order("nagad")
    placed = client.place_order(body)
    reference = placed["payment"]["transactionId"]

    landed = client.pay(placed["payment"]["paymentGatewayUrl"])
    order = client.wait_for(placed["id"], "SUCCEEDED")

    assert landed.url.startswith(f"{client.url}/payments/return/")
    assert landed.ok
    assert len(order["voucher_codes"]) == 3
    assert not any(code in landed.url + landed.text for code in order["voucher_codes"])
    assert [payment["status"] for payment in order["payments"]] == ["SUCCEEDED"]
    mails = client.mails(str(body["recipient_email"]))
    (_,) = {each["message_id"] for each in mails}  # a slow server may be sent a copy (I12)
    assert all(code in mails[0]["text"] for code in order["voucher_codes"])
    theirs = of_nagad(client, reference)
    assert (theirs["status"], theirs["charges"]) == ("Success", 1)
    assert theirs["callback_url"].endswith(f"/payments/nagad/callback/{reference}/")


@pytest.mark.parametrize("action", ["fail", "limit", "cancel", "give_up"])
def test_not_paid(client: ShopClient, action: str) -> None:
    placed = client.place_order(seed_order("nagad"))

    client.pay(placed["payment"]["paymentGatewayUrl"], action)

    order = client.wait_for(placed["id"], "FAILED", "CANCELLED")
    assert order["voucher_codes"] == []
    assert of_nagad(client, placed["payment"]["transactionId"])["charges"] == 0


def test_an_answer_signed_by_somebody_else_opens_no_page(client: ShopClient) -> None:
    client.fault("nagad", "initialize", "foreign_key", times=1)
    placed = client.place_order(seed_order("nagad"))
    assert (placed["status"], placed["payment"]) == ("INITIATED", None)

    path = f"/api/v1/payments/initiate/{placed['id']}"
    again = client.expect(200, "POST", path, {}, who="customer")["data"]
    client.pay(again["paymentGatewayUrl"])

    order = client.wait_for(placed["id"], "SUCCEEDED")
    assert [payment["status"] for payment in order["payments"]] == ["FAILED", "SUCCEEDED"]


def test_delivered_and_refunded_in_part(client: ShopClient) -> None:
    _, refund = refunded_in_part(client, "nagad")

    assert (refund["status"], refund["by_hand"]) == ("SUCCEEDED", False)

"""SSLCommerz from the order to the codes: paid by form post and IPN, refused, risky, silent."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.refunding import refund_when_ended, refunded_in_part
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey
SERVICE = "sslcommerz"


def placed_order(client: ShopClient) -> dict:
    body = seed_order(SERVICE)
    placed = client.place_order(body)
    assert placed["payment"]["method"] == SERVICE
    return placed | {"mailed_to": body["recipient_email"]}


def ledger_of(client: ShopClient, reference: str) -> dict:
    sessions = client.control("GET", f"{SERVICE}/ledger")["sessions"]
    return next(row for row in sessions if row["tran_id"] == reference)


def test_paid_and_delivered(client: ShopClient) -> None:
    placed = placed_order(client)

    landed = client.pay(placed["payment"]["paymentGatewayUrl"])
    order = client.wait_for(placed["id"], "SUCCEEDED")

    assert landed.url.startswith(f"{client.url}/payments/return/")
    assert order["order_number"] in landed.text
    assert len(order["voucher_codes"]) == 3
    assert not any(code in landed.text for code in order["voucher_codes"])
    (mail,) = client.mails(placed["mailed_to"])
    assert all(code in mail["text"] for code in order["voucher_codes"])
    row = ledger_of(client, placed["payment"]["transactionId"])
    assert [(each["status"], each["amount"]) for each in row["attempts"]] == [
        ("VALIDATED", f"{order['total_amount']:.2f}")
    ]
    told = client.control("GET", f"{SERVICE}/ledger")["deliveries"]
    ipns = [each for each in told if each["reference"] == row["tran_id"]]
    assert [(each["kind"], each["status"]) for each in ipns] == [("ipn", 200)]


def test_a_card_is_refused_and_the_next_one_pays(client: ShopClient) -> None:
    placed = placed_order(client)
    page = placed["payment"]["paymentGatewayUrl"]

    client.pay(page, "decline")
    assert client.order(placed["id"])["status"] == "INITIATED"
    client.pay(page)

    assert client.wait_for(placed["id"], "SUCCEEDED")["payments"][0]["status"] == "SUCCEEDED"


def test_a_payment_that_fails_is_told(client: ShopClient) -> None:
    placed = placed_order(client)

    client.pay(placed["payment"]["paymentGatewayUrl"], "fail")

    order = client.wait_for(placed["id"], "FAILED")
    assert order["voucher_codes"] == []


def test_nobody_calls_back_and_the_sweep_finds_the_money(client: ShopClient) -> None:
    for operation in ("return", "ipn"):
        client.fault(SERVICE, operation, "never")
    placed = placed_order(client)

    client.pay(placed["payment"]["paymentGatewayUrl"])

    assert client.wait_for(placed["id"], "SUCCEEDED", seconds=60)["voucher_codes"]


def test_a_risky_payment_is_held_until_it_is_released(client: ShopClient) -> None:
    """D44: paid, and nothing is delivered before a person says so."""
    placed = placed_order(client)

    client.pay(placed["payment"]["paymentGatewayUrl"], "risky")

    order = client.wait_for(placed["id"], "NEEDS_ATTENTION")
    assert order["voucher_codes"] == []
    desk = client.admin("GET", f"/admin/orders/{order['id']}")["data"]
    assert [alert["type"] for alert in desk["alerts"]] == ["payment_risk"]
    client.admin("POST", f"/admin/orders/{order['id']}/release", {"reason": "known customer"})
    assert len(client.wait_for(placed["id"], "SUCCEEDED")["voucher_codes"]) == 3


def test_delivered_and_refunded_in_part(client: ShopClient) -> None:
    """SSLCommerz takes the request at once, and tells later that the money went back."""
    order, refund = refunded_in_part(client, SERVICE)

    assert (refund["status"], refund["by_hand"]) == ("PENDING", False)
    assert refund["gateway_refund_id"]
    ended = refund_when_ended(client, order["payments"][0]["id"])
    assert (ended["status"], ended["amount"]) == ("SUCCEEDED", refund["amount"])
    row = ledger_of(client, order["payments"][0]["transaction_id"])
    assert [len(each["refunds"]) for each in row["attempts"]] == [1]

"""The mail server refuses; codes are safe, and the same request delivers later."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.test_buy_and_receive import seed_order
from tests.journeys.test_partner_down_then_codes_by_hand import broken_order, codes

pytestmark = pytest.mark.journey


def test_mail_down_then_same_request_again(client: ShopClient) -> None:
    order = broken_order(client)
    item = next(each["id"] for each in order["items"] if each["variant_id"] == 22402)
    request = {"orderItemId": item, "codes": codes(2)}
    client.mail_server("refuse")

    refused = client.recover(order["id"], "manual-code", request)

    assert refused["success"] is False
    assert refused["message"] == "2 voucher code(s) saved, e-mail not sent"
    assert refused["data"]["status"] == "DISPATCH_FAILED"
    assert refused["data"]["emailSent"] is False
    stuck = client.order(order["id"])
    assert stuck["status"] == "NEEDS_ATTENTION"
    states = {each["variant_id"]: each["fulfillment_status"] for each in stuck["items"]}
    assert states[22402] == "DISPATCH_FAILED"
    assert len(stuck["voucher_codes"]) == 3  # the customer sees them at once (D30)

    client.mail_server("accept")
    answer = client.recover(order["id"], "manual-code", request)

    assert (answer["success"], answer["data"]["status"]) == (True, "DISPATCHED")
    repaired = client.order(order["id"])
    assert repaired["status"] == "SUCCEEDED"
    assert sorted(repaired["voucher_codes"]) == sorted(stuck["voucher_codes"])


def test_an_automatic_mail_gets_through_by_itself(client: ShopClient) -> None:
    client.mail_server("refuse")
    body = seed_order()
    placed = client.place_order(body)
    client.pay(placed["payment"]["paymentGatewayUrl"])
    stuck = client.wait_for(placed["id"], "NEEDS_ATTENTION")
    assert {each["fulfillment_status"] for each in stuck["items"]} == {"DISPATCH_FAILED"}
    assert stuck["email_sent_at"] is None
    client.mail_server("accept")

    order = client.wait_for(placed["id"], "SUCCEEDED")

    (mail,) = client.mails(str(body["recipient_email"]))
    assert all(code in mail["text"] for code in order["voucher_codes"])
    statuses = [(each["type"], each["status"]) for each in client.attempts(order["id"])]
    assert statuses == [("AUTO", "SUCCESS")] * 2 + [("AUTO", "DISPATCH_FAILED")] * 2
    assert client.admin("GET", f"/admin/orders/{order['id']}")["data"]["alerts"] == []

"""A customer cannot reach their old address: the receipt goes to another one, by right."""

import uuid

import pytest

from bdvoucher.local.client import Login, ShopClient
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey

SUPPORT = Login("support@bdvoucher.com", "support-demo")


def test_confirmation_resent_elsewhere(client: ShopClient) -> None:
    placed = client.place_order(seed_order())
    refused = client.admin(
        "POST", f"/ordersv2/{placed['id']}/email/send", {"template": "ORDERCONFIRMATION"},
        expect=400,
    )  # fmt: skip
    assert refused["error"]["details"][0]["code"] == "not_eligible"
    client.pay(placed["payment"]["paymentGatewayUrl"])
    order = client.wait_for(placed["id"], "SUCCEEDED")
    elsewhere = f"new-{uuid.uuid4().hex[:8]}@example.com"
    request = {"template": "ORDERCONFIRMATION", "to": elsewhere}
    path = f"/ordersv2/{order['order_number']}/email/send?reason=Old%20address%20is%20gone"

    support = ShopClient(client.url, client.simulators_url, operator=SUPPORT)
    support.admin("POST", path, request, expect=403)
    answer = client.admin("POST", path, request, expect=202)

    email = answer["data"]["emails"][-1]
    assert (email["recipient"], email["templateName"]) == (elsewhere, "ORDERCONFIRMATION")
    seen = client.until(
        lambda: client.admin("GET", f"/ordersv2/{order['id']}")["data"],
        lambda data: data["emailConfirmationStatus"] == "COMPLETED",
        "the confirmation to go out",
    )
    assert seen["emails"][-1]["emailId"]
    (mail,) = client.mails(elsewhere)
    assert mail["subject"] == f"Order confirmation — Order #{order['order_number']}"
    assert not any(code in mail["text"] for code in order["voucher_codes"])
    assert client.order(order["id"])["dispatched_email"] == order["dispatched_email"]

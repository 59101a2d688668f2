"""One business mail against a real mail server in each of its moods: state, order, copies."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey

#: mood, how the workflow ends, copies the server then holds
MOODS = [
    ("accept", "COMPLETED", 1),
    ("refuse", "COMPLETED", 1),
    ("temporary", "COMPLETED", 1),
    ("refuse_rcpt", "FAILED", 0),
    ("refuse_data", "FAILED", 0),
    ("hang_greeting", "COMPLETED", 1),
    ("hang_after_dot", "COMPLETED", 2),
    ("drop_before_250", "COMPLETED", 2),
]


@pytest.mark.parametrize(("mood", "end", "copies"), MOODS)
def test_business_mail_meets_every_fault(
    mood: str, end: str, copies: int, client: ShopClient
) -> None:
    body = seed_order()
    placed = client.place_order(body)
    client.pay(placed["payment"]["paymentGatewayUrl"])
    order = client.wait_for(placed["id"], "SUCCEEDED")
    client.mail_server(mood, times=1, seconds=10)
    path = f"/ordersv2/{order['id']}"

    client.admin("POST", f"{path}/email/send", {"template": "ORDERCONFIRMATION"}, expect=202)

    client.until(
        lambda: client.admin("GET", path)["data"],
        lambda data: data["emailConfirmationStatus"] == end,
        f"the confirmation to be {end}",
        seconds=40,
    )
    told = [
        mail
        for mail in client.mails(str(body["recipient_email"]))
        if mail["subject"].startswith("Order confirmation")
    ]
    assert len(told) == copies
    assert len({mail["message_id"] for mail in told}) == min(copies, 1)  # never two of them (I12)
    after = client.order(order["id"])
    assert after == {**order, "updated_at": after["updated_at"]}

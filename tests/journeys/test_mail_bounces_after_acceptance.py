"""Accepted and answered 202; later the mail server refuses: the workflow is failed (A7)."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey


def test_mail_bounces_after_acceptance(client: ShopClient) -> None:
    placed = client.place_order(seed_order())
    client.pay(placed["payment"]["paymentGatewayUrl"])
    order = client.wait_for(placed["id"], "SUCCEEDED")
    client.mail_server("refuse_rcpt")

    path = f"/ordersv2/{order['id']}/email/send"
    answer = client.admin("POST", path, {"template": "ORDERCONFIRMATION"}, expect=202)

    assert answer["data"]["emailConfirmationStatus"] in ("PENDING", "FAILED")

    def seen() -> dict[str, object]:
        data: dict[str, object] = client.admin("GET", f"/ordersv2/{order['id']}")["data"]
        return data

    failed = client.until(
        seen, lambda data: data["emailConfirmationStatus"] == "FAILED", "the mail to fail"
    )
    assert failed["status"] == "SUCCEEDED"  # the order is none the worse for it
    client.mail_server("accept")
    client.admin("POST", path, {"template": "ORDERCONFIRMATION"}, expect=202)
    done = client.until(
        seen, lambda data: data["emailConfirmationStatus"] == "COMPLETED", "the mail to go out"
    )
    tried = [row for row in done["emails"] if row["templateName"] == "ORDERCONFIRMATION"]
    assert len(tried) == 1  # tried twice, yet one row: the same mail (D13)

"""The partner charges and then says nothing: looked up by our reference, never bought twice."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("moment", ["cut_after", "cut_before"])
def test_partner_silent_then_looked_up(client: ShopClient, moment: str) -> None:
    client.fault("zendit", "purchase", moment, times=1)
    placed = client.place_order(seed_order())
    client.pay(placed["payment"]["paymentGatewayUrl"])

    order = client.wait_for(placed["id"], "SUCCEEDED", seconds=40)

    bought = [code for item in order["items"][:1] for code in item["voucher_codes"]]
    assert len(bought) == 2
    purchases = [
        each
        for each in client.control("GET", "zendit/ledger")["purchases"]
        if str(each["transaction_id"]).startswith(order["order_number"])
    ]
    assert len(purchases) == 2
    assert [each["charges"] for each in purchases] == [1, 1]

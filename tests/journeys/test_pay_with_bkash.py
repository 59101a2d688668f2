"""bKash: paid, delivered, and one unit paid back with its code revoked."""

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.refunding import refunded_in_part

pytestmark = pytest.mark.journey


def test_paid_delivered_and_refunded_in_part(client: ShopClient) -> None:
    order, refund = refunded_in_part(client, "bkash")

    assert (refund["status"], refund["by_hand"]) == ("SUCCEEDED", False)
    ledger = client.control("GET", "bkash/ledger")
    (row,) = [each for each in ledger["payments"] if order["order_number"] in each["invoice"]]
    assert row["charges"] == 1
    assert [float(each["amount"]) for each in row["refunds"]] == [refund["amount"]]

"""Gift cards from the second partner: its own products, and where the first one has none."""

import uuid
from typing import Any, Final

import pytest

from bdvoucher.local.client import ShopClient

pytestmark = pytest.mark.journey

AMAZON: Final = 22410
"""Sold by Reloadly alone."""
NETFLIX: Final = 22407
"""Sold by Zendit, and by Reloadly where Zendit refuses."""


def paid(client: ShopClient, variant: int, quantity: int = 1) -> dict[str, Any]:
    address = f"gift-{uuid.uuid4().hex[:10]}@example.com"
    placed = client.place_order(
        {
            "items": [{"variant_id": variant, "quantity": quantity}],
            "payment_method": "paystation",
            "recipient_email": address,
        }
    )
    client.pay(placed["payment"]["paymentGatewayUrl"])
    return placed


def orders_at(client: ShopClient, service: str, order: dict[str, Any]) -> list[dict[str, Any]]:
    """What the partner holds of this order, by its own ledger."""
    rows, name = {
        "reloadly": ("transactions", "identifier"),
        "zendit": ("purchases", "transaction_id"),
    }[service]
    ledger = client.control("GET", f"{service}/ledger")
    return [row for row in ledger[rows] if str(row[name]).startswith(order["order_number"])]


def charges_at(client: ShopClient, service: str, order: dict[str, Any]) -> dict[str, int]:
    charges = client.control("GET", f"{service}/ledger")["charges"]
    return {ref: n for ref, n in charges.items() if ref.startswith(order["order_number"])}


def test_bought_one_by_one_and_mailed(client: ShopClient) -> None:
    placed = paid(client, AMAZON, quantity=2)

    order = client.wait_for(placed["id"], "SUCCEEDED")

    codes = order["voucher_codes"]
    assert len(set(codes)) == 2
    assert all(code.startswith("REL-") for code in codes)
    rows = orders_at(client, "reloadly", order)
    assert [row["quantity"] for row in rows] == [1, 1]
    assert sorted(charges_at(client, "reloadly", order).values()) == [1, 1]
    (mail,) = client.mails(order["dispatched_email"])
    assert all(code in mail["text"] for code in codes)


@pytest.mark.parametrize(
    "fault", ["cut_after", "cut_before", "error_500_after", "cannot_process_after"]
)
def test_silent_then_looked_up(client: ShopClient, fault: str) -> None:
    client.fault("reloadly", "order", fault, times=1)
    placed = paid(client, AMAZON)

    order = client.wait_for(placed["id"], "SUCCEEDED", seconds=40)

    assert list(charges_at(client, "reloadly", order).values()) == [1]


def test_a_card_that_takes_its_time(client: ShopClient) -> None:
    client.fault("reloadly", "order", "processing", seconds=3, times=1)
    client.fault("reloadly", "cards", "not_ready", times=1)
    placed = paid(client, AMAZON)

    order = client.wait_for(placed["id"], "SUCCEEDED", seconds=40)

    assert list(charges_at(client, "reloadly", order).values()) == [1]


def test_a_webhook_is_heard(client: ShopClient) -> None:
    client.fault("reloadly", "order", "pending", seconds=2, times=1)
    placed = paid(client, AMAZON)

    client.wait_for(placed["id"], "SUCCEEDED", seconds=40)

    number = client.order(placed["id"])["order_number"]
    sent = client.until(
        lambda: [
            row
            for row in client.control("GET", "reloadly/ledger")["deliveries"]
            if row["reference"].startswith(number)
        ],
        bool,
        "a webhook",
    )
    assert {row["status"] for row in sent} == {200}


def test_a_definite_no_goes_on_to_the_second_partner(client: ShopClient) -> None:
    client.fault("zendit", "purchase", "out_of_stock", match={"offer_id": "NETFLIX_800"})
    placed = paid(client, NETFLIX, quantity=2)

    order = client.wait_for(placed["id"], "SUCCEEDED", seconds=40)

    assert [code[:4] for code in order["voucher_codes"]] == ["REL-", "REL-"]
    assert sorted(charges_at(client, "reloadly", order).values()) == [1, 1]
    assert set(charges_at(client, "zendit", order).values()) == {0}
    mails = client.mails(order["dispatched_email"])
    assert len(mails) <= 2  # a part may have gone out before the rest came
    assert all(code in mails[-1]["text"] for code in order["voucher_codes"])


@pytest.mark.parametrize("fault", ["cut_after", "error_500_before", "in_progress"])
def test_an_open_purchase_never_goes_on_to_the_second_partner(
    client: ShopClient, fault: str
) -> None:
    client.fault("zendit", "purchase", fault, match={"offer_id": "NETFLIX_800"}, times=1, seconds=4)
    placed = paid(client, NETFLIX)

    order = client.wait_for(placed["id"], "SUCCEEDED", seconds=40)

    assert [code[:4] for code in order["voucher_codes"]] == ["ZEN-"]
    assert list(charges_at(client, "zendit", order).values()) == [1]
    assert orders_at(client, "reloadly", order) == []

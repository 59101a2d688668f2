"""Nothing refuses, nothing answers: every answer of ours comes in time, and no work is lost."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from bdvoucher.local.client import CUSTOMER, PATIENCE, ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.hung import hanging, postgres_of, valkey_of
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey
#: What is promised, and a little for a machine that is busy with other tests; without a time limit
#: of ours, what hangs here would hold its caller for half a minute.
SLACK = 2.0 * PATIENCE - 1.0
#: Of this shop (`conftest.QUICK`); a talk with the mail server ends before it.
MAIL_LEASE = 12.0
SECONDS, OF_POSTGRES = 5.0 + SLACK, 15.0 + SLACK


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.monotonic()
    answer = call()
    return time.monotonic() - started, answer


def as_customer(client: ShopClient, method: str, path: str, body: Any = None) -> requests.Response:
    """A call whose answer may be any; the token was fetched before."""
    headers = {"Authorization": f"Bearer {client._tokens['customer']}"}
    return requests.request(
        method, f"{client.url}/api/v1/{path}", json=body, headers=headers, timeout=40
    )


def test_redis_hangs(client: ShopClient, shop: Shop) -> None:
    """Cache, counters and broker: orders are taken, paid and delivered all the same."""
    before = client.place_order(seed_order())
    took = {}
    with hanging(valkey_of(shop)):
        took["catalogue"], shown = timed(lambda: as_customer(client, "GET", "catalog/products"))
        body = {"msisdn": CUSTOMER.name, "password": CUSTOMER.password}
        took["sign-in"], signed = timed(lambda: as_customer(client, "POST", "auth/sign-in", body))
        took["order"], placed = timed(lambda: as_customer(client, "POST", "orders", seed_order()))
        took["paid"], _ = timed(lambda: client.pay(before["payment"]["paymentGatewayUrl"]))
        took["detail"], detail = timed(lambda: as_customer(client, "GET", f"orders/{before['id']}"))
        took["readyz"], ready = timed(lambda: requests.get(f"{client.url}/readyz?all", timeout=40))
    assert {name: taken for name, taken in took.items() if taken > SECONDS} == {}
    assert [each.status_code for each in (shown, signed, placed, detail)] == [200, 200, 201, 200]
    assert (ready.status_code, ready.json()["parts"]["broker"]["ok"]) == (503, False)
    assert detail.json()["data"]["status"] in ("PENDING", "SUCCEEDED")
    assert len(client.wait_for(before["id"], "SUCCEEDED", seconds=60)["voucher_codes"]) == 3


def test_postgres_hangs(client: ShopClient, shop: Shop) -> None:
    """Nothing can be known without it: a plain no, in time, and everything goes on afterwards."""
    before = client.place_order(seed_order())
    with hanging(postgres_of(shop)):
        first, answer = timed(lambda: as_customer(client, "GET", f"orders/{before['id']}"))
        second, ready = timed(lambda: requests.get(f"{client.url}/readyz", timeout=40))
        third, health = timed(lambda: requests.get(f"{client.url}/healthz", timeout=40))
    assert max(first, second) < OF_POSTGRES
    assert third < SECONDS
    assert (answer.status_code >= 500, ready.status_code, health.status_code) == (True, 503, 200)
    assert answer.json()["success"] is False
    client.pay(before["payment"]["paymentGatewayUrl"])
    assert len(client.wait_for(before["id"], "SUCCEEDED", seconds=60)["voucher_codes"]) == 3


def test_a_gateway_hangs(client: ShopClient) -> None:
    """The order stands without a page; with it back, the next try is paid (D33, D50)."""
    client.fault("paystation", "*", "hang", seconds=30)
    took, placed = timed(lambda: client.place_order(seed_order()))
    assert took < SECONDS
    assert placed["payment"] is None
    client.all_well()
    again = client.expect(
        200, "POST", f"/api/v1/payments/initiate/{placed['id']}", {}, who="customer"
    )["data"]
    client.pay(again["paymentGatewayUrl"])
    client.wait_for(placed["id"], "SUCCEEDED", seconds=60)


def test_a_partner_hangs(client: ShopClient) -> None:
    """The worker lets go of it within its lease; an operator's codes deliver meanwhile (D39)."""
    client.fault("zendit", "*", "hang", seconds=30)
    placed = client.place_order(seed_order())
    client.pay(placed["payment"]["paymentGatewayUrl"])
    item = next(each["id"] for each in placed["items"] if each["variant_id"] == 22402)
    client.until(
        lambda: client.attempts(placed["id"]), bool, "the purchase to be under way", seconds=30
    )
    took, _ = timed(lambda: client.admin("GET", f"/admin/orders/{placed['id']}"))
    assert took < SECONDS
    codes = [{"code": f"HUNG-{uuid.uuid4().hex[:8]}-{n}"} for n in range(2)]
    body = {"orderItemId": item, "codes": codes, "notes": "by hand"}
    delivered = client.until(
        lambda: requests.post(
            f"{client.url}/admin/orders/{placed['id']}/fulfillment/manual-code",
            json=body,
            headers={"Authorization": f"Bearer {client._tokens['operator']}"},
            timeout=40,
        ),
        lambda answer: answer.status_code == 200,
        "the claim of the hung purchase to end",
        seconds=60,
    )
    assert delivered.json()["data"]["status"] == "DISPATCHED"
    client.all_well()
    order = client.wait_for(placed["id"], "SUCCEEDED", seconds=60)
    assert len(order["voucher_codes"]) == 3


def test_a_mail_server_hangs(client: ShopClient) -> None:
    placed = client.place_order(seed_order())
    client.pay(placed["payment"]["paymentGatewayUrl"])
    client.wait_for(placed["id"], "SUCCEEDED", seconds=60)
    client.mail_server("hang_greeting")
    again = {"notes": "asked by phone"}
    took, answer = timed(lambda: client.recover(placed["id"], "resend-email", again))
    assert took < MAIL_LEASE
    assert (answer["success"], answer["data"]["emailSent"]) == (False, False)
    client.all_well()
    assert client.recover(placed["id"], "resend-email", again)["success"] is True

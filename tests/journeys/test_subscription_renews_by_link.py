"""A subscription is announced, paid by the link of its mail, delivered, and goes on."""

import re
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import requests

from bdvoucher.local.client import SECONDS, ShopClient
from tests.journeys.backoffice import BackOffice

pytestmark = pytest.mark.journey


def test_subscription_renews_by_link(client: ShopClient) -> None:
    address = f"sub-{uuid.uuid4().hex[:10]}@example.com"
    due = datetime.now(ZoneInfo("Asia/Dhaka")) + timedelta(days=1)
    BackOffice(client).subscribe(address, due=due)

    (notice,) = client.until(lambda: client.mails(address), bool, "the notice of the renewal")

    assert "Your subscription needs a payment" in notice["subject"]
    link = re.search(r"http\S+/pay/\S+", notice["text"])
    assert link
    browser = requests.Session()
    page = browser.get(link[0], timeout=SECONDS)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token
    sent = browser.post(link[0], data={"csrfmiddlewaretoken": token[1]}, timeout=SECONDS)
    gateway = re.search(r'class="button" href="([^"]+)"', sent.text)
    assert gateway, sent.text
    client.pay(gateway[1].replace("&amp;", "&"))

    number = re.search(r"#(\d{8})", notice["subject"])
    assert number
    order = client.wait_for(number[1], "SUCCEEDED")
    mails = client.until(
        lambda: client.mails(address), lambda found: len(found) == 2, "the vouchers"
    )
    assert all(code in mails[-1]["text"] for code in order["voucher_codes"])
    seen = client.admin("GET", f"/ordersv2/{order['id']}")["data"]
    assert (seen["source"], seen["prebillingStatus"]) == ("SUBSCRIPTION", "COMPLETED")

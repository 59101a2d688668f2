"""What a person reads when everything is up: addresses, users, a first order, what to click."""

import json
import re
import urllib.request
from contextlib import suppress
from typing import Final

from bdvoucher.local.children import DIRECT
from bdvoucher.local.stack import Shop

WIDTH: Final = 78
#: A customer's line of `seed_demo --summary`: a mobile number, then the password.
CUSTOMER: Final = re.compile(r"\b(8801\d{9})\b\W+(\S+)")
FIRST_ORDER: Final = {
    "payment_method": "paystation",
    "recipient_email": "buyer@example.com",
    "items": [
        {"variant_id": 22402, "quantity": 2, "fulfillment_input": {"player_id": "5123456789"}},
        {"variant_id": 22405, "quantity": 1},
    ],
}


def summary(shop: Shop, users: str) -> str:
    lines = ["", "=" * WIDTH, "BD Voucher is up", "=" * WIDTH]
    lines += _table(
        {
            "API, to read and to try": f"{shop.url}/api/docs/",
            "Admin": f"{shop.url}/admin/",
            "Mails that were sent": shop.mail_url,
            "Gateways, partner, faults": f"{shop.simulators_url}/",
            "Logs": f"{shop.home}/logs/",
        }
    )
    if users.strip():
        lines += ["", "Users and passwords", *(f"  {line}" for line in users.strip().splitlines())]
    if token := customer_token(shop, users):
        lines += ["", "A first order, as the customer:", "", _curl(shop, token)]
        lines += [
            "",
            "Next",
            "  1. Open the paymentGatewayUrl of the answer and press Pay.",
            f"  2. Read the voucher mail: {shop.mail_url}",
            f"  3. See the order as an operator: {shop.url}/admin/",
            f"  4. Break the partner at {shop.simulators_url}/ and repair the next order.",
        ]
    return "\n".join([*lines, "=" * WIDTH])


def customer_token(shop: Shop, users: str) -> str:
    """An access token of the first customer that was seeded; empty if none can be had."""
    found = CUSTOMER.search(users)
    if found is None:
        return ""
    body = json.dumps({"msisdn": found[1], "password": found[2]}).encode()
    request = urllib.request.Request(  # noqa: S310  (our own address)
        f"{shop.url}/api/v1/auth/sign-in",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    unusable = suppress(OSError, ValueError, KeyError, TypeError)
    with unusable, DIRECT.open(request, timeout=10) as answer:
        return str(json.load(answer)["data"]["accessToken"])
    return ""


def _table(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [f"  {name:<{width}}  {value}" for name, value in rows.items()]


def _curl(shop: Shop, token: str) -> str:
    return (
        f"curl -s {shop.url}/api/v1/orders -H 'Content-Type: application/json' "
        f"-H 'Authorization: Bearer {token}' -d '{json.dumps(FIRST_ORDER)}'"
    )

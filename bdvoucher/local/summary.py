"""What a person reads when everything is up: addresses, users, a first order, what to click."""

import json
import urllib.request
from contextlib import suppress
from typing import Any, Final

from bdvoucher.local.children import DIRECT
from bdvoucher.local.stack import Shop

WIDTH: Final = 78
FIRST_ORDER: Final = {
    "payment_method": "paystation",
    "recipient_email": "gift-recipient@example.com",
    "items": [
        {"variant_id": 22402, "quantity": 2, "fulfillment_input": {"player_id": "123456789"}},
        {"variant_id": 22405, "quantity": 1},
    ],
}


def summary(shop: Shop, users: str) -> str:
    """`users` is what `Shop.prepare` returned."""
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
    known = _read(users)
    if known.get("lines"):
        lines += ["", "Users and passwords", *(f"  {line}" for line in known["lines"])]
    if token := customer_token(shop, known.get("customer") or {}):
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


def customer_token(shop: Shop, customer: dict[str, str]) -> str:
    """An access token of the customer that was seeded; empty if none can be had."""
    if not customer:
        return ""
    sign_in = {"msisdn": customer["login"], "password": customer["password"]}
    body = json.dumps(sign_in).encode()
    request = urllib.request.Request(  # noqa: S310  (our own address)
        f"{shop.url}/api/v1/auth/sign-in",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    unusable = suppress(OSError, ValueError, KeyError, TypeError)
    with unusable, DIRECT.open(request, timeout=10) as answer:
        return str(json.load(answer)["data"]["accessToken"])
    return ""


def _read(users: str) -> dict[str, Any]:
    """What `seed_demo --summary` printed; empty when nothing was seeded."""
    with suppress(ValueError):
        found = json.loads(users)
        if isinstance(found, dict):
            return found
    return {}


def _table(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [f"  {name:<{width}}  {value}" for name, value in rows.items()]


def _curl(shop: Shop, token: str) -> str:
    return (
        f"curl -s {shop.url}/api/v1/orders -H 'Content-Type: application/json' "
        f"-H 'Authorization: Bearer {token}' -d '{json.dumps(FIRST_ORDER)}'"
    )

"""A merchant of SSLCommerz: opens sessions, presses buttons, asks."""

from __future__ import annotations

import html
import re
from hashlib import md5, sha256
from typing import Any
from urllib.parse import parse_qsl

STORE = {"store_id": "testbox", "store_passwd": "qwerty"}
SHOP = "http://shop.test"
WISH = {
    **STORE,
    "total_amount": "1500.00",
    "currency": "BDT",
    "tran_id": "A-1",
    "product_category": "voucher",
    "success_url": f"{SHOP}/success",
    "fail_url": f"{SHOP}/fail",
    "cancel_url": f"{SHOP}/cancel",
    "cus_name": "Rahim",
    "cus_email": "rahim@example.com",
    "cus_add1": "Road 1",
    "cus_city": "Dhaka",
    "cus_postcode": "1000",
    "cus_country": "Bangladesh",
    "cus_phone": "01711111111",
    "shipping_method": "NO",
    "num_of_item": "1",
    "product_name": "Voucher",
    "product_profile": "non-physical-goods",
}
VALIDATION = "/sslcommerz/validator/api/validationserverAPI.php"
QUERIES = "/sslcommerz/validator/api/merchantTransIDvalidationAPI.php"
FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


class Merchant:
    def __init__(self, live: Any) -> None:
        self.live = live

    def open(self, *, drop: str = "", **changes: str) -> dict[str, Any]:
        form = {name: value for name, value in {**WISH, **changes}.items() if name != drop}
        answer = self.live.post("/sslcommerz/gwprocess/v4/api.php", data=form)
        assert answer.status_code == 200
        return answer.json()

    def press(self, opened: dict[str, Any], action: str = "pay", **fields: str) -> Any:
        return self.live.post(opened["GatewayPageURL"], data={"action": action, **fields})

    def posted(self, opened: dict[str, Any], action: str = "pay") -> dict[str, str]:
        """What the browser would post, with the address as `to`."""
        page = self.press(opened, action)
        target = re.search(r'<form id="return" method="post" action="([^"]*)"', page.text)
        assert target, page.text
        fields = {name: html.unescape(value) for name, value in FIELD.findall(page.text)}
        return {"to": html.unescape(target[1]), **fields}

    def pay(self, opened: dict[str, Any], action: str = "pay", **how: Any) -> Any:
        wish = {"tran_id": opened.get("tran_id", "A-1"), "action": action, **how}
        return self.live.control("sslcommerz/pay", **wish)

    def validate(self, val_id: str, **changes: str) -> dict[str, Any]:
        asked = {**STORE, "val_id": val_id, "v": "1", "format": "json", **changes}
        return self.live.get(VALIDATION, params=asked).json()

    def query(self, **asked: str) -> dict[str, Any]:
        return self.live.get(QUERIES, params={**STORE, "v": "1", "format": "json", **asked}).json()

    def elements(self, tran_id: str = "A-1") -> list[dict[str, Any]]:
        return self.query(tran_id=tran_id)["element"]

    def refund(self, bank_tran_id: str, **changes: str) -> dict[str, Any]:
        wish = {
            "bank_tran_id": bank_tran_id,
            "refund_trans_id": "R-1",
            "refund_amount": "500.00",
            "refund_remarks": "customer",
        }
        return self.query(**{**wish, **changes})


def signatures(fields: dict[str, str], password: str = STORE["store_passwd"]) -> tuple[str, str]:
    """Both signatures, worked out once more from the text of the contract."""
    covered = [(name, fields[name]) for name in fields["verify_key"].split(",")]
    joined = {}
    for name, function in (("md5", md5), ("sha2", sha256)):
        pairs = sorted([*covered, ("store_passwd", function(password.encode()).hexdigest())])
        text = "&".join(f"{key}={value}" for key, value in pairs)
        joined[name] = function(text.encode()).hexdigest()
    return joined["md5"], joined["sha2"]


def form_of(heard: Any) -> dict[str, str]:
    return dict(parse_qsl(heard.body.decode(), keep_blank_values=True))

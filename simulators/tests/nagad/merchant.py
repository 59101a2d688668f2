"""A merchant as the contract page describes it, with cryptography of its own."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulators.tests.conftest import Live

ID = "683002007104225"
CALLBACK = "https://shop.test/pay/nagad/A1/"
API = "/nagad/remote-payment-gateway-1.0/api/dfs"
HEADERS = {
    "X-KM-Api-Version": "v-0.2.0",
    "X-KM-IP-V4": "192.0.2.7",
    "X-KM-Client-Type": "PC_WEB",
}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
DHAKA = timezone(timedelta(hours=6))
V15, SHA256 = padding.PKCS1v15(), hashes.SHA256()


def public_text(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return b64(key.public_key().public_bytes(serialization.Encoding.DER, form))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def now_in_dhaka() -> str:
    return datetime.now(DHAKA).strftime("%Y%m%d%H%M%S")


@dataclass
class Merchant:
    live: Live
    gateway: rsa.RSAPublicKey = field(init=False)

    def __post_init__(self) -> None:
        self.live.control("nagad/merchant", merchant_id=ID, public_key=public_text(KEY))
        text = self.live.get("/nagad/keys").json()["gateway_public_key"]
        key = serialization.load_der_public_key(base64.b64decode(text))
        assert isinstance(key, rsa.RSAPublicKey)
        self.gateway = key

    # The wire.

    def sealed(self, value: object, name: str = "sensitiveData", **how: Any) -> dict[str, Any]:
        text = json.dumps(value).encode()
        signed = how.get("signed_text", text)
        digest, pad = how.get("digest", SHA256), how.get("padding", V15)
        return {
            name: b64(self.gateway.encrypt(text, pad)),
            "signature": b64(how.get("key", KEY).sign(signed, V15, digest)),
        }

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        sent = {name: value for name, value in (HEADERS | headers).items() if value}
        return self.live.post(f"{API}{path}", json=body, headers=sent)

    def read(self, answer: requests.Response) -> dict[str, Any]:
        """The content of an answer that must be for us and signed by Nagad."""
        assert answer.status_code == 200, answer.text
        body = answer.json()
        text = KEY.decrypt(base64.b64decode(body["sensitiveData"]), V15)
        self.gateway.verify(base64.b64decode(body["signature"]), text, V15, SHA256)
        return json.loads(text)

    # The calls.

    def initialize(self, order_id: str = "A1", **changes: Any) -> requests.Response:
        moment = changes.pop("datetime", now_in_dhaka())
        value = {"merchantId": ID, "datetime": moment, "orderId": order_id, "challenge": "c" * 40}
        sent = self.sealed(changes.pop("value", value), **changes.pop("how", {}))
        body = {"dateTime": moment, "accountNumber": "01700000000", **sent, **changes}
        return self.post(f"/check-out/initialize/{ID}/{order_id}", body)

    def complete(
        self, started: dict[str, Any], order_id: str = "A1", amount: Any = "1500.00", **changes: Any
    ) -> requests.Response:
        value = {
            "merchantId": ID,
            "orderId": order_id,
            "currencyCode": "050",
            "amount": amount,
            "challenge": started["challenge"],
        }
        value |= changes.pop("value", {})
        body = {"merchantCallbackURL": CALLBACK, "additionalMerchantInfo": {}, **changes}
        path = f"/check-out/complete/{quote(started['paymentReferenceId'], safe='')}"
        return self.post(path, self.sealed(value) | body)

    def opened(self, order_id: str = "A1", amount: str = "1500.00", **more: Any) -> dict[str, Any]:
        """A payment with a page: its reference and where the page is."""
        started = self.read(self.initialize(order_id))
        done = self.complete(started, order_id, amount, **more).json()
        assert done["status"] == "Success"
        return {"ref": started["paymentReferenceId"], "page": done["callBackUrl"]}

    def verify(self, reference: str) -> requests.Response:
        path = f"{API}/verify/payment/{quote(reference, safe='')}"
        return self.live.get(path, headers=HEADERS)

    def press(self, payment: dict[str, Any], action: str = "pay", **fields: str):
        return self.live.post(payment["page"], data={"action": action, **fields})

    def cancel(self, reference: str, amount: str, **changes: Any) -> requests.Response:
        value = {
            "merchantId": ID,
            "originalRequestDate": datetime.now(DHAKA).strftime("%Y%m%d"),
            "originalAmount": "1500.00",
            "cancelAmount": amount,
            "referenceNo": "R1",
            "referenceMessage": "one unit",
        } | changes
        path = f"/purchase/cancel?paymentRefId={quote(reference, safe='')}"
        return self.post(path, self.sealed(value, "sensitiveDataCancelRequest"))


def carried(answer: requests.Response) -> dict[str, str]:
    """What the browser takes back to the shop."""
    assert answer.status_code == 303
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

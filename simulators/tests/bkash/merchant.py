"""A merchant and a payer's browser; calls are handed over directly, without a socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from simulators.bkash import Bkash
from simulators.frame.control import Control
from simulators.frame.http import Request, Response
from simulators.frame.service import Environment
from simulators.frame.state import Store

API = "/bkash/v1.2.0-beta/tokenized/checkout"
HOST = "http://pay.test"
CALLBACK = "http://shop.test/return/bkash?order=7"
KEYS = {"app_key": "demo-app-key", "app_secret": "demo-app-secret"}
USER = {"username": "demo-user", "password": "demo-password"}
WISH = {
    "mode": "0011",
    "payerReference": "CUSTOMER7",
    "callbackURL": CALLBACK,
    "amount": "100.00",
    "currency": "BDT",
    "intent": "sale",
    "merchantInvoiceNumber": "A-1",
}


def service_with(folder: Path | None = None) -> Bkash:
    return Bkash(Environment({}, Store(folder), lambda: None))


class Merchant:
    """Speaks to the service like a shop and like a browser."""

    def __init__(self, service: Bkash) -> None:
        self.service = service
        self.token = ""
        self.app_key = KEYS["app_key"]

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        return self.service.dispatch(Request(method, path, {}, headers, body, HOST))

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Response:
        if headers is None:
            headers = {"authorization": self.token, "x-app-key": self.app_key}
        headers = {"content-type": "application/json", **headers}
        return self.send("POST", API + path, headers, json.dumps(body).encode())

    def ask(self, path: str, **body: object) -> dict[str, Any]:
        response = self.post(path, body)
        assert response.status == 200
        return json.loads(response.body)

    def grant(self, path: str = "/token/grant", **changes: str) -> Response:
        return self.post(path, {**KEYS, **changes}, USER)

    def login(self) -> Merchant:
        self.token = json.loads(self.grant().body)["id_token"]
        return self

    def create(self, **changes: object) -> dict[str, Any]:
        return self.ask("/create", **{**WISH, **changes})

    def page(self, created: dict[str, Any]) -> str:
        path = urlsplit(created["bkashURL"]).path
        response = self.send("GET", path, {}, b"")
        assert response.content_type.startswith("text/html")
        return response.body.decode()

    def press(self, created: dict[str, Any], action: str = "pay", **fields: str) -> Response:
        body = urlencode({"action": action, **fields}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.send("POST", urlsplit(created["bkashURL"]).path, headers, body)

    def confirmed(self, **changes: object) -> str:
        """The paymentID of a payment whose payer has entered the PIN."""
        created = self.create(**changes)
        assert self.press(created).status == 303
        return str(created["paymentID"])

    def paid(self, **changes: object) -> tuple[str, str]:
        payment_id = self.confirmed(**changes)
        return payment_id, self.execute(payment_id)["trxID"]

    def execute(self, payment_id: str) -> dict[str, Any]:
        return self.ask("/execute", paymentID=payment_id)

    def query(self, payment_id: str) -> dict[str, Any]:
        return self.ask("/payment/status", paymentID=payment_id)

    def refund(self, ids: tuple[str, str], amount: str, **changes: object) -> dict[str, Any]:
        wish = {"amount": amount, "sku": "card", "reason": "unused", **changes}
        return self.ask("/payment/refund", paymentID=ids[0], trxID=ids[1], **wish)

    def fault(self, operation: str, fault: str, **options: object) -> None:
        self.service.faults.add({"operation": operation, "fault": fault, **options})

    def charges(self) -> dict[str, int]:
        return self.service.ledger()["charges"]


def returned(response: Response) -> dict[str, str]:
    assert response.status == 303
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def code_of(response: Response) -> object:
    return json.loads(response.body).get("statusCode")


def control(service: Bkash, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    method = "GET" if body is None else "POST"
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = Request(method, f"/control/bkash/{path}", {}, headers, data, HOST)
    response = Control({"bkash": service}).dispatch(request)
    return response.status, json.loads(response.body)

"""A client of a running shop and of its simulators: what stories and journeys are told with.

It knows the shop only from outside, over HTTP, as a storefront, a customer's browser and an
operator do.
"""

import html
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import requests

SECONDS: Final = 20.0
#: How many times longer to wait before giving up, where the machine has much else to do.
PATIENCE: Final = float(os.environ.get("BDV_PATIENCE", "1"))
PAUSE: Final = 0.1
_INPUT: Final = re.compile(r"<input\b[^>]*>")
_RETURN: Final = re.compile(r'<form id="return" method="post" action="([^"]*)"')
_ATTRIBUTE: Final = re.compile(r'\b(name|value|type)="([^"]*)"')
T = TypeVar("T")

#: The body of `POST /api/v1/orders` as the seed Orders has it.
SEED_ORDER: Final[Mapping[str, Any]] = {
    "items": [
        {"variant_id": 22402, "quantity": 2, "fulfillment_input": {"player_id": "123456789"}},
        {"variant_id": 22405, "quantity": 1},
    ],
    "payment_method": "paystation",
    "recipient_email": "gift-recipient@example.com",
}


@dataclass(frozen=True)
class Login:
    name: str
    password: str


#: People of the demo shop (`manage.py seed_demo`).
CUSTOMER: Final = Login("8801712345678", "customer-demo")
OPERATOR: Final = Login("ops@bdvoucher.com", "operator-demo")


class StoryError(AssertionError):
    """The shop did not do what the story says."""


@dataclass
class ShopClient:
    url: str
    simulators_url: str
    customer: Login = CUSTOMER
    operator: Login = OPERATOR
    session: requests.Session = field(default_factory=requests.Session)
    _tokens: dict[str, str] = field(default_factory=dict)

    # The storefront

    def sign_in(self) -> str:
        """The customer's access token."""
        body = {"msisdn": self.customer.name, "password": self.customer.password}
        return str(self.expect(200, "POST", "/api/v1/auth/sign-in", body)["data"]["accessToken"])

    def place_order(self, body: Mapping[str, Any] = SEED_ORDER, **headers: str) -> dict[str, Any]:
        answer = self.expect(201, "POST", "/api/v1/orders", body, who="customer", headers=headers)
        data: dict[str, Any] = answer["data"]
        return data

    def order(self, key: int | str) -> dict[str, Any]:
        data: dict[str, Any] = self.expect(200, "GET", f"/api/v1/orders/{key}", who="customer")[
            "data"
        ]
        return data

    def wait_for(self, key: int | str, *statuses: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The order, once it has one of these states."""
        return self.until(
            lambda: self.order(key),
            lambda order: order["status"] in statuses,
            f"order {key} to become {' or '.join(statuses)}",
            seconds=seconds,
        )

    def pay(self, page_url: str, action: str = "pay") -> requests.Response:
        """Press a button on the gateway's page, as a browser without JavaScript does."""
        page = self.session.get(page_url, timeout=SECONDS)
        if not page.ok:
            raise StoryError(f"the gateway's page answered {page.status_code}")
        inputs = [dict(_ATTRIBUTE.findall(tag)) for tag in _INPUT.findall(page.text)]
        data = {
            each["name"]: html.unescape(each.get("value", ""))
            for each in reversed(inputs)
            if "name" in each
        }
        left = self.session.post(page.url, data=data | {"action": action}, timeout=SECONDS)
        return self._continue(left)

    def _continue(self, page: requests.Response) -> requests.Response:
        """Press the button of a page that posts the customer back to the shop, if it is one."""
        target = _RETURN.search(page.text)
        if target is None:
            return page
        inputs = [dict(_ATTRIBUTE.findall(tag)) for tag in _INPUT.findall(page.text)]
        data = {html.unescape(each["name"]): html.unescape(each["value"]) for each in inputs}
        return self.session.post(html.unescape(target[1]), data=data, timeout=SECONDS)

    # The operators' desk

    def admin(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, expect: int = 200
    ) -> dict[str, Any]:
        return self.expect(expect, method, path, body, who="operator")

    def recover(
        self, order: int | str, action: str, body: Mapping[str, Any], *, expect: int = 200
    ) -> dict[str, Any]:
        return self.admin(
            "POST", f"/admin/orders/{order}/fulfillment/{action}", body, expect=expect
        )

    def attempts(self, order: int | str) -> list[dict[str, Any]]:
        """Newest first."""
        answer = self.admin("GET", f"/admin/orders/{order}/fulfillment-attempts")
        items: list[dict[str, Any]] = answer["data"]["items"]
        return items

    # The outside world

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self.session.request(
            method, f"{self.simulators_url}/control/{path}", json=body, timeout=SECONDS
        )
        if not answer.ok:
            raise StoryError(f"control {method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def fault(self, service: str, operation: str, fault: str, **options: Any) -> None:
        self.control(
            "POST", f"{service}/faults", {"operation": operation, "fault": fault, **options}
        )

    def all_well(self) -> None:
        """No service misbehaves any more; ledgers and mails stay."""
        services = (
            *("paystation", "bkash", "nagad", "dcb", "sslcommerz"),
            *("zendit", "reloadly", "points", "receiver"),
        )
        for service in services:
            self.control("DELETE", f"{service}/faults")
        self.mail_server("accept")

    def mail_server(self, mode: str, **options: Any) -> None:
        self.control("POST", "mail/mode", {"mode": mode, **options})

    def mails(self, to: str) -> list[dict[str, Any]]:
        """What the mail server accepted for this address, oldest first."""
        found = self.control("GET", "mail/messages")
        rows = found["messages"] if isinstance(found, dict) else found
        return [row for row in rows if to in str(row["to"])]

    # How it is done

    def expect(
        self,
        status: int,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        who: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON of an answer that must have this status."""
        answer = self.session.request(
            method,
            self.url + path,
            json=body,
            headers={**(headers or {}), **self._authorization(who)},
            timeout=60,
        )
        if answer.status_code != status:
            raise StoryError(
                f"{method} {path}: {answer.status_code}, not {status}: {answer.text[:500]}"
            )
        parsed: dict[str, Any] = answer.json()
        return parsed

    def _authorization(self, who: str) -> dict[str, str]:
        if not who:
            return {}
        if who not in self._tokens:
            self._tokens[who] = self.sign_in() if who == "customer" else self._staff_token()
        return {"Authorization": f"Bearer {self._tokens[who]}"}

    def _staff_token(self) -> str:
        body = {"email": self.operator.name, "password": self.operator.password}
        answer = self.expect(200, "POST", "/api/v1/admin/auth/login", body)
        return str(answer["data"]["accessToken"])

    @staticmethod
    def until(
        read: Callable[[], T], done: Callable[[T], bool], what: str, *, seconds: float = SECONDS
    ) -> T:
        """What `read` gives once it is `done`; a story that waits in vain ends with an error."""
        seconds *= PATIENCE
        end = time.monotonic() + seconds
        while True:
            value = read()
            if done(value):
                return value
            if time.monotonic() > end:
                raise StoryError(f"waited {seconds:.0f} s for {what}; it is: {str(value)[:1500]}")
            time.sleep(PAUSE)

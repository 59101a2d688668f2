"""The operators' site over HTTP, worked as a browser without JavaScript does."""

import html
import re
from datetime import datetime

import requests

from bdvoucher.local.client import OPERATOR, SECONDS, Login, ShopClient

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?')


class BackOffice:
    def __init__(self, client: ShopClient, login: Login = OPERATOR) -> None:
        self.url, self.session = client.url, requests.Session()
        self.session.headers["Connection"] = "close"  # no POST on a line that just went idle
        profile = client.expect(200, "GET", "/api/v1/user/profile", who="customer")["data"]
        self.customer_number = profile["msisdn"]
        self.post("/admin/login/", username=login.name, password=login.password, next="/admin/")

    def get(self, path: str) -> str:
        answer = self.session.get(self.url + path, timeout=SECONDS)
        assert answer.status_code == 200, answer.status_code
        return answer.text

    def post(self, path: str, file: tuple[str, str] | None = None, **fields: str) -> str:
        """Send the form of a page, with what it hides; `file` is a name and a text."""
        page = self.get(path)
        hidden = {name: html.unescape(value) for name, value in _HIDDEN.findall(page)}
        assert "csrfmiddlewaretoken" in hidden, page[:300]
        return self._send(path, hidden | fields, files={"file": file} if file else None)

    def _send(self, path: str, data: dict[str, str], **more: object) -> str:
        answer = self.session.post(self.url + path, data=data, timeout=SECONDS, **more)
        assert answer.status_code == 200, answer.text[:500]
        assert "errornote" not in answer.text, re.findall(r"errorlist[^<]*<li>([^<]*)", answer.text)
        return answer.text

    def press(self, page: str, action: str, **fields: str) -> str:
        """A button whose form goes to an address beside the page's own `change/`."""
        found = _TOKEN.search(self.get(page))
        assert found
        data = {"csrfmiddlewaretoken": found[1], **fields}
        where = self.url + page.removesuffix("change/") + action
        answer = self.session.post(where, data=data, timeout=SECONDS)
        assert answer.status_code == 200, answer.text[:500]
        return answer.text

    def subscribe(self, address: str, *, due: datetime, **fields: str) -> None:
        """A subscription of the demo customer to the seed's first variant."""
        self.post(
            "/admin/orders/subscription/add/",
            **{
                "customer": self.customer_number,
                "variant": "22405",
                "quantity": "1",
                "fulfillment_input": "{}",
                "interval": "1",
                "billing": "NON_RECURRING",
                "status": "ACTIVE",
                "payment_method": "paystation",
                "recipient_email": address,
                "next_billing_at_0": f"{due:%Y-%m-%d}",
                "next_billing_at_1": f"{due:%H:%M:%S}",
                **fields,
            },
        )

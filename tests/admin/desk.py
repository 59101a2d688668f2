"""Working the order page as a person does: by its forms."""

import re

from core.admin import new_form_key
from fulfillment.tests.factories import (
    item_of,
)

LIST = "/admin/orders/order/"


class Page:
    def __init__(self, client):
        self.client = client

    def get(self, order, what="change"):
        return self.client.get(f"{LIST}{order.pk}/{what}/")

    def post(self, order, what, **fields):
        fields.setdefault("form_key", new_form_key())
        return self.client.post(f"{LIST}{order.pk}/{what}/", fields)

    def enter(self, order, *codes, item=None, **fields):
        item = item or item_of(order)
        return self.post(order, "enter-codes", **{f"codes_{item.pk}": "\n".join(codes)}, **fields)

    def said(self, order):
        """What the order page says of the last action."""
        text = self.get(order).content.decode()
        return " ".join(re.findall(r'<li class="(?:success|warning|error)">([^<]*)', text))

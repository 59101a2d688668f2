"""Where a customer goes after paying: back to the client's own page, if it is on our list.

A return address is compared as a whole with `RETURN_ADDRESSES`: nothing of it is parsed, so
no clever spelling (another host before an @, a backslash, a prefix) can lead elsewhere.
"""

from typing import Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.urls import reverse

from core.errors import BadRequest
from payments.models import Payment

RETURN_SALT: Final = "payments.return"


def check_return_url(address: str) -> None:
    """Refuse an address that nobody put on the list; none at all is our own result page.

    Raises:
        BadRequest: it is not on the list.
    """
    if address and address not in settings.RETURN_ADDRESSES:
        message = "This address is not on the shop's list of return addresses."
        raise BadRequest.at("return_url", message, code="not_allowed")


def is_return_address(entry: str) -> bool:
    """Whether an entry of the list is an address a browser can be sent to with a query."""
    try:
        parts = urlsplit(entry)
    except ValueError:
        return False
    plain = entry.isascii() and entry.isprintable() and not set(entry) & set(" \\?#@")
    return (
        plain and parts.scheme in ("http", "https") and bool(parts.hostname) and "/" in parts.path
    )


def way_back(payment: Payment) -> str:
    """The client's page with what is *now* in the row, or our own result page.

    The list is asked again: what was taken off it meanwhile is sent nobody any more.
    """
    if payment.return_url not in settings.RETURN_ADDRESSES:
        return return_path(payment)
    told = {"order_number": payment.order.order_number, "status": payment.order.status}
    return f"{payment.return_url}?{urlencode(told)}"


def foreign_origin(payment: Payment) -> str:
    """The origin a form of ours may end at, for the page's policy; empty for our own."""
    if payment.return_url not in settings.RETURN_ADDRESSES:
        return ""
    parts = urlsplit(payment.return_url)
    return f"{parts.scheme}://{parts.netloc}"


def return_path(payment: Payment) -> str:
    """Our result page for this payment; the signature keeps others from counting through it."""
    token = signing.dumps(payment.pk, salt=RETURN_SALT, compress=False)
    return reverse("payment-return", args=[token])

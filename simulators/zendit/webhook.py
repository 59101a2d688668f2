"""The webhook: one URL, an own header instead of a signature, retried for hours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault
from simulators.frame.http import JsonObject, is_web_address
from simulators.frame.outbound import Delivery, send
from simulators.frame.service import ControlRefused

from . import records
from .records import Purchase, purchase_facts

if TYPE_CHECKING:
    from .service import Zendit

WAITS: Final = (1.0, 10.0, 60.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0, 43200.0)
WEBHOOK_FAULTS: Final[Mapping[str, str]] = {
    "never": "not sent",
    "repeat": "sent `count` (2) times at once",
    "late": "sent after `seconds` (5); on a non-final status it comes out of order",
    "wrong_header": "with a wrong secret",
    "no_header": "without the secret header",
    "forged_done": "the body says DONE with an invented code",
}


def message(service: Zendit, purchase: Purchase, fault: Fault | None = None) -> Delivery:
    name = fault.fault if fault else ""
    settings = service.settings
    headers = {"Content-Type": "application/json"}
    if name != "no_header":
        secret = "wrong" if name == "wrong_header" else str(settings["webhook_header_value"])
        headers[str(settings["webhook_header_name"])] = secret
    body = records.shown(purchase)
    if name == "forged_done":
        body = forged_done(body)
    return Delivery(
        kind=f"webhook {body['status']}",
        url=str(settings["webhook_url"]),
        headers=headers,
        body=json.dumps(body),
        waits=list(settings["webhook_waits"]),
        reference=purchase.transaction_id,
    )


def forged_done(body: JsonObject) -> JsonObject:
    invented = {"deliveryType": "PIN", "epin": "FAKE-0000-0000-0000"}
    return {**body, "status": records.DONE, "receipt": invented}


def tell(service: Zendit, purchase: Purchase) -> None:
    """Announce the status as it is now."""
    settings = service.settings
    final = purchase.status in records.FINAL
    if not settings["webhook_url"] or not (final or settings["webhook_non_final"]):
        return
    fault = service.faults.take("webhook", purchase_facts(purchase))
    name = fault.fault if fault else ""
    if name == "never":
        return
    delivery = message(service, purchase, fault)
    if purchase.plan.get("fault") == "webhook_first":
        service.held_back.append(delivery)
        return
    count = int(fault.number("count", 2)) if fault and name == "repeat" else 1
    after = fault.number("seconds", 5) if fault and name == "late" else 0.0
    for _ in range(count):
        service.deliver(delivery, after=after)


def held_back(service: Zendit) -> list[Delivery]:
    """Messages that have to arrive before the answer to the running call."""
    messages, service.held_back = service.held_back, []
    return messages


def configure(service: Zendit, wish: JsonObject) -> JsonObject:
    """Set address and header as in the console, which first sends a HEAD to the address."""
    url = str(wish.get("url", ""))
    if not is_web_address(url):
        raise ControlRefused("url must be a web address.")
    settings = service.settings
    name = str(wish.get("header_name", settings["webhook_header_name"]))
    value = str(wish.get("header_value", settings["webhook_header_value"]))
    status = send(Delivery(kind="check", url=url, method="HEAD", headers={name: value}))
    verified = 200 <= status < 300  # noqa: PLR2004 - 2xx
    if verified:
        settings["webhook_url"] = url
        settings["webhook_header_name"], settings["webhook_header_value"] = name, value
    return {"verified": verified, "head_status": status or None, "url": settings["webhook_url"]}


def forge(service: Zendit, wish: JsonObject) -> JsonObject:
    """A DONE that nobody at Zendit has sent; by default with a wrong secret."""
    purchase = service.purchases.get(str(wish.get("transactionId", "")))
    body: JsonObject = {"transactionId": str(wish.get("transactionId", "UNKNOWN"))}
    if purchase is not None:
        body = records.shown(purchase)
    settings = service.settings
    url = str(wish.get("url") or settings["webhook_url"])
    if not is_web_address(url):
        raise ControlRefused("There is no address to send it to (url).")
    secret = str(settings["webhook_header_value"]) if wish.get("right_header") else "wrong"
    headers = {"Content-Type": "application/json", str(settings["webhook_header_name"]): secret}
    text = json.dumps(forged_done(body))
    service.deliver(Delivery(kind="forged webhook", url=url, headers=headers, body=text))
    return {"sent_to": url}

"""The webhook: signed over body and time, retried."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulators.frame.http import JsonObject, is_web_address
from simulators.frame.outbound import Delivery
from simulators.frame.service import ControlRefused

from . import records
from .records import Transaction, transaction_facts

if TYPE_CHECKING:
    from .service import Reloadly

WAITS: Final = (1.0, 10.0, 60.0, 600.0)
OLD: Final = 3600
WEBHOOK_FAULTS: Final[Mapping[str, str]] = {
    "never": "not sent",
    "repeat": "sent `count` (2) times at once",
    "late": "sent after `seconds` (5)",
    "wrong_signature": "signed with another secret",
    "no_signature": "without signature",
    "old_stamp": "the time in it is an hour old, rightly signed",
    "forged_success": "the body says SUCCESSFUL, whatever it is",
}


def message(service: Reloadly, body: JsonObject, reference: str, fault: str) -> Delivery:
    settings = service.settings
    text = json.dumps(body)
    moment = service.clock.now() - (OLD if fault == "old_stamp" else 0)
    unit = 1000 if settings["webhook_stamp"] == "milliseconds" else 1
    stamp = str(int(moment * unit))
    secret = "wrong" if fault == "wrong_signature" else str(settings["webhook_secret"])
    signature = hmac.new(secret.encode(), f"{text}:{stamp}".encode(), hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Reloadly-Request-Timestamp": stamp}
    if fault != "no_signature":
        headers["X-Reloadly-Signature"] = signature
    return Delivery(
        kind=f"webhook {body['data']['status']}",
        url=str(settings["webhook_url"]),
        headers=headers,
        body=text,
        waits=list(settings["webhook_waits"]),
        reference=reference,
    )


def body_of(transaction_id: int, identifier: str, status: str) -> JsonObject:
    data = {"transactionId": transaction_id, "customIdentifier": identifier, "status": status}
    return {"type": "giftcard_transaction.status", "data": data}


def tell(service: Reloadly, row: Transaction) -> None:
    """Announce the status as it is now."""
    if not service.settings["webhook_url"]:
        return
    fault = service.faults.take("webhook", transaction_facts(row))
    name = fault.fault if fault else ""
    if name == "never":
        return
    status = records.SUCCESSFUL if name == "forged_success" else row.status
    body = body_of(row.transaction_id, row.identifier, status)
    delivery = message(service, body, row.identifier, name)
    if row.plan.get("fault") == "webhook_first":
        service.held_back.append(delivery)
        return
    count = int(fault.number("count", 2)) if fault and name == "repeat" else 1
    after = fault.number("seconds", 5) if fault and name == "late" else 0.0
    for _ in range(count):
        service.deliver(delivery, after=after)


def held_back(service: Reloadly) -> list[Delivery]:
    """Messages that have to arrive before the answer to the running call."""
    messages, service.held_back = service.held_back, []
    return messages


def forge(service: Reloadly, wish: JsonObject) -> JsonObject:
    """A SUCCESSFUL that nobody at Reloadly has sent; by default with a wrong signature."""
    if not is_web_address(service.settings["webhook_url"]):
        raise ControlRefused("There is no address to send it to (settings: webhook_url).")
    body = body_of(1, str(wish.get("customIdentifier", "UNKNOWN")), records.SUCCESSFUL)
    fault = "" if wish.get("right_signature") else "wrong_signature"
    delivery = message(service, body, "forged", fault)
    delivery.waits = []
    service.deliver(delivery)
    return {"sent_to": delivery.url}

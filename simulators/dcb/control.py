"""What the control API may do to charges and subscribers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulators.frame.http import JsonObject, is_web_address
from simulators.frame.outbound import Delivery
from simulators.frame.service import Action, ControlRefused

from . import applink, records
from .answers import notification
from .records import APPLINK, Charge, charge_facts

if TYPE_CHECKING:
    from .service import Dcb


def actions(service: Dcb) -> Mapping[str, Action]:
    return {
        "decide": lambda wish: decide(service, wish),
        "subscriber": lambda wish: subscriber(service, wish),
        "notify": lambda wish: notify(service, wish),
        "forge": lambda wish: forge(service, wish),
    }


def named(service: Dcb, wish: JsonObject) -> Charge:
    charge = service.charges.get(str(wish.get("reference", "")))
    if charge is None:
        raise ControlRefused("reference must name a charge.")
    return charge


def decide(service: Dcb, wish: JsonObject) -> JsonObject:
    """Decide without the phone, also what was refused before (money that comes late)."""
    charge = named(service, wish)
    action = str(wish.get("action", "pay"))
    if action not in records.STANCES:
        raise ControlRefused("action must be pay, fail or cancel.")
    if charge.charges:
        raise ControlRefused("It is charged already.")
    amount = wish.get("amount")
    service.charge(charge, records.STANCES[action], None if amount is None else str(amount))
    if charge.platform == APPLINK:
        fault = service.faults.take("notification", charge_facts(charge))
        applink.tell(service, charge, fault)
    return vars(charge)


def subscriber(service: Dcb, wish: JsonObject) -> JsonObject:
    """A subscriber's balance, and what he does when he is asked."""
    found = service.subscriber(str(wish.get("number", "")))
    stance = str(wish.get("stance", found.stance))
    if stance not in records.STANCES:
        raise ControlRefused("stance must be pay, fail or cancel.")
    found.stance = stance
    found.balance = str(wish.get("balance", found.balance))
    return vars(found)


def notify(service: Dcb, wish: JsonObject) -> JsonObject:
    """Tell of a charge again, whatever was told before."""
    charge = named(service, wish)
    if not charge.code or not service.settings["notification_url"]:
        raise ControlRefused("It is not decided, or there is no notification_url.")
    service.deliver(applink.notice(service, charge, None))
    return vars(charge)


def forge(service: Dcb, wish: JsonObject) -> JsonObject:
    """A notification that nothing stands behind."""
    external = str(wish.get("reference", "UNKNOWN1"))
    known = service.charges.get(external)
    made_up = Charge(
        platform=APPLINK,
        application_id="",
        external=external,
        internal=str(wish.get("internal_id", "000000000000")),
        subscriber="",
        number="",
        amount=str(wish.get("amount", known.amount if known else "1.00")),
        created_at=service.clock.now(),
    )
    url = str(wish.get("url") or service.settings["notification_url"])
    if not is_web_address(url):
        raise ControlRefused("There is no address to send it to (url).")
    delivery = Delivery(
        kind="forged notification",
        url=url,
        headers={"Content-Type": "application/json"},
        body=notification(made_up, str(wish.get("code", "S1000")), service.clock.now()),
        reference=external,
    )
    service.deliver(delivery)
    return {"sent_to": delivery.url, "body": delivery.body}

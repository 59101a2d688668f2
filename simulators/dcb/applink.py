"""Applink's two steps: a password is sent, the right one authorises, a notification confirms."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simulators.frame.clock import dhaka_text
from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Response, Route, json_response
from simulators.frame.outbound import Delivery

from . import records
from .answers import charge_answer, coded, half, notification, refuse, refuse_early
from .reading import credentials, read_debit, texts
from .records import APPLINK, Charge, charge_facts

if TYPE_CHECKING:
    from .service import Dcb

OTP_SECONDS: Final = 300.0
OTP_TRIES: Final = 3
#: The event under which the decision of a charge waits on the agenda.
DECIDE: Final = "decide"


def routes(service: Dcb) -> list[Route]:
    return [
        Route("POST", "/applink/caas/direct/debit", lambda call: start(service, call), "start"),
        Route("POST", "/applink/caas/otp/verify", lambda call: verify_otp(service, call), "otp"),
    ]


def start(service: Dcb, call: Call) -> Response:
    data = call.request.data()
    wish = read_debit(data, APPLINK, service.applications[APPLINK], service.settings)
    fault = service.faults.take("start", service.facts(call.request, {}))
    refuse_early(fault)
    if wish.external in service.charges:
        refuse("E1337")
    charge = service.asked(wish, APPLINK)
    charge.correlator = secrets.token_hex(8).upper()
    charge.otp = f"{secrets.randbelow(10**6):06d}"
    charge.otp_until = service.clock.now() + OTP_SECONDS
    service.subscriber(charge.number).messages.append(
        {
            "at": dhaka_text(service.clock.now()),
            "otp": charge.otp,
            "reference": charge.external,
            "text": f"{charge.otp} confirms a charge of BDT {charge.amount} to your balance.",
        }
    )
    return charge_answer(charge, "P1003", service.clock.now(), service.told(fault))


def verify_otp(service: Dcb, call: Call) -> Response:
    data = call.request.data()
    application = credentials(data, service.applications[APPLINK])
    correlator, otp, source = texts(data, "referenceNo", "otp", "sourceAddress")
    charge = service.by_correlator(correlator)
    if charge is None or charge.application_id != application:
        refuse("E1855")
    if source != charge.subscriber:
        refuse("E1856")
    fault = service.faults.take("otp", charge_facts(charge))
    if fault is not None and fault.fault == "refused":
        refuse(fault.text("code", "E1850"), fault.text("detail", ""))
    check_otp(service, charge, otp, fault)
    charge.state, charge.changed_at = records.AUTHORISED, service.clock.now()
    answer = json_response(otp_answer(fault))
    overtaking = go_on(service, charge)
    if overtaking is not None:
        answer.first.append(overtaking)
    return answer


def check_otp(service: Dcb, charge: Charge, otp: str, fault: Fault | None) -> None:
    if charge.state != records.WAITING:
        refuse("E1853" if charge.otp_tries >= OTP_TRIES else "E1852")
    if service.clock.now() > charge.otp_until or (fault and fault.fault == "expired"):
        charge.state, charge.code = records.REFUSED, "E1851"
        refuse("E1851")
    if otp != charge.otp:
        charge.otp_tries += 1
        if charge.otp_tries >= OTP_TRIES:
            charge.state, charge.code = records.REFUSED, "E1853"
            refuse("E1853")
        refuse("E1850")


def otp_answer(fault: Fault | None) -> JsonObject:
    body = coded("S1000")
    if fault is not None and fault.fault == "refused_after":
        body = coded(fault.text("code", "E1852"), fault.text("detail", ""))
    if fault is not None and fault.fault == "no_code":
        del body["statusCode"]
    return body


def go_on(service: Dcb, charge: Charge) -> Callable[[], None] | None:
    """Decide at once, later, or, as the call returned says, before the answer goes out."""
    fault = service.faults.take("notification", charge_facts(charge))
    name = fault.fault if fault else ""
    code, amount = service.stance_code(charge), None
    if fault and name == "refused":
        code = fault.text("code", "E1378")
    if fault and name == "partial":
        amount = fault.text("amount", half(charge.amount))
    if name == "before_answer":
        service.charge(charge, code, amount)
        delivery = notice(service, charge, None)
        return lambda: service.deliver_now(delivery)
    seconds = fault.seconds(5 if name == "late" else 0) if fault else 0.0
    if seconds is not None:
        wish = {"fault": name, "options": dict(fault.options)} if fault else None
        service.at(seconds, DECIDE, external=charge.external, code=code, amount=amount, notice=wish)
    return None


def decided(service: Dcb, charge: Charge, args: JsonObject) -> None:
    """The event of `go_on`."""
    service.charge(charge, args["code"], args["amount"])
    wish = args["notice"]
    fault = Fault(0, "notification", wish["fault"], options=wish["options"]) if wish else None
    tell(service, charge, fault)


def tell(service: Dcb, charge: Charge, fault: Fault | None) -> None:
    name = fault.fault if fault else ""
    if name == "never" or not service.settings["notification_url"]:
        return
    delivery = notice(service, charge, fault)
    for _ in range(int(fault.number("count", 2)) if fault and name == "repeat" else 1):
        service.deliver(delivery)


def notice(service: Dcb, charge: Charge, fault: Fault | None) -> Delivery:
    return Delivery(
        kind="notification",
        url=service.settings["notification_url"],
        headers={"Content-Type": "application/json"},
        body=notification(charge, charge.code, service.clock.now(), fault),
        waits=list(service.settings["notification_waits"]),
        reference=charge.external,
    )

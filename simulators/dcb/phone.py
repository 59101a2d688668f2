"""The subscriber's phone: the passwords it was sent, and what its owner says to a charge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulators.frame.http import Call, Response, Route, redirect
from simulators.frame.pages import page

from . import applink
from .records import AUTHORISED, BDAPPS, STANCES, Subscriber

if TYPE_CHECKING:
    from .service import Dcb

WORDS = {
    "pay": "pays",
    "fail": "has too little balance",
    "cancel": "refuses",
}


def routes(service: Dcb) -> list[Route]:
    return [
        Route("GET", "/phone/{number}", lambda call: show(service, call)),
        Route("POST", "/phone/{number}", lambda call: press(service, call), "phone"),
    ]


def known(service: Dcb, call: Call) -> Subscriber | None:
    number = call.params["number"]
    if not re.fullmatch(r"8801[3-9]\d{8}", number):
        return None
    return service.subscriber(number)


def show(service: Dcb, call: Call) -> Response:
    subscriber = known(service, call)
    if subscriber is None:
        return page("closed.html", 404, brand="dcb", unknown=True)
    charges = [c for c in service.charges.values() if c.number == subscriber.number][-5:][::-1]
    return page(
        "phone.html",
        brand="dcb",
        number=subscriber.number,
        balance=subscriber.balance,
        stance=subscriber.stance,
        stances=[{"name": name, "words": words} for name, words in WORDS.items()],
        messages=subscriber.messages[-5:][::-1],
        charges=[
            {
                "external": charge.external,
                "amount": charge.amount,
                "state": charge.state,
                "code": charge.code,
                "waiting": charge.state == AUTHORISED and charge.platform != BDAPPS,
            }
            for charge in charges
        ],
    )


def press(service: Dcb, call: Call) -> Response:
    """``action`` is what the subscriber does from now on; with ``external``, to that charge."""
    subscriber = known(service, call)
    if subscriber is None:
        return page("closed.html", 404, brand="dcb", unknown=True)
    form = call.request.data()
    action = str(form.get("action", ""))
    if action in STANCES:
        charge = service.charges.get(str(form.get("external", "")))
        if charge is None:
            subscriber.stance = action
        elif charge.number == subscriber.number and charge.state == AUTHORISED:
            service.charge(charge, STANCES[action])
            applink.tell(service, charge, None)
    return redirect(f"{service.prefix}/phone/{subscriber.number}")

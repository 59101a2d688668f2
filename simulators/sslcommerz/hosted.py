"""The page where the payer presses a button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault
from simulators.frame.http import Call, Response, Route
from simulators.frame.pages import page

from . import records
from .answers import other_amount
from .posting import plan_ipn, send_back, success_or_fail
from .records import Session, session_facts

if TYPE_CHECKING:
    from .service import SslCommerz

BRAND: Final = "sslcommerz"
PAY_FAULTS: Final[Mapping[str, str]] = {
    "declined": "Pay leads to a failed payment",
    "cancelled": "Pay leads to a cancelled one",
    "pending": "PENDING for `seconds` (5, null: for ever), `then` paid or failed",
    "wrong_amount": "another sum is taken (`amount`)",
    "wrong_currency": "another currency is taken (`currency`, USD)",
    "risky": "taken, with risk_level 1",
    "twice": "taken twice, under two val_ids",
}
#: Button -> what becomes of the session; `decline` leaves it open.
BUTTONS: Final[Mapping[str, str]] = {
    "pay": records.PAID,
    "risky": records.PAID,
    "fail": records.FAILED,
    "cancel": records.CANCELLED,
    "close": records.UNATTEMPTED,
    "expire": records.EXPIRED,
    "decline": records.OPEN,
}
MORE: Final = (
    ("risky", "Pay, but risky"),
    ("decline", "Refuse this card"),
    ("close", "Close the page"),
    ("expire", "Let it expire"),
)
PAYING: Final = frozenset({"pay", "risky"})


def routes(service: SslCommerz) -> list[Route]:
    return [
        Route("GET", "/pay/{sessionkey}", lambda call: show(service, call)),
        Route("POST", "/pay/{sessionkey}", lambda call: press(service, call), "pay"),
    ]


def show(service: SslCommerz, call: Call) -> Response:
    session = service.by_key(call.params["sessionkey"])
    if session is None:
        return page("closed.html", 404, brand=BRAND, unknown=True)
    return render(session)


def render(session: Session) -> Response:
    last = session.last
    return page(
        "sslcommerz.html",
        brand=BRAND,
        title="SSLCommerz",
        merchant=session.store_id,
        amount=session.amount,
        invoice=session.tran_id,
        customer=session.cus_name,
        methods=list(records.METHODS),
        tries=len(session.attempts),
        more_buttons=MORE,
        state=session.state,
        state_text="being processed by the bank" if session.busy else session.state,
        open=session.state == records.OPEN and not session.busy,
        trx_id=last.bank_tran_id if last is not None and last.paid else "",
        target=success_or_fail(session),
    )


def press(service: SslCommerz, call: Call) -> Response:
    session = service.by_key(call.params["sessionkey"])
    if session is None:
        return page("closed.html", 404, brand=BRAND, unknown=True)
    form = call.request.data()
    action = str(form.get("action", ""))
    if action not in BUTTONS or session.state != records.OPEN or session.busy:
        return render(session)  # pressed twice, or reloaded
    method = str(form.get("payment_method", "Visa"))
    session.method = method if method in records.METHODS else "Visa"
    fault = service.faults.take("pay", session_facts(session)) if action in PAYING else None
    settle(service, session, action, fault)
    if session.state == records.OPEN:  # another card, or the bank takes its time
        return render(session)
    overtaking = plan_ipn(service, session)
    answer = leave(service, session)
    if overtaking is not None:
        answer.first.append(lambda: service.deliver_now(overtaking))
    return answer


def leave(service: SslCommerz, session: Session) -> Response:
    if session.state in (records.UNATTEMPTED, records.EXPIRED):  # no browser left to send
        return page("closed.html", brand=BRAND, target=success_or_fail(session))
    return send_back(service, session, BRAND)


def settle(service: SslCommerz, session: Session, action: str, fault: Fault | None) -> None:
    """Apply the button, or what the fault makes of it."""
    risk = "1" if action == "risky" else "0"
    match fault.fault if fault else "":
        case "pending" if fault:
            wait(service, session, fault)
        case "declined":
            service.decide(session, records.FAILED)
        case "cancelled":
            service.decide(session, records.CANCELLED)
        case "wrong_amount" if fault:
            amount = fault.text("amount", other_amount(session.amount))
            service.capture(session, amount=amount, risk=risk)
        case "wrong_currency" if fault:
            service.capture(session, currency=fault.text("currency", "USD"), risk=risk)
        case "risky":
            service.capture(session, risk="1")
        case "twice":
            service.capture(session, risk=risk)
            service.capture(session, risk=risk)
        case _ if action in PAYING:
            service.capture(session, risk=risk)
        case _:
            service.decide(session, BUTTONS[action])


def wait(service: SslCommerz, session: Session, fault: Fault) -> None:
    """The bank is asked; the payer looks at a page that waits."""
    session.busy = True
    service.attempt(session, records.PENDING)
    seconds = fault.seconds(5)
    if seconds is not None:
        then = fault.text("then", records.PAID)
        service.at(seconds, "settle", tran_id=session.tran_id, state=then)

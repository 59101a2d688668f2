"""The page where the payer enters wallet, code and PIN, and the way back to the merchant.

Pressing Pay moves no money: it says only that the merchant may execute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulators.frame.clock import dhaka_text
from simulators.frame.http import Call, JsonObject, Response, Route, with_query
from simulators.frame.outbound import Delivery
from simulators.frame.pages import page
from simulators.frame.returning import send_back

from . import records
from .records import Payment, payment_facts

if TYPE_CHECKING:
    from .service import Bkash

PAY_FAULTS: Final[Mapping[str, str]] = {
    "declined": "Pay leads to the return with status=failure",
    "cancelled": "Pay leads to the return with status=cancel",
    "wrong_pin": "the page says that the PIN is wrong",
}
RETURN_FAULTS: Final[Mapping[str, str]] = {
    "forged_success": "the browser says success, whatever was pressed",
    "forged_cancel": "the browser says cancel, whatever was pressed",
    "wrong_status": "another `status`",
    "wrong_payment_id": "another `payment_id`",
    "signed": "with signature and apiVersion, as newer callbacks have them",
}
STATES: Final = {
    records.SUCCESS: "confirmed",
    records.FAILURE: "failed",
    records.CANCEL: "cancelled",
}


def routes(service: Bkash) -> list[Route]:
    return [
        Route("GET", "/pay/{link}", lambda call: show(service, call)),
        Route("POST", "/pay/{link}", lambda call: press(service, call), "pay"),
    ]


def show(service: Bkash, call: Call) -> Response:
    payment = service.by_link(call.params["link"])
    if payment is None:
        return page("closed.html", 404, brand="bkash", unknown=True)
    return render(payment)


def render(payment: Payment, error: str = "", form: Mapping[str, str] | None = None) -> Response:
    reference = payment.payer_reference
    phone = reference if re.fullmatch(r"01\d{9}", reference) else records.SANDBOX_WALLET
    return page(
        "checkout.html",
        brand="bkash",
        title="bKash",
        merchant="Sandbox merchant",
        amount=payment.paid_amount or payment.amount,
        invoice=payment.invoice,
        wallet=(form or {}).get("wallet") or phone,
        otp=records.SANDBOX_OTP,
        pin=records.SANDBOX_PIN,
        pay_label="Confirm",
        error=error,
        state="completed" if payment.done else STATES.get(payment.payer, ""),
        open=not payment.payer,
        trx_id=payment.trx_id,
        when=dhaka_text(payment.executed_at) if payment.executed_at else "",
        target=with_query(payment.callback_url, return_params(payment)),
    )


def press(service: Bkash, call: Call) -> Response:
    payment = service.by_link(call.params["link"])
    if payment is None:
        return page("closed.html", 404, brand="bkash", unknown=True)
    form = {key: str(value) for key, value in call.request.data().items()}
    outcome = records.BUTTONS.get(form.get("action", ""))
    if outcome is None or payment.payer or payment.done:
        return render(payment)  # pressed twice, or reloaded
    if outcome == records.SUCCESS:
        fault = service.faults.take("pay", payment_facts(payment))
        name = fault.fault if fault else ""
        error = mistake(payment, form, wrong_pin=name == "wrong_pin")
        if error and not payment.payer:
            return render(payment, error, form)
        if name == "declined":
            outcome = records.FAILURE
        elif name == "cancelled":
            outcome = records.CANCEL
    payment.payer = payment.payer or outcome
    return leave(service, payment)


def mistake(payment: Payment, form: Mapping[str, str], *, wrong_pin: bool) -> str:
    """What the payer entered wrongly; the third wrong PIN ends the payment."""
    wallet = form.get("wallet", records.SANDBOX_WALLET)
    if not re.fullmatch(r"01\d{9}", wallet):
        return "This is not a bKash account number."
    if form.get("otp", records.SANDBOX_OTP) != records.SANDBOX_OTP:
        return "The verification code is wrong."
    if wrong_pin or form.get("pin", records.SANDBOX_PIN) != records.SANDBOX_PIN:
        payment.wrong_pins += 1
        if payment.wrong_pins >= records.PIN_TRIES:
            payment.payer = records.FAILURE
        return "The PIN is wrong."
    payment.wallet = wallet
    return ""


def return_params(payment: Payment, status: str = "") -> dict[str, str]:
    status = status or payment.payer or records.CANCEL
    return {"paymentID": payment.payment_id, "status": status}


def leave(service: Bkash, payment: Payment) -> Response:
    params = return_params(payment)
    fault = service.faults.take("return", payment_facts(payment))
    match fault.fault if fault else "":
        case "forged_success":
            params["status"] = records.SUCCESS
        case "forged_cancel":
            params["status"] = records.CANCEL
        case "wrong_status" if fault:
            params["status"] = fault.text("status", "unknown")
        case "wrong_payment_id" if fault:
            params["paymentID"] = fault.text("payment_id", "TR0011NOTYOURS1")
        case "signed":
            params |= {"signature": records.code(10), "apiVersion": "1.2.0-beta/"}
    return send_back(service, fault, payment.callback_url, params, "bkash")


def forged(wish: JsonObject, payment: Payment | None) -> Delivery:
    """A callback that no payer stands behind."""
    known = payment.payment_id if payment else "TR0011FORGED0001"
    params = {
        "paymentID": str(wish.get("payment_id") or known),
        "status": str(wish.get("status", records.SUCCESS)),
    }
    url = str(wish.get("url") or (payment.callback_url if payment else ""))
    return Delivery(
        kind="forged return",
        url=with_query(url, params) if url else "",
        method="GET",
        reference=payment.invoice if payment else params["paymentID"],
    )

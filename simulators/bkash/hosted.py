"""bKash's own page: the payer confirms with code and PIN; no money moves here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simulators.frame.http import Call, JsonObject, Response, Route, with_query
from simulators.frame.outbound import Delivery
from simulators.frame.pages import page
from simulators.frame.returning import send_back

from . import records
from .records import Payment, payment_facts

if TYPE_CHECKING:
    from .service import Bkash

PIN: Final = "12121"
OTP: Final = "123456"
DEFAULT_WALLET: Final = "01770618575"
PIN_TRIES: Final = 3
PAY_FAULTS: Final = {
    "declined": "Pay ends as failure",
    "cancelled": "Pay ends as cancel",
}
CALLBACK_FAULTS: Final = {
    "forged_success": "status=success, whatever was pressed",
    "wrong_status": "another `status`",
    "wrong_payment_id": "another paymentID (`payment_id`)",
}
RETURN_STATUS: Final = {
    records.CONFIRMED: "success",
    records.FAILED: "failure",
    records.CANCELLED: "cancel",
    records.OPEN: "failure",
}
BUTTONS: Final = {
    "pay": records.CONFIRMED,
    "fail": records.FAILED,
    "cancel": records.CANCELLED,
}


def routes(service: Bkash) -> list[Route]:
    return [
        Route("GET", "/pay/{payment_id}", lambda call: show(service, call)),
        Route("POST", "/pay/{payment_id}", lambda call: press(service, call), "pay"),
    ]


def show(service: Bkash, call: Call) -> Response:
    payment = service.payments.get(call.params["payment_id"])
    if payment is None:
        return page("closed.html", 404, brand="bkash", unknown=True)
    return render(payment)


def render(payment: Payment, error: str = "") -> Response:
    phone = re.search(r"01\d{9}", payment.payer_reference)
    state = payment.status.lower() if payment.status in records.MOVED else payment.payer
    return page(
        "checkout.html",
        brand="bkash",
        title="bKash",
        merchant="Test Merchant",
        amount=payment.amount,
        invoice=payment.invoice,
        wallet=phone.group() if phone else DEFAULT_WALLET,
        otp=OTP,
        pin=PIN,
        pay_label="Confirm",
        state=state,
        open=payment.payer == records.OPEN,
        trx_id=payment.trx_id,
        error=error,
        target=with_query(payment.callback_url, return_params(payment)),
    )


def press(service: Bkash, call: Call) -> Response:
    payment = service.payments.get(call.params["payment_id"])
    if payment is None:
        return page("closed.html", 404, brand="bkash", unknown=True)
    form = call.request.data()
    wanted = BUTTONS.get(str(form.get("action", "")))
    if wanted is None or payment.payer != records.OPEN:
        return render(payment)  # pressed twice, or reloaded
    if wanted == records.CONFIRMED:
        error = check_payer(payment, form)
        if error and payment.wrong_pins < PIN_TRIES:
            return render(payment, error)
        wanted = records.FAILED if error else wanted
        fault = service.faults.take("pay", payment_facts(payment))
        names = {"declined": records.FAILED, "cancelled": records.CANCELLED}
        wanted = names.get(fault.fault, wanted) if fault else wanted
    service.decide(payment, wanted, str(form.get("wallet", "")))
    return leave(service, payment)


def check_payer(payment: Payment, form: JsonObject) -> str:
    """What is wrong with code and PIN; a form without them (no browser) is taken as right."""
    if str(form.get("otp", OTP)) != OTP:
        payment.wrong_pins += 1
        return "The verification code is wrong."
    if str(form.get("pin", PIN)) != PIN:
        payment.wrong_pins += 1
        return "The PIN is wrong."
    return ""


def return_params(payment: Payment) -> dict[str, str]:
    return {"paymentID": payment.payment_id, "status": RETURN_STATUS[payment.payer]}


def leave(service: Bkash, payment: Payment) -> Response:
    params = return_params(payment)
    if service.settings["callback_signature"]:
        params |= {"signature": "c2ltdWxhdGVk", "apiVersion": "1.2.0-beta/"}
    fault = service.faults.take("callback", payment_facts(payment))
    match fault.fault if fault else "":
        case "forged_success":
            params["status"] = "success"
        case "wrong_status" if fault:
            params["status"] = fault.text("status", "unknown")
        case "wrong_payment_id" if fault:
            params["paymentID"] = fault.text("payment_id", "TR0011NOTYOURS")
    return send_back(service, fault, payment.callback_url, params, "bkash")


def forged(service: Bkash, wish: JsonObject) -> Delivery:
    """A callback for a payment nobody confirmed, or for one that does not exist."""
    payment_id = str(wish.get("payment_id", "TR0011NOTYOURS"))
    payment = service.payments.get(payment_id)
    params = {"paymentID": payment_id, "status": str(wish.get("status", "success"))}
    url = str(wish.get("url") or (payment.callback_url if payment else ""))
    return Delivery(
        kind="forged callback",
        url=with_query(url, params) if url else "",
        method="GET",
        reference=payment_id,
    )

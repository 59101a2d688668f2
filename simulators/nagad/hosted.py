"""Nagad's own page, where the payer gives code and PIN, and the way back to the merchant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.frame.clock import dhaka_text
from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Response, Route, with_query
from simulators.frame.outbound import Delivery
from simulators.frame.pages import page
from simulators.frame.returning import RETURN_FAULTS, send_back

from . import records
from .paying import other_amount
from .records import Payment, payment_facts, stamp

if TYPE_CHECKING:
    from .service import Nagad

PIN: Final = "1234"
OTP: Final = "123456"
DEFAULT_WALLET: Final = "01700000001"
PIN_TRIES: Final = 3
PAY_FAULTS: Final = {
    "declined": "Pay leads to a failed payment",
    "over_limit": "Pay leads to 50_0026_851, a failed payment",
    "cancelled": "Pay leads to an aborted payment",
    "pending": "TransactionInProgress for `seconds` (5, null: for ever), `then` Success, Failed or"
    " Aborted; the browser returns with `return_status` (Success)",
    "wrong_amount": "another sum is taken (`amount`), and verify shows it",
}
CALLBACK_FAULTS: Final = {
    **RETURN_FAULTS,
    "forged_success": "the browser says Success with an invented number, whatever was pressed",
    "wrong_status": "another `status`",
    "wrong_reference": "another payment_ref_id (`reference`)",
    "wrong_order": "another order_id (`order_id`)",
    "lower_case": "the status in lower case",
}
#: A button of the page -> the state it leads to.
BUTTONS: Final = {
    "pay": records.SUCCESS,
    "fail": records.FAILED,
    "limit": records.FAILED,
    "cancel": records.ABORTED,
    "give_up": records.CANCELLED,
}
STATE_TEXTS: Final = {
    records.INITIATED: "not ready",
    records.TRANSACTION: "still being processed",
    records.SUCCESS: "complete",
}


def routes(service: Nagad) -> list[Route]:
    return [
        Route("GET", "/check-out/{reference}", lambda call: show(service, call)),
        Route("POST", "/check-out/{reference}", lambda call: press(service, call), "pay"),
    ]


def show(service: Nagad, call: Call) -> Response:
    payment = service.payments.get(call.params["reference"])
    if payment is None:
        return page("closed.html", 404, brand="nagad", unknown=True)
    if payment.status == records.READY:
        payment.status = records.OTP_SENT
    return render(service, payment)


def render(service: Nagad, payment: Payment, error: str = "") -> Response:
    return page(
        "checkout.html",
        brand="nagad",
        title="Nagad",
        merchant="Test Merchant",
        amount=payment.paid_amount or payment.amount,
        invoice=payment.order_id,
        wallet=payment.wallet or DEFAULT_WALLET,
        wallet_label="Nagad account number",
        otp=OTP,
        pin=PIN,
        more_buttons=(("limit", "Over the limit"), ("give_up", "Cancel at once")),
        state=payment.status.lower(),
        state_text=STATE_TEXTS.get(payment.status, payment.status.lower()),
        open=payment.status in records.OPEN,
        trx_id=payment.issuer_ref,
        when=dhaka_text(payment.decided_at) if payment.decided_at else "",
        error=error,
        target=with_query(back_to(service, payment), return_params(payment)),
    )


def press(service: Nagad, call: Call) -> Response:
    payment = service.payments.get(call.params["reference"])
    if payment is None:
        return page("closed.html", 404, brand="nagad", unknown=True)
    form = call.request.data()
    action = str(form.get("action", ""))
    if action not in BUTTONS or payment.status not in records.OPEN:
        return render(service, payment)  # pressed twice, or reloaded
    payment.wallet = str(form.get("wallet", "")) or DEFAULT_WALLET
    wrong = check_payer(payment, form) if action == "pay" else ""
    if wrong and payment.wrong_pins < PIN_TRIES:
        return render(service, payment, wrong)
    if wrong:
        service.decide(payment, records.FAILED, because=records.WRONG_PIN)
        return leave(service, payment, return_params(payment))
    fault = service.faults.take("pay", payment_facts(payment)) if action == "pay" else None
    return leave(service, payment, settle(service, payment, action, fault))


def check_payer(payment: Payment, form: JsonObject) -> str:
    """What is wrong with code and PIN; a form without them (no browser) is taken as right."""
    if str(form.get("otp", OTP)) != OTP:
        payment.wrong_pins += 1
        return "The verification code is wrong."
    if str(form.get("pin", PIN)) != PIN:
        payment.wrong_pins += 1
        return "The PIN is wrong."
    return ""


def settle(service: Nagad, payment: Payment, action: str, fault: Fault | None) -> dict[str, str]:
    """Apply the button (or the fault) and return what the browser is to carry back."""
    match fault.fault if fault else action:
        case "pending" if fault:
            payment.status = records.TRANSACTION
            seconds = fault.seconds(5)
            if seconds is not None:
                then = fault.text("then", records.SUCCESS)
                service.at(seconds, "settle", reference=payment.reference, state=then)
            return return_params(payment) | {"status": fault.text("return_status", "Success")}
        case "declined":
            service.decide(payment, records.FAILED)
        case "over_limit" | "limit":
            service.decide(payment, records.FAILED, because=records.OVER_LIMIT)
        case "cancelled":
            service.decide(payment, records.ABORTED)
        case "wrong_amount" if fault:
            service.decide(
                payment,
                records.SUCCESS,
                amount=fault.text("amount", other_amount(payment.amount)),
            )
        case _:
            service.decide(payment, BUTTONS[action])
    return return_params(payment)


def return_params(payment: Payment) -> dict[str, str]:
    """A page that is closed or at work says nothing of money: the last two are of a success."""
    code, message = payment.code, payment.message
    params = {
        "merchant": payment.merchant_id,
        "order_id": payment.order_id,
        "payment_ref_id": payment.reference,
        "status": payment.status if payment.status in records.CODES else records.FAILED,
        "status_code": code or records.DONE[0],
        "message": message or records.DONE[1],
    }
    if payment.paid:
        params |= {"status": records.SUCCESS, "payment_dt": stamp(payment.decided_at)}
        params["issuer_payment_ref"] = payment.issuer_ref
    return params


def back_to(service: Nagad, payment: Payment) -> str:
    """Nagad appends a slash and a question mark to the address exactly as it was given."""
    return payment.callback_url + str(service.settings["callback_glue"])


def leave(service: Nagad, payment: Payment, params: dict[str, str]) -> Response:
    fault = service.faults.take("callback", payment_facts(payment))
    match fault.fault if fault else "":
        case "forged_success":
            params |= invented(service)
        case "wrong_status" if fault:
            params["status"] = fault.text("status", "Unknown")
        case "wrong_reference" if fault:
            params["payment_ref_id"] = fault.text("reference", "Tk9ULVlPVVJT")
        case "wrong_order" if fault:
            params["order_id"] = fault.text("order_id", "NOTYOURS1")
        case "lower_case":
            params["status"] = params["status"].lower()
    return send_back(service, fault, back_to(service, payment), params, "nagad")


def invented(service: Nagad) -> dict[str, str]:
    return {
        "status": records.SUCCESS,
        "status_code": records.DONE[0],
        "message": records.DONE[1],
        "payment_dt": stamp(service.clock.now()),
        "issuer_payment_ref": "FORGED01",
    }


def forged(service: Nagad, wish: JsonObject) -> Delivery:
    """A callback for a payment nobody has paid, or for one that does not exist."""
    reference = str(wish.get("payment_ref_id", "Tk9ULVlPVVJT"))
    payment = service.payments.get(reference)
    params = {
        "merchant": payment.merchant_id if payment else "683002007104225",
        "order_id": str(wish.get("order_id", payment.order_id if payment else "NOTYOURS1")),
        "payment_ref_id": reference,
        **invented(service),
    }
    params["status"] = str(wish.get("status", params["status"]))
    url = str(wish.get("url") or (back_to(service, payment) if payment else ""))
    return Delivery(
        kind="forged callback",
        url=with_query(url, params) if url else "",
        method="GET",
        reference=reference,
    )

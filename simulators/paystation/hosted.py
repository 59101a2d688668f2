"""The page where the payer presses a button, and the way back to the merchant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulators.frame.clock import dhaka_text
from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Response, Route, with_query
from simulators.frame.outbound import Delivery
from simulators.frame.pages import page
from simulators.frame.returning import send_back

from . import records
from .answers import ipn_body, other_amount
from .records import Payment, payment_facts

if TYPE_CHECKING:
    from .service import PayStation

PAY_FAULTS: Final[Mapping[str, str]] = {
    "declined": "Pay leads to a failed payment",
    "cancelled": "Pay leads to a cancelled payment",
    "pending": "processing for `seconds` (5, null: for ever), `then` success, failed or cancelled;"
    " the browser returns with `return_status` (Successful), without trx_id",
    "wrong_amount": "another sum is taken (`amount`)",
}
RETURN_FAULTS: Final[Mapping[str, str]] = {
    "forged_success": "the browser says Successful with an invented trx_id, whatever was pressed",
    "wrong_status": "another `status`",
    "wrong_invoice": "another `invoice_number`",
    "no_trx_id": "Successful without trx_id",
}

STATE_TEXTS: Final = {
    records.SUCCESS: "complete",
    records.REFUND: "refunded",
    records.PROCESSING: "still being processed",
}


def routes(service: PayStation) -> list[Route]:
    return [
        Route("GET", "/pay/{link}", lambda call: show(service, call)),
        Route("POST", "/pay/{link}", lambda call: press(service, call), "pay"),
    ]


def show(service: PayStation, call: Call) -> Response:
    payment = service.by_link(call.params["link"])
    if payment is None:
        return page("closed.html", 404, brand="paystation", unknown=True)
    if payment.state == records.INITIATED:
        payment.state = records.PROCESSING
    return render(service, payment)


def render(service: PayStation, payment: Payment) -> Response:
    amount = payment.paid_amount or service.amount_with_fee(payment)
    return page(
        "checkout.html",
        brand="paystation",
        title="PayStation",
        merchant=payment.merchant_id,
        amount=amount,
        invoice=payment.invoice_number,
        customer=payment.cust_name,
        asked=payment.request_amount if amount != payment.request_amount else "",
        methods=records.METHODS,
        phone=payment.cust_phone,
        state=payment.state,
        state_text=STATE_TEXTS.get(payment.state, payment.state),
        open=payment.state in records.OPEN and not waiting(payment),
        trx_id=payment.trx_id,
        when=dhaka_text(payment.changed_at) if payment.changed_at else "",
        target=with_query(payment.callback_url, return_params(payment)),
    )


def press(service: PayStation, call: Call) -> Response:
    payment = service.by_link(call.params["link"])
    if payment is None:
        return page("closed.html", 404, brand="paystation", unknown=True)
    form = call.request.data()
    state = records.BUTTONS.get(str(form.get("action", "")))
    if state is None or payment.state not in records.OPEN or waiting(payment):
        return render(service, payment)  # pressed twice, or reloaded
    method = str(form.get("payment_method", "bKash"))
    payment.payment_method = method if method in records.METHODS else "bKash"
    payment.payer_mobile_no = str(form.get("payer_mobile_no", "")) or payment.cust_phone
    fault = service.faults.take("pay", payment_facts(payment)) if state == records.SUCCESS else None
    params = settle(service, payment, state, fault)
    overtaking = service.plan_ipn(payment) if payment.state == records.SUCCESS else None
    answer = leave(service, payment, params)
    if overtaking is not None:
        answer.first.append(lambda: service.deliver_now(overtaking))
    return answer


def waiting(payment: Payment) -> bool:
    """Whether the payer has pressed already and the wallet is still at work."""
    return bool(payment.payment_method) and payment.state == records.PROCESSING


def settle(
    service: PayStation, payment: Payment, state: str, fault: Fault | None
) -> dict[str, str]:
    """Apply the button (or the fault) and return what the browser is to carry back."""
    match fault.fault if fault else "":
        case "pending" if fault:
            payment.state, payment.changed_at = records.PROCESSING, service.clock.now()
            seconds = fault.seconds(5)
            if seconds is not None:
                service.at(
                    seconds,
                    "settle",
                    invoice_number=payment.invoice_number,
                    state=fault.text("then", records.SUCCESS),
                )
            return {
                "status": fault.text("return_status", "Successful"),
                "invoice_number": payment.invoice_number,
            }
        case "declined":
            service.decide(payment, records.FAILED)
        case "cancelled":
            service.decide(payment, records.CANCELLED)
        case "wrong_amount" if fault:
            amount = fault.text("amount", other_amount(payment.request_amount))
            service.decide(payment, state, amount)
        case _:
            service.decide(payment, state)
    return return_params(payment)


def return_params(payment: Payment) -> dict[str, str]:
    params = {
        "status": records.RETURN_STATUS.get(payment.state, "Failed"),
        "invoice_number": payment.invoice_number,
    }
    if payment.state == records.SUCCESS:
        params["trx_id"] = payment.trx_id
    return params


def leave(service: PayStation, payment: Payment, params: dict[str, str]) -> Response:
    fault = service.faults.take("return", payment_facts(payment))
    match fault.fault if fault else "":
        case "forged_success":
            params = {**params, "status": "Successful", "trx_id": "FORGED0001"}
        case "wrong_status" if fault:
            params["status"] = fault.text("status", "Unknown")
        case "wrong_invoice" if fault:
            params["invoice_number"] = fault.text("invoice_number", "NOT-YOURS-1")
        case "no_trx_id":
            params.pop("trx_id", None)
    return send_back(service, fault, payment.callback_url, params, "paystation")


def forged(service: PayStation, wish: JsonObject) -> Delivery:
    """A callback (``channel`` return) or an IPN (``channel`` ipn) that somebody made up."""
    invoice = str(wish.get("invoice_number", "UNKNOWN-INVOICE"))
    payment = service.payments.get(invoice)
    if wish.get("channel", "return") == "ipn":
        made_up = Payment(
            link="",
            merchant_id="",
            invoice_number=invoice,
            request_amount=str(wish.get("amount", payment.request_amount if payment else "1")),
            callback_url="",
            created_at=service.clock.now(),
            trx_id=str(wish.get("trx_id", "FORGED0001")),
            payment_method="bKash",
        )
        return Delivery(
            kind="forged ipn",
            url=str(wish.get("url") or service.settings["ipn_url"]),
            headers={"Content-Type": "application/json"},
            body=ipn_body(made_up, None),
            reference=invoice,
        )
    params = {
        "status": str(wish.get("status", "Successful")),
        "invoice_number": invoice,
        "trx_id": str(wish.get("trx_id", "FORGED0001")),
    }
    url = str(wish.get("url") or (payment.callback_url if payment else ""))
    return Delivery(
        kind="forged return",
        url=with_query(url, params) if url else "",
        method="GET",
        reference=json.dumps(params),
    )

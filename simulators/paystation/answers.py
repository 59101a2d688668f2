"""The JSON of status answers and of the IPN, from a payment and at most one fault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from simulators.frame.clock import dhaka_text
from simulators.frame.faults import Fault
from simulators.frame.http import JsonObject, Response, json_response

from .records import Payment

CREATE_FAULTS: Final[Mapping[str, str]] = {
    "refused": "status_code `code` (1009) with `message`",
    "invalid_credential": "1001",
    "duplicate": "1008, nothing created",
    "number_status_code": "200 as a number",
    "no_url": "success without payment_url",
    "wrong_host": "payment_url on another host (`url`)",
    "wrong_amount": "the answer echoes another amount (`amount`)",
}
STATUS_FAULTS: Final[Mapping[str, str]] = {
    "not_found": "1006, with `within` only in the first so many seconds after create",
    "refused": "status_code `code` (2001) with `message`",
    "wrong_merchant": "2001, merchant mismatch",
    "status_text": "trx_status is `text`, whatever the payment is",
    "no_status": "trx_status is empty",
    "processing": "trx_status says processing although it is decided",
    "wrong_amount": "other amounts (`amount`)",
    "one_amount": "no request_amount, only what was paid",
    "wrong_invoice": "another invoice_number (`invoice_number`)",
    "wrong_reference": "another reference (`reference`)",
    "no_trx_id": "trx_id is empty",
    "used_trx_id": "trx_id of another payment (`trx_id`, else the first one paid)",
    "number_status_code": "200 as a number",
}
IPN_FAULTS: Final[Mapping[str, str]] = {
    "never": "not sent",
    "repeat": "sent `count` (2) times at once",
    "late": "sent after `seconds` (5)",
    "before_return": "answered by the merchant before the browser is sent back",
    "wrong_amount": "another trx_amount (`amount`)",
    "unknown_invoice": "an invoice_number nobody knows (`invoice_number`)",
    "malformed": "broken JSON",
}


def envelope(code: str, message: str, fault: Fault | None = None, **rest: object) -> Response:
    number = fault is not None and fault.fault == "number_status_code"
    status = "success" if code == "200" else "failed"
    status_code = int(code) if number else code
    return json_response({"status_code": status_code, "status": status, "message": message, **rest})


def status_data(payment: Payment, *, version: int) -> JsonObject:
    """``data`` of a status answer; the generations differ in names and in capitals."""
    paid = payment.paid_amount or payment.request_amount
    moment = dhaka_text(payment.changed_at or payment.created_at)
    data: JsonObject = {
        "invoice_number": payment.invoice_number,
        "trx_status": payment.state.capitalize() if version == 1 else payment.state,
        "trx_id": payment.trx_id,
        "reference": payment.reference,
        "payment_method": payment.payment_method,
        "order_date_time": moment,
    }
    if version == 1:
        data |= {
            "payment_amount": paid,
            "payer_mobile_no": payment.payer_mobile_no,
            "checkout_items": payment.checkout_items,
            "cust_phone": payment.cust_phone,
        }
    else:
        data |= {
            "trx_amount": paid,
            "request_amount": payment.request_amount,
            "trx_date": moment,
        }
    return data


def spoil_status(data: JsonObject, fault: Fault, *, used_trx_id: str) -> None:
    amount_name = "payment_amount" if "payment_amount" in data else "trx_amount"
    match fault.fault:
        case "status_text" | "no_status" | "processing":
            data["trx_status"] = other_status(data["trx_status"], fault)
        case "wrong_amount":
            data[amount_name] = fault.text("amount", other_amount(data[amount_name]))
            if "request_amount" in data:
                data["request_amount"] = data[amount_name]
        case "one_amount":
            data.pop("request_amount", None)
        case "wrong_invoice":
            data["invoice_number"] = fault.text("invoice_number", "NOT-YOURS-1")
        case "wrong_reference":
            data["reference"] = fault.text("reference", "NOT-YOURS-1")
        case "no_trx_id":
            data["trx_id"] = ""
        case "used_trx_id":
            data["trx_id"] = fault.text("trx_id", used_trx_id)


def other_status(status: str, fault: Fault) -> str:
    if fault.fault == "no_status":
        return ""
    if fault.fault == "processing":
        return "Processing" if status[:1].isupper() else "processing"
    return fault.text("text", "unknown")


def other_amount(amount: str) -> str:
    return str(max(Decimal(amount) - 1, Decimal("0.5")))


def as_number(amount: str) -> int | float:
    value = Decimal(amount)
    return int(value) if value == int(value) else float(value)


def ipn_body(payment: Payment, fault: Fault | None) -> str:
    amount = payment.paid_amount or payment.request_amount
    body: JsonObject = {
        "invoice_number": payment.invoice_number,
        "trx_status": "Success",
        "trx_id": payment.trx_id,
        "trx_amount": as_number(amount),
        "order_date_time": dhaka_text(payment.changed_at or payment.created_at),
        "payment_method": payment.payment_method,
        "reference": payment.reference,
    }
    match fault.fault if fault else "":
        case "wrong_amount" if fault:
            body["trx_amount"] = as_number(fault.text("amount", other_amount(amount)))
        case "unknown_invoice" if fault:
            body["invoice_number"] = fault.text("invoice_number", "UNKNOWN-INVOICE")
        case "malformed":
            return json.dumps(body)[:-9]
    return json.dumps(body)

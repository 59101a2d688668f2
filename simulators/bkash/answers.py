"""The JSON of bKash's answers, and what a fault makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from simulators.frame.clock import dhaka, utc
from simulators.frame.faults import Fault
from simulators.frame.http import JsonObject, Refusal, Response, json_response

from .records import Payment, other_amount

MESSAGES: Final[Mapping[str, str]] = {
    "0000": "Successful",
    "2001": "Invalid App Key",
    "2002": "Invalid Payment ID",
    "2003": "Process failed",
    "2006": "Invalid Amount",
    "2007": "Invalid Currency",
    "2008": "Invalid Intent",
    "2014": "Wrong PIN",
    "2023": "Insufficient Balance",
    "2025": "Invalid request body",
    "2026": "Reversal amount cannot be greater than the original transaction amount",
    "2029": "Duplicate for all transactions",
    "2031": "Invalid merchant invoice number",
    "2033": "Transaction not found",
    "2034": "The transaction has already been reversed",
    "2043": "The credential is invalid",
    "2048": "Invalid payer reference",
    "2049": "Invalid merchant callback URL",
    "2056": "Invalid Payment State",
    "2062": "The payment has already been completed",
    "2063": "Mode is not valid",
    "2064": "This product mode is currently unavailable",
    "2065": "Mandatory field is missing",
    "2069": "The payment has already been cancelled",
    "2071": "The transaction can no longer be refunded",
    "2072": "Invalid refund amount",
    "2075": "SKU is too long",
    "2076": "Reason is too long",
    "2077": "Invalid trxID",
    "2079": "Invalid app token",
    "2117": "Payment execution already been called before",
    "2127": "Transaction is not yet completed",
    "503": "System is undergoing maintenance. Please try again later",
}

#: Understood by every call except those for tokens.
COMMON_FAULTS: Final[Mapping[str, str]] = {
    "expired_token": "401, 'The incoming token has expired'; nothing done",
    "refused": "statusCode `code` (2003) with `message`; nothing done",
    "error_shape": "{errorCode, errorMessage} with `code` (2003) and HTTP `status` (200);"
    " nothing done",
    "number_status_code": "a successful statusCode as the number 0",
    "no_status_code": "a successful answer without statusCode",
    "utc_times": "times as GMT+0000",
}
#: About the members of an answer on a payment; what happened stays as it was.
SPOIL_FAULTS: Final[Mapping[str, str]] = {
    "wrong_amount": "the answer names another amount (`amount`)",
    "wrong_currency": "the answer names another currency (`currency`, USD)",
    "wrong_invoice": "the answer names another invoice (`invoice`)",
    "wrong_reference": "the answer names another payerReference (`reference`)",
    "wrong_payment_id": "the answer names another paymentID (`payment_id`)",
    "no_trx_id": "the answer has no trxID",
    "used_trx_id": "trxID of another payment (`trx_id`, else the first one paid)",
    "status_text": "transactionStatus is `text` (Processing)",
    "other_spelling": "merchantInvoice and merchantInvoiceNumber change places",
    "both_spellings": "merchantInvoice and merchantInvoiceNumber both",
}
TIMES: Final = ("paymentCreateTime", "paymentExecuteTime", "initiationTime", "completedTime")


def time_text(stamp: float) -> str:
    """Milliseconds stand after a colon: ``2019-08-07T11:12:34:978 GMT+0600``."""
    moment = dhaka(stamp)
    return f"{moment:%Y-%m-%dT%H:%M:%S}:{moment.microsecond // 1000:03d} GMT+0600"


def utc_text(stamp: float) -> str:
    moment = utc(stamp)
    return f"{moment:%Y-%m-%dT%H:%M:%S}:{moment.microsecond // 1000:03d} GMT+0000"


def refuse(code: str, message: str = "") -> NoReturn:
    """Refusals of the business kind come with HTTP 200."""
    text = message or MESSAGES.get(code, "Process failed")
    raise Refusal(json_response({"statusCode": code, "statusMessage": text}))


def refuse_at_gate(status: int, message: str) -> NoReturn:
    """Refusals of the gateway in front have nothing but a message."""
    raise Refusal(json_response({"message": message}, status))


def refuse_by(fault: Fault | None) -> None:
    """Leave with the refusal that ``fault`` asks for, if it is one of the common ones."""
    match fault.fault if fault else "":
        case "expired_token":
            refuse_at_gate(401, "The incoming token has expired")
        case "refused" if fault:
            refuse(fault.text("code", "2003"), fault.text("message", ""))
        case "error_shape" if fault:
            code = fault.text("code", "2003")
            body = {"errorCode": code, "errorMessage": MESSAGES.get(code, "Process failed")}
            raise Refusal(json_response(body, int(fault.number("status", 200))))


def answer(members: JsonObject, times: Mapping[str, float], fault: Fault | None) -> Response:
    """A success with ``members`` and with ``times``, which are written in bKash's manner."""
    name = fault.fault if fault else ""
    write = utc_text if name == "utc_times" else time_text
    body: JsonObject = {"statusCode": "0000", "statusMessage": MESSAGES["0000"], **members}
    body |= {key: write(stamp) for key, stamp in times.items() if stamp}
    if name == "number_status_code":
        body["statusCode"] = 0
    elif name == "no_status_code":
        del body["statusCode"]
    return json_response(body)


def about(payment: Payment, invoice_name: str) -> JsonObject:
    """The members that execute and query have in common."""
    members: JsonObject = {
        "paymentID": payment.payment_id,
        "payerReference": payment.payer_reference,
        "amount": payment.paid_amount or payment.amount,
        "currency": payment.currency,
        "intent": payment.intent,
        invoice_name: payment.invoice,
        "transactionStatus": payment.status,
    }
    if payment.done:
        members |= {"trxID": payment.trx_id, "customerMsisdn": payment.wallet}
    return members


def spoil(members: JsonObject, fault: Fault, *, used_trx_id: str) -> None:
    match fault.fault:
        case "wrong_amount":
            members["amount"] = fault.text("amount", other_amount(members["amount"]))
        case "wrong_currency":
            members["currency"] = fault.text("currency", "USD")
        case "wrong_invoice":
            name = next(name for name in members if name.startswith("merchantInvoice"))
            members[name] = fault.text("invoice", "NOT-YOURS-1")
        case "wrong_reference":
            members["payerReference"] = fault.text("reference", "NOTYOURS1")
        case "wrong_payment_id":
            members["paymentID"] = fault.text("payment_id", "TR0011NOTYOURS1")
        case "no_trx_id":
            members.pop("trxID", None)
        case "used_trx_id":
            members["trxID"] = fault.text("trx_id", used_trx_id)
        case "status_text":
            members["transactionStatus"] = fault.text("text", "Processing")
        case "other_spelling" | "both_spellings":
            respell(members, keep=fault.fault == "both_spellings")


def respell(members: JsonObject, *, keep: bool) -> None:
    first, second = "merchantInvoice", "merchantInvoiceNumber"
    old, new = (first, second) if first in members else (second, first)
    members[new] = members[old]
    if not keep:
        del members[old]

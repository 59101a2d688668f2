"""Answers and notifications of both platforms, and the faults that belong to the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NoReturn

from simulators.frame.clock import dhaka
from simulators.frame.faults import Fault
from simulators.frame.http import JsonObject, Refusal, Response, json_response

from .records import TEXTS, Charge

ANSWER_FAULTS: Final[Mapping[str, str]] = {
    "refused": "statusCode `code` (E1378) with `detail`, nothing done",
    "refused_after": "statusCode `code` (E1337) with `detail`, although the work was done",
    "unknown_code": "statusCode `code` (X9999), nothing done",
    "no_code": "an answer without statusCode",
    "wrong_reference": "another externalTrxId (`reference`)",
    "no_internal_id": "no internalTrxId",
    "used_internal_id": "internalTrxId of another charge (`internal_id`, else the first one paid)",
}
DEBIT_FAULTS: Final[Mapping[str, str]] = {
    **ANSWER_FAULTS,
    "pending": "charged `seconds` (5, null: never) later; until then every repetition is E1601",
}
OTP_FAULTS: Final[Mapping[str, str]] = {
    "refused": "statusCode `code` (E1850) with `detail`, nothing done",
    "refused_after": "statusCode `code` (E1852) with `detail`, although the charge goes on",
    "no_code": "an answer without statusCode",
    "expired": "E1851, and the password is gone",
}
NOTIFICATION_FAULTS: Final[Mapping[str, str]] = {
    "never": "not sent",
    "repeat": "sent `count` (2) times at once",
    "late": "the charge is decided, and told, after `seconds` (5)",
    "before_answer": "answered by the merchant before the OTP call is",
    "refused": "the charge fails: statusCode `code` (E1378)",
    "partial": "less is taken than asked (`amount`, half of it)",
    "wrong_amount": "another TotalAmount and paidAmount are told (`amount`)",
    "wrong_currency": "another currency (`currency`, USD)",
    "wrong_internal_id": "another internalTrxId (`internal_id`)",
    "unknown_id": "an externalTrxId nobody knows (`reference`)",
    "no_code": "no statusCode",
    "malformed": "broken JSON",
}


def refuse(code: str, detail: str = "", **rest: object) -> NoReturn:
    """Refusals come with HTTP 200 and a code."""
    raise Refusal(json_response(coded(code, detail, **rest)))


def coded(code: str, detail: str = "", **rest: object) -> JsonObject:
    return {"statusCode": code, "statusDetail": detail or TEXTS.get(code, code), **rest}


def charge_answer(charge: Charge, code: str, now: float, fault: Fault | None = None) -> Response:
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    body = coded(
        code,
        timeStamp=moment,
        externalTrxId=charge.external,
        internalTrxId=charge.internal,
        shortDescription=TEXTS.get(code, code),
        longDescription=TEXTS.get(code, code),
    )
    if code == "P1003":
        body["requestCorrelator"] = charge.correlator
    match fault.fault if fault else "":
        case "no_code":
            del body["statusCode"]
        case "wrong_reference" if fault:
            body["externalTrxId"] = fault.text("reference", "NOTYOURS1")
        case "no_internal_id":
            del body["internalTrxId"]
        case "used_internal_id" if fault:
            body["internalTrxId"] = fault.text("internal_id", charge.internal)
        case "refused_after" if fault:
            body |= coded(fault.text("code", "E1337"), fault.text("detail", ""))
    return json_response(body)


def half(amount: str) -> str:
    return str((Decimal(amount) / 2).quantize(Decimal("0.01")))


def other_amount(amount: str) -> str:
    return str(max(Decimal(amount) - 1, Decimal("0.50")))


def notification(charge: Charge, code: str, now: float, fault: Fault | None = None) -> str:
    """The charging notification of Applink; numbers are written as texts."""
    paid = charge.paid_amount or ("0.00" if code != "S1000" else charge.amount)
    due = Decimal(charge.amount) - Decimal(paid) if code == "S1000" else Decimal(0)
    body: JsonObject = {
        "timeStamp": dhaka(now).strftime("%d-%b-%Y %H:%M"),
        "TotalAmount": charge.amount,
        "paidAmount": paid,
        "balanceDue": f"{due:.2f}",
        "externalTrxId": charge.external,
        "internalTrxId": charge.internal,
        "referenceId": charge.correlator,
        "currency": charge.currency,
        "statusCode": code,
        "statusDetail": TEXTS.get(code, code),
        "version": "1.0",
    }
    match fault.fault if fault else "":
        case "wrong_amount" if fault:
            body["TotalAmount"] = body["paidAmount"] = fault.text("amount", other_amount(paid))
        case "wrong_currency" if fault:
            body["currency"] = fault.text("currency", "USD")
        case "wrong_internal_id" if fault:
            body["internalTrxId"] = fault.text("internal_id", "99999999")
        case "unknown_id" if fault:
            body["externalTrxId"] = fault.text("reference", "UNKNOWN1")
        case "no_code":
            del body["statusCode"]
        case "malformed":
            return json.dumps(body)[:-9]
    return json.dumps(body)


def refuse_early(fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "refused" if fault:
            refuse(fault.text("code", "E1378"), fault.text("detail", ""))
        case "unknown_code" if fault:
            refuse(fault.text("code", "X9999"), fault.text("detail", "Unknown"))

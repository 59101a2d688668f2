"""Reading the body of a create call, current and older generation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final, NoReturn

from simulators.frame.http import JsonObject, Refusal, Request, is_web_address, json_response

REQUIRED: Final = (
    "invoice_number",
    "payment_amount",
    "cust_name",
    "cust_phone",
    "cust_email",
    "callback_url",
)
OPTIONAL: Final = (
    "currency",
    "pay_with_charge",
    "reference",
    "cust_address",
    "checkout_items",
    "opt_a",
    "opt_b",
    "opt_c",
    "emi",
)
#: The contract says "other code: refusal, keep the message"; this one is our choice.
BAD_FIELD: Final = "1002"


def refuse(code: str, message: str) -> NoReturn:
    """Refusals come with HTTP 200 and a code in the envelope."""
    raise Refusal(json_response({"status_code": code, "status": "failed", "message": message}))


def read_create(request: Request, *, required: Iterable[str] = REQUIRED) -> dict[str, str]:
    """The known members as texts.

    Raises:
        Refusal: a member is missing, null, empty or malformed.
    """
    data = request.data()
    for name in required:
        if name not in data:
            refuse(BAD_FIELD, f"The {name.replace('_', ' ')} field is required.")
    members: dict[str, str] = {
        name: member(data, name) for name in (*REQUIRED, *OPTIONAL) if name in data
    }
    check(members)
    return members


def member(data: JsonObject, name: str) -> str:
    value = data[name]
    if name == "checkout_items" and isinstance(value, (dict, list)):
        return json.dumps(value)
    # Null is refused by the provider, and an empty form field arrives there as null.
    if value is None or value == "":
        refuse(BAD_FIELD, f"The {name.replace('_', ' ')} must be a string.")
    if isinstance(value, (bool, dict, list)):
        refuse(BAD_FIELD, f"The {name.replace('_', ' ')} must be a string.")
    return str(value)


def check(members: dict[str, str]) -> None:
    amount = members["payment_amount"]
    if not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", amount) or float(amount) <= 0:
        refuse(BAD_FIELD, "The payment amount must be a number above 0.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", members["invoice_number"]):
        refuse(BAD_FIELD, "The invoice number format is invalid.")
    if not re.fullmatch(r"01\d{9}", members["cust_phone"]):
        refuse(BAD_FIELD, "The cust phone format is invalid.")
    if "@" not in members["cust_email"]:
        refuse(BAD_FIELD, "The cust email must be a valid email address.")
    if not is_web_address(members["callback_url"]):
        refuse(BAD_FIELD, "The callback url format is invalid.")
    if members.get("currency", "BDT") != "BDT":
        refuse(BAD_FIELD, "The selected currency is invalid.")
    if members.get("pay_with_charge", "0") not in ("0", "1"):
        refuse(BAD_FIELD, "The selected pay with charge is invalid.")

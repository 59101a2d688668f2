"""Reading the body of a create call."""

from __future__ import annotations

import re
from typing import Final

from simulators.frame.http import JsonObject, Request, is_web_address

from .answers import refuse

MANDATORY: Final = (
    "mode",
    "payerReference",
    "callbackURL",
    "amount",
    "currency",
    "intent",
    "merchantInvoiceNumber",
)
LONG: Final = 255


def body_of(request: Request) -> JsonObject:
    data = request.json()
    if data is None:
        refuse("2025")
    return data


def read_amount(value: object) -> str | None:
    """A sum above 0 as bKash wants it, which is a text."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", value):
        return None
    return value if float(value) > 0 else None


def read_create(request: Request) -> dict[str, str]:
    """The mandatory members.

    Raises:
        Refusal: one is missing or not as it should be.
    """
    data = body_of(request)
    if any(data.get(name) is None for name in MANDATORY):
        refuse("2065")
    if data["mode"] in ("0000", "0001"):
        refuse("2064")  # agreements are not simulated
    good = {
        "2063": data["mode"] == "0011",
        "2048": is_reference(data["payerReference"]),
        "2049": is_web_address(data["callbackURL"]),
        "2006": read_amount(data["amount"]) is not None,
        "2007": data["currency"] == "BDT",
        "2008": data["intent"] in ("sale", "authorization"),
        "2031": is_invoice(data["merchantInvoiceNumber"]),
    }
    for code, holds in good.items():
        if not holds:
            refuse(code)
    return {name: str(data[name]) for name in MANDATORY}


def is_reference(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(rf"[^<>&]{{1,{LONG}}}", value) is not None


def is_invoice(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9-]{1,255}", value) is not None

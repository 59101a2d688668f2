"""Reading the body of an open-session call."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NoReturn

from simulators.frame.faults import Fault
from simulators.frame.http import JsonObject, Refusal, Request, is_web_address, json_response

from .answers import two_digits
from .records import RATES, Session

LEAST: Final = Decimal(10)
MOST: Final = Decimal(500_000)
#: Required fields with their greatest length.
REQUIRED: Final[Mapping[str, int]] = {
    "total_amount": 13,
    "currency": 3,
    "tran_id": 30,
    "product_category": 100,
    "success_url": 255,
    "fail_url": 255,
    "cancel_url": 255,
    "cus_name": 50,
    "cus_email": 50,
    "cus_add1": 50,
    "cus_city": 50,
    "cus_postcode": 30,
    "cus_country": 50,
    "cus_phone": 20,
    "shipping_method": 50,
    "num_of_item": 10,
    "product_name": 255,
    "product_profile": 100,
}
OPTIONAL: Final[Mapping[str, int]] = {
    "ipn_url": 255,
    "value_a": 255,
    "value_b": 255,
    "value_c": 255,
    "value_d": 255,
    "multi_card_name": 255,
    "emi_option": 1,
}
SHIPPED: Final = ("ship_name", "ship_add1", "ship_city", "ship_postcode", "ship_country")
TELECOM: Final = ("product_type", "topup_number", "country_topup")
PROFILES: Final = frozenset(
    {
        "general",
        "physical-goods",
        "non-physical-goods",
        "airline-tickets",
        "travel-vertical",
        "telecom-vertical",
    }
)


def answer(status: str, reason: str = "", **rest: object) -> JsonObject:
    """The answer to open session; HTTP 200 for success and refusal alike."""
    empty = {"sessionkey": "", "GatewayPageURL": "", "storeBanner": "", "storeLogo": ""}
    return {"status": status, "failedreason": reason, **empty, "desc": [], **rest}


def refuse(reason: str) -> NoReturn:
    raise Refusal(json_response(answer("FAILED", reason)))


def read_session(request: Request) -> dict[str, str]:
    """The known fields.

    Raises:
        Refusal: one is missing, too long or malformed.
    """
    data = request.form()
    more = TELECOM if data.get("product_profile") == "telecom-vertical" else ()
    if data.get("shipping_method", "NO") != "NO":
        more = (*more, *SHIPPED)
    for name in (*REQUIRED, *more):
        if not data.get(name):
            refuse(f"Invalid Information! '{name}' is missing or empty.")
    known = {**REQUIRED, **OPTIONAL}
    for name, limit in known.items():
        if len(data.get(name, "")) > limit:
            refuse(f"Invalid Information! '{name}' is longer than {limit}.")
    check(data)
    return {name: data[name] for name in known if name in data}


def check(data: Mapping[str, str]) -> None:
    if not re.fullmatch(r"\d{1,8}(\.\d{1,2})?", data["total_amount"]):
        refuse("Invalid Information! 'total_amount' must be a decimal.")
    if data["currency"] not in RATES:
        refuse("Invalid Information! 'currency' is not supported.")
    taka = Decimal(data["total_amount"]) * RATES[data["currency"]]
    if not LEAST <= taka <= MOST:
        refuse("Invalid amount! It must be 10.00 to 500000.00 BDT.")
    if not data["num_of_item"].isdigit():
        refuse("Invalid Information! 'num_of_item' must be an integer.")
    if data["product_profile"] not in PROFILES:
        refuse("Invalid Information! 'product_profile' is unknown.")
    if "@" not in data["cus_email"]:
        refuse("Invalid Information! 'cus_email' is no e-mail address.")
    for name in ("success_url", "fail_url", "cancel_url", "ipn_url"):
        if data.get(name) and not is_web_address(data[name]):
            refuse(f"Invalid Information! '{name}' is no address.")


def new_session(store: str, wish: Mapping[str, str], *, now: float) -> Session:
    taka = Decimal(wish["total_amount"]) * RATES[wish["currency"]]
    return Session(
        sessionkey=secrets.token_hex(16).upper(),
        store_id=store,
        tran_id=wish["tran_id"],
        total_amount=wish["total_amount"],
        currency=wish["currency"],
        amount=two_digits(taka),
        success_url=wish["success_url"],
        fail_url=wish["fail_url"],
        cancel_url=wish["cancel_url"],
        created_at=now,
        ipn_url=wish.get("ipn_url", ""),
        cus_name=wish["cus_name"],
        values={each: wish[f"value_{each}"] for each in "abcd" if f"value_{each}" in wish},
    )


def refuse_by(fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "refused" if fault:
            refuse(fault.text("reason", "Invalid Information!"))
        case "bad_credentials":
            refuse("Store Credential Error Or Store is De-active")


def spoil(said: JsonObject, fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "no_url":
            said["GatewayPageURL"] = ""
        case "no_sessionkey":
            said["sessionkey"] = ""
        case "wrong_host" if fault:
            said["GatewayPageURL"] = fault.text("url", "http://sslcommerz.example/pay/1")
        case "status_text" if fault:
            said["status"] = fault.text("text", "REVERSED")

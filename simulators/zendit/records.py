"""A purchase, and the shapes of refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NoReturn

from simulators.frame.clock import iso_utc, utc
from simulators.frame.http import JsonObject, Refusal, json_response

ACCEPTED: Final = "ACCEPTED"
PENDING: Final = "PENDING"
AUTHORIZED: Final = "AUTHORIZED"
IN_PROGRESS: Final = "IN_PROGRESS"
DONE: Final = "DONE"
FAILED: Final = "FAILED"
FINAL: Final = frozenset({DONE, FAILED, "FAIL"})

MESSAGES: Final = {
    ACCEPTED: "Transaction accepted",
    PENDING: "Transaction queued",
    AUTHORIZED: "Wallet authorized",
    IN_PROGRESS: "Sent to the provider",
    DONE: "Voucher delivered",
    FAILED: "Transaction failed",
}


@dataclass
class Purchase:
    transaction_id: str
    offer: JsonObject  # as it was when bought
    cost: int
    price: int
    send: int
    created_at: float
    value: JsonObject | None = None
    fields: list[JsonObject] = field(default_factory=list)
    status: str = ACCEPTED
    updated_at: float = 0.0
    log: list[JsonObject] = field(default_factory=list)
    receipt: JsonObject = field(default_factory=dict)
    error: JsonObject | None = None
    confirmation: JsonObject | None = None
    plan: JsonObject = field(default_factory=dict)
    """What becomes of it: the fault it was born with, and that fault's options."""
    reserved: int = 0
    charges: int = 0
    code: str = ""


def purchase_facts(purchase: Purchase) -> dict[str, str]:
    """What a fault's ``match`` may name."""
    return {
        "reference": purchase.transaction_id,
        "transaction_id": purchase.transaction_id,
        "offer_id": purchase.offer["offerId"],
        "brand": purchase.offer["brand"],
        "amount": str(purchase.cost),
        "status": purchase.status,
    }


def shown(purchase: Purchase) -> JsonObject:
    """The object of GET, list and webhook."""
    offer = purchase.offer
    same = ("offerId", "productType", "brand", "brandName", "country", "regions", "subTypes")
    body: JsonObject = {
        "transactionId": purchase.transaction_id,
        "status": purchase.status,
        **{name: offer[name] for name in (*same, "priceType", "notes", "shortNotes")},
        "value": purchase.value,
        "fields": purchase.fields,
        "costBase": purchase.cost,
        "priceBase": purchase.price,
        "log": purchase.log,
        "createdAt": iso_utc(purchase.created_at),
        "updatedAt": iso_utc(purchase.updated_at or purchase.created_at),
    }
    for name, amount in (
        ("cost", purchase.cost),
        ("price", purchase.price),
        ("send", purchase.send),
    ):
        body[name] = amount
        body[f"{name}Currency"] = offer[name]["currency"]
        body[f"{name}CurrencyDivisor"] = offer[name]["currencyDivisor"]
    body["costFee"] = body["priceFee"] = 0
    if purchase.status == DONE:
        body["confirmation"] = purchase.confirmation
        body["receipt"] = purchase.receipt
    if purchase.error is not None:
        body["error"] = purchase.error
    return body


def receipt(purchase: Purchase, code: str, number: str, kind: str, now: float) -> JsonObject:
    """``kind``: "" as the offer says, ``url``, ``no_expiry`` or ``empty``."""
    if kind == "empty":
        return {}
    offer = purchase.offer
    by_link = kind == "url" or (kind != "pin" and offer["deliveryType"] == "URL")
    body: JsonObject = {
        "deliveryType": "URL" if by_link else "PIN",
        "confirmationNumber": number,
        "voucherId": f"SN{number}",
        "currency": offer["send"]["currency"],
        "currencyDivisor": offer["send"]["currencyDivisor"],
        "send": purchase.send,
        "instructions": f"Redeem at the {offer['brandName']} website or app.",
        "terms": "Not for resale. No refunds.",
        "notes": offer["notes"],
        "recipientCustomerServiceNumber": "+8801000000000",
        "senderCustomerServiceNumber": "+8801000000000",
    }
    if by_link:
        body["redemptionUrl"] = f"https://redeem.example/{code}"
    else:
        body["epin"] = code
    days = offer.get("expiresDays", 0)
    if days and kind != "no_expiry":
        body["expiresAt"] = f"{utc(now) + timedelta(days=days):%Y-%m-%dT00:00:00Z}"
    return body


def refuse(status: int, code: str, message: str, fields: dict[str, str] | None = None) -> NoReturn:
    body: JsonObject = {"errorCode": code, "message": message}
    if fields is not None:
        body["fields"] = fields
    raise Refusal(json_response(body, status))

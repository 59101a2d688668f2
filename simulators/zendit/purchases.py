"""One purchase: how it moves, and how it looks from outside."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simulators.frame.clock import iso_utc
from simulators.frame.http import JsonObject

STEPS: Final = ("ACCEPTED", "PENDING", "AUTHORIZED", "IN_PROGRESS")
DONE: Final = "DONE"
FAILED: Final = frozenset({"FAILED", "FAIL"})
YEAR: Final = 365 * 24 * 3600.0
_LETTERS: Final = "".join(sorted(set(string.ascii_uppercase + "23456789") - set("IOB8")))


@dataclass
class Purchase:
    transactionId: str  # noqa: N815 - the contract's own name
    offerId: str  # noqa: N815
    body: JsonObject
    cost: int
    divisor: int
    created_at: float
    status: str = "ACCEPTED"
    charges: int = 0
    """How often our wallet was charged for it; never more than once unless told so."""
    receipt: JsonObject = field(default_factory=dict)
    error: JsonObject = field(default_factory=dict)
    log: list[JsonObject] = field(default_factory=list)
    updated_at: float = 0.0

    @property
    def final(self) -> bool:
        return self.status == DONE or self.status in FAILED


def new_code() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    return "ZEN-" + "-".join(groups)


def receipt(purchase: Purchase, offer: Mapping[str, Any], *, code: str, stamp: float) -> JsonObject:
    linked = offer["deliveryType"] == "LINK"
    return {
        "epin": "" if linked else code,
        "redemptionUrl": f"https://redeem.zendit.example/{code}" if linked else "",
        "voucherId": f"S{purchase.transactionId[-10:]}",
        "deliveryType": offer["deliveryType"],
        "currency": "USD",
        "currencyDivisor": purchase.divisor,
        "send": purchase.cost,
        "expiresAt": iso_utc(stamp + YEAR),
        "instructions": f"Redeem in the {offer['brandName']} app.",
        "terms": "No refund after delivery.",
        "notes": "",
    }


def shown(purchase: Purchase, offer: Mapping[str, Any]) -> JsonObject:
    """The purchase object of GET and of the webhook."""
    money = {
        f"{kind}{part}": value
        for kind in ("cost", "price", "send")
        for part, value in (
            ("", purchase.cost),
            ("Currency", "USD"),
            ("CurrencyDivisor", purchase.divisor),
        )
    }
    answer: JsonObject = {
        "transactionId": purchase.transactionId,
        "offerId": purchase.offerId,
        "status": purchase.status,
        "productType": "VOUCHER",
        "brand": offer["brand"],
        "brandName": offer["brandName"],
        "country": offer["country"],
        "regions": offer["regions"],
        "subTypes": offer["subTypes"],
        "priceType": offer["priceType"],
        "value": purchase.body.get("value"),
        "fields": purchase.body.get("fields", []),
        **money,
        "receipt": purchase.receipt,
        "log": purchase.log,
        "notes": "",
        "shortNotes": offer["shortNotes"],
        "createdAt": iso_utc(purchase.created_at),
        "updatedAt": iso_utc(purchase.updated_at or purchase.created_at),
    }
    if purchase.status == DONE:
        answer["confirmation"] = {
            "confirmationNumber": purchase.transactionId[-8:],
            "externalReferenceId": "",
            "transactionTime": iso_utc(purchase.updated_at),
        }
    if purchase.error:
        answer["error"] = purchase.error
    return answer

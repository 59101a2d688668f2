"""A transaction, its cards, and the shapes of refusals."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final, NoReturn

from simulators.frame.clock import utc
from simulators.frame.http import JsonObject, Refusal, Response, json_response

from .catalogue import number

PENDING: Final = "PENDING"
PROCESSING: Final = "PROCESSING"
SUCCESSFUL: Final = "SUCCESSFUL"
FAILED: Final = "FAILED"
REFUNDED: Final = "REFUNDED"
#: Nothing more happens to these by itself; FAILED goes on to REFUNDED.
SETTLED: Final = frozenset({SUCCESSFUL, FAILED, REFUNDED})


@dataclass
class Transaction:
    transaction_id: int
    identifier: str
    product: JsonObject  # as it was when bought
    quantity: int
    unit_price: float
    cost: int
    created_at: float
    status: str = PENDING
    old_balance: int = 0
    new_balance: int = 0
    charged: bool = False
    refunded: bool = False
    cards: list[JsonObject] = field(default_factory=list)
    finished_at: float = 0.0
    plan: JsonObject = field(default_factory=dict)
    """What becomes of it: the fault it was born with, and that fault's options."""


def stamp(seconds: float) -> str:
    return utc(seconds).strftime("%Y-%m-%d %H:%M:%S")


def transaction_facts(row: Transaction) -> dict[str, str]:
    """What a fault's ``match`` may name."""
    return {
        "reference": row.identifier,
        "transaction_id": str(row.transaction_id),
        "product_id": str(row.product["productId"]),
        "amount": str(number(row.cost)),
        "status": row.status,
    }


def shown(row: Transaction) -> JsonObject:
    """The object of the order's answer and of the report, wallet aside."""
    product = row.product
    return {
        "transactionId": row.transaction_id,
        "status": row.status,
        "amount": number(row.cost),
        "discount": 0.0,
        "currencyCode": "USD",
        "fee": 0.0,
        "smsFee": 0.0,
        "totalFee": 0.0,
        "customIdentifier": row.identifier,
        "recipientEmail": None,
        "receipientPhone": None,
        "recipientPhone": None,
        "product": {
            "productId": product["productId"],
            "productName": product["productName"],
            "countryCode": product["country"]["isoName"],
            "quantity": row.quantity,
            "unitPrice": row.unit_price,
            "totalPrice": round(row.unit_price * row.quantity, 5),
            "currencyCode": product["recipientCurrencyCode"],
            "brand": product["brand"],
        },
        "transactionCreatedTime": stamp(row.created_at),
        "preOrdered": False,
    }


def wallet(row: Transaction) -> JsonObject:
    """``balanceInfo`` of an order's answer."""
    return {
        "oldBalance": number(row.old_balance),
        "newBalance": number(row.new_balance),
        "cost": number(row.cost),
        "currencyCode": "USD",
        "currencyName": "US Dollar",
        "updatedAt": stamp(row.created_at),
    }


def card(row: Transaction, code: str, kind: str) -> JsonObject:
    """One card as it is kept; ``kind`` is the fault that makes it odd."""
    entry: JsonObject = {
        "cardNumber": code,
        "pinCode": f"{secrets.randbelow(10**6):06d}",
        "redemptionUrl": None,
    }
    match kind:
        case "link" | "link_in_card_number":
            entry |= {"cardNumber": f"https://redeem.example/{code}", "pinCode": None}
        case "null_pin":
            entry["pinCode"] = None
        case "empty_card":
            entry |= {"cardNumber": None, "pinCode": ""}
        case "leading_zero":
            entry["cardNumber"] = f"00{secrets.randbelow(10**14):014d}"
        case "number_card":
            entry |= {"cardNumber": secrets.randbelow(9 * 10**18) + 10**18, "pinCode": 4711}
    if row.product.get("byLink"):
        link = f"https://redeem.example/{code}"
        entry |= {"cardNumber": link, "pinCode": None, "redemptionUrl": link}
    return entry


def error(
    status: int, code: str | None, message: str, path: str = "", details: object = None
) -> Response:
    """The usual shape; gift cards often carry no ``errorCode``."""
    body = {
        "timeStamp": "2026-01-01 00:00:00",
        "message": message,
        "path": path,
        "errorCode": code,
        "infoLink": None,
        "details": details or [],
    }
    return json_response(body, status)


def refuse(status: int, code: str | None, message: str, path: str = "") -> NoReturn:
    raise Refusal(error(status, code, message, path))

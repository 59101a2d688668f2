"""The offers: every kind the contract knows, and enough of them for several pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulators.frame.http import JsonObject

SINCE: Final = "2025-01-15T08:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Goods:
    """One line of the table below. Amounts are minor units of their currency."""

    offer_id: str
    brand: str
    brand_name: str
    country: str
    sub_type: str
    cost: int | tuple[int, int]  # what the wallet pays: fixed, or least and most
    send: int | tuple[int, int]  # what the receiver gets
    send_currency: str = "USD"
    divisor: int = 100
    fields: Sequence[str] = ()
    by_link: bool = False
    expires_days: int = 365  # 0: never
    enabled: bool = True


GOODS: Final = (
    Goods(
        "FF_100_DIAMONDS", "FREEFIRE", "Free Fire", "BD", "Gaming", 95, 100, fields=["player_id"]
    ),
    Goods(
        "FF_310_DIAMONDS", "FREEFIRE", "Free Fire", "BD", "Gaming", 285, 310, fields=["player_id"]
    ),
    Goods("NETFLIX_500", "NETFLIX", "Netflix", "BD", "Streaming", 455, 50000, "BDT"),
    Goods("NETFLIX_800", "NETFLIX", "Netflix", "BD", "Streaming", 725, 80000, "BDT"),
    Goods("NETFLIX_1000", "NETFLIX", "Netflix", "BD", "Streaming", 905, 100000, "BDT"),
    Goods("ZEN_GAME_1100", "ZENGAME", "Zen Game", "BD", "Gaming", 990, 1100, expires_days=0),
    Goods("ZEN_GAME_550", "ZENGAME", "Zen Game", "BD", "Gaming", 500, 550, expires_days=0),
    Goods("APPLE_US_10_EGIFT_WHS", "APPLE", "Apple", "US", "Gift Card", 960, 1000, by_link=True),
    Goods("STEAM_US_RANGE", "STEAM", "Steam", "US", "Gaming", (480, 9600), (500, 10000)),
    Goods("AMAZON_US_RANGE", "AMAZON", "Amazon", "US", "Gift Card", (98, 49000), (100, 50000)),
    Goods("NINTENDO_JP_3000", "NINTENDO", "Nintendo", "JP", "Gaming", 2010, 3000, "JPY", 1),
    Goods("KNET_KW_10", "KNET", "K-Net Gift", "KW", "Gift Card", 3190, 10000, "KWD", 1000),
    Goods(
        "ROBI_BD_100", "ROBI", "Robi", "BD", "Mobile", 89, 10000, "BDT", fields=["recipient.msisdn"]
    ),
    Goods(
        "STORE_US_25",
        "STORE",
        "Store Card",
        "US",
        "Gift Card",
        2400,
        2500,
        fields=["recipient.firstName", "recipient.lastName", "sender.firstName"],
    ),
    Goods(
        "PLAY_US_15_OLD", "GOOGLEPLAY", "Google Play", "US", "Gift Card", 1440, 1500, enabled=False
    ),
    *(
        Goods(
            f"PLAY_US_{value}",
            "GOOGLEPLAY",
            "Google Play",
            "US",
            "Gift Card",
            value * 96,
            value * 100,
        )
        for value in (5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 100, 120, 150, 200)
    ),
)


def span(amount: int | tuple[int, int]) -> JsonObject:
    if isinstance(amount, tuple):
        return {"fixed": 0, "min": amount[0], "max": amount[1]}
    return {"fixed": amount, "min": amount, "max": amount}


def with_margin(amount: int | tuple[int, int]) -> int | tuple[int, int]:
    if isinstance(amount, tuple):
        return (amount[0] * 105 // 100, amount[1] * 105 // 100)
    return amount * 105 // 100


def offer(goods: Goods) -> JsonObject:
    dollars = {"currency": "USD", "currencyDivisor": 100}
    return {
        "offerId": goods.offer_id,
        "brand": goods.brand,
        "brandName": goods.brand_name,
        "country": goods.country,
        "regions": ["Asia"] if goods.country in ("BD", "JP", "KW") else ["North America"],
        "productType": "VOUCHER",
        "subTypes": [goods.sub_type],
        "deliveryType": "URL" if goods.by_link else "PIN",
        "enabled": goods.enabled,
        "priceType": "RANGE" if isinstance(goods.send, tuple) else "FIXED",
        "requiredFields": list(goods.fields),
        "cost": {**dollars, **span(goods.cost), "fx": 1, "fee": 0, "feePct": 0, "discount": 0},
        "price": {
            **dollars,
            **span(with_margin(goods.cost)),
            "fx": 1,
            "fee": 0,
            "margin": 5,
            "increment": 1,
            "suggestedFixed": 0,
            "suggestedFx": 1,
        },
        "send": {
            "currency": goods.send_currency,
            "currencyDivisor": goods.divisor,
            **span(goods.send),
            "fx": 1,
        },
        "notes": f"{goods.brand_name} for {goods.country}.",
        "shortNotes": goods.brand_name,
        "createdAt": SINCE,
        "updatedAt": SINCE,
        "expiresDays": goods.expires_days,
    }


def offers() -> dict[str, JsonObject]:
    return {goods.offer_id: offer(goods) for goods in GOODS}


def shown(row: JsonObject) -> JsonObject:
    """An offer as the API tells it: how long vouchers live is our own knowledge."""
    return {key: value for key, value in row.items() if key != "expiresDays"}


def amounts(row: JsonObject, value: JsonObject | None) -> dict[str, int] | None:
    """Cost, price and send of one purchase in minor units; None if ``value`` does not fit.

    A range is proportional: half of the highest cost buys half of the highest value.
    """
    if row["priceType"] == "FIXED":
        return {name: int(row[name]["fixed"]) for name in ("cost", "price", "send")}
    names = {"ZEND": "send", "PRICE": "price", "COST": "cost"}
    if not isinstance(value, dict) or value.get("type") not in names:
        return None
    asked: Any = value.get("value")
    limits = row[names[value["type"]]]
    if isinstance(asked, bool) or not isinstance(asked, int):
        return None
    if not limits["min"] <= asked <= limits["max"]:
        return None
    return {
        name: asked if row[name] is limits else asked * row[name]["max"] // limits["max"]
        for name in ("cost", "price", "send")
    }

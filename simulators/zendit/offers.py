"""The catalogue: fixed and ranged offers, disabled ones, required fields, odd divisors."""

from __future__ import annotations

from typing import Final

from simulators.frame.http import JsonObject


def offer(
    offer_id: str,
    brand: str,
    cost: int,
    *,
    divisor: int = 100,
    required: tuple[str, ...] = (),
    enabled: bool = True,
    price_type: str = "FIXED",
    delivery: str = "PIN",
) -> JsonObject:
    """`cost` in minor units of USD (or of whatever the divisor says)."""
    fixed = price_type == "FIXED"
    money = {
        "currency": "USD",
        "currencyDivisor": divisor,
        "fixed": cost if fixed else 0,
        "min": 0 if fixed else cost,
        "max": 0 if fixed else cost * 100,
        "fx": 1,
    }
    return {
        "offerId": offer_id,
        "brand": brand.upper().replace(" ", "_"),
        "brandName": brand,
        "country": "BD",
        "regions": ["Global"],
        "productType": "VOUCHER",
        "subTypes": ["Digital Vouchers"],
        "deliveryType": delivery,
        "enabled": enabled,
        "priceType": price_type,
        "requiredFields": list(required),
        "cost": {**money, "fee": 0, "feePct": 0, "discount": 0},
        "price": {**money, "margin": 0, "increment": 0, "suggestedFixed": cost, "fee": 0},
        "send": money,
        "notes": "",
        "shortNotes": f"{brand} voucher",
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
    }


OFFERS: Final[dict[str, JsonObject]] = {
    row["offerId"]: row
    for row in (
        offer("FF_100_DIAMONDS", "Free Fire", 82, required=("player_id",)),
        offer("FF_310_DIAMONDS", "Free Fire", 246, required=("player_id",)),
        offer("NETFLIX_800", "Netflix", 660),
        offer("ZEN_GAME_1100", "Steam", 900),
        offer("AMAZON_10", "Amazon", 1000, delivery="LINK"),
        offer("GOOGLE_PLAY_RANGE", "Google Play", 100, price_type="RANGE"),
        offer("KUWAIT_GIFT_5", "Gulf Gift", 5000, divisor=1000),
        offer("MOBILE_GIFT", "Mobile Gift", 300, required=("recipient.msisdn",)),
        offer("OLD_GAME_5", "Old Game", 500, enabled=False),
    )
}

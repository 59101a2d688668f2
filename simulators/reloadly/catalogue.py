"""The products: fixed and range, every denomination form, and enough for several pages."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from simulators.frame.http import JsonObject

#: Money is kept in hundred-thousandths of its currency: amounts come with up to five digits.
PARTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Goods:
    """One line of the table below. Face values are in the recipient's currency."""

    product_id: int
    name: str
    brand: str
    country: str
    currency: str
    rate: str  # dollars of the wallet for one unit of the recipient's currency
    fixed: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    by_link: bool = False
    needs_user_id: bool = False
    active: bool = True
    odd_spelling: bool = False


GOODS: Final = (
    Goods(5, "Amazon US", "Amazon", "US", "USD", "0.98", ("10.00", "25.00", "50.00")),
    Goods(10, "Google Play US", "Google Play", "US", "USD", "0.97", ("5.00", "10.00", "25.00")),
    Goods(15, "Steam US", "Steam", "US", "USD", "0.96", least="5.00", most="100.00"),
    Goods(18, "Netflix BD", "Netflix", "BD", "BDT", "0.00905", ("500.00", "800.00", "1000.00")),
    Goods(22, "Free Fire 100 Diamonds", "Free Fire", "BD", "USD", "0.95123", ("1.00",)),
    Goods(23, "Free Fire 310 Diamonds", "Free Fire", "BD", "USD", "0.92", ("3.10",)),
    Goods(31, "Apple US", "Apple", "US", "USD", "0.96", ("10.00",), by_link=True),
    Goods(40, "Nintendo JP", "Nintendo", "JP", "JPY", "0.0067", ("3000",)),
    Goods(44, "K-Net Gift", "K-Net", "KW", "KWD", "3.19", ("10.000",)),
    Goods(50, "PUBG UC", "PUBG", "BD", "USD", "0.95", ("5.00",), needs_user_id=True),
    Goods(60, "Old Card", "Old", "US", "USD", "0.9", ("15.00",), active=False),
    Goods(
        61, "Razer Gold", "Razer", "MY", "MYR", "0.22", least="10", most="500", odd_spelling=True
    ),
    *(
        Goods(100 + n, f"Store Card {n}", "Store", "US", "USD", "0.95", (f"{n}.00",))
        for n in range(1, 16)
    ),
)


def parts(text: object) -> int:
    """An amount as whole hundred-thousandths."""
    return int((Decimal(str(text)) * PARTS).to_integral_value())


def number(amount: int) -> float:
    """The JSON number of an amount."""
    return amount / PARTS


def product(goods: Goods) -> JsonObject:
    fixed = [float(value) for value in goods.fixed]
    rate = Decimal(goods.rate)
    row: JsonObject = {
        "productId": goods.product_id,
        "productName": goods.name,
        "global": False,
        "status": "ACTIVE" if goods.active else "INACTIVE",
        "supportsPreOrder": False,
        "brand": {"brandId": goods.product_id * 10, "brandName": goods.brand},
        "category": {"id": 1, "name": "Gift cards"},
        "country": {"isoName": goods.country, "name": goods.country, "flagUrl": ""},
        "logoUrls": [],
        "denominationType": "FIXED" if fixed else "RANGE",
        "recipientCurrencyCode": goods.currency,
        "fixedRecipientDenominations": fixed,
        "senderCurrencyCode": "USD",
        "fixedSenderDenominations": [float(Decimal(value) * rate) for value in goods.fixed] or None,
        "fixedRecipientToSenderDenominationsMap": {
            value: float(Decimal(value) * rate) for value in goods.fixed
        }
        or None,
        "recipientCurrencyToSenderCurrencyExchangeRate": float(rate),
        "senderFee": 0.0,
        "senderFeePercentage": 0.0,
        "discountPercentage": 0.0,
        "redeemInstruction": {"concise": f"Redeem at {goods.brand}.", "verbose": "Long text."},
        "additionalRequirements": {"userIdRequired": goods.needs_user_id},
        "metadata": {},
        "byLink": goods.by_link,
    }
    limits = {"minRecipientDenomination": goods.least, "maxRecipientDenomination": goods.most}
    if goods.odd_spelling:
        limits = {"minrecipientDenomination": goods.least, "maxrecipientDenomination": goods.most}
    row |= {name: float(text) if text else None for name, text in limits.items()}
    return row


def products() -> dict[str, JsonObject]:
    return {str(goods.product_id): product(goods) for goods in GOODS}


def shown(row: JsonObject) -> JsonObject:
    """As the API tells it: how the goods are delivered is our own knowledge."""
    return {key: value for key, value in row.items() if key != "byLink"}


def limit(row: JsonObject, which: str) -> float | None:
    """`min` or `max`, in either of the spellings that occur."""
    found = row.get(f"{which}RecipientDenomination") or row.get(f"{which}recipientDenomination")
    return None if found is None else float(found)


def cost(row: JsonObject, unit_price: object, quantity: int) -> int | None:
    """What the wallet pays; None if the price is neither listed nor in the range."""
    if isinstance(unit_price, bool) or not isinstance(unit_price, (int, float)):
        return None
    if row["denominationType"] == "FIXED":
        if float(unit_price) not in row["fixedRecipientDenominations"]:
            return None
    else:
        least, most = limit(row, "min"), limit(row, "max")
        if least is None or most is None or not least <= float(unit_price) <= most:
            return None
    rate = Decimal(str(row["recipientCurrencyToSenderCurrencyExchangeRate"]))
    return parts(Decimal(str(unit_price)) * rate * quantity)

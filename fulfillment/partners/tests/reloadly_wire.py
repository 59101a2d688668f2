"""What Reloadly answers, and the adapter under test; names as on contract page reloadly."""

from decimal import Decimal
from typing import Any, Final

import responses

from core.http import Outbound
from fulfillment.partners.base import AtWork, IssuedCode, Offer
from fulfillment.partners.reloadly import ReloadlyPartner
from fulfillment.partners.reloadly_tokens import Account
from fulfillment.partners.tests.contract import REFERENCE, Canned

BASE: Final = "https://giftcards.reloadly.test"
AUTH: Final = "https://auth.reloadly.test"
TOKEN: Final = f"{AUTH}/oauth/token"
ORDERS: Final = f"{BASE}/orders"
REPORT: Final = f"{BASE}/reports/transactions"
CARDS: Final = f"{BASE}/orders/transactions/77/cards"
BALANCE: Final = f"{BASE}/accounts/balance"
SECRET: Final = "very-secret-client-secret"
BEARER: Final = "very-secret-token"
NUMBER: Final = "XZ9K-44PL-0001"
OFFER: Final = Offer("18", Decimal("25.50"))

GRANTED: Final[dict[str, Any]] = {
    "json": {"access_token": BEARER, "expires_in": 3600, "token_type": "Bearer", "scope": "x"}
}
NO_STOCK: Final[dict[str, Any]] = {
    "status": 400,
    "json": {"message": "Out of stock", "errorCode": None, "timeStamp": "t", "path": "/orders"},
}


def row(status: str = "SUCCESSFUL", **changes: object) -> dict[str, Any]:
    return {"transactionId": 77, "status": status, "customIdentifier": REFERENCE} | changes


def said(status: str = "SUCCESSFUL", **changes: object) -> dict[str, Any]:
    return {"json": row(status, **changes)}


def page(*rows: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {"json": {"content": list(rows), "last": True, **changes}}


def refused(status: int, code: str | None, message: str = "No.") -> dict[str, Any]:
    body = {"timeStamp": "t", "message": message, "path": "/orders", "errorCode": code}
    return {"status": status, "json": body}


def card(number: object = NUMBER, pin: object = None, **more: object) -> dict[str, Any]:
    return {"json": [{"cardNumber": number, "pinCode": pin, **more}]}


BUYING: Final = {
    "accepted": said("PENDING"),
    "no_such_offer": refused(404, "INVALID_PRODUCT"),
    "bad_request": refused(400, "INVALID_INPUT_PROVIDED"),
}
LOOKING: Final = {
    "delivered": page(row()),
    "delivered_as_link": page(row()),
    "at_work": page(row("PROCESSING")),
    "failed": page(row("REFUNDED")),
    "not_known": page(),
    "done_without_goods": page(row()),
}
GOODS: Final = {
    "delivered_as_link": card("https://redeem.example/AbC"),
    "done_without_goods": card(None, ""),
}


class CannedReloadly(Canned):
    """The canned world, with a token to be had and cards to be fetched."""

    def __init__(self, wire: responses.RequestsMock) -> None:
        wire.post(TOKEN, **GRANTED)
        super().__init__(
            wire,
            reloadly(),
            purchase_url=ORDERS,
            buying=BUYING,
            lookup_url=REPORT,
            looking=LOOKING,
            wallet_url=BALANCE,
            wallet=(
                {"body": '{"balance": 1250.50, "currencyCode": "USD"}'},
                (Decimal("1250.50"), "USD"),
            ),
            offer=OFFER,
        )

    def purchase(self, situation: str) -> str:
        self.wire.get(CARDS, **GOODS.get(situation, card()))
        return super().purchase(situation)


def reloadly() -> ReloadlyPartner:
    account = Account(BASE, AUTH, "https://giftcards.reloadly.com", "client", SECRET)
    return ReloadlyPartner(Outbound("reloadly"), account, "Shop")


def buy(
    wire: responses.RequestsMock,
    answer: dict[str, Any],
    *,
    then: dict[str, Any] | None = None,
    cards: dict[str, Any] | None = None,
    offer: Offer = OFFER,
    **inputs: str,
) -> IssuedCode | AtWork:
    wire.post(TOKEN, **GRANTED)
    wire.post(ORDERS, **answer)
    wire.get(REPORT, **(then or page()))
    wire.get(CARDS, **(cards or card()))
    return reloadly().purchase(reference=REFERENCE, offer=offer, inputs=inputs)


def look(
    wire: responses.RequestsMock, answer: dict[str, Any], cards: dict[str, Any] | None = None
) -> IssuedCode | AtWork | None:
    wire.post(TOKEN, **GRANTED)
    wire.get(REPORT, **answer)
    wire.get(CARDS, **(cards or card()))
    return reloadly().lookup(reference=REFERENCE)

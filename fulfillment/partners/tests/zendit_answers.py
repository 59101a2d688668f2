"""What Zendit answers, and the adapter under test; names as on contract page zendit."""

from typing import Any, Final

import responses

from core.http import Outbound
from fulfillment.partners.base import AtWork, IssuedCode, Offer
from fulfillment.partners.tests.contract import REFERENCE
from fulfillment.partners.zendit import ZenditPartner

BASE: Final = "https://api.zendit.test/v1"
PURCHASES: Final = f"{BASE}/vouchers/purchases"
ONE: Final = f"{PURCHASES}/{REFERENCE}"
BALANCE: Final = f"{BASE}/balance"
KEY: Final = "sand_very_secret_key"
EPIN: Final = "XZ9K-44PL-0001"


def at_work(status: str = "ACCEPTED", **changes: object) -> dict[str, Any]:
    return {"json": {"status": status, "transactionId": REFERENCE} | changes}


def done(*, receipt: object = None, **changes: object) -> dict[str, Any]:
    body = {
        "status": "DONE",
        "transactionId": REFERENCE,
        "offerId": "OFFER",
        "cost": 9125,
        "costCurrency": "USD",
        "costCurrencyDivisor": 1000,
        "confirmation": {"confirmationNumber": "C-77", "externalReferenceId": "E-1"},
        "receipt": {"epin": EPIN, "voucherId": "S-1"} if receipt is None else receipt,
    }
    return {"json": body | changes}


def failed(code: str = "INSUFFICIENT_FUNDS", status: str = "FAILED") -> dict[str, Any]:
    error = {"code": code, "description": "Wallet is empty", "message": "m"}
    return at_work(status, error=error)


def refused(
    status: int, code: str, message: str = "No.", fields: dict[str, str] | None = None
) -> dict[str, Any]:
    body = {"errorCode": code, "message": message, "fields": fields or {}}
    return {"status": status, "json": body}


NOT_KNOWN: Final = refused(404, "NOT_FOUND")
BUYING: Final = {
    "accepted": at_work(),
    "no_such_offer": refused(404, "NOT_FOUND", "Offer does not exist"),
    "bad_request": refused(400, "INVALID_REQUEST", fields={"recipient.msisdn": "required"}),
}
LOOKING: Final = {
    "delivered": done(),
    "delivered_as_link": done(receipt={"redemptionUrl": "https://redeem.example/AbC"}),
    "at_work": at_work("IN_PROGRESS"),
    "failed": failed(),
    "not_known": NOT_KNOWN,
    "done_without_goods": done(receipt={}),
}
WALLET: Final = ({"json": {"availableBalance": 125050, "currency": "USD", "currencyDivisor": 100}},)


def zendit() -> ZenditPartner:
    return ZenditPartner(out=Outbound("zendit"), base_url=BASE, api_key=KEY)


def buy(
    wire: responses.RequestsMock,
    answer: dict[str, Any],
    *,
    then: dict[str, Any] = NOT_KNOWN,
    offer: Offer | None = None,
    **inputs: str,
) -> IssuedCode | AtWork:
    wire.post(PURCHASES, **answer)
    wire.get(ONE, **then)
    return zendit().purchase(reference=REFERENCE, offer=offer or Offer("OFFER"), inputs=inputs)


def look(wire: responses.RequestsMock, answer: dict[str, Any]) -> IssuedCode | AtWork | None:
    wire.get(ONE, **answer)
    return zendit().lookup(reference=REFERENCE)


def issued(wire: responses.RequestsMock, **receipt: object) -> IssuedCode:
    found = look(wire, done(receipt={"epin": EPIN, **receipt}))
    assert isinstance(found, IssuedCode)
    return found

"""The older generation, which still answers: a token first, then create and status."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from simulators.frame.http import Call, Response, Route

from .answers import envelope
from .creating import REQUIRED, read_create, refuse

if TYPE_CHECKING:
    from .service import PayStation

REQUIRED_HERE: Final = (*REQUIRED, "cust_address")


def routes(service: PayStation) -> list[Route]:
    return [
        Route("POST", "/grant-token", lambda call: grant(service, call), "token"),
        Route("POST", "/create-payment", lambda call: create(service, call), "create"),
        # Spelled like this by the provider.
        Route("POST", "/retrive-transaction", lambda call: retrieve(service, call), "status"),
    ]


def grant(service: PayStation, call: Call) -> Response:
    headers = call.request.headers
    merchant = headers.get("merchantid", "")
    if service.faults.take("token", {}):
        refuse("2001", "Invalid token.")
    if not merchant or service.merchants.get(merchant) != headers.get("password"):
        refuse("1001", "Invalid Credential.")
    token = secrets.token_urlsafe(24)
    service.tokens[token] = merchant
    return envelope("200", "Token generated successfully.", token=token)


def merchant_of(service: PayStation, call: Call) -> str:
    merchant = service.tokens.get(call.request.headers.get("token", ""))
    if merchant is None:
        refuse("2001", "Invalid token.")
    return merchant


def create(service: PayStation, call: Call) -> Response:
    merchant = merchant_of(service, call)
    members = read_create(call.request, required=REQUIRED_HERE)
    return service.create_for(merchant, members, call.base_url)


def retrieve(service: PayStation, call: Call) -> Response:
    merchant = merchant_of(service, call)
    data = call.request.data()
    payment = service.payments.get(str(data.get("invoice_number", "")))
    trx_id = str(data.get("trx_id", ""))
    if payment is not None and trx_id and payment.trx_id != trx_id:
        refuse("2001", "Transaction not found.")
    return service.status(payment, merchant, version=1)

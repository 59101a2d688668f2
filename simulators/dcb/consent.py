"""Consent by redirect and the charge under it, as two public clients show them.

Observed, not official (reference, section 5): there is no client of it in the shop yet.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from simulators.frame.http import (
    Call,
    JsonObject,
    Response,
    Route,
    is_web_address,
    json_response,
    redirect,
    with_query,
)
from simulators.frame.pages import page

if TYPE_CHECKING:
    from .service import Dcb

OPERATIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "prepare": {"refused": "a policyException"},
    "return": {
        "closed": "the browser is not sent back",
        "error": "sent back to `error`",
        "forged_ok": "sent back to `ok` with a consentId that was never given",
    },
    "amount": {"refused": "a policyException with `message_id` (POL0001)"},
}


@dataclass
class Consent:
    id: str
    link: str
    reference: str
    amount: str
    ok: str
    deny: str
    error: str
    acr: str
    given: bool = False
    charged_as: str = ""
    charges: int = 0


def routes(service: Dcb) -> list[Route]:
    return [
        Route("POST", "/dob/partner/v3/consent/prepare", lambda c: prepare(service, c), "prepare"),
        Route("GET", "/dob/consent/{link}", lambda c: show(service, c)),
        Route("POST", "/dob/consent/{link}", lambda c: press(service, c), "return"),
        Route(
            "POST",
            "/dob/partner/payment/v1/{acr}/transactions/amount",
            lambda c: amount(service, c),
            "amount",
        ),
    ]


def exception(message_id: str, text: str) -> Response:
    error = {"messageId": message_id, "text": text, "variables": []}
    return json_response({"requestError": {"policyException": error}}, 403)


def prepare(service: Dcb, call: Call) -> Response:
    data = call.request.data()
    urls: Any = data.get("urls")
    if service.faults.take("prepare", {"reference": str(data.get("referenceId", ""))}):
        return exception("POL0001", "Not allowed.")
    places = urls if isinstance(urls, dict) else {}
    if not all(is_web_address(places.get(name)) for name in ("ok", "deny", "error")):
        return json_response({"resultCode": "INVALID_REQUEST"}, 400)
    given = Consent(
        id=secrets.token_hex(8),
        link=secrets.token_urlsafe(18),
        reference=str(data.get("referenceId", "")),
        amount=str(data.get("amount", "")),
        ok=places["ok"],
        deny=places["deny"],
        error=places["error"],
        acr=secrets.token_hex(12),
    )
    service.consents[given.id] = given
    url = f"{call.base_url}{service.prefix}/dob/consent/{given.link}"
    return json_response({"resultCode": "SUCCESS", "url": url})


def by_link(service: Dcb, call: Call) -> Consent | None:
    link = call.params["link"]
    return next((each for each in service.consents.values() if each.link == link), None)


def show(service: Dcb, call: Call) -> Response:
    found = by_link(service, call)
    if found is None:
        return page("closed.html", 404, brand="dcb", unknown=True)
    return page(
        "checkout.html",
        brand="dcb",
        title="Carrier consent",
        merchant="the shop",
        amount=found.amount,
        invoice=found.reference,
        open=not found.given,
        state="given",
        target=found.ok,
        phone="",
    )


def press(service: Dcb, call: Call) -> Response:
    found = by_link(service, call)
    if found is None:
        return page("closed.html", 404, brand="dcb", unknown=True)
    action = str(call.request.data().get("action", ""))
    fault = service.faults.take("return", {"reference": found.reference})
    match fault.fault if fault else "":
        case "closed":
            return page("closed.html", brand="dcb", target=found.ok)
        case "error":
            return redirect(found.error)
        case "forged_ok":
            params = {"consentId": "FORGED0001", "customerReference": found.acr}
            return redirect(with_query(found.ok, params))
    if action != "pay":
        return redirect(found.error if action == "fail" else found.deny)
    found.given = True
    return redirect(with_query(found.ok, {"consentId": found.id, "customerReference": found.acr}))


def amount(service: Dcb, call: Call) -> Response:
    wish = call.request.data().get("amountTransaction")
    transaction: JsonObject = wish if isinstance(wish, dict) else {}
    meta = transaction.get("paymentAmount")
    mandate = (
        meta.get("chargingMetaData", {}).get("mandateId", {}) if isinstance(meta, dict) else {}
    )
    found = service.consents.get(str(mandate.get("consentId", "")))
    if found is None or not found.given or found.acr != call.params["acr"]:
        return exception("POL0002", "There is no such consent.")
    fault = service.faults.take("amount", {"reference": found.reference})
    if fault is not None:
        return exception(fault.text("message_id", "POL0001"), "Refused.")
    if not found.charges:  # the same consent is charged once
        found.charges, found.charged_as = 1, secrets.token_hex(6)
    answer = {"transactionOperationStatus": "Charged", "serverReferenceCode": found.charged_as}
    return json_response({"amountTransaction": answer})

"""Zendit's calls. Its contract leaves some things open; what is chosen here:

a used `transactionId` is refused with 400 `INVALID_REQUEST` naming the field, whatever the
body; the GET finds a purchase at once; the balance excludes what is reserved.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NoReturn

from simulators.frame.clock import iso_utc
from simulators.frame.faults import Fault
from simulators.frame.http import (
    Call,
    JsonObject,
    Refusal,
    Request,
    Response,
    Route,
    json_response,
)
from simulators.frame.outbound import Delivery, send
from simulators.frame.service import Action, ControlRefused, Environment, Preset, Service

from .offers import OFFERS
from .purchases import DONE, FAILED, STEPS, Purchase, new_code, receipt, shown

WEBHOOK_WAITS: Final = [1.0, 10.0, 60.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0, 43200.0]
ID_SHAPE: Final = re.compile(r"[A-Za-z0-9]{1,64}")
BODY_SHAPE: Final = re.compile(r"[0-9]{1,4}")
MAX_LIMIT: Final = 1024

PURCHASE_FAULTS: Final = {
    "no_stock": "accepted, then FAILED with OUT_OF_STOCK, nothing charged",
    "insufficient_funds": "accepted, then FAILED with INSUFFICIENT_FUNDS",
    "provider_error": "accepted, then FAILED with PROVIDER_ERROR",
    "fail_spelling": "accepted, then the status reads FAIL",
    "stuck": "stays IN_PROGRESS; ends by POST /control/zendit/finish",
    "pending": "stays IN_PROGRESS for `seconds` (60), then DONE",
    "pending_then_failed": "stays IN_PROGRESS for `seconds` (60), then FAILED",
    "done_empty": "DONE with an empty receipt",
    "same_code": "DONE with a code that was sold before",
    "done_at_once": "the answer of the POST is DONE already, receipt included",
    "refused_400": "400 INVALID_REQUEST, nothing made",
    "offer_404": "404 NOT_FOUND, nothing made",
}


class Zendit(Service):
    name = "zendit"
    title = "Zendit"
    summary = "Voucher partner: offers, purchases, wallet, webhook"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "purchase": PURCHASE_FAULTS,
        "lookup": {"not_found": "404 for every id, the first `within` seconds if given"},
        "offers": {},
        "balance": {"low": "the wallet shows `amount` (0)"},
        "webhook": {
            "never": "no webhook",
            "repeat": "sent `count` (2) times",
            "wrong_header": "sent with a wrong header value",
        },
    }
    presets = (
        Preset("normal", "Normal"),
        Preset("out_of_stock", "Out of stock", ({"operation": "purchase", "fault": "no_stock"},)),
        Preset("down", "Down (500)", ({"operation": "*", "fault": "error_500"},)),
        Preset("slow", "Slow (3 s)", ({"operation": "*", "fault": "slow"},)),
        Preset(
            "silent_after_charge",
            "Charges, then never answers",
            ({"operation": "purchase", "fault": "cut_after"},),
        ),
        Preset("stuck", "Purchases stay at work", ({"operation": "purchase", "fault": "stuck"},)),
        Preset("rate_limited", "Too many requests", ({"operation": "*", "fault": "rate_limited"},)),
        Preset(
            "no_funds",
            "Wallet is empty",
            ({"operation": "purchase", "fault": "insufficient_funds"},),
        ),
    )

    def __init__(self, environment: Environment) -> None:
        self.key = environment.get("ZENDIT_API_KEY", "sand_demo")
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        return {
            "done_after": 0.3,
            "wallet": 100_000_000,
            "webhook_url": self.environment.get("ZENDIT_WEBHOOK_URL", ""),
            "webhook_header": self.environment.get(
                "ZENDIT_WEBHOOK_HEADER", "X-Zendit-Webhook-Secret"
            ),
            "webhook_secret": self.environment.get("ZENDIT_WEBHOOK_SECRET", "demo-webhook-secret"),
        }

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/balance", self.balance, "balance"),
            Route("GET", "/v1/vouchers/offers", self.offers, "offers"),
            Route("GET", "/v1/vouchers/offers/{offer}", self.one_offer, "offers"),
            Route("POST", "/v1/vouchers/purchases", self.purchase, "purchase"),
            Route("GET", "/v1/vouchers/purchases", self.purchases, "lookup"),
            Route("GET", "/v1/vouchers/purchases/{id}", self.one_purchase, "lookup"),
            Route("GET", "/v1/transactions", self.transactions, "lookup"),
        ]

    # Ledger.

    def empty(self) -> None:
        self.bought: dict[str, Purchase] = {}
        self.codes: list[str] = []

    def records(self) -> JsonObject:
        return {
            "purchases": list(self.bought.values()),
            "charges": {p.transactionId: p.charges for p in self.bought.values()},
            "codes": self.codes,
        }

    def restore(self, records: JsonObject) -> None:
        rows = [Purchase(**row) for row in records["purchases"]]
        self.bought = {row.transactionId: row for row in rows}
        self.codes = records["codes"]

    def overview(self) -> list[tuple[str, str]]:
        charged = sum(row.charges for row in self.bought.values())
        return [("purchases", str(len(self.bought))), ("charged", str(charged))]

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        data = request.data() if request.method == "POST" else {}
        reference = str(data.get("transactionId") or params.get("id", ""))
        known = self.bought.get(reference)
        offer = str(data.get("offerId") or (known.offerId if known else params.get("offer", "")))
        return {"reference": reference, "transactionId": reference, "offer_id": offer}

    def error_body(self, status: int) -> JsonObject:
        codes = {401: "NOT_AUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND"}
        return {"errorCode": codes.get(status, "SYSTEM_UNAVAILABLE"), "message": f"HTTP {status}"}

    # Calls.

    def authorized(self, call: Call) -> None:
        given = call.request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.key.encode()):
            raise Refusal(json_response(self.error_body(401), 401))

    def balance(self, call: Call) -> Response:
        self.authorized(call)
        fault = self.faults.take("balance", {})
        amount = self.available() if fault is None else int(fault.number("amount", 0))
        return json_response(
            {"availableBalance": amount, "currency": "USD", "currencyDivisor": 100}
        )

    def available(self) -> int:
        used = sum(
            row.cost * 100 // row.divisor
            for row in self.bought.values()
            if row.status not in FAILED and row.status != "ACCEPTED"
        )
        return int(self.settings["wallet"]) - used

    def offers(self, call: Call) -> Response:
        self.authorized(call)
        rows = [
            row
            for row in OFFERS.values()
            if call.request.query.get("brand", row["brand"]) == row["brand"]
        ]
        return json_response(_page(call.request.query, rows))

    def one_offer(self, call: Call) -> Response:
        self.authorized(call)
        row = OFFERS.get(call.params["offer"])
        return json_response(row or self.error_body(404), 200 if row else 404)

    def purchase(self, call: Call) -> Response:
        self.authorized(call)
        body = call.request.json()
        if body is None:
            _invalid(body="must be a JSON object")
        reference, offer = _checked(body)
        fault = self.faults.take("purchase", {"reference": reference, "offer_id": offer["offerId"]})
        name = fault.fault if fault else ""
        if name == "refused_400":
            _invalid(offerId="refused on request")
        if name == "offer_404":
            raise Refusal(json_response(self.error_body(404), 404))
        if reference in self.bought:
            _invalid(transactionId="already used")
        row = Purchase(
            transactionId=reference,
            offerId=offer["offerId"],
            body=dict(body),
            cost=offer["cost"]["fixed"] or offer["cost"]["min"],
            divisor=offer["cost"]["currencyDivisor"],
            created_at=self.clock.now(),
        )
        self.bought[reference] = row
        self.note(row, "ACCEPTED")
        self.plan(row, fault)
        if name == "done_at_once":
            self.finish(row, "")
            return json_response(shown(row, offer))
        return json_response({"status": row.status, "transactionId": reference})

    def plan(self, row: Purchase, fault: Fault | None) -> None:
        """The way of a purchase, spread over `done_after` seconds."""
        name, whole = fault.fault if fault else "", float(self.settings["done_after"])
        for number, step in enumerate(STEPS[1:], start=1):
            self.at(whole * number / len(STEPS), "step", id=row.transactionId, status=step)
        if name == "stuck":
            return
        if name in ("pending", "pending_then_failed") and fault is not None:
            whole = fault.number("seconds", 60)
        self.at(whole, "end", id=row.transactionId, how=name)

    def on_event(self, kind: str, args: JsonObject) -> None:
        row = self.bought.get(args["id"])
        if row is None or row.final:
            return
        if kind == "step":
            self.note(row, args["status"])
            self.tell(row)
        elif kind == "end":
            self.finish(row, args["how"])

    def finish(self, row: Purchase, how: str) -> None:
        failures = {
            "no_stock": "OUT_OF_STOCK",
            "insufficient_funds": "INSUFFICIENT_FUNDS",
            "provider_error": "PROVIDER_ERROR",
            "pending_then_failed": "PROVIDER_ERROR",
            "fail_spelling": "OUT_OF_STOCK",
        }
        if how in failures:
            code = failures[how]
            row.error = {"code": code, "description": code.replace("_", " ").lower(), "message": ""}
            self.note(row, "FAIL" if how == "fail_spelling" else "FAILED")
        else:
            row.charges += 1
            offer = OFFERS[row.offerId]
            sold = self.codes[-1] if how == "same_code" and self.codes else new_code()
            if how != "done_empty":
                row.receipt = receipt(row, offer, code=sold, stamp=self.clock.now())
                self.codes.append(sold)
            self.note(row, DONE)
        self.tell(row)

    def note(self, row: Purchase, status: str) -> None:
        row.status, row.updated_at = status, self.clock.now()
        stamp = iso_utc(row.updated_at)
        row.log.append({"dateTime": stamp, "status": status, "statusMessage": status.lower()})

    def purchases(self, call: Call) -> Response:
        self.authorized(call)
        rows = [shown(row, OFFERS[row.offerId]) for row in self.bought.values()]
        wanted = call.request.query.get("status")
        rows = [row for row in rows if wanted in (None, row["status"])]
        return json_response(_page(call.request.query, rows))

    def one_purchase(self, call: Call) -> Response:
        self.authorized(call)
        row = self.bought.get(call.params["id"])
        fault = self.faults.take("lookup", self.facts(call.request, call.params))
        if fault is not None and row is not None:
            age = self.clock.now() - row.created_at
            row = None if age < fault.number("within", float("inf")) else row
        if row is None:
            return json_response(self.error_body(404), 404)
        return json_response(shown(row, OFFERS[row.offerId]))

    def transactions(self, call: Call) -> Response:
        self.authorized(call)
        rows = [
            {
                "transactionId": row.transactionId,
                "type": "DEBIT",
                "status": row.status,
                "amount": -row.cost,
                "currencyDivisor": row.divisor,
                "productType": "VOUCHER",
                "createdAt": iso_utc(row.created_at),
            }
            for row in self.bought.values()
            if row.charges
        ]
        return json_response(_page(call.request.query, rows))

    # Webhook.

    def tell(self, row: Purchase) -> None:
        if not self.settings["webhook_url"]:
            return
        fault = self.faults.take("webhook", {"reference": row.transactionId})
        name = fault.fault if fault else ""
        if name == "never":
            return
        secret = "wrong" if name == "wrong_header" else self.settings["webhook_secret"]
        count = int(fault.number("count", 2)) if fault and name == "repeat" else 1
        for _ in range(count):
            self.deliver(self.webhook(json.dumps(shown(row, OFFERS[row.offerId])), secret, row))

    def webhook(self, body: str, secret: str, row: Purchase) -> Delivery:
        return Delivery(
            kind="webhook",
            url=self.settings["webhook_url"],
            headers={"Content-Type": "application/json", self.settings["webhook_header"]: secret},
            body=body,
            waits=list(WEBHOOK_WAITS),
            reference=row.transactionId,
        )

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "finish": self.control_finish,
            "forge": self.control_forge,
            "head": self.control_head,
        }

    def named(self, wish: JsonObject) -> Purchase:
        row = self.bought.get(str(wish.get("transactionId", "")))
        if row is None:
            raise ControlRefused("transactionId must name a purchase.")
        return row

    def control_finish(self, wish: JsonObject) -> JsonObject:
        """End a purchase that is stuck: `how` is empty for DONE, or a fault's name."""
        row = self.named(wish)
        if row.final:
            raise ControlRefused("It has ended already.")
        self.finish(row, str(wish.get("how", "")))
        return vars(row)

    def control_forge(self, wish: JsonObject) -> JsonObject:
        """A webhook that says DONE of a purchase that is not."""
        row = self.named(wish)
        body = shown(row, OFFERS[row.offerId]) | {"status": DONE, "receipt": {"epin": "FORGED"}}
        self.deliver(self.webhook(json.dumps(body), str(wish.get("secret", "forged")), row))
        return {"sent_to": self.settings["webhook_url"]}

    def control_head(self, _wish: JsonObject) -> JsonObject:
        """The console's check of the webhook address."""
        return {
            "status": send(Delivery(kind="head", url=self.settings["webhook_url"], method="HEAD"))
        }


def _invalid(**fields: str) -> NoReturn:
    body = {"errorCode": "INVALID_REQUEST", "message": "invalid request", "fields": fields}
    raise Refusal(json_response(body, 400))


def _checked(body: JsonObject) -> tuple[str, JsonObject]:
    """The id and the offer of a purchase request.

    Raises:
        Refusal: a field is missing or malformed, or there is no such offer on sale.
    """
    reference = str(body.get("transactionId", ""))
    if not ID_SHAPE.fullmatch(reference):
        _invalid(transactionId="letters and digits only")
    offer = OFFERS.get(str(body.get("offerId", "")))
    if offer is None or not offer["enabled"]:
        raise Refusal(json_response({"errorCode": "NOT_FOUND", "message": "offer not found"}, 404))
    fields = body.get("fields") or []
    given = {str(each.get("key")): each.get("value") for each in fields if isinstance(each, dict)}
    for name in offer["requiredFields"]:
        if not given.get(name):
            _invalid(**{name.replace(".", "_"): "required"})
    if offer["priceType"] == "RANGE" and not _value_in_range(body.get("value"), offer):
        _invalid(value="type ZEND, PRICE or COST, and an integer within the offer's range")
    if offer["priceType"] == "FIXED" and body.get("value") is not None:
        _invalid(value="not for fixed offers")
    return reference, offer


def _value_in_range(value: Any, offer: JsonObject) -> bool:
    if not isinstance(value, dict) or value.get("type") not in ("ZEND", "PRICE", "COST"):
        return False
    amount = value.get("value")
    send_range = offer["send"]
    return (
        isinstance(amount, int)
        and not isinstance(amount, bool)
        and send_range["min"] <= amount <= send_range["max"]
    )


def _page(query: Mapping[str, str], rows: list[Any]) -> JsonObject:
    limit, offset = query.get("_limit", "10"), query.get("_offset", "0")
    if not (BODY_SHAPE.fullmatch(limit) and 1 <= int(limit) <= MAX_LIMIT and offset.isdigit()):
        _invalid(_limit="1 to 1024", _offset="from 0")
    first = int(offset)
    return {
        "list": rows[first : first + int(limit)],
        "limit": int(limit),
        "offset": first,
        "total": len(rows),
    }

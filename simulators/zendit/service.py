"""Zendit's calls. Its contract leaves some things open; what is chosen here:

a used ``transactionId`` is refused with 400 (setting ``used_id``: ``refuse``, ``conflict``,
``echo``); ``availableBalance`` is without what is reserved; ``value`` on a FIXED offer is
400; a page holds 100 rows unless ``_limit`` says otherwise.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import ClassVar

from simulators.frame.clock import iso_utc
from simulators.frame.http import Call, JsonObject, Request, Route
from simulators.frame.outbound import Delivery
from simulators.frame.service import Action, ControlRefused, Environment, Preset, Service

from . import catalogue, purchasing, reading, records, webhook
from .records import Purchase, purchase_facts, refuse

API = "/v1"
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is misread
FULL_WALLET = 10_000_000


class Zendit(Service):
    name = "zendit"
    title = "Zendit"
    summary = "Voucher partner: offers, wallet, purchases in steps, webhook"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "purchase": purchasing.PURCHASE_FAULTS,
        "get": reading.GET_FAULTS,
        "list": {},
        "offers": {},
        "balance": {"empty_wallet": "availableBalance is 0"},
        "transactions": {},
        "webhook": webhook.WEBHOOK_FAULTS,
    }
    presets = (
        Preset("normal", "Normal"),
        Preset(
            "out_of_stock", "Out of stock", ({"operation": "purchase", "fault": "out_of_stock"},)
        ),
        Preset("down", "Down (503)", ({"operation": "*", "fault": "error_503"},)),
        Preset("slow", "Slow (3 s)", ({"operation": "*", "fault": "slow"},)),
        Preset(
            "timeout_after",
            "Time-out after the charge",
            ({"operation": "purchase", "fault": "hang_after"},),
        ),
        Preset(
            "timeout_before",
            "Time-out before the charge",
            ({"operation": "purchase", "fault": "hang"},),
        ),
        Preset(
            "stuck",
            "Stuck in progress",
            ({"operation": "purchase", "fault": "in_progress", "seconds": None},),
        ),
        Preset(
            "no_funds",
            "Wallet empty",
            (
                {"operation": "purchase", "fault": "insufficient_funds"},
                {"operation": "balance", "fault": "empty_wallet"},
            ),
        ),
        Preset(
            "empty_receipt",
            "Done, empty receipt",
            ({"operation": "purchase", "fault": "empty_receipt"},),
        ),
    )

    calls_out = frozenset({"webhook"})  # the HEAD check

    def __init__(self, environment: Environment) -> None:
        self.key = environment.get("ZENDIT_API_KEY", "sand_demo")
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        get = self.environment.get
        return {
            "done_after": float(get("ZENDIT_DONE_AFTER", "0.3")),
            "used_id": "refuse",
            "webhook_url": get("ZENDIT_WEBHOOK_URL", ""),
            "webhook_header_name": get("ZENDIT_WEBHOOK_HEADER", "X-Zendit-Webhook-Secret"),
            "webhook_header_value": get("ZENDIT_WEBHOOK_SECRET", "demo-webhook-secret"),
            "webhook_non_final": True,
            "webhook_waits": list(webhook.WAITS),
        }

    def routes(self) -> list[Route]:
        def api(method: str, path: str, function: reading.Endpoint, operation: str) -> Route:
            return Route(method, f"{API}{path}", lambda call: function(self, call), operation)

        return [
            api("GET", "/balance", reading.balance, "balance"),
            api("GET", "/vouchers/offers", reading.offer_list, "offers"),
            api("GET", "/vouchers/offers/{offer_id}", reading.offer, "offers"),
            api("POST", "/vouchers/purchases", purchasing.purchase, "purchase"),
            api("GET", "/vouchers/purchases", reading.purchase_list, "list"),
            api("GET", "/vouchers/purchases/{transaction_id}", reading.purchase, "get"),
            api("GET", "/transactions", reading.transaction_list, "transactions"),
            api("GET", "/transactions/{transaction_id}", reading.transaction, "transactions"),
        ]

    # Ledger.

    def empty(self) -> None:
        self.purchases: dict[str, Purchase] = {}
        self.offers = catalogue.offers()
        self.balance = FULL_WALLET
        self.movements: list[JsonObject] = []
        self.codes: list[JsonObject] = []  # every code that left, in order
        self.issued: set[str] = set()
        self.held_back: list[Delivery] = []

    def records(self) -> JsonObject:
        return {
            "purchases": list(self.purchases.values()),
            "charges": {p.transaction_id: p.charges for p in self.purchases.values()},
            "codes": self.codes,
            "wallet": {"balance": self.balance, "reserved": self.reserved},
            "movements": self.movements,
            "offers": self.offers,
        }

    def restore(self, records: JsonObject) -> None:
        rows = [Purchase(**row) for row in records["purchases"]]
        self.purchases = {row.transaction_id: row for row in rows}
        self.codes = records["codes"]
        self.issued = {entry["code"] for entry in self.codes}
        self.balance = records["wallet"]["balance"]
        self.movements = records["movements"]
        # Offers that a newer version of the catalogue brings are there, too.
        self.offers = {**catalogue.offers(), **records["offers"]}

    @property
    def reserved(self) -> int:
        return sum(purchase.reserved for purchase in self.purchases.values())

    def overview(self) -> list[tuple[str, str]]:
        rows = self.purchases.values()
        return [
            ("purchases", str(len(rows))),
            ("charged", str(sum(row.charges for row in rows))),
            ("wallet", f"USD {(self.balance - self.reserved) / 100:,.2f}"),
        ]

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        body = request.json() if request.body else None
        wanted = params.get("transaction_id") or str((body or {}).get("transactionId", ""))
        known = self.purchases.get(wanted)
        if known is not None:
            return purchase_facts(known)
        offer_id = params.get("offer_id") or str((body or {}).get("offerId", ""))
        offer = self.offers.get(offer_id)
        return {
            "reference": wanted,
            "transaction_id": wanted,
            "offer_id": offer_id,
            "brand": offer["brand"] if offer else "",
            "amount": str(offer["cost"]["fixed"]) if offer else "",
        }

    def error_body(self, status: int) -> JsonObject:
        codes = {401: "NOT_AUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND"}
        return {"errorCode": codes.get(status, "RATE_LIMITED"), "message": "Request refused."}

    def check_key(self, call: Call) -> None:
        given = call.request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self.key}".encode()):
            refuse(401, "NOT_AUTHORIZED", "The API key is not valid.")

    # The life of a purchase.

    def on_event(self, kind: str, args: JsonObject) -> None:
        purchase = self.purchases.get(args["transaction_id"])
        if kind == "step" and purchase is not None:
            self.step(purchase, args["status"])

    def step(self, purchase: Purchase, status: str, *, tell: bool = True) -> None:
        if purchase.status in records.FINAL:
            return
        if status == records.AUTHORIZED:
            self.authorize(purchase)
        elif status == "end":
            self.end(purchase)
        else:
            self.note(purchase, status)
        if tell and (status != "end" or purchase.status in records.FINAL):
            webhook.tell(self, purchase)

    def authorize(self, purchase: Purchase) -> None:
        short = purchase.cost > self.balance - self.reserved
        if short or purchase.plan.get("fault") == "insufficient_funds":
            self.fail(purchase, "INSUFFICIENT_FUNDS", "The wallet balance is too low.")
            return
        purchase.reserved = purchase.cost
        self.note(purchase, records.AUTHORIZED)

    def end(self, purchase: Purchase) -> None:
        plan = purchase.plan
        match plan.get("fault"):
            case "out_of_stock":
                self.fail(purchase, "OUT_OF_STOCK", "The provider has no stock of this product.")
            case "provider_error" | "fail_spelling":
                code = str(plan.get("code", "PROVIDER_ERROR"))
                self.fail(purchase, code, str(plan.get("description", "The provider refused.")))
            case "in_progress" if not plan.get("waited"):
                self.wait_for_provider(purchase)
            case "in_progress" if plan.get("then", records.DONE) != records.DONE:
                self.fail(purchase, "PROVIDER_ERROR", "The provider did not answer.")
            case _:
                self.finish(purchase)

    def wait_for_provider(self, purchase: Purchase) -> None:
        purchase.plan["waited"] = True
        self.note(purchase, records.IN_PROGRESS, "Provider unavailable, will be tried again")
        seconds = purchase.plan.get("seconds")
        if seconds is not None:
            self.at(float(seconds), "step", transaction_id=purchase.transaction_id, status="end")

    def finish(self, purchase: Purchase) -> None:
        """The only place where the wallet is charged and a code leaves."""
        fault, now = purchase.plan.get("fault"), self.clock.now()
        kind = {"empty_receipt": "empty", "url_receipt": "url", "no_expiry": "no_expiry"}
        number = f"{secrets.randbelow(10**10):010d}"
        purchase.code = self.next_code(purchase)
        purchase.receipt = records.receipt(
            purchase, purchase.code, number, kind.get(str(fault), ""), now
        )
        purchase.confirmation = {
            "confirmationNumber": number,
            "externalReferenceId": secrets.token_hex(8),
            "transactionTime": iso_utc(now),
        }
        purchase.reserved = 0
        purchase.charges += 1
        self.balance -= purchase.cost
        self.move("DEBIT", purchase.cost, purchase.transaction_id)
        self.codes.append({"transactionId": purchase.transaction_id, "code": purchase.code})
        self.note(purchase, records.DONE)

    def next_code(self, purchase: Purchase) -> str:
        if purchase.plan.get("fault") == "same_code" and self.codes:
            return str(purchase.plan.get("code") or self.codes[-1]["code"])
        while True:
            parts = ("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
            code = "-".join(["ZEN", *parts])
            if code not in self.issued:
                self.issued.add(code)
                return code

    def fail(self, purchase: Purchase, code: str, description: str) -> None:
        purchase.reserved = 0
        purchase.error = {"code": code, "description": description, "message": description}
        status = "FAIL" if purchase.plan.get("fault") == "fail_spelling" else records.FAILED
        self.note(purchase, status, description)

    def note(self, purchase: Purchase, status: str, message: str = "") -> None:
        now = self.clock.now()
        purchase.status, purchase.updated_at = status, now
        purchase.log.append(
            {
                "dateTime": iso_utc(now),
                "status": status,
                "statusMessage": message or records.MESSAGES.get(status, ""),
            }
        )

    def move(self, kind: str, amount: int, transaction_id: str) -> None:
        self.movements.append(
            {
                "transactionId": transaction_id,
                "type": kind,
                "productType": "VOUCHER" if kind == "DEBIT" else "CREDIT",
                "status": records.DONE,
                "amount": amount,
                "currency": "USD",
                "currencyDivisor": 100,
                "createdAt": iso_utc(self.clock.now()),
            }
        )

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "finish": self.control_finish,
            "wallet": self.control_wallet,
            "offers": self.control_offer,
            "webhook": lambda wish: webhook.configure(self, wish),
            "forge": lambda wish: webhook.forge(self, wish),
        }

    def control_finish(self, wish: JsonObject) -> JsonObject:
        """End a purchase now: what was stuck, or what nobody wants to wait for."""
        purchase = self.purchases.get(str(wish.get("transactionId", "")))
        if purchase is None or purchase.status in records.FINAL:
            raise ControlRefused("transactionId must name a purchase that is under way.")
        if wish.get("status", records.DONE) == records.DONE:
            self.finish(purchase)
        else:
            self.fail(purchase, str(wish.get("code", "PROVIDER_ERROR")), "The provider refused.")
        webhook.tell(self, purchase)
        return records.shown(purchase)

    def control_wallet(self, wish: JsonObject) -> JsonObject:
        """Set the balance in cents, reservations included."""
        amount = wish.get("balance")
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
            raise ControlRefused("balance must be a whole number of cents.")
        change = amount - self.balance
        if change > 0:
            self.move("CREDIT", change, f"CREDIT{secrets.token_hex(6).upper()}")
        self.balance = amount
        return {"balance": self.balance, "reserved": self.reserved}

    def control_offer(self, wish: JsonObject) -> JsonObject:
        """Change an offer, or add one like another (`like`): enabled, cost, requiredFields."""
        offer_id = str(wish.get("offerId", ""))
        known = self.offers.get(offer_id) or self.offers.get(str(wish.get("like", "")))
        if not re.fullmatch(r"[A-Za-z0-9_-]+", offer_id) or known is None:
            raise ControlRefused("offerId must name an offer, or `like` one to copy.")
        changed = {**known, "offerId": offer_id}
        for key, value in wish.items():
            if key in ("cost", "price", "send") and isinstance(value, dict):
                changed[key] = {**known[key], **value}
            elif key in known and type(value) is type(known[key]):
                changed[key] = value
            elif key != "like":
                raise ControlRefused(f"{key} cannot be set to {value!r}.")
        changed["updatedAt"] = iso_utc(self.clock.now())
        self.offers[offer_id] = changed
        return changed

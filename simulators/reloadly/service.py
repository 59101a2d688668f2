"""Reloadly's calls. Its contract leaves some things open; what is chosen here:

an order is SUCCESSFUL in its answer (setting ``done_after``: PENDING for so many seconds
first); a product without stock is refused with 400 and no ``errorCode``; the report shows an
order at once (setting ``report_lag``); the time in a webhook is in seconds (setting
``webhook_stamp``: ``milliseconds``).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from simulators.frame.http import JsonObject, Request, Route
from simulators.frame.outbound import Delivery
from simulators.frame.service import Action, ControlRefused, Environment, Preset, Service

from . import catalogue, ordering, reading, records, tokens, webhook
from .catalogue import number, parts
from .records import Transaction

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is misread
FULL_WALLET = parts(100_000)
FIRST_ID = 10_000


class Reloadly(Service):
    name = "reloadly"
    title = "Reloadly"
    summary = "Voucher partner: token, products, wallet, orders with cards, report, webhook"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "token": tokens.TOKEN_FAULTS,
        "order": ordering.ORDER_FAULTS,
        "cards": reading.CARD_FAULTS,
        "report": reading.REPORT_FAULTS,
        "products": {"array": "a plain array instead of a page", **tokens.ACCESS_FAULTS},
        "balance": {"empty_wallet": "balance is 0", **tokens.ACCESS_FAULTS},
        "webhook": webhook.WEBHOOK_FAULTS,
    }
    presets = (
        Preset("normal", "Normal"),
        Preset("out_of_stock", "Out of stock", ({"operation": "order", "fault": "out_of_stock"},)),
        Preset("down", "Down (503)", ({"operation": "*", "fault": "error_503"},)),
        Preset("slow", "Slow (3 s)", ({"operation": "*", "fault": "slow"},)),
        Preset(
            "timeout_after",
            "Time-out after the charge",
            ({"operation": "order", "fault": "hang_after"},),
        ),
        Preset(
            "timeout_before",
            "Time-out before the charge",
            ({"operation": "order", "fault": "hang"},),
        ),
        Preset("stuck", "Stuck", ({"operation": "order", "fault": "processing", "seconds": None},)),
        Preset(
            "no_funds",
            "Wallet empty",
            (
                {"operation": "order", "fault": "insufficient_balance"},
                {"operation": "balance", "fault": "empty_wallet"},
            ),
        ),
        Preset("no_cards", "Done, no cards", ({"operation": "order", "fault": "fewer_cards"},)),
    )

    def __init__(self, environment: Environment) -> None:
        self.client_id = environment.get("RELOADLY_CLIENT_ID", "demo-client")
        self.client_secret = environment.get("RELOADLY_CLIENT_SECRET", "demo-client-secret")
        self.audience = environment.get(
            "RELOADLY_AUDIENCE", "https://giftcards-sandbox.reloadly.com"
        )
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        get = self.environment.get
        return {
            "done_after": float(get("RELOADLY_DONE_AFTER", "0")),
            "report_lag": 0.0,
            "token_ttl": 86400.0,
            "webhook_url": get("RELOADLY_WEBHOOK_URL", ""),
            "webhook_secret": get("RELOADLY_WEBHOOK_SECRET", "demo-reloadly-webhook-secret"),
            "webhook_stamp": "seconds",
            "webhook_waits": list(webhook.WAITS),
        }

    def routes(self) -> list[Route]:
        def api(method: str, path: str, function: reading.Endpoint, operation: str) -> Route:
            return Route(method, path, lambda call: function(self, call), operation)

        return [
            api("POST", "/oauth/token", tokens.token, "token"),
            api("GET", "/accounts/balance", reading.balance, "balance"),
            api("GET", "/products", reading.product_list, "products"),
            api("GET", "/products/{product_id}", reading.product, "products"),
            api("GET", "/countries/{iso}/products", reading.country_products, "products"),
            api("POST", "/orders", ordering.order, "order"),
            api("GET", "/orders/transactions/{transaction_id}/cards", reading.cards, "cards"),
            api("GET", "/reports/transactions", reading.report, "report"),
            api("GET", "/reports/transactions/{transaction_id}", reading.transaction, "report"),
        ]

    # Ledger.

    def empty(self) -> None:
        self.transactions: dict[str, Transaction] = {}
        self.products = catalogue.products()
        self.balance = FULL_WALLET
        self.tokens: dict[str, float] = {}
        self.codes: list[JsonObject] = []  # every code that left, in order
        self.issued: set[str] = set()
        self.held_back: list[Delivery] = []

    def records(self) -> JsonObject:
        rows = self.transactions.values()
        identifiers = {row.identifier for row in rows}
        return {
            "transactions": list(rows),
            "charges": {
                name: sum(r.charged and not r.refunded for r in rows if r.identifier == name)
                for name in sorted(identifiers)
            },
            "codes": self.codes,
            "wallet": {"balance": number(self.balance)},
            "products": self.products,
            "tokens": self.tokens,
        }

    def restore(self, records: JsonObject) -> None:
        rows = [Transaction(**row) for row in records["transactions"]]
        self.transactions = {str(row.transaction_id): row for row in rows}
        self.codes = records["codes"]
        self.issued = {entry["code"] for entry in self.codes}
        self.balance = parts(records["wallet"]["balance"])
        self.tokens = records["tokens"]
        # Products that a newer version of the catalogue brings are there, too.
        self.products = {**catalogue.products(), **records["products"]}

    def overview(self) -> list[tuple[str, str]]:
        rows = self.transactions.values()
        return [
            ("orders", str(len(rows))),
            ("charged", str(sum(row.charged and not row.refunded for row in rows))),
            ("wallet", f"USD {number(self.balance):,.2f}"),
        ]

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        body = (request.json() if request.body else None) or {}
        asked = {"customIdentifier": request.query.get("customIdentifier", ""), **body}
        return reading.facts(self, asked, params.get("transaction_id", ""))

    def error_body(self, status: int) -> JsonObject:
        codes = {401: "INVALID_TOKEN", 403: "FORBIDDEN", 404: None}
        return {"message": "Request refused.", "errorCode": codes.get(status), "path": ""}

    def used(self, identifier: str) -> bool:
        return any(row.identifier == identifier for row in self.transactions.values())

    # The life of an order.

    def take_money(self, row: Transaction) -> None:
        """The only place where the wallet is charged."""
        row.transaction_id = FIRST_ID + len(self.transactions) + 1
        row.old_balance, row.new_balance = self.balance, self.balance - row.cost
        row.charged = True
        self.balance = row.new_balance
        self.transactions[str(row.transaction_id)] = row

    def on_event(self, kind: str, args: JsonObject) -> None:
        row = self.transactions.get(str(args.get("transaction_id")))
        if kind != "end" or row is None:
            return
        if args["status"] == records.SUCCESSFUL:
            if row.status not in records.SETTLED:
                self.finish(row)
        elif row.status not in (records.SUCCESSFUL, records.REFUNDED):
            self.fail(row, refund=args["status"] == records.REFUNDED)

    def finish(self, row: Transaction) -> None:
        """The only place where codes leave."""
        fault = str(row.plan.get("fault", ""))
        count = {"fewer_cards": 0, "more_cards": row.quantity + 1}.get(fault, row.quantity)
        for _ in range(count):
            code = self.new_code(fault, row.plan.get("code"))
            odd = fault if fault in ordering.ODD_CARDS else ""
            card = records.card(row, code, odd)
            row.cards.append(card)
            self.codes.append({"customIdentifier": row.identifier, "code": str(card["cardNumber"])})
        row.status, row.finished_at = records.SUCCESSFUL, self.clock.now()
        webhook.tell(self, row)

    def new_code(self, fault: str = "", wanted: Any = None) -> str:
        if fault == "same_code" and self.codes:
            return str(wanted or self.codes[-1]["code"])
        while True:
            groups = ("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
            code = "-".join(["REL", *groups])
            if code not in self.issued:
                self.issued.add(code)
                return code

    def fail(self, row: Transaction, *, refund: bool) -> None:
        row.status = records.REFUNDED if refund else records.FAILED
        if refund and not row.refunded:
            row.refunded = True
            self.balance += row.cost
        webhook.tell(self, row)

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "finish": self.control_finish,
            "wallet": self.control_wallet,
            "expire_tokens": self.control_expire,
            "forge": lambda wish: webhook.forge(self, wish),
        }

    def control_finish(self, wish: JsonObject) -> JsonObject:
        """End an order now: what was stuck, or what nobody wants to wait for."""
        wanted = str(wish.get("customIdentifier", ""))
        rows = [r for r in self.transactions.values() if r.identifier == wanted]
        status = str(wish.get("status", records.SUCCESSFUL))
        if not rows or status not in records.SETTLED:
            raise ControlRefused("customIdentifier must name an order, status a final state.")
        for row in rows:
            self.on_event("end", {"transaction_id": row.transaction_id, "status": status})
        return records.shown(rows[0])

    def control_wallet(self, wish: JsonObject) -> JsonObject:
        """Set the balance, in dollars."""
        amount = wish.get("balance")
        if isinstance(amount, bool) or not isinstance(amount, (int, float)) or amount < 0:
            raise ControlRefused("balance must be an amount in dollars.")
        self.balance = parts(amount)
        return {"balance": number(self.balance)}

    def control_expire(self, wish: JsonObject) -> JsonObject:  # noqa: ARG002
        """Every token given so far runs out now."""
        now = self.clock.now()
        self.tokens = dict.fromkeys(self.tokens, now)
        return {"expired": len(self.tokens)}

"""Nagad's calls. Its contract leaves some things open; what is chosen here:

the literal ``reason`` texts and their status are not public, so the names of the classes and
HTTP 400 are used (404 for a verify of an unknown reference); a clock more than
``drift_seconds`` off is refused; a payment gets its page once; ``statusCode`` of a payment that
failed is the callback's; a whole refund is ``Cancelled``, a part ``PartialCancelled``
(``refund_words``), the same ``referenceNo`` twice is two refunds; the callback's query is
appended with ``callback_glue`` to the address exactly as it was given.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import ClassVar, Final

from simulators.frame.http import (
    Call,
    JsonObject,
    Request,
    Response,
    Route,
    is_web_address,
    json_response,
)
from simulators.frame.service import Action, ControlRefused, Environment, Preset, Service

from . import hosted, keys, paying, records, refunding
from .records import Payment, payment_facts

API: Final = "/remote-payment-gateway-1.0/api/dfs"


class Nagad(Service):
    name = "nagad"
    title = "Nagad"
    summary = "Payment gateway: remote payment gateway 1.0, API version v-0.2.0"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "initialize": paying.INITIALIZE_FAULTS,
        "complete": paying.COMPLETE_FAULTS,
        "verify": paying.VERIFY_FAULTS,
        "refund": refunding.REFUND_FAULTS,
        "pay": hosted.PAY_FAULTS,
        "callback": hosted.CALLBACK_FAULTS,
    }
    presets = (
        Preset("normal", "Normal"),
        Preset("declined", "Payments are declined", ({"operation": "pay", "fault": "declined"},)),
        Preset(
            "pending",
            "Payments stay pending for 60 s",
            ({"operation": "pay", "fault": "pending", "seconds": 60},),
        ),
        Preset(
            "no_return", "Browser never comes back", ({"operation": "callback", "fault": "never"},)
        ),
        Preset(
            "foreign_key",
            "Answers signed with a foreign key",
            ({"operation": "initialize", "fault": "foreign_key"},),
        ),
        Preset("firewall", "Address not on the list", ({"operation": "*", "fault": "firewall"},)),
        Preset("verify_timeout", "Verify hangs", ({"operation": "verify", "fault": "hang"},)),
        Preset("slow", "Slow (3 s)", ({"operation": "*", "fault": "slow"},)),
        Preset("down", "Down (500)", ({"operation": "*", "fault": "error_500"},)),
    )

    def __init__(self, environment: Environment) -> None:
        self.ring = keys.KeyRing.of(environment)
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        return {
            "drift_seconds": 300,
            "callback_glue": "/?",
            "allowed_callbacks": [],
            "refund_words": {
                "whole": records.CANCELLED,
                "part": records.PART_CANCELLED,
            },
        }

    def routes(self) -> list[Route]:
        def api(method: str, path: str, function: paying.Endpoint, operation: str) -> Route:
            return Route(method, f"{API}{path}", lambda call: function(self, call), operation)

        start = "/check-out/initialize/{merchant_id}/{order_id}"
        return [
            api("POST", start, paying.initialize, "initialize"),
            api("POST", "/check-out/complete/{reference}", paying.complete, "complete"),
            api("GET", "/verify/payment/{reference}", paying.verify, "verify"),
            api("POST", "/purchase/cancel", refunding.cancel, "refund"),
            Route("GET", "/keys", self.show_keys),
            *hosted.routes(self),
        ]

    # Ledger.

    def empty(self) -> None:
        self.payments: dict[str, Payment] = {}  # by payment reference
        self.inactive: set[str] = set()
        self.ring.merchants = keys.KeyRing.uploaded(self.environment)

    def records(self) -> JsonObject:
        rows = list(self.payments.values())
        merchants = self.ring.as_json()["merchants"]
        return {
            "payments": rows,
            "charges": {row.order_id: row.charges for row in rows},
            "merchants": merchants,
            "inactive": sorted(self.inactive),
        }

    def restore(self, records: JsonObject) -> None:
        self.payments = {row["reference"]: Payment(**row) for row in records["payments"]}
        self.inactive = set(records["inactive"])
        kept = {name: keys.public_key(text) for name, text in records["merchants"].items()}
        self.ring.merchants = kept | self.ring.merchants

    def overview(self) -> list[tuple[str, str]]:
        rows = self.payments.values()
        return [
            ("payments", str(len(rows))),
            ("charged", str(sum(row.charges for row in rows))),
            ("refunds", str(sum(len(row.refunds) for row in rows))),
        ]

    def links(self) -> list[tuple[str, str]]:
        open_ones = [p for p in self.payments.values() if p.status in records.OPEN]
        pages = f"{self.prefix}/check-out"
        return [(f"Pay {p.order_id}", f"{pages}/{p.reference}") for p in open_ones[-3:]]

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        named = params.get("reference") or request.query.get("paymentRefId", "")
        payment = self.payments.get(named)
        if payment is not None:
            return payment_facts(payment)
        order_id = params.get("order_id", "")
        return {"reference": order_id, "order_id": order_id, "payment_ref_id": named}

    def error_body(self, status: int) -> JsonObject:
        return {"reason": f"Http{status}", "message": "Request refused."}

    def show_keys(self, call: Call) -> Response:
        """The public halves, as the portal shows them."""
        del call
        return json_response(self.ring.as_json())

    # Money.

    def decide(
        self,
        payment: Payment,
        status: str,
        *,
        amount: str = "",
        because: tuple[str, str] | None = None,
    ) -> None:
        payment.status, payment.decided_at = status, self.clock.now()
        payment.code, payment.message = because or records.CODES[status]
        if status == records.SUCCESS:
            self.move(payment, amount or payment.amount)

    def move(self, payment: Payment, amount: str) -> None:
        """The payer's wallet is charged; the only place where that happens."""
        payment.paid_amount = amount
        payment.issuer_ref = secrets.token_hex(4).upper()
        payment.wallet = payment.wallet or hosted.DEFAULT_WALLET
        payment.charges += 1

    def on_event(self, kind: str, args: JsonObject) -> None:
        payment = self.payments.get(args["reference"])
        if kind == "settle" and payment is not None and payment.status == records.TRANSACTION:
            self.decide(payment, args["state"])

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "pay": self.control_pay,
            "refund": self.control_refund,
            "forge": self.control_forge,
            "merchant": self.control_merchant,
            "GET keys": lambda _: self.ring.as_json(),
        }

    def named(self, wish: JsonObject) -> Payment:
        wanted = str(wish.get("payment_ref_id") or wish.get("order_id") or "")
        for payment in reversed(self.payments.values()):
            if wanted in (payment.reference, payment.order_id):
                return payment
        raise ControlRefused("payment_ref_id or order_id must name a payment.")

    def control_pay(self, wish: JsonObject) -> JsonObject:
        """Decide without the page, also what was decided before (money that comes late)."""
        payment = self.named(wish)
        action = str(wish.get("action", "pay"))
        if action not in hosted.BUTTONS:
            raise ControlRefused(f"action must be one of: {', '.join(hosted.BUTTONS)}.")
        if payment.paid:
            raise ControlRefused("It is paid already.")
        if not payment.amount:
            raise ControlRefused("It has no page yet.")
        because = records.OVER_LIMIT if action == "limit" else None
        amount = str(wish.get("amount", ""))
        self.decide(payment, hosted.BUTTONS[action], amount=amount, because=because)
        return vars(payment)

    def control_refund(self, wish: JsonObject) -> JsonObject:
        """Give back by hand, as somebody in the merchant portal would; whole if no amount."""
        payment = self.named(wish)
        value = paying.as_amount(wish.get("amount", f"{payment.refundable:.2f}"))
        if value is None or value > payment.refundable:
            raise ControlRefused("amount must be above 0 and not more than is left.")
        refunding.give_back(self, payment, value, "portal")
        return vars(payment)

    def control_forge(self, wish: JsonObject) -> JsonObject:
        delivery = hosted.forged(self, wish)
        if not is_web_address(delivery.url):
            raise ControlRefused("There is no address to send it to (url).")
        self.deliver(delivery)
        return {"sent_to": delivery.url}

    def control_merchant(self, wish: JsonObject) -> JsonObject:
        """Upload a merchant's public key, as in the portal; ``active`` false closes its account."""
        merchant_id = str(wish.get("merchant_id", ""))
        if "public_key" in wish:
            try:
                self.ring.merchants[merchant_id] = keys.public_key(str(wish["public_key"]))
            except keys.KeyRefused as exc:
                raise ControlRefused(str(exc)) from exc
        if merchant_id not in self.ring.merchants:
            raise ControlRefused("merchant_id must name a merchant, or public_key be given.")
        self.inactive.discard(merchant_id)
        if wish.get("active") is False:
            self.inactive.add(merchant_id)
        return self.ring.as_json() | {"inactive": sorted(self.inactive)}

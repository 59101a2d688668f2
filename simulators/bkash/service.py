"""bKash's calls. Its contract leaves some things open; what is chosen here:

a caller over the token limit gets HTTP 429 ``{"message": "Limit Exceeded"}`` (setting
``token_block_status``); every grant and refresh that names a known app key counts; 2029
comes only on request or with ``duplicate_window`` above 0; a refund above what is left is
2026, one that is no amount 2072; a second app (``other-app-key``) exists, so that a token of
another app can be tried.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import ClassVar

from simulators.frame.http import JsonObject, Request, Route, is_web_address
from simulators.frame.returning import RETURN_FAULTS
from simulators.frame.service import Action, ControlRefused, Environment, Preset, Service

from . import hosted, paying, records, refunding, sns, tokens
from .records import Payment, payment_facts

API = "/v1.2.0-beta/tokenized/checkout"


class Bkash(Service):
    name = "bkash"
    title = "bKash"
    summary = "Payment gateway: tokenized checkout v1.2.0-beta"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "grant": tokens.TOKEN_FAULTS,
        "refresh": tokens.TOKEN_FAULTS,
        "create": paying.CREATE_FAULTS,
        "execute": paying.EXECUTE_FAULTS,
        "query": paying.QUERY_FAULTS,
        "search": {**paying.COMMON, **paying.WRONG},
        "refund": refunding.REFUND_FAULTS,
        "refund_status": refunding.REFUND_FAULTS,
        "capture": paying.COMMON,
        "void": paying.COMMON,
        "pay": hosted.PAY_FAULTS,
        "callback": {**RETURN_FAULTS, **hosted.CALLBACK_FAULTS},
        "webhook": sns.WEBHOOK_FAULTS,
    }
    presets = (
        Preset("normal", "Normal"),
        Preset(
            "insufficient",
            "Insufficient balance",
            ({"operation": "execute", "fault": "insufficient_balance"},),
        ),
        Preset(
            "execute_timeout",
            "Execute times out after the money moved",
            ({"operation": "execute", "fault": "hang_after"},),
        ),
        Preset(
            "execute_lost",
            "Execute times out, no money moved",
            ({"operation": "execute", "fault": "hang"},),
        ),
        Preset(
            "no_return", "Browser never comes back", ({"operation": "callback", "fault": "never"},)
        ),
        Preset(
            "token_blocked",
            "Token calls blocked",
            (
                {"operation": "grant", "fault": "blocked"},
                {"operation": "refresh", "fault": "blocked"},
            ),
        ),
        Preset("slow", "Slow (3 s)", ({"operation": "*", "fault": "slow"},)),
        Preset("down", "Down (503)", ({"operation": "*", "fault": "error_503"},)),
    )

    def __init__(self, environment: Environment) -> None:
        get = environment.get
        self.apps = {
            get("BKASH_APP_KEY", "demo-app-key"): get("BKASH_APP_SECRET", "demo-app-secret"),
            "other-app-key": "other-app-secret",
        }
        self.user = (get("BKASH_USERNAME", "demo-user"), get("BKASH_PASSWORD", "demo-password"))
        self.sender = sns.Sender()
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        return {
            "token_limit": 2,
            "token_ttl": 3600,
            "token_block_status": 429,
            "duplicate_window": 0,
            "callback_signature": False,
            "webhook_url": self.environment.get("BKASH_WEBHOOK_URL", ""),
            "webhook_waits": [1.0, 5.0, 20.0],
        }

    def routes(self) -> list[Route]:
        def api(path: str, function: paying.Endpoint, operation: str) -> Route:
            return Route("POST", f"{API}{path}", lambda call: function(self, call), operation)

        return [
            api("/token/grant", tokens.grant, "grant"),
            api("/token/refresh", tokens.refresh, "refresh"),
            api("/create", paying.create, "create"),
            api("/execute", paying.execute, "execute"),
            api("/payment/status", paying.query, "query"),
            api("/general/searchTransaction", paying.search, "search"),
            api("/payment/refund", refunding.refund, "refund"),
            api("/payment/confirm/capture", refunding.capture, "capture"),
            api("/payment/confirm/void", refunding.void, "void"),
            *hosted.routes(self),
            *sns.routes(self),
        ]

    # Ledger.

    def empty(self) -> None:
        self.payments: dict[str, Payment] = {}
        self.tokens = tokens.Tokens()
        self.subscription: JsonObject = {"token": "", "confirmed": False}

    def records(self) -> JsonObject:
        rows = list(self.payments.values())
        charges: dict[str, int] = {}
        for row in rows:
            charges[row.invoice] = charges.get(row.invoice, 0) + row.charges
        return {
            "payments": rows,
            "charges": charges,
            "tokens": self.tokens,
            "subscription": self.subscription,
        }

    def restore(self, records: JsonObject) -> None:
        self.payments = {row["payment_id"]: Payment(**row) for row in records["payments"]}
        self.tokens = tokens.Tokens(**records["tokens"])
        self.subscription = records["subscription"]

    def overview(self) -> list[tuple[str, str]]:
        rows = self.payments.values()
        charged = sum(row.charges for row in rows)
        refunded = sum(len(row.refunds) for row in rows)
        return [
            ("payments", str(len(rows))),
            ("charged", str(charged)),
            ("refunds", str(refunded)),
        ]

    def links(self) -> list[tuple[str, str]]:
        waiting = [p for p in self.payments.values() if p.payer == records.OPEN]
        return [(f"Pay {p.invoice}", f"{self.prefix}/pay/{p.payment_id}") for p in waiting[-3:]]

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        data = request.data()
        found = self.payments.get(params.get("payment_id") or str(data.get("paymentID", "")))
        if found is not None:
            return payment_facts(found)
        invoice = str(data.get("merchantInvoiceNumber", ""))
        return {
            "reference": invoice,
            "invoice": invoice,
            "amount": str(data.get("amount", "")),
            "trx_id": str(data.get("trxID", "")),
            "app_key": str(data.get("app_key", "")),
        }

    def error_body(self, status: int) -> JsonObject:
        texts = {401: "Unauthorized", 403: "Forbidden", 429: "Limit Exceeded"}
        return {"message": texts.get(status, "Not Found")}

    # Money.

    def move(self, payment: Payment, amount: str | None = None) -> None:
        """Execute: the only place where the payer's money moves."""
        payment.trx_id = secrets.token_hex(5).upper()
        payment.charged_amount = amount or payment.amount
        payment.executed_at = self.clock.now()
        if payment.intent == "authorization":
            payment.status = records.AUTHORIZED  # reserved; capture takes it
            return
        payment.status = records.COMPLETED
        payment.charges += 1
        sns.notify(self, payment)

    def paid_lately(self, payment: Payment) -> bool:
        """Whether the same payer has paid the same sum within the setting's window."""
        window = float(self.settings["duplicate_window"])
        since = self.clock.now() - window
        return window > 0 and any(
            (other.wallet, other.amount) == (payment.wallet, payment.amount)
            and other.executed_at > since
            for other in self.payments.values()
        )

    def decide(self, payment: Payment, payer: str, wallet: str = "") -> None:
        payment.payer = payer
        payment.wallet = wallet or payment.wallet or hosted.DEFAULT_WALLET

    def on_event(self, kind: str, args: JsonObject) -> None:
        payment = self.payments.get(args["payment_id"])
        if kind == "move" and payment is not None and payment.status == records.INITIATED:
            self.move(payment)

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "pay": self.control_pay,
            "forge": self.control_forge,
            "subscribe": lambda wish: sns.subscribe(self, wish),
            "expire_tokens": self.control_expire,
        }

    def named(self, wish: JsonObject) -> Payment:
        wanted = str(wish.get("payment_id") or wish.get("invoice") or "")
        for payment in reversed(self.payments.values()):
            if wanted in (payment.payment_id, payment.invoice):
                return payment
        raise ControlRefused("payment_id or invoice must name a payment.")

    def control_pay(self, wish: JsonObject) -> JsonObject:
        """Decide without the page; the browser is not sent back."""
        payment = self.named(wish)
        action = str(wish.get("action", "pay"))
        if action not in hosted.BUTTONS:
            raise ControlRefused("action must be pay, fail or cancel.")
        self.decide(payment, hosted.BUTTONS[action], str(wish.get("wallet", "")))
        return vars(payment)

    def control_forge(self, wish: JsonObject) -> JsonObject:
        delivery = hosted.forged(self, wish)
        if not is_web_address(delivery.url):
            raise ControlRefused("There is no address to send it to (url).")
        self.deliver(delivery)
        return {"sent_to": delivery.url}

    def control_expire(self, wish: JsonObject) -> JsonObject:  # noqa: ARG002 - one shape for all
        """All id_tokens are over; the allowance is as it was."""
        for token in self.tokens.issued.values():
            token["expires_at"] = 0.0
        return {"expired": len(self.tokens.issued)}

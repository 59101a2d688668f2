"""bKash's calls. Where its contract is open, this is chosen:

an invoice number used before is refused (2031); a payment cancelled by its payer cannot be
executed (2069); a wallet whose debit is blocked fails with the setting ``debit_blocked_code``;
equal payments of one wallet within ``duplicate_window`` seconds are refused (2029), which is
off (0) until asked for, since one sandbox wallet pays everything here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import ClassVar

from simulators.frame.faults import Fault
from simulators.frame.http import (
    Call,
    JsonObject,
    Request,
    Response,
    Route,
    is_web_address,
    with_query,
)
from simulators.frame.returning import RETURN_FAULTS
from simulators.frame.service import Action, ControlRefused, Environment, Preset, Service

from . import executing, hosted, records, refunds
from .answers import COMMON_FAULTS, SPOIL_FAULTS, about, answer, refuse, refuse_by, spoil
from .creating import body_of, read_amount, read_create
from .records import Payment, Refund, payment_facts
from .tokens import TOKEN_FAULTS, App, TokenDesk

BASE = "/v1.2.0-beta/tokenized/checkout"


class Bkash(Service):
    name = "bkash"
    title = "bKash"
    summary = "Payment gateway: tokenized checkout, money moves at execute"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "token": TOKEN_FAULTS,
        "create": {
            **COMMON_FAULTS,
            "no_url": "success without bkashURL",
            "wrong_host": "bkashURL on another host (`url`)",
            "no_payment_id": "success without paymentID",
            "wrong_amount": "the answer echoes another amount (`amount`)",
        },
        "pay": hosted.PAY_FAULTS,
        "return": {**RETURN_FAULTS, **hosted.RETURN_FAULTS},
        "execute": {**COMMON_FAULTS, **SPOIL_FAULTS, **executing.EXECUTE_FAULTS},
        "query": {
            **COMMON_FAULTS,
            **SPOIL_FAULTS,
            "not_completed": "Initiated although it is completed, with `within` only in the"
            " first so many seconds after execute",
            "incomplete": "verificationStatus is Incomplete",
        },
        "search": refunds.SEARCH_FAULTS,
        "refund": refunds.REFUND_FAULTS,
    }
    presets = (
        Preset("normal", "Normal"),
        Preset(
            "declined", "Balance is too low", ({"operation": "execute", "fault": "declined"},)
        ),
        Preset(
            "pending",
            "Execute is unclear, paid after 60 s",
            ({"operation": "execute", "fault": "pending", "seconds": 60},),
        ),
        Preset(
            "no_return", "Browser never comes back", ({"operation": "return", "fault": "never"},)
        ),
        Preset("slow", "Slow (3 s)", ({"operation": "*", "fault": "slow"},)),
        Preset("down", "Down (500)", ({"operation": "*", "fault": "error_500"},)),
    )

    def __init__(self, environment: Environment) -> None:
        get = environment.get
        self.apps = {
            get("BKASH_APP_KEY", "demo-app-key"): App(
                get("BKASH_APP_SECRET", "demo-app-secret"),
                get("BKASH_USERNAME", "demo-user"),
                get("BKASH_PASSWORD", "demo-password"),
            )
        }
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        return {
            "token_calls_per_hour": 2,
            "token_life": 3600,
            "blocked_status": 429,
            "query_invoice_name": "merchantInvoice",
            "debit_blocked_code": "2003",
            "duplicate_window": 0,
            "refund_days": 15,
            "max_refunds": 10,
        }

    def change_settings(self, wish: JsonObject) -> None:
        super().change_settings(wish)
        if "token_calls_per_hour" in wish:
            self.desk.blocked.clear()  # another limit counts from here on

    def routes(self) -> list[Route]:
        return [
            Route("POST", f"{BASE}/token/grant", lambda call: self.desk.grant(call), "token"),
            Route("POST", f"{BASE}/token/refresh", lambda call: self.desk.refresh(call), "token"),
            Route("POST", f"{BASE}/create", self.create, "create"),
            Route("POST", f"{BASE}/execute", self.execute, "execute"),
            Route("POST", f"{BASE}/payment/status", self.query, "query"),
            Route(
                "POST",
                f"{BASE}/general/searchTransaction",
                lambda call: refunds.search(self, call),
                "search",
            ),
            Route(
                "POST", f"{BASE}/payment/refund", lambda call: refunds.refund(self, call), "refund"
            ),
            *hosted.routes(self),
        ]

    # Ledger.

    def empty(self) -> None:
        self.payments: dict[str, Payment] = {}  # by paymentID
        self.refunds: list[Refund] = []
        self.desk = TokenDesk(self)

    def records(self) -> JsonObject:
        return {
            "payments": list(self.payments.values()),
            "charges": {p.invoice: p.charges for p in self.payments.values()},
            "refunds": self.refunds,
            "tokens": self.desk.as_json(),
        }

    def restore(self, records: JsonObject) -> None:
        payments = [Payment(**row) for row in records["payments"]]
        self.payments = {payment.payment_id: payment for payment in payments}
        self.refunds = [Refund(**row) for row in records["refunds"]]
        self.desk.restore(records["tokens"])

    def overview(self) -> list[tuple[str, str]]:
        charged = sum(payment.charges for payment in self.payments.values())
        return [
            ("payments", str(len(self.payments))),
            ("charged", str(charged)),
            ("refunds", str(len(self.refunds))),
        ]

    def links(self) -> list[tuple[str, str]]:
        open_ones = [p for p in self.payments.values() if not p.payer and not p.done]
        return [(f"Pay {p.invoice}", f"{self.prefix}/pay/{p.link}") for p in open_ones[-3:]]

    def by_link(self, link: str) -> Payment | None:
        return next((p for p in self.payments.values() if p.link == link), None)

    def by_transaction(self, trx_id: str) -> Payment | None:
        return next((p for p in self.payments.values() if p.trx_id == trx_id != ""), None)

    def by_invoice(self, invoice: str) -> Payment | None:
        return next((p for p in self.payments.values() if p.invoice == invoice), None)

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        data = request.data()
        payment = (
            self.by_link(params.get("link", ""))
            or self.payments.get(str(data.get("paymentID", "")))
            or self.by_transaction(str(data.get("trxID", "")))
        )
        if payment is not None:
            return payment_facts(payment)
        invoice = str(data.get("merchantInvoiceNumber", ""))
        return {
            "reference": invoice,
            "invoice": invoice,
            "payer_reference": str(data.get("payerReference", "")),
            "amount": str(data.get("amount", "")),
        }

    def error_body(self, status: int) -> JsonObject:
        known = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Limit Exceeded"}
        return {"message": known.get(status, "Request refused")}

    # Calls.

    def enter(self, call: Call, operation: str) -> tuple[str, Fault | None]:
        """Who calls, and the fault this call is to meet; refuses bad tokens."""
        app_key = self.desk.check(call)
        fault = self.faults.take(operation, self.facts(call.request, call.params))
        refuse_by(fault)
        return app_key, fault

    def create(self, call: Call) -> Response:
        app_key, fault = self.enter(call, "create")
        members = read_create(call.request)
        if self.by_invoice(members["merchantInvoiceNumber"]):
            refuse("2031")
        payment = Payment(
            payment_id=f"TR0011{records.code(16)}",
            link=secrets.token_urlsafe(18),
            app_key=app_key,
            mode=members["mode"],
            payer_reference=members["payerReference"],
            callback_url=members["callbackURL"],
            amount=members["amount"],
            currency=members["currency"],
            intent=members["intent"],
            invoice=members["merchantInvoiceNumber"],
            created_at=self.clock.now(),
        )
        self.payments[payment.payment_id] = payment
        body = created(payment, f"{call.base_url}{self.prefix}/pay/{payment.link}")
        spoil_created(body, fault)
        return answer(body, {"paymentCreateTime": payment.created_at}, fault)

    def payment_of(self, call: Call, app_key: str) -> Payment:
        payment_id = body_of(call.request).get("paymentID")
        if not payment_id:
            refuse("2065")
        payment = self.payments.get(str(payment_id))
        if payment is None or payment.app_key != app_key:
            refuse("2002")
        return payment

    def execute(self, call: Call) -> Response:
        app_key, fault = self.enter(call, "execute")
        payment = self.payment_of(call, app_key)
        executing.execute(self, payment, fault)
        body = about(payment, "merchantInvoiceNumber")
        self.spoil(body, payment, fault)
        return answer(body, {"paymentExecuteTime": payment.executed_at}, fault)

    def query(self, call: Call) -> Response:
        app_key, fault = self.enter(call, "query")
        payment = self.payment_of(call, app_key)
        shown, name = payment, fault.fault if fault else ""
        if fault and name == "not_completed":
            age = self.clock.now() - payment.executed_at
            if age < fault.number("within", float("inf")):
                hidden = {"status": records.INITIATED, "paid_amount": "", "executed_at": 0.0}
                shown = Payment(**{**vars(payment), **hidden})
        body = about(shown, self.settings["query_invoice_name"])
        complete = payment.verified and name != "incomplete"
        body |= {
            "mode": payment.mode,
            "verificationStatus": "Complete" if complete else "Incomplete",
        }
        self.spoil(body, payment, fault)
        times = {
            "paymentCreateTime": shown.created_at,
            "paymentExecuteTime": shown.executed_at,
        }
        return answer(body, times, fault)

    def spoil(self, body: JsonObject, payment: Payment, fault: Fault | None) -> None:
        if fault is not None:
            others = (p.trx_id for p in self.payments.values() if p is not payment and p.trx_id)
            spoil(body, fault, used_trx_id=next(others, "USEDTRX001"))

    # Money.

    def capture(self, payment: Payment, amount: str = "") -> None:
        """The payer's wallet is charged; the only place where that happens."""
        sale = payment.intent == "sale"
        payment.status = records.COMPLETED if sale else records.AUTHORIZED
        payment.trx_id = records.code(10)
        payment.executed_at = self.clock.now()
        payment.paid_amount = amount or payment.amount
        payment.waiting = False
        payment.charges += 1

    def on_event(self, kind: str, args: JsonObject) -> None:
        payment = self.payments.get(args.pop("payment_id"))
        if payment is None:
            return
        if kind == "complete" and payment.waiting:
            self.capture(payment)
        elif kind == "refund" and refunds.left_of(self, payment) > 0:
            refunds.book(self, payment, **args)

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "confirm": self.control_confirm,
            "pay": self.control_pay,
            "forge": self.control_forge,
        }

    def named(self, wish: JsonObject) -> Payment:
        found = self.payments.get(str(wish.get("payment_id", ""))) or self.by_invoice(
            str(wish.get("invoice") or wish.get("reference") or "")
        )
        if found is None:
            raise ControlRefused("payment_id or invoice must name a payment.")
        return found

    def control_confirm(self, wish: JsonObject) -> JsonObject:
        """Press a button of the page without a browser, and so without a return."""
        payment = self.named(wish)
        action = str(wish.get("action", "pay"))
        if action not in records.BUTTONS:
            raise ControlRefused("action must be pay, fail or cancel.")
        if payment.done:
            raise ControlRefused("It is paid already.")
        payment.payer = records.BUTTONS[action]
        payment.wallet = str(wish.get("wallet") or records.SANDBOX_WALLET)
        return dict(vars(payment))

    def control_pay(self, wish: JsonObject) -> JsonObject:
        """Move the money, whatever was pressed or refused before (money that comes late)."""
        payment = self.named(wish)
        if payment.done:
            raise ControlRefused("It is paid already.")
        amount = str(wish.get("amount", payment.amount))
        if read_amount(amount) is None:
            raise ControlRefused("amount must be a text like '100.00'.")
        payment.payer, payment.execute_called = records.SUCCESS, True
        payment.wallet = payment.wallet or records.SANDBOX_WALLET
        self.capture(payment, amount)
        return dict(vars(payment))

    def control_forge(self, wish: JsonObject) -> JsonObject:
        """Call the merchant back with nothing behind it."""
        known = self.payments.get(str(wish.get("payment_id", ""))) or self.by_invoice(
            str(wish.get("invoice") or wish.get("reference") or "")
        )
        delivery = hosted.forged(wish, known)
        if not is_web_address(delivery.url):
            raise ControlRefused("There is no address to send it to (url).")
        self.deliver(delivery)
        return {"sent_to": delivery.url}


def created(payment: Payment, url: str) -> JsonObject:
    back = {
        name: with_query(payment.callback_url, hosted.return_params(payment, status))
        for name, status in (
            ("successCallbackURL", records.SUCCESS),
            ("failureCallbackURL", records.FAILURE),
            ("cancelledCallbackURL", records.CANCEL),
        )
    }
    return {
        "paymentID": payment.payment_id,
        "bkashURL": url,
        "callbackURL": payment.callback_url,
        **back,
        "amount": payment.amount,
        "intent": payment.intent,
        "currency": payment.currency,
        "transactionStatus": payment.status,
        "merchantInvoiceNumber": payment.invoice,
    }


def spoil_created(body: JsonObject, fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "no_url":
            del body["bkashURL"]
        case "no_payment_id":
            del body["paymentID"]
        case "wrong_host" if fault:
            body["bkashURL"] = fault.text("url", "https://bkash.example/pay/1")
        case "wrong_amount" if fault:
            body["amount"] = fault.text("amount", "1")

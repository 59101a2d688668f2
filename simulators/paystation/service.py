"""PayStation's calls. Its contract leaves some things open; what is chosen here:

a bad or missing field is refused with code 1002; a link nobody opened is ``Initiated``, an
open one ``Processing``; the fee is added to what the payer is charged only if the setting
``customer_pays_fee`` says so (``never``, ``always``, ``when_0``, ``when_1``: the value of
``pay_with_charge``), since public clients contradict each other about its meaning.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from simulators.frame.faults import Fault
from simulators.frame.http import (
    Call,
    JsonObject,
    Request,
    Response,
    Route,
    is_web_address,
)
from simulators.frame.outbound import Delivery
from simulators.frame.returning import RETURN_FAULTS
from simulators.frame.service import Action, ControlRefused, Environment, Preset, Service

from . import hosted, legacy, records
from .answers import (
    CREATE_FAULTS,
    IPN_FAULTS,
    STATUS_FAULTS,
    envelope,
    ipn_body,
    spoil_status,
    status_data,
)
from .creating import read_create, refuse
from .records import Payment, payment_facts


class PayStation(Service):
    name = "paystation"
    title = "PayStation"
    summary = "Payment gateway: hosted checkout, status calls, IPN"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "create": CREATE_FAULTS,
        "status": STATUS_FAULTS,
        "pay": hosted.PAY_FAULTS,
        "return": {**RETURN_FAULTS, **hosted.RETURN_FAULTS},
        "ipn": IPN_FAULTS,
        "token": {"refused": "2001"},
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
            "no_return", "Browser never comes back", ({"operation": "return", "fault": "never"},)
        ),
        Preset(
            "wrong_amount", "Wrong amount is paid", ({"operation": "pay", "fault": "wrong_amount"},)
        ),
        Preset("verify_timeout", "Status call hangs", ({"operation": "status", "fault": "hang"},)),
        Preset("slow", "Slow (3 s)", ({"operation": "*", "fault": "slow"},)),
        Preset("down", "Down (500)", ({"operation": "*", "fault": "error_500"},)),
    )

    def __init__(self, environment: Environment) -> None:
        self.merchants = {
            environment.get("PAYSTATION_MERCHANT_ID", "104-1653730183"): environment.get(
                "PAYSTATION_PASSWORD", "gamecoderstorepass"
            )
        }
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        return {
            "ipn_url": self.environment.get("PAYSTATION_IPN_URL", ""),
            "ipn_waits": [1.0, 2.0, 5.0, 10.0, 30.0, 60.0],
            "customer_pays_fee": "never",
            "fee_percent": "1.50",
        }

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/initiate-payment", self.create, "create"),
            Route("POST", "/transaction-status", self.status_by_invoice, "status"),
            Route("POST", "/v2/transaction-status", self.status_by_transaction, "status"),
            *legacy.routes(self),
            *hosted.routes(self),
        ]

    # Ledger.

    def empty(self) -> None:
        self.payments: dict[str, Payment] = {}  # by invoice number
        self.tokens: dict[str, str] = {}  # older generation: token -> merchant

    def records(self) -> JsonObject:
        return {
            "payments": list(self.payments.values()),
            "charges": {p.invoice_number: p.charges for p in self.payments.values()},
            "tokens": self.tokens,
        }

    def restore(self, records: JsonObject) -> None:
        payments = [Payment(**row) for row in records["payments"]]
        self.payments = {payment.invoice_number: payment for payment in payments}
        self.tokens = records["tokens"]

    def overview(self) -> list[tuple[str, str]]:
        rows = self.payments.values()
        charged = sum(payment.charges for payment in rows)
        return [("payments", str(len(rows))), ("charged", str(charged))]

    def links(self) -> list[tuple[str, str]]:
        open_ones = [p for p in self.payments.values() if p.state in records.OPEN]
        return [
            (f"Pay {payment.invoice_number}", f"{self.prefix}/pay/{payment.link}")
            for payment in open_ones[-3:]
        ]

    def by_link(self, link: str) -> Payment | None:
        return next((p for p in self.payments.values() if p.link == link), None)

    def by_transaction(self, trx_id: str) -> Payment | None:
        return next((p for p in self.payments.values() if p.trx_id == trx_id != ""), None)

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        data = request.data()
        payment = (
            self.by_link(params.get("link", ""))
            or self.by_transaction(str(data.get("trxId", "")))
            or self.payments.get(str(data.get("invoice_number", "")))
        )
        if payment is not None:
            return payment_facts(payment)
        invoice = str(data.get("invoice_number", ""))
        amount = str(data.get("payment_amount", ""))
        return {"reference": invoice, "invoice_number": invoice, "amount": amount}

    def error_body(self, status: int) -> JsonObject:
        return {"status_code": str(status), "status": "failed", "message": "Request refused."}

    # Calls.

    def create(self, call: Call) -> Response:
        data = call.request.data()
        merchant = str(data.get("merchantId", ""))
        if self.merchants.get(merchant) != str(data.get("password", "")) or not merchant:
            refuse("1001", "Invalid Credential.")
        return self.create_for(merchant, read_create(call.request), call.base_url)

    def create_for(self, merchant: str, members: dict[str, str], base_url: str) -> Response:
        facts = {
            "reference": members["invoice_number"],
            "invoice_number": members["invoice_number"],
            "amount": members["payment_amount"],
        }
        fault = self.faults.take("create", facts)
        refuse_create(fault)
        if members["invoice_number"] in self.payments:
            refuse("1008", "Invoice number already used.")
        payment = self.new_payment(merchant, members)
        self.payments[payment.invoice_number] = payment
        answer = {
            "payment_amount": payment.request_amount,
            "invoice_number": payment.invoice_number,
            "payment_url": f"{base_url}{self.prefix}/pay/{payment.link}",
        }
        spoil_create(answer, fault)
        return envelope("200", "Payment Link Created Successfully.", fault, **answer)

    def new_payment(self, merchant: str, members: dict[str, str]) -> Payment:
        rest: dict[str, Any] = {
            key: value
            for key, value in members.items()
            if key not in ("invoice_number", "payment_amount", "callback_url", "currency")
        }
        return Payment(
            link=secrets.token_urlsafe(18),
            merchant_id=merchant,
            invoice_number=members["invoice_number"],
            request_amount=members["payment_amount"],
            callback_url=members["callback_url"],
            created_at=self.clock.now(),
            **rest,
        )

    def status_by_invoice(self, call: Call) -> Response:
        merchant = self.known_merchant(call)
        invoice = str(call.request.data().get("invoice_number", ""))
        return self.status(self.payments.get(invoice), merchant, version=1)

    def status_by_transaction(self, call: Call) -> Response:
        merchant = self.known_merchant(call)
        trx_id = str(call.request.data().get("trxId", ""))
        return self.status(self.by_transaction(trx_id), merchant, version=2)

    def known_merchant(self, call: Call) -> str:
        merchant = call.request.headers.get("merchantid", "")
        if merchant not in self.merchants:
            refuse("1001", "Invalid Credential.")
        return merchant

    def status(self, payment: Payment | None, merchant: str, *, version: int) -> Response:
        if payment is None or payment.merchant_id != merchant:
            refuse("1006", "Transaction not found in system")
        fault = self.faults.take("status", payment_facts(payment))
        age = self.clock.now() - payment.created_at
        if fault is not None:
            refuse_status(fault, age)
        data = status_data(payment, version=version)
        if fault is not None:
            used = next((p.trx_id for p in self.payments.values() if p.trx_id), "")
            spoil_status(data, fault, used_trx_id=used)
        return envelope("200", "Transaction found", fault, data=data)

    # Money.

    def capture(self, payment: Payment, amount: str | None = None) -> None:
        """The customer's wallet is charged; the only place where that happens."""
        payment.state = records.SUCCESS
        payment.trx_id = payment.trx_id or secrets.token_hex(5).upper()
        payment.paid_amount = amount or self.amount_with_fee(payment)
        payment.changed_at = self.clock.now()
        payment.charges += 1

    def amount_with_fee(self, payment: Payment) -> str:
        rule = self.settings["customer_pays_fee"]
        if rule == "always" or (
            payment.pay_with_charge and rule == f"when_{payment.pay_with_charge}"
        ):
            return records.plus_fee(payment.request_amount, self.settings["fee_percent"])
        return payment.request_amount

    def plan_ipn(self, payment: Payment) -> Delivery | None:
        """Put the IPN on the agenda; one that must overtake the browser is returned instead."""
        if not self.settings["ipn_url"]:
            return None
        fault = self.faults.take("ipn", payment_facts(payment))
        delivery = Delivery(
            kind="ipn",
            url=self.settings["ipn_url"],
            headers={"Content-Type": "application/json"},
            body=ipn_body(payment, fault),
            waits=list(self.settings["ipn_waits"]),
            reference=payment.invoice_number,
        )
        name = fault.fault if fault else ""
        if name == "never":
            return None
        if name == "before_return":
            return delivery
        count = int(fault.number("count", 2)) if fault and name == "repeat" else 1
        after = fault.number("seconds", 5) if fault and name == "late" else 0.0
        for _ in range(count):
            self.deliver(delivery, after=after)
        return None

    def on_event(self, kind: str, args: JsonObject) -> None:
        payment = self.payments.get(args["invoice_number"])
        if kind != "settle" or payment is None or payment.state not in records.OPEN:
            return
        self.decide(payment, args["state"], args.get("amount"))
        if payment.state == records.SUCCESS and (overtaking := self.plan_ipn(payment)):
            self.deliver(overtaking)

    def decide(self, payment: Payment, state: str, amount: str | None = None) -> None:
        if state == records.SUCCESS:
            self.capture(payment, amount)
        else:
            payment.state, payment.changed_at = state, self.clock.now()

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "pay": self.control_pay,
            "refund": lambda wish: self.control_state(wish, records.REFUND),
            "expire": lambda wish: self.control_state(wish, records.EXPIRED),
            "forge": self.control_forge,
        }

    def named(self, wish: JsonObject) -> Payment:
        payment = self.payments.get(str(wish.get("invoice_number", "")))
        if payment is None:
            raise ControlRefused("invoice_number must name a payment.")
        return payment

    def control_pay(self, wish: JsonObject) -> JsonObject:
        """Decide without the page, also what was decided before (money that comes late)."""
        payment = self.named(wish)
        action = str(wish.get("action", "pay"))
        if action not in records.BUTTONS:
            raise ControlRefused("action must be pay, fail or cancel.")
        if payment.state == records.SUCCESS:
            raise ControlRefused("It is paid already.")
        payment.payment_method = str(wish.get("payment_method", "bKash"))
        amount = wish.get("amount")
        self.decide(payment, records.BUTTONS[action], None if amount is None else str(amount))
        if payment.state == records.SUCCESS and (overtaking := self.plan_ipn(payment)):
            self.deliver(overtaking)
        return vars(payment)

    def control_state(self, wish: JsonObject, state: str) -> JsonObject:
        payment = self.named(wish)
        if state == records.REFUND and payment.state != records.SUCCESS:
            raise ControlRefused("Only a paid payment can be refunded.")
        if state == records.EXPIRED and payment.state not in records.OPEN:
            raise ControlRefused("Only an open payment can expire.")
        payment.state, payment.changed_at = state, self.clock.now()
        return vars(payment)

    def control_forge(self, wish: JsonObject) -> JsonObject:
        """Send a callback or an IPN that nothing stands behind."""
        delivery = hosted.forged(self, wish)
        if not is_web_address(delivery.url):
            raise ControlRefused("There is no address to send it to (url).")
        self.deliver(delivery)
        return {"sent_to": delivery.url, "body": delivery.body}


def refuse_create(fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "refused" if fault:
            refuse(fault.text("code", "1009"), fault.text("message", "Request refused."))
        case "invalid_credential":
            refuse("1001", "Invalid Credential.")
        case "duplicate":
            refuse("1008", "Invoice number already used.")


def spoil_create(answer: dict[str, str], fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "no_url":
            del answer["payment_url"]
        case "wrong_host" if fault:
            answer["payment_url"] = fault.text("url", "https://paystation.example/pay/1")
        case "wrong_amount" if fault:
            answer["payment_amount"] = fault.text("amount", "1")


def refuse_status(fault: Fault, age: float) -> None:
    match fault.fault:
        case "not_found" if age < fault.number("within", float("inf")):
            refuse("1006", "Transaction not found in system")
        case "wrong_merchant":
            refuse("2001", "Merchant mismatch.")
        case "refused":
            refuse(fault.text("code", "2001"), fault.text("message", "Request refused."))

"""SSLCommerz's calls. Its contract leaves some things open; what is chosen here:

a second session under a used ``tran_id`` is refused; a payer who closes the page or lets it
expire sends no browser back, only an IPN; a refused card leaves the page open for another try,
``fail`` ends the session; by session, whatever ended without money is FAILED; an IPN that is not
answered with a 2xx is sent again after the waits of the setting ``ipn_waits``.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import ClassVar, Final

from simulators.frame.clock import dhaka, dhaka_text
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

from . import answers, asking, hosted, opening, posting, records, refunding
from .records import Attempt, Refund, Session, session_facts

VALIDATION: Final = "/validator/api/validationserverAPI.php"
QUERIES: Final = "/validator/api/merchantTransIDvalidationAPI.php"


class SslCommerz(Service):
    name = "sslcommerz"
    title = "SSLCommerz"
    summary = "Payment gateway: hosted checkout, validation, queries, refunds, IPN"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "session": answers.SESSION_FAULTS,
        "validate": answers.VALIDATE_FAULTS,
        "query": answers.QUERY_FAULTS,
        "query_session": answers.QUERY_SESSION_FAULTS,
        "refund": refunding.REFUND_FAULTS,
        "refund_query": refunding.REFUND_QUERY_FAULTS,
        "pay": hosted.PAY_FAULTS,
        "return": posting.RETURN_FAULTS,
        "ipn": posting.IPN_FAULTS,
    }
    presets = (
        Preset("normal", "Normal"),
        Preset("declined", "Payments are declined", ({"operation": "pay", "fault": "declined"},)),
        Preset(
            "pending",
            "Payments stay pending for 60 s",
            ({"operation": "pay", "fault": "pending", "seconds": 60},),
        ),
        Preset("risky", "Payments are risky", ({"operation": "pay", "fault": "risky"},)),
        Preset(
            "no_callback",
            "Nobody ever calls back",
            (
                {"operation": "return", "fault": "never"},
                {"operation": "ipn", "fault": "never"},
            ),
        ),
        Preset(
            "wrong_amount", "Wrong amount is paid", ({"operation": "pay", "fault": "wrong_amount"},)
        ),
        Preset("verify_timeout", "Validation hangs", ({"operation": "validate", "fault": "hang"},)),
        Preset("slow", "Slow (3 s)", ({"operation": "*", "fault": "slow"},)),
        Preset("down", "Down (502)", ({"operation": "*", "fault": "error_502"},)),
    )

    def __init__(self, environment: Environment) -> None:
        get = environment.get
        self.other_store = ("otherstore", "otherstore-password")
        own = (get("SSLCOMMERZ_STORE_ID", "testbox"), get("SSLCOMMERZ_STORE_PASSWORD", "qwerty"))
        self.stores = dict((own, self.other_store))
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        return {
            "active": True,
            "ipn_url": self.environment.get("SSLCOMMERZ_IPN_URL", ""),
            "ipn_waits": [1.0, 2.0, 5.0, 10.0, 30.0, 60.0],
            "refund_after": 2.0,
        }

    def routes(self) -> list[Route]:
        def asked(function: asking.Endpoint, operation: str, needs: str = "") -> Route:
            return Route("GET", QUERIES, lambda call: function(self, call), operation, needs)

        return [
            Route("POST", "/gwprocess/v4/api.php", self.open, "session"),
            Route("GET", VALIDATION, lambda call: asking.validate(self, call), "validate"),
            asked(refunding.query, "refund_query", "refund_ref_id"),
            asked(refunding.start, "refund", "bank_tran_id"),
            asked(asking.by_session, "query_session", "sessionkey"),
            asked(asking.by_transaction, "query", "tran_id"),
            asked(asking.unnamed, ""),
            *hosted.routes(self),
        ]

    # Ledger.

    def empty(self) -> None:
        self.sessions: dict[str, Session] = {}  # by tran_id

    def records(self) -> JsonObject:
        rows = list(self.sessions.values())
        return {"sessions": rows, "charges": {row.tran_id: row.charges for row in rows}}

    def restore(self, records: JsonObject) -> None:
        sessions = [Session.load(row) for row in records["sessions"]]
        self.sessions = {session.tran_id: session for session in sessions}

    def overview(self) -> list[tuple[str, str]]:
        rows = self.sessions.values()
        refunds = sum(len(each.refunds) for row in rows for each in row.attempts)
        return [
            ("sessions", str(len(rows))),
            ("charged", str(sum(row.charges for row in rows))),
            ("refunds", str(refunds)),
        ]

    def links(self) -> list[tuple[str, str]]:
        open_ones = [row for row in self.sessions.values() if row.state == records.OPEN]
        return [
            (f"Pay {row.tran_id}", f"{self.prefix}/pay/{row.sessionkey}") for row in open_ones[-3:]
        ]

    def by_key(self, sessionkey: str) -> Session | None:
        rows = self.sessions.values()
        return next((row for row in rows if row.sessionkey == sessionkey), None)

    def tries(self) -> list[tuple[Session, Attempt]]:
        return [(row, each) for row in self.sessions.values() for each in row.attempts]

    def by_val_id(self, val_id: str) -> Session | None:
        return next((row for row, each in self.tries() if each.val_id == val_id != ""), None)

    def by_bank_tran_id(self, bank_tran_id: str) -> tuple[Session, Attempt] | tuple[None, None]:
        found = (pair for pair in self.tries() if pair[1].bank_tran_id == bank_tran_id != "")
        return next(found, (None, None))

    def by_refund(
        self, refund_ref_id: str
    ) -> tuple[Session, Attempt, Refund] | tuple[None, None, None]:
        for row, each in self.tries():
            for refund in each.refunds:
                if refund.refund_ref_id == refund_ref_id:
                    return row, each, refund
        return None, None, None

    def refund_known(self, refund_trans_id: str) -> bool:
        given = (refund for _, each in self.tries() for refund in each.refunds)
        return any(refund.refund_trans_id == refund_trans_id for refund in given)

    def first_val_id(self) -> str:
        return next((each.val_id for _, each in self.tries() if each.val_id), "")

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        data = {**request.query, **request.data()}
        session = (
            self.by_key(params.get("sessionkey") or data.get("sessionkey", ""))
            or self.sessions.get(str(data.get("tran_id", "")))
            or self.by_val_id(str(data.get("val_id", "")))
            or self.by_bank_tran_id(str(data.get("bank_tran_id", "")))[0]
            or self.by_refund(str(data.get("refund_ref_id", "")))[0]
        )
        if session is not None:
            return session_facts(session)
        tran_id = str(data.get("tran_id", ""))
        amount = str(data.get("total_amount", ""))
        return {"reference": tran_id, "tran_id": tran_id, "amount": amount}

    def error_body(self, status: int) -> JsonObject:
        return {"APIConnect": "FAILED", "message": f"HTTP {status}"}

    # Who asks.

    def knows(self, store: str, password: str) -> bool:
        return bool(store) and self.stores.get(store) == password

    def password_of(self, store: str) -> str:
        return self.stores.get(store, "")

    # Open session.

    def open(self, call: Call) -> Response:
        data = call.request.form()
        store = str(data.get("store_id", ""))
        if not self.knows(store, str(data.get("store_passwd", ""))) or not self.settings["active"]:
            opening.refuse("Store Credential Error Or Store is De-active")
        wish = opening.read_session(call.request)
        facts = {"reference": wish["tran_id"], "tran_id": wish["tran_id"]}
        fault = self.faults.take("session", {**facts, "amount": wish["total_amount"]})
        opening.refuse_by(fault)
        if wish["tran_id"] in self.sessions:
            opening.refuse("Invalid Information! 'tran_id' is already used.")
        session = opening.new_session(store, wish, now=self.clock.now())
        self.sessions[session.tran_id] = session
        said = opening.answer(
            "SUCCESS",
            sessionkey=session.sessionkey,
            GatewayPageURL=f"{call.base_url}{self.prefix}/pay/{session.sessionkey}",
            store_name=store,
            is_direct_pay_enable="0",
        )
        opening.spoil(said, fault)
        return json_response(said)

    # Money.

    def attempt(self, session: Session, status: str) -> Attempt:
        attempt = Attempt(
            status=status,
            tran_date=dhaka_text(self.clock.now()),
            bank_tran_id=secrets.token_hex(8).upper(),
            amount=session.amount,
            method=session.method,
        )
        session.attempts.append(attempt)
        return attempt

    def capture(
        self, session: Session, *, amount: str = "", currency: str = "", risk: str = "0"
    ) -> None:
        """The payer is charged; the only place where that happens."""
        waiting = next((a for a in session.attempts if a.status == records.PENDING), None)
        attempt = waiting or self.attempt(session, records.VALID)
        attempt.status, attempt.risk_level = records.VALID, risk
        stamp = dhaka(self.clock.now()).strftime("%y%m%d%H%M%S")
        attempt.val_id = f"{stamp}{secrets.token_hex(9)}"
        attempt.amount, attempt.currency = amount or attempt.amount, currency or attempt.currency
        session.state, session.busy = records.PAID, False

    def decide(self, session: Session, state: str) -> None:
        """End it without money, or (`OPEN`) let the payer try another card."""
        if state in (records.FAILED, records.OPEN):
            waiting = next((a for a in session.attempts if a.status == records.PENDING), None)
            attempt = waiting or self.attempt(session, records.NOT_PAID)
            attempt.status, attempt.error = records.NOT_PAID, "Invalid expiration date"
        session.state, session.busy = state, False

    def on_event(self, kind: str, args: JsonObject) -> None:
        if kind == "refund":
            _, _, refund = self.by_refund(args["refund_ref_id"])
            if refund is not None:
                refunding.conclude(self, refund)
            return
        session = self.sessions.get(args["tran_id"])
        if kind != "settle" or session is None or not session.busy:
            return
        if args["state"] == records.PAID:
            self.capture(session)
        else:
            self.decide(session, args["state"])
        self.notify(session)

    def notify(self, session: Session) -> None:
        if overtaking := posting.plan_ipn(self, session):
            self.deliver(overtaking)

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return {
            "pay": self.control_pay,
            "forge": self.control_forge,
            "refund": lambda wish: refunding.control(self, wish),
        }

    def control_pay(self, wish: JsonObject) -> JsonObject:
        """Press a button without the page, also on what was decided (money that comes late)."""
        session = self.sessions.get(str(wish.get("tran_id", "")))
        action = str(wish.get("action", "pay"))
        if session is None:
            raise ControlRefused("tran_id must name a session.")
        if action not in hosted.BUTTONS:
            raise ControlRefused(f"action must be one of: {', '.join(hosted.BUTTONS)}.")
        if session.charges and not wish.get("again"):
            raise ControlRefused("It is paid already; with `again` it is paid twice.")
        if action in hosted.PAYING:
            risk = "1" if action == "risky" else "0"
            self.capture(session, amount=str(wish.get("amount", "")), risk=risk)
        else:
            self.decide(session, hosted.BUTTONS[action])
        if session.state != records.OPEN:
            self.notify(session)
        told: JsonObject = {
            **{key: value for key, value in vars(session).items() if key != "attempts"},
            "attempts": [{**vars(each), "refunds": len(each.refunds)} for each in session.attempts],
        }
        return told

    def control_forge(self, wish: JsonObject) -> JsonObject:
        """Post something that nothing stands behind."""
        delivery = posting.forged(self, wish)
        if not is_web_address(delivery.url):
            raise ControlRefused("There is no address to send it to (url).")
        self.deliver(delivery)
        return {"sent_to": delivery.url, "body": delivery.body}

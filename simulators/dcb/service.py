"""Carrier billing as bdapps and Applink have it. What their contracts leave open is chosen here:

a repetition of a charged id is ``E1379``, of a refused one is charged anew; an id that comes
again with another subscriber or amount is ``E1337``; a repetition of Applink's first step is
``E1337`` always; the third wrong password ends the charge (``E1853``); Applink's ``sourceAddress``
must be the subscriber; a notification is told again until the merchant answers 2xx. Amounts
have no band unless the settings ``least_amount`` and ``most_amount`` say so (bdapps: 1 to 50).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import ClassVar, Final

from simulators.frame.faults import Fault
from simulators.frame.http import (
    Call,
    JsonObject,
    Request,
    Response,
    Route,
    json_response,
)
from simulators.frame.service import Action, Environment, Preset, Service

from . import applink, consent, control, phone, records
from .answers import (
    ANSWER_FAULTS,
    DEBIT_FAULTS,
    NOTIFICATION_FAULTS,
    OTP_FAULTS,
    charge_answer,
    coded,
    refuse,
    refuse_early,
)
from .applink import DECIDE
from .reading import Wish, credentials, number_of, read_debit, texts
from .records import APPLINK, BDAPPS, Charge, Subscriber, charge_facts

PAID: Final = "S1000"


class Dcb(Service):
    name = "dcb"
    title = "Carrier billing"
    summary = "bdapps (Robi, Airtel) and Applink (Banglalink): direct debit, OTP, notification"
    operations: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "debit": DEBIT_FAULTS,
        "start": ANSWER_FAULTS,
        "otp": OTP_FAULTS,
        "notification": NOTIFICATION_FAULTS,
        "balance": {"refused": "statusCode `code` (E1309): not provisioned"},
        "phone": {},
        **consent.OPERATIONS,
    }
    presets = (
        Preset("normal", "Normal"),
        Preset("declined", "Too little balance", ({"operation": "debit", "fault": "refused"},)),
        Preset(
            "refused",
            "Subscriber refuses",
            ({"operation": "debit", "fault": "refused", "code": "E1406"},),
        ),
        Preset(
            "charged_unanswered",
            "Charged, but the answer is lost (once)",
            ({"operation": "debit", "fault": "cut_after", "times": 1},),
        ),
        Preset(
            "authorised",
            "Authorised for 60 s, then confirmed",
            ({"operation": "notification", "fault": "late", "seconds": 60},),
        ),
        Preset(
            "authorised_refused",
            "Authorised, then refused",
            ({"operation": "notification", "fault": "refused"},),
        ),
        Preset("no_notification", "Never told", ({"operation": "notification", "fault": "never"},)),
        Preset(
            "partial", "Only half is taken", ({"operation": "notification", "fault": "partial"},)
        ),
        Preset("down", "Down (500)", ({"operation": "*", "fault": "error_500"},)),
    )

    def __init__(self, environment: Environment) -> None:
        get = environment.get
        self.applications = {
            BDAPPS: {
                get("DCB_BDAPPS_APP_ID", "APP_000001"): get("DCB_BDAPPS_PASSWORD", "bdapps-demo")
            },
            APPLINK: {
                get("DCB_APPLINK_APP_ID", "APP_000002"): get("DCB_APPLINK_PASSWORD", "applink-demo")
            },
        }
        super().__init__(environment)

    def default_settings(self) -> JsonObject:
        get = self.environment.get
        return {
            "notification_url": get("DCB_APPLINK_NOTIFICATION_URL", ""),
            "notification_waits": [1.0, 2.0, 5.0, 10.0, 30.0, 60.0],
            "bdapps_instrument": get("DCB_BDAPPS_INSTRUMENT", "MobileAccount"),
            "applink_instrument": "Mobile Account",
            "least_amount": "",
            "most_amount": "",
            "balance_provisioned": True,
            "masked": {},
        }

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/bdapps/caas/direct/debit", self.debit, "debit"),
            *applink.routes(self),
            *(
                Route("POST", f"/{name}/caas/{path}", self.balance_of(name), "balance")
                for name in (BDAPPS, APPLINK)
                for path in ("get/balance", "balance/query")
            ),
            *phone.routes(self),
            *consent.routes(self),
        ]

    # Ledger.

    def empty(self) -> None:
        self.charges: dict[str, Charge] = {}  # by externalTrxId
        self.subscribers: dict[str, Subscriber] = {}
        self.consents: dict[str, consent.Consent] = {}

    def records(self) -> JsonObject:
        return {
            "payments": list(self.charges.values()),
            "subscribers": list(self.subscribers.values()),
            "consents": list(self.consents.values()),
            "charges": {c.external: c.charges for c in self.charges.values()},
        }

    def restore(self, records: JsonObject) -> None:
        charges = [Charge(**row) for row in records["payments"]]
        self.charges = {charge.external: charge for charge in charges}
        people = [Subscriber(**row) for row in records["subscribers"]]
        self.subscribers = {person.number: person for person in people}
        given = [consent.Consent(**row) for row in records["consents"]]
        self.consents = {each.id: each for each in given}

    def overview(self) -> list[tuple[str, str]]:
        rows = self.charges.values()
        charged = sum(charge.charges for charge in rows)
        return [("charges asked", str(len(rows))), ("charged", str(charged))]

    def links(self) -> list[tuple[str, str]]:
        return [
            (f"Phone {number}", f"{self.prefix}/phone/{number}")
            for number in list(self.subscribers)[-3:]
        ]

    def subscriber(self, number: str) -> Subscriber:
        return self.subscribers.setdefault(number, Subscriber(number))

    def facts(self, request: Request, params: Mapping[str, str]) -> dict[str, str]:
        data = request.data()
        external = str(data.get("externalTrxId", ""))
        correlator = str(data.get("referenceNo", ""))
        charge = self.charges.get(external) or self.by_correlator(correlator)
        if charge is not None:
            return charge_facts(charge)
        subscriber = str(data.get("subscriberId", ""))
        return {
            **params,
            "reference": external,
            "amount": str(data.get("amount", "")),
            "subscriber": subscriber,
            "number": subscriber.removeprefix("tel:"),
        }

    def error_body(self, status: int) -> JsonObject:
        return coded("E1303" if status == 403 else "E1313", f"HTTP {status}")  # noqa: PLR2004

    def by_correlator(self, correlator: str) -> Charge | None:
        rows = self.charges.values()
        return next((c for c in rows if c.correlator == correlator != ""), None)

    # bdapps: one call, answered at once.

    def debit(self, call: Call) -> Response:
        wish = read_debit(call.request.data(), BDAPPS, self.applications[BDAPPS], self.settings)
        fault = self.faults.take("debit", self.facts(call.request, {}))
        refuse_early(fault)
        charge = self.asked(wish, BDAPPS)
        if charge.charges:
            code = "E1379"
        elif charge.state == records.AUTHORISED:
            code = "E1601"  # still at work
        elif fault is not None and fault.fault == "pending":
            charge.state, seconds = records.AUTHORISED, fault.seconds(5)
            if seconds is not None:
                self.at(seconds, DECIDE, external=charge.external, code=PAID)
            code = "E1601"
        else:
            code = self.charge(charge, self.stance_code(charge))
        return charge_answer(charge, code, self.clock.now(), self.told(fault))

    def asked(self, wish: Wish, platform: str) -> Charge:
        """The charge of that id, made at its first request.

        Raises:
            Refusal: E1337, the id belongs to another charge.
        """
        charge = self.charges.get(wish.external)
        if charge is None:
            charge = self.charges[wish.external] = Charge(
                platform=platform,
                application_id=wish.application_id,
                external=wish.external,
                internal=f"{secrets.randbelow(10**12):012d}",
                subscriber=wish.subscriber,
                number=wish.number,
                amount=wish.amount,
                created_at=self.clock.now(),
            )
            self.subscriber(wish.number)
        elif (charge.platform, charge.number, charge.amount) != (
            platform,
            wish.number,
            wish.amount,
        ):
            refuse("E1337")
        charge.asked += 1
        return charge

    def stance_code(self, charge: Charge) -> str:
        subscriber = self.subscriber(charge.number)
        if Decimal(subscriber.balance) < Decimal(charge.amount):
            return "E1378"
        return records.STANCES[subscriber.stance]

    def told(self, fault: Fault | None) -> Fault | None:
        """``used_internal_id`` names another charge, found here."""
        if fault is not None and fault.fault == "used_internal_id":
            paid = next((c.internal for c in self.charges.values() if c.charges), "")
            fault.options.setdefault("internal_id", paid)
        return fault

    # Money.

    def charge(self, charge: Charge, code: str, amount: str | None = None) -> str:
        """The balance is charged or is not; the only place where that happens."""
        charge.code, charge.changed_at = code, self.clock.now()
        if code != PAID:
            charge.state = records.REFUSED
            return code
        taken = amount or charge.amount
        whole = Decimal(taken) == Decimal(charge.amount)
        charge.state = records.CHARGED if whole else records.PARTIAL
        charge.paid_amount = taken
        charge.charges += 1
        subscriber = self.subscriber(charge.number)
        subscriber.balance = str(Decimal(subscriber.balance) - Decimal(taken))
        return code

    def on_event(self, kind: str, args: JsonObject) -> None:
        charge = self.charges.get(args["external"])
        if kind != DECIDE or charge is None or charge.state != records.AUTHORISED:
            return
        if charge.platform == BDAPPS:
            self.charge(charge, args["code"])
        else:
            applink.decided(self, charge, args)

    # Balance.

    def balance_of(self, platform: str) -> Callable[[Call], Response]:
        def answer(call: Call) -> Response:
            data = call.request.data()
            credentials(data, self.applications[platform])
            fault = self.faults.take("balance", {})
            if fault is not None or not self.settings["balance_provisioned"]:
                refuse(fault.text("code", "E1309") if fault else "E1309")
            (sent,) = texts(data, "subscriberId")
            number = number_of(sent, self.settings["masked"], platform)
            return json_response(
                coded(
                    PAID,
                    chargeableBalance=self.subscriber(number).balance,
                    accountType="Pre Paid",
                    accountStatus="Active",
                )
            )

        return answer

    # Control.

    def actions(self) -> Mapping[str, Action]:
        return control.actions(self)

"""Carrier billing's column of the matrix: each cell with an operator that can have it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from fulfillment.partners.tests.simulator import Simulator
from payments import carrier
from payments.models import Payment
from payments.tests.carrier import BANGLALINK, ROBI, phone_of, point_to, sms_to
from payments.tests.matrix import GatewayMatrix, Never

ADDRESS = "198.51.100.7"


class TestDcbMatrix(GatewayMatrix):
    """bdapps where our own call asks and charges; Applink where an operator tells us."""

    slug = "dcb"
    asks = "debit"
    moves = "debit"
    #: The same id again charges once, whatever became of the first request.
    ends = {
        "cut_before": ("SUCCEEDED", "PENDING"),
        "wrong_amount": ("AMOUNT_MISMATCH", "CARRIER_AUTHORIZED"),
        "wrong_currency": ("AMOUNT_MISMATCH", "CARRIER_AUTHORIZED"),
    }
    applinks = frozenset(
        {
            "authorised_then_confirmed",
            "authorised_then_refused",
            "wrong_amount",
            "wrong_currency",
            "wrong_reference",
            "late",
        }
    )
    faults = {
        "wrong_amount": {"operation": "notification", "fault": "wrong_amount"},
        "wrong_currency": {"operation": "notification", "fault": "wrong_currency"},
        "wrong_reference": {"operation": "notification", "fault": "wrong_internal_id"},
    }
    never = {
        "wrong_merchant": Never(
            "dcb.md 3, 4", "no field of an answer or a notification names the merchant"
        ),
        "expired_token": Never("dcb.md 3", "no auth header: credentials in the body"),
    }
    applink = False

    @pytest.mark.django_db
    def test_matrix(
        self, simulator: Simulator, settings: Any, misbehaviour: str, record_property: Any
    ) -> None:
        self.applink = misbehaviour in self.applinks
        super().test_matrix(simulator, settings, misbehaviour, record_property)

    def connect(self, simulator: Simulator, settings: Any) -> None:
        point_to(simulator, settings)
        # The merchant is down for it: what it still has to tell, the test carries over.
        simulator.call(
            "dcb/settings", notification_url="http://127.0.0.1:1/", notification_waits=[3600.0]
        )

    # The payer.

    def opened(self) -> Payment:
        payment = super().opened()
        if self.applink:  # its password is on its way before anything else happens
            self.send(payment, BANGLALINK)
        return payment

    def send(self, payment: Payment, number: str) -> None:
        carrier.send_password(payment.pk, number, address=ADDRESS, now=timezone.now())

    def press(self, payment: Payment, action: str = "pay") -> None:
        if action == "cancel":
            carrier.give_up(payment.pk, now=timezone.now())
        elif self.applink:
            if Payment.objects.get(pk=payment.pk).status == "PENDING":
                self.authorise(payment)
        else:
            self.simulator.call("dcb/subscriber", number=ROBI, stance=action)
            self.send(payment, ROBI)
            password = sms_to(self.simulator, ROBI).split(" ")[0]
            carrier.accept(payment.pk, password, now=timezone.now())

    def authorise(self, payment: Payment) -> None:
        """The right password at Applink, which then waits for a person to decide."""
        self.fault({"operation": "notification", "fault": "late", "seconds": None, "times": 1})
        password = phone_of(self.simulator, BANGLALINK)
        carrier.confirm(payment.pk, password, address=ADDRESS, now=timezone.now())

    def decide(self, payment: Payment, action: str) -> None:
        self.simulator.call(
            "dcb/decide", reference=payment.reference.replace("-", ""), action=action
        )

    def confirm(self, payment: Payment) -> None:
        self.decide(payment, "pay")

    def refuse(self, payment: Payment) -> None:
        self.decide(payment, "fail")

    # What the operator sends.

    def notices(self, payment: Payment) -> list[dict[str, Any]]:
        external = payment.reference.replace("-", "")
        browser = {"query": {"externalTrxId": external}}
        if not self.applink:
            return [browser]
        rows = self.simulator.read("dcb/ledger")["payments"]
        if rows[0]["state"] in {"waiting", "authorised"}:
            self.confirm(payment)
        return [browser, *self.planned()]

    def planned(self) -> list[dict[str, Any]]:
        until(lambda: self.simulator.read("dcb/ledger")["planned"])
        bodies = [each["body"] for each in self.simulator.read("dcb/ledger")["planned"]]
        return [{"body": body.encode(), "content_type": "application/json"} for body in bodies]

    def forged(self) -> list[dict[str, Any]]:
        body = {"externalTrxId": "BDV999999991", "internalTrxId": "1", "statusCode": "S1000"}
        return [
            {"query": {"externalTrxId": "BDV999999991"}},
            {"body": json.dumps(body).encode(), "content_type": "application/json"},
        ]

    def swept(self, payment: Payment) -> None:
        if self.applink and self.state(payment)[0] == "AUTHORIZED" and self.told(payment):
            self.simulator.call("dcb/notify", reference=payment.reference.replace("-", ""))
            until(lambda: len(self.simulator.read("dcb/ledger")["planned"]) > 1)
            self.notify(payment)
        elif self.state(payment)[0] in {"PENDING", "AUTHORIZED"}:
            super().swept(payment)

    def told(self, payment: Payment) -> bool:
        """A notification came and was about something else; the right one follows."""
        return payment.callbacks.filter(method="POST").exists()


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)

"""SSLCommerz's column of the matrix, and what only its contract has."""

from typing import Any, Final

import pytest
from django.conf import settings as django_settings
from django.test import Client

from fulfillment.models import FulfillmentAttempt
from fulfillment.partners.tests.simulator import ANSWER_SECONDS, CREDENTIALS, Simulator
from notifications.models import AdminAlert
from payments.gateways.tests.sslcommerz_answers import form, post_of, signed
from payments.models import GatewayCallback, Payment
from payments.tests.matrix import GatewayMatrix, Never

SERVICE: Final = "sslcommerz"
PASSWORD: Final = CREDENTIALS["SSLCOMMERZ_STORE_PASSWORD"]
CALLBACK: Final = "/api/v1/payments/sslcommerz/callback"
IPN: Final = "/api/v1/payments/sslcommerz/ipn"


class TestSslCommerzMatrix(GatewayMatrix):
    slug = SERVICE
    asks = "query"
    faults = {
        "wrong_amount": {"operation": "validate", "fault": "wrong_amount", "amount": "1.00"},
        "wrong_currency": {"operation": "validate", "fault": "wrong_currency"},
        "wrong_merchant": {"operation": "validate", "fault": "invalid_transaction"},
        "wrong_reference": {"operation": "validate", "fault": "wrong_tran_id"},
    }
    never = {
        "authorised_then_confirmed": Never("sslcommerz.md 5", "the table of `status`"),
        "authorised_then_refused": Never("sslcommerz.md 5", "the table of `status`"),
        "expired_token": Never("sslcommerz.md 1", "ordinary parameters on every call; no token"),
    }

    def connect(self, simulator: Simulator, settings: Any) -> None:
        settings.SSLCOMMERZ_BASE_URL = f"{simulator.url}/{SERVICE}"
        settings.SSLCOMMERZ_STORE_ID = CREDENTIALS["SSLCOMMERZ_STORE_ID"]
        settings.SSLCOMMERZ_STORE_PASSWORD = PASSWORD

    def press(self, payment: Payment, action: str = "pay", **how: object) -> None:
        wish = {"tran_id": payment.reference, "action": action, **how}
        self.simulator.call(f"{SERVICE}/pay", **wish)

    def notices(self, payment: Payment) -> list[dict[str, Any]]:
        return notices_of(payment.reference)

    def forged(self) -> list[dict[str, Any]]:
        """Signed by nobody, by another store, and rightly about a payment that is not ours."""
        reference = Payment.objects.latest("pk").reference
        unsigned, wrong = post_of(reference), signed(post_of(reference), "another-password")
        return [form(unsigned), form(wrong), *notices_of("BDV-99999999-1")]


def notices_of(reference: str) -> list[dict[str, Any]]:
    """The browser's post and the server's; their fields are the same, their order is not told."""
    browser = signed(post_of(reference))
    server = signed(dict(reversed(post_of(reference).items())))
    return [form(resigned(browser)), form(resigned(server)) | {"path": IPN}]


def resigned(fields: dict[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in fields.items() if not name.startswith("verify_")}
    return signed(plain, PASSWORD)


class Desk(TestSslCommerzMatrix):
    """The same shop and simulator, for single stories."""

    __test__ = False

    def __init__(self, simulator: Simulator, settings: Any) -> None:
        settings.PAYMENT_METHODS = [SERVICE]
        settings.CUSTOMER_WAIT_SECONDS = ANSWER_SECONDS
        self.simulator, self.settings = simulator, settings
        simulator.reset(SERVICE)
        self.connect(simulator, settings)


@pytest.fixture
def desk(simulator: Simulator, settings: Any, db: None) -> Desk:
    return Desk(simulator, settings)


def test_a_risky_payment_is_held(desk: Desk) -> None:
    """D44."""
    payment = desk.opened()
    desk.press(payment, "risky")

    desk.notify(payment)

    assert desk.state(payment) == ("SUCCEEDED", "NEEDS_ATTENTION")
    assert desk.alerts(payment) == ["payment_risk"]
    desk.nothing_delivered(payment)


def test_a_refused_card_leaves_the_session_open(desk: Desk) -> None:
    payment = desk.opened()
    desk.press(payment, "decline")
    desk.swept(payment)
    desk.is_open(payment)
    desk.press(payment)
    desk.notify(payment)
    desk.is_paid(payment)


def test_two_payments_under_one_number_are_one_delivery_and_an_alert(desk: Desk) -> None:
    payment = desk.opened()
    desk.press(payment)
    desk.notify(payment)
    counted = Payment.objects.get(pk=payment.pk).gateway_transaction_id
    desk.press(payment, again=True)
    assert desk.alerts(payment) == []

    desk.sent(form(signed(post_of(payment.reference, val_id="NEW1"), PASSWORD)) | {"path": IPN})

    desk.is_paid(payment)
    assert Payment.objects.get(pk=payment.pk).gateway_transaction_id == counted
    alert = AdminAlert.objects.get()
    assert alert.kind == "duplicate_payment"
    assert counted not in alert.message


def test_the_addresses_told_to_sslcommerz(desk: Desk) -> None:
    payment = desk.opened()

    (row,) = desk.simulator.read(f"{SERVICE}/ledger")["sessions"]

    base = django_settings.PUBLIC_BASE_URL
    assert row["tran_id"] == payment.reference
    assert {row["success_url"], row["fail_url"], row["cancel_url"]} == {base + CALLBACK}
    assert row["ipn_url"] == base + IPN


def test_a_browser_is_sent_on_and_a_machine_is_answered(desk: Desk) -> None:
    payment = desk.opened()
    fields = signed(post_of(payment.reference), PASSWORD)

    browser, machine = Client().post(CALLBACK, fields), Client().post(IPN, fields)

    assert (browser.status_code, machine.status_code) == (302, 200)
    assert browser["Location"].startswith("/payments/return/")
    assert machine.json() == {"success": True, "message": "Received", "data": None}
    assert Client().get(browser["Location"]).status_code == 200


def test_a_machine_is_asked_to_come_again_while_the_gateway_is_deaf(desk: Desk) -> None:
    payment = desk.opened()
    desk.press(payment)
    desk.fault({"operation": "query", "fault": "error_502"})

    assert Client().post(IPN, signed(post_of(payment.reference), PASSWORD)).status_code == 503
    desk.is_open(payment)


def test_a_wrong_signature_is_kept_and_asks_nobody(desk: Desk) -> None:
    payment = desk.opened()
    desk.press(payment)
    asked = desk.simulator.read(f"{SERVICE}/calls")["counts"].get("query", 0)

    answer = Client().post(IPN, signed(post_of(payment.reference), "another-password"))

    assert answer.status_code == 200
    assert GatewayCallback.objects.get().payment is None
    assert desk.simulator.read(f"{SERVICE}/calls")["counts"].get("query", 0) == asked
    desk.is_open(payment)


def test_the_val_id_of_a_cheap_order_does_not_pay_a_dear_one(desk: Desk) -> None:
    """Section "Behaviour under fault", replay: checks 3 and 6."""
    cheap, dear = desk.opened(), desk.opened()
    desk.press(cheap)
    desk.press(dear)
    match = {"reference": dear.reference}
    desk.fault({"operation": "query", "fault": "used_val_id", "match": match})

    desk.notify(dear)

    desk.is_open(dear)
    assert desk.alerts(dear) == ["payment_foreign"]
    assert not FulfillmentAttempt.objects.exists()

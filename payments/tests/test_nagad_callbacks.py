"""Nagad's browser on its way back, to our address with its query appended in any way."""

from typing import Any

import pytest
import responses
from django.test import Client

from fulfillment.models import FulfillmentAttempt
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.gateways.tests.nagad_answers import (
    BASE,
    ID,
    KEYS,
    MERCHANT,
    NAGAD,
    PAYMENT,
    VERIFY,
    found,
    private_text,
    public_text,
)
from payments.models import GatewayCallback, Payment
from payments.tests.factories import PaymentFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/payments/nagad/callback"


@pytest.fixture
def wire(settings: Any) -> Any:
    settings.NAGAD_BASE_URL, settings.NAGAD_MERCHANT_ID = BASE, ID
    settings.NAGAD_MERCHANT_PRIVATE_KEY = private_text(MERCHANT)
    settings.NAGAD_GATEWAY_PUBLIC_KEY = public_text(NAGAD)
    assert KEYS
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def waiting(reference: str = PAYMENT) -> Payment:
    item = OrderItemFactory(order=OrderFactory(payment_method="nagad"))
    return PaymentFactory(order=item.order, method="nagad", gateway_reference=reference)


def paid(payment: Payment) -> dict[str, Any]:
    return found(orderId=payment.reference.replace("-", ""), amount=str(payment.amount))


@pytest.mark.parametrize("end", ["/?", "//?", "?", "/%3F?"])
def test_every_way_to_append_a_query(wire: Any, end: str) -> None:
    payment = waiting()
    wire.get(VERIFY, **paid(payment))

    answer = Client().get(f"{URL}/{payment.reference}{end}merchant={ID}&status=Failed")

    payment.refresh_from_db()
    if end == "/%3F?":  # no address of ours
        assert (answer.status_code, payment.status) == (404, "PENDING")
        return
    assert answer.status_code == 302
    assert answer["Location"].startswith("/payments/return/")
    assert (payment.status, payment.order.status) == ("SUCCEEDED", "PENDING")
    assert FulfillmentAttempt.objects.count() == 1
    assert GatewayCallback.objects.get().payment == payment


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["", "/"])
def test_without_our_reference_the_order_named_counts(wire: Any, method: str, path: str) -> None:
    payment = waiting()
    wire.get(VERIFY, **paid(payment))
    query = {"order_id": payment.reference.replace("-", ""), "payment_ref_id": "other"}

    answer = getattr(Client(), method)(f"{URL}{path}", query)

    payment.refresh_from_db()
    assert (answer.status_code, payment.status) == (302, "SUCCEEDED")


def test_two_payments_with_empty_notices_are_two_rows(wire: Any) -> None:
    wire.get(VERIFY, **found(status="OtpSent"))
    first, second = waiting(), waiting("MDQyOther==")
    for payment in (first, second, second):
        Client().get(f"{URL}/{payment.reference}/?")

    rows = GatewayCallback.objects.order_by("pk").values_list("payment", "times")
    assert list(rows) == [(first.pk, 1), (second.pk, 2)]


def test_a_payment_given_back_at_nagad_is_shown_to_operators(wire: Any) -> None:
    payment = waiting()
    told = paid(payment)["json"] | {"status": "Cancelled", "cancelIssuerRefNo": "9CNC1"}
    wire.get(VERIFY, json=told)

    Client().get(f"{URL}/{payment.reference}/?")

    payment.refresh_from_db()
    (alert,) = payment.order.alerts.all()
    assert (payment.status, alert.kind) == ("PENDING", "partner_anomaly")
    assert "given back at nagad" in alert.message
    assert not FulfillmentAttempt.objects.exists()

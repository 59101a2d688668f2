"""A payment's page: what the gateway said, and the three buttons."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.tests.factories import VariantFactory
from core.actors import SYSTEM
from core.admin import new_form_key
from fulfillment.processing import process
from fulfillment.tests.factories import item_of, open_alerts_of
from orders.models import Order
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.gateways.base import Outcome, Verdict
from payments.models import GatewayCallback, GatewayExchange, Payment, Refund
from payments.settlement import settle
from payments.tests.factories import PaymentFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/payments/payment/"


def paid(amount="500.00", **fields):
    """Paid at PayStation, which has no refund call; nothing could be delivered."""
    order = OrderFactory()
    OrderItemFactory(order=order, variant=VariantFactory(price=250), quantity=2)
    payment = PaymentFactory(order=order, **fields)
    verdict = Verdict(
        Outcome.PAID, amount=Decimal(amount), gateway_transaction_id=f"PS-{payment.pk}"
    )
    settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=timezone.now())
    process(order_id=order.pk)
    payment.refresh_from_db()
    return payment


def post(client, payment, what, **fields):
    fields.setdefault("form_key", new_form_key())
    return client.post(f"{LIST}{payment.pk}/{what}/", fields, follow=True).content.decode()


def test_the_page_tells_what_the_gateway_said(client, sign_in):
    sign_in("support")
    payment = paid()
    GatewayExchange.objects.create(
        payment=payment, asked="verify", answer="paid", reason="trx_status 'Success'",
        evidence={"trx_id": "PS-1"}, milliseconds=412, at=timezone.now(), last_at=timezone.now(),
    )  # fmt: skip
    GatewayCallback.objects.create(
        gateway="paystation", digest=b"x", payment=payment, method="GET",
        query="invoice_number=1&status=Successful", received_at=timezone.now(),
        last_received_at=timezone.now(),
    )  # fmt: skip
    page = client.get(f"{LIST}{payment.pk}/change/").content.decode()
    for word in (payment.reference, "412 ms", "trx_status", "status=Successful", "BDT 500.00"):
        assert word in page
    assert payment.redirect_url not in page
    assert "does not have the right" in page


def test_paid_back_by_hand_in_two_steps(client, sign_in):
    finance = sign_in("finance")
    payment = paid()
    item = item_of(payment.order)

    said = post(client, payment, "refund", reason="no stock", units=[f"{item.pk}-2"])

    refund = Refund.objects.get()
    assert "pay it back by hand" in said
    assert (refund.amount, refund.units) == (Decimal("250.00"), [[item.pk, 2]])
    assert refund.requested_by == finance
    assert f"Mark {refund.reference}" in said
    assert "refund_by_hand" in open_alerts_of(payment.order)

    nothing = post(client, payment, f"settle/{refund.pk}", outcome="paid", reference="")
    assert "Name the reference" in nothing
    done = post(client, payment, f"settle/{refund.pk}", outcome="paid", reference="PANEL-7")
    assert "paid back." in done
    refund.refresh_from_db()
    assert (refund.status, refund.hand_reference, refund.ended_by) == (
        "SUCCEEDED", "PANEL-7", finance,
    )  # fmt: skip
    assert open_alerts_of(payment.order) == ["fulfillment_failed"]


def test_a_form_pays_back_once(client, sign_in):
    sign_in("finance")
    payment, key = paid(), new_form_key()
    for _ in range(2):
        said = post(client, payment, "refund", reason="no stock", form_key=key)
    assert "sent already" in said
    assert Refund.objects.count() == 1
    assert Order.objects.get().closed_by_refund is True


def test_a_reason_is_asked_for(client, sign_in):
    sign_in("finance")
    payment = paid()
    assert "Nothing was done" in post(client, payment, "refund", reason=" ")
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("role", ["support", "operator"])
def test_only_finance_may(client, sign_in, role):
    sign_in(role)
    payment = paid()
    answer = client.post(f"{LIST}{payment.pk}/refund/", {"reason": "x", "form_key": new_form_key()})
    assert answer.status_code == 403
    assert Refund.objects.count() == 0


def test_asking_again(client, sign_in, settings):
    settings.PAYSTATION_BASE_URL = "http://127.0.0.1:1"
    sign_in("support")
    payment = PaymentFactory()
    assert "no clear answer" in post(client, payment, "verify")
    assert GatewayExchange.objects.get().asked == "verify"


def test_the_filters(client, sign_in):
    sign_in("finance")
    good = paid()
    wrong = paid(amount="499.00")
    twice = PaymentFactory(
        order=good.order, status="SUCCEEDED", paid_at=timezone.now(), received_amount="500.00"
    )
    stuck = PaymentFactory(created_at=timezone.now() - timezone.timedelta(minutes=11))
    held = paid()
    Order.objects.filter(pk=held.order_id).update(held_for_risk=True)
    post(client, twice, "refund", reason="twice")
    found = {}
    for name in ("stuck", "late", "duplicate", "mismatched", "risky", "refund", "refunded"):
        page = client.get(LIST, {"trouble": name})
        found[name] = sorted(row.pk for row in page.context["cl"].result_list)
    assert found == {
        "stuck": [stuck.pk],
        "late": [],
        "duplicate": [twice.pk],
        "mismatched": [wrong.pk],
        "risky": [held.pk],
        "refund": [twice.pk],
        "refunded": [],
    }


def test_the_lists_of_refunds_open(client, sign_in):
    sign_in("finance")
    payment = paid()
    post(client, payment, "refund", reason="no stock")
    assert Payment.objects.get().refunds.get().reference in (
        client.get(reverse("admin:payments_refund_changelist")).content.decode()
    )
    pk = Refund.objects.get().pk
    assert client.get(reverse("admin:payments_refund_change", args=[pk])).status_code == 200


class TestRelease:
    def held(self):
        payment = paid()
        Order.objects.filter(pk=payment.order_id).update(held_for_risk=True)
        return payment.order

    def test_the_order_page_releases(self, client, sign_in):
        sign_in("operator")
        order = self.held()
        page = client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
        assert "Release the order" in page
        client.post(
            f"/admin/orders/order/{order.pk}/release/",
            {"notes": "called the payer", "form_key": new_form_key()},
        )
        order.refresh_from_db()
        assert order.held_for_risk is False
        assert order.events.filter(kind="released", reason="called the payer").exists()

    def test_it_needs_a_reason_and_the_right(self, client, sign_in):
        order = self.held()
        url = f"/admin/orders/order/{order.pk}/release/"
        sign_in("support")
        assert client.post(url, {"notes": "x", "form_key": new_form_key()}).status_code == 403
        sign_in("operator")
        client.post(url, {"notes": " ", "form_key": new_form_key()})
        order.refresh_from_db()
        assert order.held_for_risk is True


def test_the_order_page_tells_of_the_refund(client, sign_in):
    sign_in("finance")
    payment = paid()
    post(client, payment, "refund", reason="no stock")
    page = client.get(f"/admin/orders/order/{payment.order_id}/change/").content.decode()
    assert "Refunded. Nothing is owed any more." in page
    assert page.count(">Refunded</span>") >= 2

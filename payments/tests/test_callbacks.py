"""Callbacks, polls, cancelling, and what nobody paid in time (ADR 0005; D15, D16, I25)."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.tests.factories import VariantFactory
from core.actors import Actor
from core.errors import BadRequest
from core.providers import Declined
from fulfillment.models import FulfillmentAttempt
from notifications.models import AdminAlert
from orders.models import Order
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.gateways.base import Outcome, Verdict
from payments.models import GatewayCallback, Payment
from payments.selectors import due_payments, overdue_orders
from payments.services import cancel_by_staff
from payments.tasks import close_order, verify_payment
from payments.tests.factories import PaymentFactory
from payments.verification import _captured
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/payments/paystation/callback"


def waiting(customer=None, **fields):
    """A customer's payment of an order of one held code."""
    order = OrderFactory(**({"customer": customer.user} if customer else {}), **fields)
    item = OrderItemFactory(order=order, variant=VariantFactory(preloaded=True))
    VoucherFactory(order_item=item, status="reserved", sold_at=None, reserved_until=timezone.now())
    return PaymentFactory(order=order)


def returns(payment, **query):
    """The customer's browser on its way back."""
    return APIClient().get(URL, {"invoice_number": payment.reference, **query})


def states(payment):
    payment.refresh_from_db()
    return payment.status, payment.order.status


def test_a_paid_return_is_verified_and_starts_fulfilment(paystation):
    payment = waiting()
    paystation.pays(payment.reference)
    answer = returns(payment, status="Successful", trx_id="whatever")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/payments/return/")
    assert states(payment) == ("SUCCEEDED", "PENDING")
    assert payment.gateway_transaction_id == f"TRX-{payment.reference}"
    assert FulfillmentAttempt.objects.get().status == "IN_PROGRESS"
    page = APIClient().get(answer["Location"])
    assert page.status_code == 200
    assert payment.order.order_number in page.content.decode()


@pytest.mark.parametrize("status", ["Successful", "success", "Failed", "Canceled"])
def test_what_a_forged_claim_says_is_never_believed(paystation, status):
    payment = waiting()
    returns(payment, status=status, payment_amount="500", trx_id="FORGED")
    assert states(payment) == ("PENDING", "INITIATED")
    assert payment.gateway_transaction_id == ""
    assert paystation.asked == [payment.reference]
    assert FulfillmentAttempt.objects.count() == 0


def test_a_notice_for_a_gateway_that_is_not_set_up_is_to_come_again(settings):
    """Nothing is taken for answered that could not be asked about."""
    settings.SSLCOMMERZ_STORE_PASSWORD = ""
    payment = waiting()
    notice = {"tran_id": payment.reference, "val_id": "1", "status": "VALID"}
    answer = APIClient().post("/api/v1/payments/sslcommerz/ipn", notice)
    assert answer.status_code == 503
    assert states(payment) == ("PENDING", "INITIATED")


class Declining:
    """A gateway that is ready to take the money, and then does not."""

    def ready_to_capture(self, verdict):
        return verdict.outcome is Outcome.AUTHORIZED

    def capture(self, payment):
        raise Declined("bkash", "the wallet is empty")


def test_a_gateway_that_declines_to_take_the_money_ends_the_payment():
    verdict = _captured(Declining(), PaymentFactory(), Verdict(Outcome.AUTHORIZED))
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "the wallet is empty")


def test_the_gateways_word_and_not_the_callbacks_decides(paystation):
    payment = waiting()
    paystation.refuses(payment.reference)
    returns(payment, status="Successful")
    assert states(payment) == ("FAILED", "FAILED")
    assert Voucher.objects.get().status == "available"


def test_a_wrong_sum_at_the_gateway_delivers_nothing(paystation):
    payment = waiting()
    paystation.pays(payment.reference, "5")
    returns(payment)
    assert states(payment) == ("AMOUNT_MISMATCH", "INITIATED")
    assert AdminAlert.objects.get().kind == "amount_mismatch"
    assert FulfillmentAttempt.objects.count() == 0


def test_the_same_notice_is_one_row_counted_and_another_is_another(paystation):
    payment = waiting()
    paystation.pays(payment.reference)
    for _ in range(3):
        returns(payment, status="Successful")
    returns(payment, status="Successful", again="1")
    returns(payment, status="Successful")
    first, second = GatewayCallback.objects.order_by("pk")
    assert (first.times, second.times) == (4, 1)
    assert (first.payment, second.payment) == (payment, payment)
    assert first.last_received_at > first.received_at
    assert len(paystation.asked) == 1  # a settled payment is not asked for again
    assert FulfillmentAttempt.objects.count() == 1
    assert AdminAlert.objects.count() == 0


def test_the_same_notice_at_another_address_is_another(paystation):
    payment = waiting()
    body = {"invoice_number": payment.reference}
    for path in (URL, URL, URL.replace("callback", "ipn")):
        APIClient().post(path, body, format="json")
    assert [each.times for each in GatewayCallback.objects.order_by("pk")] == [2, 1]


def test_a_notice_that_came_before_its_payment_is_placed_when_it_is_repeated(paystation):
    """A gateway may be quicker than the commit of the reference it was given."""
    payment = waiting()
    Payment.objects.update(reference="BDV-1-1", gateway_reference="")
    returns(payment)
    assert GatewayCallback.objects.get().payment is None
    Payment.objects.update(reference=payment.reference)
    returns(payment)
    kept = GatewayCallback.objects.get()
    assert (kept.times, kept.payment) == (2, payment)


@pytest.mark.parametrize(
    "query", [{}, {"invoice_number": "BDV-99999999-1"}, {"invoice_number": "'"}]
)
def test_a_notice_that_names_none_of_ours_is_kept_and_changes_nothing(paystation, query):
    payment = waiting()
    answer = APIClient().get(URL, query)
    assert (answer.status_code, answer["Location"]) == (302, "/payments/return/")
    assert GatewayCallback.objects.get().payment is None
    assert states(payment) == ("PENDING", "INITIATED")
    assert paystation.asked == []
    assert APIClient().get(answer["Location"]).status_code == 404


def test_a_machines_notice_is_answered_by_what_we_know(paystation):
    payment = waiting()
    body = {"invoice_number": payment.reference}
    paystation.deaf = True
    assert APIClient().post(URL, body, format="json").status_code == 503
    assert states(payment) == ("PENDING", "INITIATED")
    paystation.deaf = False
    paystation.pays(payment.reference)
    assert APIClient().post(URL, body, format="json").status_code == 200
    assert states(payment) == ("SUCCEEDED", "PENDING")
    assert GatewayCallback.objects.get().times == 2


def test_unknown_gateways_long_bodies_and_other_verbs(paystation):
    assert APIClient().get("/api/v1/payments/nobody/callback").status_code == 404
    long = APIClient().post(URL, data="x" * 200_001, content_type="application/json")
    assert long.status_code == 413
    assert APIClient().put(URL).status_code == 405
    strange = APIClient().post(URL, data=b"\xff\x00{", content_type="application/json")
    assert strange.status_code == 200
    assert GatewayCallback.objects.count() == 1


@pytest.mark.parametrize("token", ["1", "MQ:x:y", "%00"])
def test_a_return_page_is_not_guessed(token):
    assert APIClient().get(f"/payments/return/{token}").status_code == 404


# Polling


def test_a_poll_asks_when_that_is_due_and_tells_what_is_known(customer, paystation):
    payment = waiting(customer)
    later = timezone.now() + timedelta(minutes=5)
    Payment.objects.update(next_check_at=later)
    path = f"payments/status/{payment.reference}"
    assert customer.get(path)["data"] == {
        "transactionId": payment.reference,
        "orderId": payment.order_id,
        "orderNumber": payment.order.order_number,
        "orderStatus": "INITIATED",
        "status": "PENDING",
        "method": "paystation",
        "amount": 500,
        "currency": "BDT",
        "final": False,
    }
    assert paystation.asked == []
    paystation.pays(payment.reference)
    Payment.objects.update(next_check_at=timezone.now())
    data = customer.get(path)["data"]
    assert (data["status"], data["orderStatus"], data["final"]) == ("SUCCEEDED", "PENDING", True)


def test_the_next_question_stands_in_the_row(paystation, settings):
    settings.VERIFY_WAITS = [15.0, 30.0]
    payment = waiting()
    waits = []
    for _ in range(3):
        asked_at = timezone.now()
        verify_payment(payment_id=payment.pk)
        payment.refresh_from_db()
        waits.append(round((payment.next_check_at - asked_at).total_seconds()))
    assert (waits, payment.checks) == ([15, 30, 30], 3)
    assert list(due_payments(now=timezone.now())) == []
    assert list(due_payments(now=timezone.now() + timedelta(minutes=1))) == [payment]


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "CANCELLED", "AMOUNT_MISMATCH"])
def test_a_settled_payment_is_not_asked_for_by_the_sweep(status):
    paid = timezone.now() if status == "SUCCEEDED" else None
    order = OrderFactory(paid=True) if paid else OrderFactory()
    PaymentFactory(order=order, status=status, paid_at=paid)
    assert list(due_payments(now=timezone.now())) == []


# Cancelling, and closing what nobody paid (D16)


def test_a_customer_cancels_and_everything_goes_back(customer, paystation):
    payment = waiting(customer)
    data = customer.post(f"orders/{payment.order_id}/cancel", status=200)["data"]
    assert data["status"] == "CANCELLED"
    assert states(payment) == ("CANCELLED", "CANCELLED")
    assert Voucher.objects.get().status == "available"
    assert [each.template for each in payment.order.emails.all()] == ["CANCELLATION"]
    customer.post(f"orders/{payment.order_id}/cancel", status=409)
    paystation.pays(payment.reference)
    returns(payment)
    assert states(payment) == ("SUCCEEDED", "PENDING")
    assert AdminAlert.objects.get().kind == "late_payment"


@pytest.mark.parametrize("reason", ["", "  "])
def test_the_staff_cancels_with_a_reason_only(paystation, reason):
    payment, operator = waiting(), Actor("operator", None, "operator:7")
    with pytest.raises(BadRequest, match="why the order is cancelled"):
        cancel_by_staff(payment.order_id, operator=operator, reason=reason, now=timezone.now())
    assert states(payment) == ("PENDING", "INITIATED")
    assert paystation.asked == []
    cancel_by_staff(payment.order_id, operator=operator, reason=" by phone ", now=timezone.now())
    assert states(payment) == ("CANCELLED", "CANCELLED")
    assert payment.order.events.filter(actor="operator:7", reason="by phone").exists()


def test_money_that_is_there_already_forbids_cancelling(customer, paystation):
    payment = waiting(customer)
    paystation.pays(payment.reference)
    customer.post(f"orders/{payment.order_id}/cancel", status=409)
    assert states(payment) == ("SUCCEEDED", "PENDING")


def test_nobody_is_told_not_paid_while_the_gateway_is_silent(customer, paystation):
    payment = waiting(customer)
    paystation.deaf = True
    answer = customer.post(f"orders/{payment.order_id}/cancel", status=409)
    assert "still being checked" in answer["message"]
    assert states(payment) == ("PENDING", "INITIATED")
    assert Voucher.objects.get().status == "reserved"


def test_a_carriers_open_payment_forbids_cancelling_and_leaves_the_others(customer, paystation):
    payment = waiting(customer, status="CARRIER_AUTHORIZED")
    PaymentFactory(order=payment.order, status="AUTHORIZED")
    customer.post(f"orders/{payment.order_id}/cancel", status=409)
    assert states(payment) == ("PENDING", "CARRIER_AUTHORIZED")


def overdue(**fields):
    payment = waiting(**fields)
    Order.objects.filter(pk=payment.order_id).update(
        pay_until=timezone.now() - timedelta(seconds=1)
    )
    return payment


def test_an_overdue_order_is_closed_after_a_last_question(paystation):
    payment = overdue()
    assert list(overdue_orders(now=timezone.now())) == [payment.order]
    close_order(order_id=payment.order_id)
    assert paystation.asked == [payment.reference]
    assert states(payment) == ("CANCELLED", "CANCELLED")
    assert Voucher.objects.get().status == "available"
    assert list(overdue_orders(now=timezone.now())) == []


def test_the_last_question_may_find_the_money(paystation):
    payment = overdue()
    paystation.pays(payment.reference)
    close_order(order_id=payment.order_id)
    assert states(payment) == ("SUCCEEDED", "PENDING")


@pytest.mark.parametrize(("hours", "expected"), [(5, "INITIATED"), (7, "CANCELLED")])
def test_a_silent_gateway_holds_an_order_for_six_hours(paystation, hours, expected):
    payment = overdue()
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=hours))
    paystation.deaf = True
    close_order(order_id=payment.order_id)
    assert states(payment)[1] == expected


def test_a_capture_on_its_way_keeps_the_order_open(paystation):
    payment = overdue()
    Payment.objects.update(capture_sent_at=timezone.now())
    close_order(order_id=payment.order_id)
    assert states(payment) == ("PENDING", "INITIATED")
    Payment.objects.update(capture_sent_at=timezone.now() - timedelta(minutes=11))
    close_order(order_id=payment.order_id)
    assert states(payment) == ("CANCELLED", "CANCELLED")


def test_closing_a_paid_order_changes_nothing(paystation):
    payment = PaymentFactory(order=OrderFactory(paid=True), status="FAILED")
    close_order(order_id=payment.order_id)
    assert states(payment) == ("FAILED", "PENDING")

"""Paying back: once, never more than came, and known in the end (D15, D42)."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory, bearer
from catalog.tests.factories import VariantFactory
from core.actors import SYSTEM
from fulfillment.processing import process
from fulfillment.tests.factories import item_of, open_alerts_of, pool_of
from notifications.models import AdminAlert, EmailMessage
from orders.models import OrderEvent
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments import refunding
from payments.gateways.base import Outcome, Verdict
from payments.models import GatewayExchange, Payment, Refund
from payments.refunding import SENDING, RefundWish, carry_out, request_refund, worth_of
from payments.selectors import due_refunds
from payments.services import initiate_payment
from payments.settlement import settle
from payments.tests import test_bkash_matrix
from payments.tests.factories import PaymentFactory
from payments.verification import verify
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db


class Till:
    """Finance at the API, with bKash's simulator behind it."""

    def __init__(self, client, simulator, settings):
        self.client, self.simulator = client, simulator
        self.user = UserFactory(finance=True)
        settings.PAYMENT_METHODS = ["bkash", "paystation"]
        self.bkash = test_bkash_matrix.TestBkashMatrix()
        self.bkash.simulator = simulator
        simulator.reset("bkash")
        self.bkash.connect(simulator, settings)

    def paid(self, order):
        """Paid through bKash by its customer."""
        result = initiate_payment(
            order.customer_id, order.order_number, method="bkash", amount=None, currency=None,
            description="", now=timezone.now(),
        )  # fmt: skip
        self.bkash.press(result.payment)
        verify(result.payment.pk)
        payment = Payment.objects.get(pk=result.payment.pk)
        assert payment.status == "SUCCEEDED"
        order.refresh_from_db()
        return payment

    def fault(self, fault, operation="refund", **more):
        self.simulator.call("bkash/faults", operation=operation, fault=fault, **more)

    def post(self, path, *, status=200, key="", **body):
        headers = bearer(self.user) | ({"HTTP_IDEMPOTENCY_KEY": key} if key else {})
        answer = self.client.post(
            f"/api/v1/admin/payments/{path}", body, content_type="application/json", **headers
        )
        assert answer.status_code == status, answer.content
        return answer.json()

    def refund(self, payment, *, status=200, **body):
        body.setdefault("reason", "out of stock")
        return self.post(f"{payment.pk}/refund", status=status, **body)

    def get(self, payment):
        answer = self.client.get(f"/admin/payments/{payment.pk}", **bearer(self.user))
        assert answer.status_code == 200, answer.content
        return answer.json()["data"]

    def gone(self):
        """What the gateway's own ledger has paid back."""
        rows = self.simulator.read("bkash/ledger")["payments"]
        return [each["amount"] for row in rows for each in row["refunds"]]


@pytest.fixture
def till(client, simulator, settings):
    from django.core.cache import cache

    cache.clear()
    return Till(client, simulator, settings)


def two_units(price="250.00", total="500.00", variant=None):
    order = OrderFactory(
        total_amount=total, payment_method="bkash", pay_until=timezone.now() + timedelta(minutes=30)
    )
    OrderItemFactory(order=order, variant=variant or VariantFactory(price=price), quantity=2)
    return order


def stuck(till):
    """Paid, and nothing could deliver it."""
    order = two_units()
    payment = till.paid(order)
    process(order_id=order.pk)
    order.refresh_from_db()
    assert open_alerts_of(order) == ["fulfillment_failed"]
    return order, payment


def test_an_undelivered_order_is_paid_back_and_leaves_the_queue(till):
    order, payment = stuck(till)

    answer = till.refund(payment)

    assert (answer["success"], answer["data"]["status"]) == (True, "SUCCEEDED")
    assert answer["data"]["amount"] == 500
    assert till.gone() == ["500.00"]
    order.refresh_from_db()
    assert (order.status, order.closed_by_refund) == ("NEEDS_ATTENTION", True)
    assert open_alerts_of(order) == []
    told_by_mail = EmailMessage.objects.filter(order=order).values_list("template", flat=True)
    assert list(told_by_mail) == ["CANCELLATION"]
    refund = Refund.objects.get()
    assert refund.reference == f"{payment.reference}-R1"
    assert refund.requested_by == till.user
    told = till.get(payment)
    assert (told["received_amount"], told["refunded_amount"]) == (500, 500)
    assert [each["asked"] for each in told["exchanges"]][:1] == ["refund"]
    events = OrderEvent.objects.filter(order=order, kind="refund").values_list("new", flat=True)
    assert list(events) == ["REQUESTED", "SUCCEEDED"]
    assert "paid back in full" in till.refund(payment, status=409)["message"]
    assert till.gone() == ["500.00"]


def test_in_part_unit_by_unit(till):
    order, payment = stuck(till)
    item = item_of(order)
    units = [{"orderItemId": item.pk, "units": [2]}]

    first = till.refund(payment, items=units)

    assert (first["data"]["amount"], first["data"]["units"]) == (250, [[item.pk, 2]])
    order.refresh_from_db()
    assert order.closed_by_refund is False
    assert open_alerts_of(order) == ["fulfillment_failed"]
    again = till.refund(payment, status=400, items=units)
    assert again["error"]["details"][0]["field"] == "items.0.units"
    rest = till.refund(payment)
    assert rest["data"]["reference"].endswith("-R2")
    assert till.gone() == ["250.00", "250.00"]
    order.refresh_from_db()
    assert order.closed_by_refund is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"amount": 500.01}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"),
        ({"amount": 100}, "items"),
        ({"items": [{"orderItemId": 10**9}]}, "items.0.orderItemId"),
        ({"items": []}, "items"),
        ({"everything": True}, "everything"),
    ],
)
def test_what_is_refused_changes_nothing(till, body, field):
    order, payment = stuck(till)

    answer = till.refund(payment, status=400, **body)

    assert answer["error"]["details"][0]["field"].startswith(field)
    assert Refund.objects.count() == 0
    assert item_of(order).refunded_units == []
    assert till.gone() == []


def test_the_same_request_twice_is_one_refund(till):
    _, payment = stuck(till)
    first = till.refund(payment, key="once")
    assert till.refund(payment, key="once") == first
    assert till.gone() == ["500.00"]


def test_a_delivered_unit_is_paid_back_with_its_code_revoked(till):
    order = two_units(variant=pool_of("A-0001", "A-0002", price="250.00"))
    payment = till.paid(order)
    process(order_id=order.pk)
    units = [{"orderItemId": item_of(order).pk, "units": [1]}]

    refused = till.refund(payment, status=409, items=units)
    assert refused["error"]["details"][0]["field"] == "revokeCodes"
    assert till.gone() == []

    done = till.refund(payment, items=units, revokeCodes=True)

    assert done["data"]["revoked_codes"] == 1
    voucher = Voucher.objects.get(unit_no=1)
    assert (voucher.status, voucher.revoked_by, voucher.revoked_reason) == (
        "sold", till.user, "out of stock",
    )  # fmt: skip
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"


def test_a_refusal_gives_the_units_back_and_calls_a_person(till):
    order, payment = stuck(till)
    till.fault("refused", code="2071")

    answer = till.refund(payment)

    assert (answer["success"], answer["data"]["status"]) == (False, "FAILED")
    order.refresh_from_db()
    assert order.closed_by_refund is False
    assert item_of(order).refunded_units == []
    assert open_alerts_of(order) == ["fulfillment_failed", "refund_failed"]
    till.simulator.heal("bkash")
    assert till.refund(payment)["data"]["status"] == "SUCCEEDED"
    assert open_alerts_of(order) == []
    assert till.gone() == ["500.00"]


@pytest.mark.parametrize("fault", ["cut_after", "error_500_after", "html_after", "empty_after"])
def test_an_unclear_answer_is_asked_about_never_sent_again(till, fault):
    _, payment = stuck(till)
    till.fault(fault)
    answer = till.refund(payment)
    assert answer["data"]["status"] == "PENDING"
    assert "under way" in till.refund(payment, status=409)["message"]
    till.simulator.heal("bkash")

    refund = carry_out(Refund.objects.get().pk)

    assert refund.status == "SUCCEEDED"
    assert till.gone() == ["500.00"]
    assert set(GatewayExchange.objects.filter(refund=refund).values_list("asked", flat=True)) == {
        "refund", "query_refund",
    }  # fmt: skip


def test_nobody_marks_as_paid_what_is_being_sent(till):
    _, payment = stuck(till)
    till.fault("cut_after", times=1)
    till.refund(payment)
    refund = Refund.objects.get()
    path, wish = f"{payment.pk}/refunds/{refund.pk}/settle", {"outcome": "paid", "reference": "X"}
    assert "being sent" in till.post(path, status=409, **wish)["message"]
    with time_machine.travel(timezone.now() + SENDING + timedelta(seconds=1)):
        assert till.post(path, **wish)["data"]["status"] == "SUCCEEDED"
        assert "has ended" in till.post(path, status=409, **wish)["message"]


def test_a_sender_that_died_is_followed_up(till, monkeypatch):
    """Its claim is trusted for a while; then we ask, for the money may be on its way."""

    def dies(*_args):
        raise KeyboardInterrupt

    _, payment = stuck(till)
    refund = request_refund(payment.pk, RefundWish("why"), operator=SYSTEM, now=timezone.now())
    monkeypatch.setattr(refunding, "kept", dies)
    with pytest.raises(KeyboardInterrupt):
        carry_out(refund.pk)
    refund.refresh_from_db()
    assert (refund.status, refund.next_check_at) == ("PENDING", refund.sent_at + SENDING)
    assert not due_refunds(now=timezone.now()).exists()
    assert due_refunds(now=refund.next_check_at).get() == refund


def test_an_earlier_refund_is_not_taken_for_this_one(till):
    """bKash tells of the newest refund only."""
    order, payment = stuck(till)
    for unit, status in ((1, "SUCCEEDED"), (2, "PENDING")):
        if unit == 2:
            till.fault("cut_before", times=1)
        wish = {"items": [{"orderItemId": item_of(order).pk, "units": [unit]}]}
        assert till.refund(payment, **wish)["data"]["status"] == status
    assert carry_out(Refund.objects.last().pk).status == "PENDING"
    assert till.gone() == ["250.00"]


def test_an_answer_nobody_can_place_is_asked_for_ever_slower_and_told(till, settings):
    _, payment = stuck(till)
    till.fault("cut_after", times=1)
    till.refund(payment)
    till.fault("error_500_before")
    refund = Refund.objects.get()
    began, waits = refund.created_at, settings.REFUND_WAITS
    for checks, wait in enumerate(waits, refund.checks):
        refund = carry_out(refund.pk)
        planned = (refund.next_check_at - timezone.now()).total_seconds()
        assert planned == pytest.approx(waits[min(checks, len(waits) - 1)], abs=5), wait
    alerts = AdminAlert.objects.filter(kind="refund_unclear")
    assert not alerts.exists()
    with time_machine.travel(began + timedelta(hours=1, seconds=1)):
        carry_out(refund.pk)
        assert alerts.filter(order=payment.order, resolved_at=None).exists()


def test_one_that_never_arrived_is_looked_for_when_it_is_sure(till, settings):
    """The plan's later waits are an hour: nobody waits so long for what was never sent."""
    _, payment = stuck(till)
    till.fault("cut_before", times=1)
    till.refund(payment)
    Refund.objects.update(checks=len(settings.REFUND_WAITS))
    refund = carry_out(Refund.objects.get().pk)
    sure = refund.sent_at + settings.REFUND_RESEND_AFTER
    assert sure < refund.next_check_at <= sure + timedelta(seconds=1)


def test_one_that_never_arrived_is_sent_again_after_a_while(till, settings):
    _, payment = stuck(till)
    till.fault("cut_before", times=1)
    till.refund(payment)
    refund = Refund.objects.get()

    assert carry_out(refund.pk).status == "PENDING"  # not known there, and too early
    with time_machine.travel(timezone.now() + settings.REFUND_RESEND_AFTER + timedelta(seconds=1)):
        assert carry_out(refund.pk).status == "REQUESTED"
        assert refund.pk in due_refunds(now=timezone.now()).values_list("pk", flat=True)
        assert carry_out(refund.pk).status == "SUCCEEDED"
    assert till.gone() == ["500.00"]


@pytest.mark.parametrize("fault", [{"fault": "rate_limited"}, {"fault": "refused", "code": "2001"}])
def test_what_could_not_leave_is_sent_by_the_sweep(till, fault):
    _, payment = stuck(till)
    till.fault(times=1, **fault)
    assert till.refund(payment)["data"]["status"] == "REQUESTED"
    assert till.gone() == []
    alerts = AdminAlert.objects.filter(order=None, kind="partner_misconfigured")
    assert alerts.exists() is ("code" in fault)
    (refund,) = due_refunds(now=timezone.now() + timedelta(minutes=1))
    assert carry_out(refund.pk).status == "SUCCEEDED"
    assert till.gone() == ["500.00"]


def test_a_second_payment_is_refundable_in_one_call(till):
    order = two_units()
    first, second = till.paid(order), None
    second = PaymentFactory(order=order, method="paystation", amount=order.total_amount)
    verdict = Verdict(Outcome.PAID, amount=second.amount, gateway_transaction_id="PS-1")
    settle(payment_id=second.pk, verdict=verdict, actor=SYSTEM, now=timezone.now())
    assert open_alerts_of(order) == ["duplicate_payment"]

    asked = till.refund(second)

    assert (asked["data"]["by_hand"], asked["data"]["status"]) == (True, "REQUESTED")
    assert asked["data"]["units"] == []
    assert open_alerts_of(order) == ["duplicate_payment", "refund_by_hand"]
    alert = AdminAlert.objects.get(kind="refund_by_hand")
    assert all(word in alert.message for word in ("500.00", "PS-1", "paystation"))
    path = f"{second.pk}/refunds/{asked['data']['id']}/settle"
    no_reference = till.post(path, status=400, outcome="paid")
    assert no_reference["error"]["details"][0]["field"] == "reference"
    done = till.post(path, outcome="paid", reference="PANEL-7")
    assert (done["data"]["status"], done["data"]["hand_reference"]) == ("SUCCEEDED", "PANEL-7")
    assert open_alerts_of(order) == []
    assert Payment.objects.get(pk=first.pk).effective is True
    assert item_of(order).refunded_units == []


def test_a_wrong_sum_goes_back_as_it_came(till):
    order = two_units()
    payment = PaymentFactory(order=order, amount=order.total_amount)
    verdict = Verdict(Outcome.PAID, amount=Decimal("499.00"), gateway_transaction_id="PS-1")
    settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=timezone.now())
    assert open_alerts_of(order) == ["amount_mismatch"]
    too_much = till.refund(payment, status=400, amount=500)
    assert too_much["error"]["details"][0]["field"] == "amount"
    asked = till.refund(payment)
    assert asked["data"]["amount"] == 499
    path = f"{payment.pk}/refunds/{asked['data']['id']}/settle"
    till.post(path, outcome="not_paid", notes="wallet closed")
    assert open_alerts_of(order) == ["amount_mismatch", "refund_failed"]
    again = till.refund(payment)["data"]["id"]
    till.post(f"{payment.pk}/refunds/{again}/settle", outcome="paid", reference="PANEL-8")
    assert open_alerts_of(order) == []


def test_money_that_never_came_does_not_go_back(till):
    payment = PaymentFactory(order=two_units())
    assert "brought no money" in till.refund(payment, status=409)["message"]


def test_only_finance_pays_back(till):
    _, payment = stuck(till)
    for role in ("support", "operator"):
        till.user = UserFactory(**{role: True})
        till.refund(payment, status=403)
        assert till.get(payment)["id"] == payment.pk
    assert Refund.objects.count() == 0


def test_verify_again(till):
    payment = PaymentFactory(order=two_units(), method="bkash", gateway_reference="TR0011NO")
    answer = till.post(f"{payment.pk}/verify")
    assert answer["success"] is False
    assert [each["asked"] for each in answer["data"]["exchanges"]] == ["verify"]
    till.post(f"{payment.pk}/verify")
    assert GatewayExchange.objects.get(payment=payment).times == 2


def test_the_discount_is_spread_and_no_paisa_is_lost():
    order = OrderFactory(
        subtotal_amount=Decimal(300), discount_amount=Decimal(100), total_amount=Decimal(200)
    )
    item = OrderItemFactory(order=order, variant=VariantFactory(price="100.00"), quantity=3)
    each = [worth_of(order, [(item.pk, unit)]) for unit in (1, 2, 3)]
    assert each == [Decimal("66.67"), Decimal("66.66"), Decimal("66.67")]
    assert worth_of(order, [(item.pk, unit) for unit in (1, 2, 3)]) == order.total_amount


class TestDatabase:
    def row(self, payment, **more):
        given = {"amount": Decimal("500.00"), "reason": "why", "created_at": timezone.now()}
        given["reference"] = f"{payment.reference}-R{payment.refunds.count() + 1}"
        return Refund.objects.create(payment=payment, **(given | more))

    def refused(self, name, act):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            act()

    def test_guards(self):
        now = timezone.now()
        order = OrderFactory(paid=True)
        payment = PaymentFactory(
            order=order, status="SUCCEEDED", paid_at=now, received_amount="500.00", effective=True
        )
        much = {"amount": Decimal("500.01")}
        self.refused("refund_never_more_than_paid", lambda: self.row(payment, **much))
        self.refused("refund_amount_positive", lambda: self.row(payment, amount=Decimal(0)))
        self.refused("refund_has_reason", lambda: self.row(payment, reason=""))
        part = self.row(payment, amount=Decimal("300.00"))
        self.refused("refund_one_open", lambda: self.row(payment, amount=Decimal("1.00")))
        rows = Refund.objects.filter(pk=part.pk)
        self.refused("refund_is_fixed", lambda: rows.update(amount=Decimal("1.00")))
        self.refused("refund_pending_was_sent", lambda: rows.update(status="PENDING"))
        self.refused("refund_ended_has_time", lambda: rows.update(status="SUCCEEDED"))
        rows.update(status="SUCCEEDED", ended_at=now)
        self.refused("refunds_final", lambda: rows.update(error="x"))
        self.refused("refunds_kept", rows.delete)
        self.refused(
            "refund_never_more_than_paid", lambda: self.row(payment, amount=Decimal("200.01"))
        )
        self.row(payment, amount=Decimal("200.00"))

    def test_without_money_there_is_nothing_to_pay_back(self):
        self.refused("refund_never_more_than_paid", lambda: self.row(PaymentFactory()))

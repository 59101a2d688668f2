"""Units that are paid back: out of the debt for good, whatever tries to deliver them (D42)."""

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory
from core.actors import Actor
from core.errors import BadRequest, Conflict
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.refunds import drop_units, restore_units
from fulfillment.selectors import orders_stock_came_for
from fulfillment.tests.desk import Desk
from fulfillment.tests.factories import (
    codes_of,
    item_of,
    open_alerts_of,
    paid_order,
    pool_of,
    stuck_order,
    trail_of,
)
from notifications.models import AdminAlert
from orders.models import Order
from orders.services import locked
from orders.tests.factories import OrderItemFactory
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
CLERK = Actor("operator", None, "operator:7")


def drop(order, wanted=None, *, revoking=False):
    now = timezone.now()
    with transaction.atomic():
        dropped = drop_units(
            locked(order.pk), wanted, revoking=revoking, actor=CLERK, reason="why", now=now
        )
    order.refresh_from_db()
    return dropped


def test_nothing_delivered_and_all_refunded_leaves_the_queue():
    order = stuck_order(2)
    item = item_of(order)
    assert open_alerts_of(order) == ["fulfillment_failed"]

    dropped = drop(order)

    assert dropped.units == ((item.pk, 1), (item.pk, 2))
    assert (order.status, order.closed_by_refund) == ("NEEDS_ATTENTION", True)
    assert open_alerts_of(order) == []
    assert AdminAlert.objects.get().resolution_notes.startswith("Refunded")
    VoucherFactory(variant=item.variant)
    assert list(orders_stock_came_for(now=timezone.now())) == []
    process(order_id=order.pk)
    assert codes_of(order) == []


def test_no_way_of_delivery_takes_a_refunded_unit():
    order = stuck_order(2)
    item = item_of(order)
    drop(order, {item.pk: [1]})
    desk = Desk(UserFactory(operator=True))

    two = desk.enter(order, item, "ABCD-1", "ABCD-2", status=400)
    assert "exactly 1 code" in two["error"]["details"][0]["message"]
    one = desk.enter(order, item, "ABCD-1")

    assert one["data"]["status"] == "PARTNER_FAILED"
    order.refresh_from_db()
    assert (order.status, order.closed_by_refund) == ("NEEDS_ATTENTION", True)
    assert open_alerts_of(order) == []
    (voucher,) = Voucher.objects.all()
    assert (voucher.unit_no, voucher.status) == (2, "sold")
    assert len(mail.outbox) == 1
    assert "Still to come" not in mail.outbox[0].body
    for refused in (desk.enter(order, item, "ABCD-3", status=409),):
        assert "same code" in refused["message"]


def test_an_item_that_is_refunded_whole_refuses_codes_and_retries():
    order = stuck_order(1)
    drop(order)
    desk = Desk(UserFactory(operator=True))
    assert "is refunded" in desk.enter(order, item_of(order), "ABCD-1", status=409)["message"]
    assert "is refunded" in desk.retry(order, item_of(order), status=409)["message"]
    assert Voucher.objects.count() == 0


def test_a_running_delivery_finds_the_unit_gone():
    """The attempts were asked for; the refund came first."""
    order = paid_order((pool_of("A-0001", "A-0002"), 2))
    drop(order, {item_of(order).pk: [2]})
    process(order_id=order.pk)
    order.refresh_from_db()
    assert codes_of(order) == ["A-0001"]
    assert (order.status, order.closed_by_refund) == ("NEEDS_ATTENTION", True)
    assert trail_of(order) == [("AUTO", "PARTNER_FAILED")]
    assert "refunded" in FulfillmentAttempt.objects.get().error_message
    assert Voucher.objects.filter(status="available").count() == 1
    assert "Still to come" not in mail.outbox[0].body


def test_reserved_stock_of_refunded_units_goes_back():
    order = paid_order((pool_of(), 1), held_for_risk=True)
    voucher = VoucherFactory(
        variant=item_of(order).variant, status="reserved", order_item=item_of(order), unit_no=1,
        reserved_until=timezone.now(),
    )  # fmt: skip
    drop(order)
    voucher.refresh_from_db()
    assert (voucher.status, voucher.order_item) == ("available", None)


def delivered():
    order = paid_order((pool_of("A-0001", "A-0002"), 2))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    return order


def test_a_delivered_unit_needs_its_code_revoked():
    order = delivered()
    with pytest.raises(Conflict, match="revoked first") as refused:
        drop(order, {item_of(order).pk: [1]})
    assert [each.field for each in refused.value.details] == ["revokeCodes"]
    assert item_of(order).refunded_units == []

    dropped = drop(order, {item_of(order).pk: [1]}, revoking=True)

    voucher = Voucher.objects.get(pk=dropped.vouchers[0])
    assert (voucher.status, voucher.revoked_reason, voucher.unit_no) == ("sold", "why", 1)
    assert voucher.revoked_at is not None
    assert (order.status, order.closed_by_refund) == ("SUCCEEDED", False)
    assert codes_of(order) == ["A-0002"]
    again = Desk(UserFactory(operator=True)).resend(order)
    assert again["success"] is True
    assert "A-0001" not in mail.outbox[-1].body
    assert "A-0002" in mail.outbox[-1].body
    assert "Still to come" not in mail.outbox[-1].body


def test_a_delivered_order_is_closed_when_its_last_unit_is_paid_back():
    order = delivered()
    item = item_of(order)
    for unit, closed in ((1, False), (2, True)):
        drop(order, {item.pk: [unit]}, revoking=True)
        assert (order.status, order.closed_by_refund) == ("SUCCEEDED", closed)


def test_a_refund_that_failed_gives_the_units_back():
    order = stuck_order(2)
    dropped = drop(order)
    with transaction.atomic():
        restore_units(locked(order.pk), dropped.units, vouchers=(), now=timezone.now())
    order.refresh_from_db()
    assert order.closed_by_refund is False
    assert open_alerts_of(order) == ["fulfillment_failed"]
    result = Desk(UserFactory(operator=True)).enter(order, item_of(order), "ABCD-1", "ABCD-2")
    assert result["data"]["status"] == "DISPATCHED"
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"


@pytest.mark.parametrize("wanted", [{0: None}, {None: [3]}, {None: [0]}, {None: [1, 9]}])
def test_units_that_are_not_there(wanted):
    order = stuck_order(2)
    item = item_of(order)
    chosen = {item.pk if pk is None else pk: units for pk, units in wanted.items()}
    with pytest.raises(BadRequest):
        drop(order, chosen)
    assert item_of(order).refunded_units == []


def test_twice_is_refused():
    order = stuck_order(1)
    drop(order)
    with pytest.raises(Conflict, match="refunded already"):
        drop(order)


def test_the_database_keeps_code_and_refund_apart():
    order = stuck_order(1)
    item = item_of(order)
    drop(order)
    with pytest.raises(IntegrityError, match="voucher_unit_not_refunded"), transaction.atomic():
        VoucherFactory(
            variant=item.variant, status="sold", order_item=item, unit_no=1, sold_at=timezone.now()
        )
    done = delivered()
    with (
        pytest.raises(IntegrityError, match="unit_refunded_only_without_its_code"),
        transaction.atomic(),
    ):
        done.items.update(refunded_units=[1])
    with pytest.raises(IntegrityError, match="item_refunded_units_exist"), transaction.atomic():
        OrderItemFactory(quantity=1, refunded_units=[2])
    revoked = VoucherFactory(
        variant=item_of(done).variant, status="sold", order_item=OrderItemFactory(
            variant=item_of(done).variant), unit_no=1, sold_at=timezone.now(),
        revoked_at=timezone.now(), revoked_reason="why",
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="voucher_revoked_for_ever"), transaction.atomic():
        Voucher.objects.filter(pk=revoked.pk).update(revoked_at=None, revoked_reason="")


class TestRelease:
    def held(self):
        order = paid_order((pool_of("A-0001"), 1))
        Order.objects.filter(pk=order.pk).update(held_for_risk=True, status="NEEDS_ATTENTION")
        AdminAlert.objects.create(
            order=order, kind="payment_risk", message="risky", created_at=timezone.now()
        )
        return order

    def url(self, order):
        return f"/api/v1/admin/orders/{order.order_number}/release"

    def test_a_person_lets_it_go(self):
        order = self.held()
        FulfillmentAttempt.objects.filter(order=order).update(
            status="FAILED", ended_at=timezone.now(), next_try_at=None
        )
        desk = Desk(UserFactory(operator=True))
        answer = desk.client.post(self.url(order), {"reason": "called the payer"}, format="json")
        assert answer.status_code == 200, answer.content
        process(order_id=order.pk)
        order.refresh_from_db()
        assert (order.status, order.held_for_risk) == ("SUCCEEDED", False)
        (alert,) = AdminAlert.objects.filter(order=order, kind="payment_risk")
        assert alert.resolution_notes.startswith("Released: called the payer")
        assert alert.resolved_by == desk.user
        again = desk.client.post(self.url(order), {"reason": "again"}, format="json")
        assert again.status_code == 409

    def test_what_is_paid_back_is_not_let_go(self):
        order = self.held()
        Order.objects.filter(pk=order.pk).update(closed_by_refund=True)
        operator = Desk(UserFactory(operator=True)).client
        answer = operator.post(self.url(order), {"reason": "x"}, format="json")
        assert (answer.status_code, "is refunded" in answer.json()["message"]) == (409, True)
        order.refresh_from_db()
        assert order.held_for_risk is True

    def test_it_needs_a_reason_and_the_right(self):
        order = self.held()
        operator, support = (
            Desk(UserFactory(operator=True)).client,
            Desk(UserFactory(support=True)).client,
        )
        assert operator.post(self.url(order), {}, format="json").status_code == 400
        assert support.post(self.url(order), {"reason": "x"}, format="json").status_code == 403
        order.refresh_from_db()
        assert order.held_for_risk is True

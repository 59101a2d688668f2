"""The last guards: each breach of an invariant is tried, and PostgreSQL refuses it by name."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from accounts.tests.factories import UserFactory
from catalog.tests.factories import SourceFactory, VariantFactory
from core.actors import SYSTEM
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from notifications.models import AdminAlert, EmailMessage
from notifications.tests.factories import EmailMessageFactory
from orders.models import DiscountCode, Order, OrderEvent, OrderItem
from orders.services import tell
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from payments.models import GatewayCallback, Payment
from tests.refusals import refused_by
from vouchers.models import CodeReveal, Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
NOW = PAID_AT + timedelta(minutes=5)


def attempt_of(item, status="IN_PROGRESS", kind="AUTO", **fields):
    ended = None if status == "IN_PROGRESS" else NOW
    return FulfillmentAttempt.objects.create(
        order=item.order, item=item, type=kind, status=status, ended_at=ended, created_at=NOW,
        correlation_id="corr-00000001", **fields,
    )  # fmt: skip


def purchase_of(item, unit=1, reference="REF1", status="SENT"):
    source = SourceFactory(variant=item.variant)
    attempt = item.attempts.first() or attempt_of(item)
    return PartnerTransaction.objects.create(
        item=item, unit_no=unit, source=source, partner=source.partner, attempt=attempt,
        reference=reference, status=status, sent_at=NOW, created_at=NOW,
    )  # fmt: skip


def payment_of(order, reference="BDV-1", status="INITIATED", **fields):
    paid_at = NOW if status == "SUCCEEDED" else None
    fields = {"method": "paystation", "amount": Decimal(500), "created_at": NOW, **fields}
    return Payment.objects.create(
        order=order, reference=reference, status=status, paid_at=paid_at, **fields
    )


# I1, I2, I4, I19: codes


@pytest.mark.parametrize(
    "spelling", ["ABCD-1234", " abcd-1234", "ABCD\u200b-1234", "ＡＢＣＤ-1234"]
)
@pytest.mark.parametrize("status", ["available", "void", "sold"])
def test_i1_one_code_is_one_row_for_ever(spelling, status):
    if status == "sold":
        VoucherFactory(code="ABCD-1234", order_item=OrderItemFactory())
    else:
        VoucherFactory(code="ABCD-1234", status=status)
    with refused_by("voucher_code_once_for_ever"):
        VoucherFactory(code=spelling)


@pytest.mark.parametrize("unit", [0, 3])
def test_i2_a_code_fills_a_unit_that_was_bought(unit):
    item = OrderItemFactory(quantity=2)
    with refused_by("voucher_unit_within_quantity"):
        VoucherFactory(order_item=item, unit_no=unit)


def test_i2_a_unit_is_filled_once():
    item = OrderItemFactory(quantity=2)
    VoucherFactory(order_item=item, unit_no=1)
    with refused_by("voucher_one_per_unit"):
        VoucherFactory(order_item=item, unit_no=1)


def test_i2_a_code_of_other_goods_fills_nothing():
    with refused_by("voucher_of_the_variant_bought"):
        VoucherFactory(order_item=OrderItemFactory(), variant=VariantFactory())


@pytest.mark.parametrize("status", ["INITIATED", "CARRIER_AUTHORIZED", "FAILED", "CANCELLED"])
def test_i4_nothing_is_sold_to_an_order_that_is_not_paid(status):
    item = OrderItemFactory(order=OrderFactory(status=status))
    with refused_by("voucher_sold_only_when_paid"):
        VoucherFactory(order_item=item)
    held = VoucherFactory(order_item=item, status="reserved", sold_at=None, reserved_until=NOW)
    with refused_by("voucher_sold_only_when_paid"):
        Voucher.objects.filter(pk=held.pk).update(status="sold", sold_at=NOW)
    held.refresh_from_db()
    assert held.status == "reserved"


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("voucher_item_goes_with_status", {"status": "reserved", "reserved_until": NOW}),
        ("voucher_item_goes_with_status", {"status": "sold", "sold_at": NOW}),
        ("voucher_item_goes_with_status", {"unit_no": 1}),
    ],
)
def test_i19_a_free_code_has_no_item(constraint, change):
    free = VoucherFactory()
    with refused_by(constraint):
        Voucher.objects.filter(pk=free.pk).update(**change)


def test_i19_held_and_sold_codes_have_their_times():
    item = OrderItemFactory()
    with refused_by("voucher_reserved_has_deadline"):
        VoucherFactory(order_item=item, status="reserved", sold_at=None)
    with refused_by("voucher_sold_has_time"):
        VoucherFactory(order_item=item, sold_at=None)
    sold = VoucherFactory(order_item=item)
    with refused_by("vouchers_status_arrow"):
        Voucher.objects.filter(pk=sold.pk).update(
            status="available", order_item=None, unit_no=None, sold_at=None
        )


# I3, I17, I27: what delivered means


def test_i3_a_delivered_item_has_its_time():
    with refused_by("item_fulfilled_has_time"):
        OrderItemFactory(fulfillment_status="SUCCEEDED")


def test_i3_an_order_is_delivered_only_with_all_of_its_items():
    order = OrderItemFactory().order
    with refused_by("order_succeeded_means_all_delivered"):
        Order.objects.filter(pk=order.pk).update(
            status="SUCCEEDED", dispatched_email="a@b.example", email_sent_at=NOW
        )


def test_i3_an_order_is_delivered_only_with_its_mail():
    item = OrderItemFactory()
    with refused_by("order_succeeded_means_all_delivered"):
        OrderItem.objects.filter(pk=item.pk).update(
            fulfillment_status="SUCCEEDED", fulfilled_at=NOW
        )
        Order.objects.filter(pk=item.order_id).update(status="SUCCEEDED")


def test_i3_all_items_delivered_is_an_order_delivered():
    item = OrderItemFactory()
    with refused_by("order_all_delivered_means_succeeded"):
        OrderItem.objects.filter(pk=item.pk).update(
            fulfillment_status="SUCCEEDED", fulfilled_at=NOW
        )


@pytest.mark.parametrize("change", [{"dispatched_email": "a@b.example"}, {"email_sent_at": NOW}])
def test_i17_the_two_mail_fields_go_together(change):
    order = OrderFactory(paid=True)
    with refused_by("order_mail_fields_go_together"):
        Order.objects.filter(pk=order.pk).update(**change)


def test_i27_nothing_is_mailed_before_it_is_paid():
    order = OrderFactory(paid=True)
    with refused_by("order_paid_not_after_mailed"):
        Order.objects.filter(pk=order.pk).update(
            dispatched_email="a@b.example", email_sent_at=PAID_AT - timedelta(seconds=1)
        )


# I6, I7: money


@pytest.mark.parametrize("old", ["PENDING", "NEEDS_ATTENTION"])
@pytest.mark.parametrize("new", ["FAILED", "CANCELLED", "INITIATED"])
def test_i6_a_paid_order_never_becomes_unpaid(old, new):
    order = OrderFactory(status=old, paid_at=PAID_AT)
    with refused_by("orders_status_arrow"):
        Order.objects.filter(pk=order.pk).update(status=new, paid_at=None)


@pytest.mark.parametrize("status", ["INITIATED", "FAILED", "CANCELLED", "CARRIER_AUTHORIZED"])
def test_i6_a_succeeded_payment_means_a_paid_order(status):
    order = OrderFactory(status=status)
    with refused_by("payment_succeeded_means_order_paid"):
        payment_of(order, status="SUCCEEDED")
    with refused_by("order_paid_at_goes_with_status"):
        Order.objects.filter(pk=order.pk).update(paid_at=NOW)
    with refused_by("order_paid_at_goes_with_status"):
        OrderFactory(status="PENDING")


def test_i7_one_payment_pays_an_order():
    order = OrderFactory(paid=True)
    payment_of(order, "BDV-1", "SUCCEEDED", effective=True)
    with refused_by("payment_one_effective"):
        payment_of(order, "BDV-2", "SUCCEEDED", effective=True)
    payment_of(order, "BDV-3", "SUCCEEDED")
    with refused_by("payment_effective_is_succeeded"):
        payment_of(order, "BDV-4", "PENDING", effective=True)
    with refused_by("payment_succeeded_has_time"):
        Payment.objects.filter(reference="BDV-1").update(paid_at=None)


@pytest.mark.parametrize(
    ("field", "constraint"),
    [
        ("gateway_transaction_id", "payment_gateway_transaction_once"),
        ("gateway_reference", "payment_gateway_reference_once"),
    ],
)
def test_i7_a_gateways_own_id_is_used_once_there(field, constraint):
    payment_of(OrderFactory(), "BDV-1", **{field: "TRX-1"})
    payment_of(OrderFactory(), "BDV-2", method="bkash", **{field: "TRX-1"})
    with refused_by(constraint):
        payment_of(OrderFactory(), "BDV-3", **{field: "TRX-1"})


def test_i25_a_notice_is_one_row():
    notice = {"gateway": "bkash", "digest": b"x" * 32, "received_at": NOW, "last_received_at": NOW}
    GatewayCallback.objects.create(**notice)
    with refused_by("callback_once"):
        GatewayCallback.objects.create(**notice)


# Purchases, by I8: at most one charge a unit.


def test_i8_a_unit_is_bought_once():
    item = OrderItemFactory(quantity=2)
    purchase_of(item, 1, "REF1", "FAILED")
    purchase_of(item, 1, "REF2", "UNKNOWN")
    with refused_by("purchase_unit_never_twice"):
        purchase_of(item, 1, "REF3")
    purchase_of(item, 2, "REF4")


def test_i8_a_reference_is_used_once_and_a_bought_code_is_kept():
    item = OrderItemFactory(quantity=2)
    purchase_of(item, 1, "REF1")
    with refused_by("purchase_reference_once"):
        purchase_of(item, 2, "REF1")
    with refused_by("purchase_succeeded_has_voucher"):
        PartnerTransaction.objects.update(status="SUCCEEDED")


# I11, I12: alerts and mails


def test_i11_one_open_alert_of_a_kind():
    order = OrderFactory(needs_attention=True)
    alert = {"order": order, "kind": "fulfillment_failed", "created_at": NOW}
    AdminAlert.objects.create(**alert, resolved_at=NOW)
    AdminAlert.objects.create(**alert)
    with refused_by("alert_open_once"):
        AdminAlert.objects.create(**alert)


def test_i12_a_dispatch_is_one_mail_and_a_set_of_codes_one_row():
    first = EmailMessageFactory(dedup_key="1:vouchers:a")
    with refused_by("email_dispatch_once"):
        EmailMessageFactory(order=first.order, dispatch_no=1, message_id="<other@mail.test>")
    with refused_by("email_same_codes_once"):
        EmailMessageFactory(dedup_key="1:vouchers:a")
    with refused_by("email_sent_has_time"):
        EmailMessage.objects.update(status="SENDING")
        EmailMessage.objects.update(status="SENT")


# I15, I16: the audit trail


def test_i15_rows_of_the_trail_never_vanish():
    item = OrderItemFactory()
    attempt_of(item)
    purchase_of(item)
    payment_of(item.order)
    EmailMessageFactory(order=item.order)
    voucher = VoucherFactory(order_item=item)
    CodeReveal.objects.create(voucher=voucher, user=UserFactory(), reason="r", correlation_id="c")
    tell(item.order, "note", actor=SYSTEM, now=NOW)
    for table in (
        "fulfillment_attempts", "partner_api_transactions", "payments", "email_messages",
        "code_reveals", "vouchers", "order_events",
    ):  # fmt: skip
        with refused_by(f"{table}_kept"), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own


@pytest.mark.parametrize(
    "status", ["SUCCESS", "DISPATCHED", "DISPATCH_FAILED", "PARTNER_FAILED", "FAILED"]
)
@pytest.mark.parametrize("change", [{"notes": "x"}, {"error_message": ""}, {"claimed_at": NOW}])
def test_i15_an_ended_attempt_is_final(status, change):
    attempt = attempt_of(OrderItemFactory(), status)
    with refused_by("fulfillment_attempts_final"):
        FulfillmentAttempt.objects.filter(pk=attempt.pk).update(**change)


def test_i15_readings_and_events_are_final():
    voucher = VoucherFactory()
    CodeReveal.objects.create(voucher=voucher, user=UserFactory(), reason="r", correlation_id="c")
    with refused_by("code_reveals_final"):
        CodeReveal.objects.update(reason="another")
    tell(OrderFactory(), "note", actor=SYSTEM, now=NOW)
    with refused_by("order_events_final"):
        OrderEvent.objects.update(reason="another")


@pytest.mark.parametrize("kind", ["MANUAL_CODE_INPUT", "PARTNER_RETRY"])
def test_i15_what_is_not_automatic_has_an_operator(kind):
    with refused_by("attempt_by_hand_has_operator"):
        attempt_of(OrderItemFactory(), kind=kind)


def test_i15_only_a_resend_is_about_the_whole_order():
    item, user = OrderItemFactory(), UserFactory()
    with refused_by("attempt_item_goes_with_type"):
        attempt_of(item, kind="RESEND_EMAIL", admin_user=user)
    with refused_by("attempt_ended_has_time"):
        FulfillmentAttempt.objects.create(
            order=item.order, item=item, type="AUTO", created_at=NOW, ended_at=NOW
        )


def test_i16_an_item_is_dispatched_once_and_worked_on_by_one():
    item = OrderItemFactory()
    attempt_of(item, "DISPATCHED")
    with refused_by("attempt_dispatched_once"):
        attempt_of(item, "DISPATCHED")
    attempt_of(item)
    with refused_by("attempt_one_under_way"):
        attempt_of(item)


# I21, I28: sums and numbers


@pytest.mark.parametrize(
    "sums",
    [
        {"subtotal_amount": 500, "discount_amount": 100, "total_amount": 500},
        {"subtotal_amount": 100, "discount_amount": 200, "total_amount": -100},
        {"subtotal_amount": 100, "discount_amount": -1, "total_amount": 101},
        {"subtotal_amount": 500, "total_amount": 500, "currency": "USD"},
    ],
)
def test_i21_the_total_adds_up_in_taka(sums):
    with refused_by("order_total_adds_up"):
        OrderFactory(**sums)


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 0}, {"amount": -5}, {"currency": "USD"}, {"amount": -5, "method": "discount"}],
)
def test_i21_a_payment_is_a_sum_in_taka(wrong):
    with refused_by("payment_amount_positive_bdt"):
        payment_of(OrderFactory(), **wrong)


def test_i21_a_discount_is_used_no_oftener_than_allowed():
    discount = DiscountCode.objects.create(
        code="TEN", discount_type="flat", discount_value=10, usage_limit=1
    )
    with refused_by("discount_used_within_limit"):
        DiscountCode.objects.filter(pk=discount.pk).update(used_count=2)
    with refused_by("discount_value_sensible"):
        DiscountCode.objects.create(code="ALL", discount_type="percentage", discount_value=101)
    with refused_by("discount_code_upper_case"):
        DiscountCode.objects.create(code="ten", discount_type="flat", discount_value=10)


@pytest.mark.parametrize("number", ["01234567", "1234567", "1234567a", "１２３４５６７８", ""])
def test_i28_a_number_is_eight_digits(number):
    with refused_by("order_number_has_8_digits"):
        OrderFactory(order_number=number)


def test_i28_a_number_is_one_order():
    OrderFactory(order_number="48213377")
    with refused_by("orders_order_number_key"):
        OrderFactory(order_number="48213377")
    OrderFactory(request_key="1:key")
    with refused_by("order_once_per_request_key"):
        OrderFactory(request_key="1:key")

"""Recovery path 1, one item: `manual-code` (seed Fulfillment Recovery; D28, D29, D34, D37, D38)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import PartnerFactory, VariantFactory
from core import correlation
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.desk import API_PATHS, SEED_PATHS, Desk
from fulfillment.tests.factories import (
    codes_of,
    everything,
    item_of,
    open_alerts_of,
    paid_order,
    pool_of,
    stuck_order,
    trail_of,
)
from notifications.models import AdminAlert, EmailMessage
from notifications.tests.smtp import mail_server, no_server
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.models import Voucher
from vouchers.selectors import codes_of_order
from vouchers.states import VoucherStatus
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def test_one_code_by_the_shorthand_recovers_the_order(desk):
    order, partner = stuck_order(), PartnerFactory()
    item = item_of(order)
    answer = desk.post(
        order, "manual-code",
        orderItemId=item.pk, code="ABCD-1234-EFGH-5678", pin="9999",
        redemptionUrl="https://partner.example/redeem", partnerId=partner.pk,
        notes="Manually sourced from supplier email 2026-04-27",
    )  # fmt: skip
    attempt = FulfillmentAttempt.objects.get(type="MANUAL_CODE_INPUT")
    assert answer == {
        "success": True,
        "message": "1 voucher code(s) delivered to customer",
        "data": {
            "attemptId": attempt.pk,
            "correlationId": attempt.correlation_id,
            "status": "DISPATCHED",
            "emailSent": True,
        },
    }
    (code,) = codes_of_order(order.pk)
    assert (code.code, code.pin) == ("ABCD-1234-EFGH-5678", "9999")
    assert code.redemption_url == "https://partner.example/redeem"
    voucher = Voucher.objects.get(pk=code.voucher_id)
    assert (voucher.status, voucher.partner_id, voucher.unit_no) == ("sold", partner.pk, 1)
    assert attempt.admin_user == desk.user
    assert attempt.notes == "Manually sourced from supplier email 2026-04-27"


def test_after_success_item_order_and_alert_follow(desk):
    order = stuck_order()
    assert open_alerts_of(order) == ["fulfillment_failed"]
    answer = desk.enter(order, item_of(order), "ABCD-1234")
    order.refresh_from_db()
    item = item_of(order)
    (voucher,) = item.vouchers.all()
    assert (item.fulfilled, item.fulfillment_status) == (True, "SUCCEEDED")
    assert item.fulfilled_at == voucher.sold_at
    assert (order.status, order.dispatched_email) == ("SUCCEEDED", order.recipient_email)
    assert order.email_sent_at >= item.fulfilled_at
    alert = AdminAlert.objects.get(order=order)
    assert alert.resolved_at is not None
    assert f"fa:{answer['data']['correlationId']}" in alert.resolution_notes


def test_several_codes_go_out_in_one_mail(desk):
    order = stuck_order(3)
    answer = desk.post(
        order, "manual-code",
        orderItemId=item_of(order).pk,
        codes=[
            {
                "code": "ABCD-1234-EFGH-5678", "pin": "1111",
                "expiresAt": "2027-12-31T23:59:59.000Z",
                "metadata": {"supplier_batch": "BATCH-2026-04"},
            },
            {"code": "WXYZ-9876-MNOP-5432", "pin": "2222"},
            {"code": "QRST-1122-UVWX-3344", "pin": "3333"},
        ],
    )  # fmt: skip
    assert answer["message"] == "3 voucher code(s) delivered to customer"
    first, second, third = codes_of_order(order.pk)
    assert [first.pin, second.pin, third.pin] == ["1111", "2222", "3333"]
    assert first.expires_at == datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert Voucher.objects.get(pk=first.voucher_id).metadata == {"supplier_batch": "BATCH-2026-04"}
    (message,) = mail.outbox
    assert message.to == [order.recipient_email]
    for code in (first, second, third):
        assert message.body.count(code.code) == 1
        assert message.body.count(code.pin) == 1
    (attempt,) = desk.attempts(order)[:1]
    assert attempt["code_provided"] == "ABCD-1234-EFGH-5678 (+2 more)"
    assert attempt["partner_response"]["allCodes"] == [first.code, second.code, third.code]


@pytest.mark.parametrize("mount", [SEED_PATHS, API_PATHS])
@pytest.mark.parametrize("key", ["id", "number"])
def test_both_paths_and_both_keys_lead_to_the_order(mount, key):
    order, desk = stuck_order(), Desk(UserFactory(operator=True), mount)
    where = str(order.pk) if key == "id" else order.order_number
    body = {"orderItemId": item_of(order).pk, "code": "ABCD-1234"}
    assert desk.post(where, "manual-code", **body)["data"]["status"] == "DISPATCHED"


def test_the_callers_correlation_id_goes_all_the_way(desk):
    order = stuck_order()
    desk.client.credentials(**{**desk.client._credentials, "HTTP_X_CORRELATION_ID": "desk-000042"})
    answer = desk.enter(order, item_of(order), "ABCD-1234")
    assert answer["data"]["correlationId"] == "desk-000042"
    assert mail.outbox[0].extra_headers[correlation.HEADER] == "desk-000042"


def test_an_order_with_another_open_item_stays_in_attention(desk):
    order = stuck_order(1, 1)
    answer = desk.enter(order, item_of(order, 0), "FIRST-0001")
    assert answer["data"]["status"] == "DISPATCHED"
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"
    assert [each.fulfilled for each in order.items.all()] == [True, False]
    assert set(open_alerts_of(order)) >= {"fulfillment_failed"}
    desk.enter(order, item_of(order, 1), "SECOND-0002")
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert open_alerts_of(order) == []
    first, second = mail.outbox
    assert "FIRST-0001" in first.body
    assert "SECOND-0002" not in first.body
    assert "FIRST-0001" in second.body
    assert "SECOND-0002" in second.body


# Guards, in the seed's order


def refused(desk, order, *, status, says, **body):
    before = everything()
    answer = desk.post(order, "manual-code", status=status, **body)
    assert everything() == before
    assert mail.outbox == []
    assert answer["success"] is False
    assert (
        answer["error"]["code"] == {400: "BAD_REQUEST", 404: "NOT_FOUND", 409: "CONFLICT"}[status]
    )
    assert says in answer["message"]
    return answer


@pytest.mark.parametrize("status", ["INITIATED", "FAILED", "CANCELLED", "CARRIER_AUTHORIZED"])
def test_an_unpaid_order_comes_before_everything_else(desk, status):
    item = OrderItemFactory(order=OrderFactory(status=status))
    refused(
        desk, item.order, status=400, says="refusing to dispatch voucher",
        orderItemId=item.pk, codes=[],
    )  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"codes": []}])
def test_no_code_comes_before_a_delivered_item(desk, body):
    order = stuck_order(1, 1)
    item = item_of(order)
    desk.enter(order, item, "ABCD-1234")
    mail.outbox.clear()
    refused(desk, order, status=400, says="At least one code", orderItemId=item.pk, **body)


@pytest.mark.parametrize("code", ["", "   "])
def test_an_empty_code_is_no_code(desk, code):
    order = stuck_order()
    answer = desk.enter(order, item_of(order), code, status=400)
    assert answer["error"]["details"][0]["field"] == "codes.0.code"
    assert codes_of(order) == []


def test_a_delivered_item_comes_before_a_taken_code(desk):
    order = stuck_order(1, 1)
    item = item_of(order)
    desk.enter(order, item, "ABCD-1234")
    elsewhere = VoucherFactory(order_item=OrderItemFactory(), code="TAKEN-0001")
    assert elsewhere.status == VoucherStatus.SOLD
    mail.outbox.clear()
    refused(
        desk, order, status=409, says="already fulfilled",
        orderItemId=item.pk, codes=[{"code": "TAKEN-0001"}, {"code": "MORE-0002"}],
    )  # fmt: skip


def test_a_dispatched_attempt_blocks_even_an_item_that_is_not_fulfilled(desk):
    order = stuck_order()
    item = item_of(order)
    now = timezone.now()
    FulfillmentAttempt.objects.create(
        order=order, item=item, type="PARTNER_RETRY", status="DISPATCHED", admin_user=desk.user,
        correlation_id="corr-00000001", created_at=now, ended_at=now,
    )  # fmt: skip
    refused(
        desk, order, status=409, says="already dispatched", orderItemId=item.pk, code="ABCD-1234"
    )


def test_a_code_of_a_different_item_comes_before_the_count(desk):
    order = stuck_order(2)
    VoucherFactory(order_item=OrderItemFactory(), code="TAKEN-0001")
    answer = refused(
        desk, order, status=409, says="already assigned to a different item",
        orderItemId=item_of(order).pk, codes=[{"code": "taken-0001 "}],
    )  # fmt: skip
    assert answer["error"]["details"][0]["field"] == "codes.0.code"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_count_must_be_what_the_item_owes(desk, count):
    order = stuck_order(3)
    rows = [{"code": f"CODE-000{n}"} for n in range(count)]
    refused(
        desk, order, status=400, says=f"needs exactly 3 code(s), not {count}",
        orderItemId=item_of(order).pk, codes=rows,
    )  # fmt: skip


def test_a_code_given_twice_is_refused_whatever_its_spelling(desk):
    order = stuck_order(2)
    rows = [{"code": "ABCD-1234"}, {"code": " abcd-1234"}]
    refused(desk, order, status=400, says="twice", orderItemId=item_of(order).pk, codes=rows)


def test_code_and_codes_together_are_refused(desk):
    order = stuck_order()
    body = {"orderItemId": item_of(order).pk, "code": "A-1", "codes": [{"code": "B-2"}]}
    refused(desk, order, status=400, says="not both", **body)


def test_an_unknown_field_is_named(desk):
    order = stuck_order()
    answer = refused(
        desk, order, status=400, says="", orderItemId=item_of(order).pk, kode="ABCD-1234"
    )
    assert answer["error"]["details"] == [
        {"field": "kode", "code": "unknown", "message": "Unknown field."}
    ]


def test_an_order_held_for_risk_is_not_repaired(desk):
    order = stuck_order(held_for_risk=False)
    order.held_for_risk = True
    order.save()
    refused(
        desk, order, status=409, says="held as risky", orderItemId=item_of(order).pk, code="A-1"
    )


def test_unknown_orders_and_foreign_items_are_not_found(desk):
    order, other = stuck_order(), stuck_order()
    refused(desk, "99999999", status=404, says="no such order", orderItemId=1, code="A-1")
    refused(desk, order, status=404, says="has no item", orderItemId=item_of(other).pk, code="A-1")


# Codes we know already (D29, D34)


def test_an_unsold_pool_code_typed_by_hand_is_consumed(desk):
    order = stuck_order()
    item = item_of(order)
    row = VoucherFactory(variant=item.variant, code="POOL-0001")
    desk.enter(order, item, "pool-0001")
    row.refresh_from_db()
    assert (row.status, row.order_item_id, row.unit_no) == ("sold", item.pk, 1)
    assert Voucher.objects.count() == 1
    assert codes_of(order) == ["POOL-0001"]


def test_a_pool_code_of_another_variant_is_refused(desk):
    order = stuck_order()
    VoucherFactory(variant=VariantFactory(), code="POOL-0001")
    body = {"orderItemId": item_of(order).pk, "code": "POOL-0001"}
    refused(desk, order, status=409, says="pool of another variant", **body)


def test_a_code_reserved_for_another_order_is_refused(desk):
    order = stuck_order()
    unpaid = OrderItemFactory(order=OrderFactory(), variant=item_of(order).variant)
    VoucherFactory(
        order_item=unpaid, code="HELD-0001", status=VoucherStatus.RESERVED, sold_at=None,
        reserved_until=timezone.now() + timedelta(minutes=30),
    )  # fmt: skip
    body = {"orderItemId": item_of(order).pk, "code": "HELD-0001"}
    refused(desk, order, status=409, says="already assigned to a different item", **body)


def test_a_void_code_is_refused(desk):
    order = stuck_order()
    VoucherFactory(variant=item_of(order).variant, code="VOID-0001", status=VoucherStatus.VOID)
    body = {"orderItemId": item_of(order).pk, "code": "VOID-0001"}
    refused(desk, order, status=409, says="void", **body)


def test_codes_held_for_the_item_are_given_back_when_others_are_typed(desk):
    variant = pool_of("POOL-0001")
    order = paid_order((variant, 1))
    item = item_of(order)
    Voucher.objects.update(
        status="reserved", order_item=item, unit_no=1, reserved_until=timezone.now()
    )
    desk.enter(order, item, "HAND-0001")
    assert codes_of(order) == ["HAND-0001"]
    row = Voucher.objects.exclude(order_item=item).get()
    assert (row.status, row.order_item_id, row.unit_no) == ("available", None, None)


# What an item owes (D38)


def partly_delivered(quantity=3):
    """An item of 3 of which the pool filled the first unit."""
    order = paid_order((pool_of("POOL-0001"), quantity))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert codes_of(order) == ["POOL-0001"]
    mail.outbox.clear()
    return order


def test_a_partly_delivered_item_takes_what_it_still_owes(desk):
    order = partly_delivered()
    answer = desk.enter(order, item_of(order), "HAND-0002", "HAND-0003")
    assert answer["data"]["status"] == "DISPATCHED"
    assert codes_of(order) == ["POOL-0001", "HAND-0002", "HAND-0003"]
    assert all(code in mail.outbox[0].body for code in codes_of(order))


def test_a_partly_delivered_item_takes_the_whole_quantity_that_repeats_what_is_saved(desk):
    order = partly_delivered()
    answer = desk.enter(order, item_of(order), "HAND-0002", "POOL-0001", "HAND-0003")
    assert answer["data"]["status"] == "DISPATCHED"
    assert codes_of(order) == ["POOL-0001", "HAND-0002", "HAND-0003"]


def test_a_saved_code_does_not_count_as_one_that_is_owed(desk):
    order = partly_delivered()
    rows = [{"code": "POOL-0001"}, {"code": "HAND-0002"}]
    refused(
        desk, order, status=400, says="needs exactly 2 code(s)",
        orderItemId=item_of(order).pk, codes=rows,
    )  # fmt: skip


def test_the_whole_quantity_of_new_codes_is_too_many_for_a_partly_delivered_item(desk):
    order = partly_delivered()
    rows = [{"code": f"HAND-000{n}"} for n in range(3)]
    refused(
        desk, order, status=400, says="needs exactly 2 code(s), not 3",
        orderItemId=item_of(order).pk, codes=rows,
    )  # fmt: skip


# When the mail fails


def test_a_mail_that_fails_loses_nothing_and_shows(desk, settings):
    order = stuck_order()
    item = item_of(order)
    with no_server(settings):
        answer = desk.enter(order, item, "ABCD-1234")
    attempt = FulfillmentAttempt.objects.get(type="MANUAL_CODE_INPUT")
    assert answer == {
        "success": False,
        "message": "1 voucher code(s) saved, e-mail not sent",
        "data": {
            "attemptId": attempt.pk,
            "correlationId": attempt.correlation_id,
            "status": "DISPATCH_FAILED",
            "emailSent": False,
            "errorMessage": "no connection to the mail server, or it was lost",
        },
    }
    order.refresh_from_db()
    item = item_of(order)
    assert (order.status, order.dispatched_email, order.email_sent_at) == (
        "NEEDS_ATTENTION", None, None,
    )  # fmt: skip
    assert (item.fulfilled, item.fulfillment_status) == (False, "DISPATCH_FAILED")
    assert codes_of(order) == ["ABCD-1234"]
    assert "fulfillment_failed" in open_alerts_of(order)
    shown = desk.get(order)["data"]
    assert shown["items"][0]["fulfillment_status"] == "DISPATCH_FAILED"
    assert (shown["items"][0]["fulfilled"], shown["items"][0]["fulfilled_at"]) == (False, None)


def test_the_same_request_again_delivers_under_the_same_message_id(desk, settings):
    order = stuck_order()
    item = item_of(order)
    with mail_server(settings, RCPT=["451 not now", "250 OK"]) as server:
        assert desk.enter(order, item, "ABCD-1234")["data"]["status"] == "DISPATCH_FAILED"
        answer = desk.enter(order, item, "ABCD-1234")
        assert answer["message"] == "1 voucher code(s) delivered to customer"
        assert answer["data"]["status"] == "DISPATCHED"
        assert len(server.taken) == 1
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert Voucher.objects.count() == 1
    assert EmailMessage.objects.count() == 1
    assert open_alerts_of(order) == []
    assert trail_of(order) == [
        ("AUTO", "PARTNER_FAILED"),
        ("MANUAL_CODE_INPUT", "DISPATCH_FAILED"),
        ("MANUAL_CODE_INPUT", "DISPATCHED"),
    ]


def test_a_mail_an_operator_saw_fail_is_not_sent_without_them(desk, settings):
    order = stuck_order()
    with no_server(settings):
        desk.enter(order, item_of(order), "ABCD-1234")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    process(order_id=order.pk)
    assert mail.outbox == []
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"


def test_other_codes_after_a_failed_mail_are_refused(desk, settings):
    order = stuck_order()
    item = item_of(order)
    with no_server(settings):
        desk.enter(order, item, "ABCD-1234")
    refused(
        desk, order, status=409, says="only the same code(s)", orderItemId=item.pk, code="OTHER-01"
    )


# Somebody else at work (D37)


def test_an_item_that_is_worked_on_is_left_alone(desk):
    order = paid_order((VariantFactory(), 1))
    FulfillmentAttempt.objects.update(claimed_at=timezone.now())
    body = {"orderItemId": item_of(order).pk, "code": "ABCD-1234"}
    refused(desk, order, status=409, says="the automatic delivery is working on item", **body)


def test_a_waiting_try_is_closed_and_names_its_replacement(desk):
    order = paid_order((VariantFactory(), 1))
    answer = desk.enter(order, item_of(order), "ABCD-1234")
    waiting, mine = FulfillmentAttempt.objects.all()
    assert (waiting.status, mine.status) == ("PARTNER_FAILED", "DISPATCHED")
    assert answer["data"]["correlationId"] in waiting.error_message
    assert waiting.next_try_at is None
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"


def test_a_repeated_request_with_its_key_gets_the_first_answer(desk):
    order = stuck_order()
    body = {"orderItemId": item_of(order).pk, "code": "ABCD-1234"}
    first = desk.post(order, "manual-code", key="click-1", **body)
    assert desk.post(order, "manual-code", key="click-1", **body) == first
    assert len(mail.outbox) == 1
    other = desk.post(order, "manual-code", key="click-1", status=422, **{**body, "code": "B-2"})
    assert other["error"]["code"] == "UNPROCESSABLE"

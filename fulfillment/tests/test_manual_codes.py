"""Recovery path 1, the whole order: `manual-codes` (seed Fulfillment Recovery; D46)."""

import pytest
from django.core import mail

from catalog.tests.factories import PartnerFactory
from fulfillment.models import FulfillmentAttempt
from fulfillment.tests.desk import SEED_PATHS, Desk
from fulfillment.tests.factories import (
    codes_of,
    everything,
    item_of,
    open_alerts_of,
    stuck_order,
    trail_of,
)
from notifications.tests.smtp import mail_server
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db


def row(item, *codes, **more):
    return {"orderItemId": item.pk, "codes": [{"code": code} for code in codes], **more}


def enter(desk, order, *rows, status=200, **more):
    return desk.post(order, "manual-codes", status=status, items=list(rows), **more)


def test_the_whole_order_in_one_request_and_one_mail(desk):
    order = stuck_order(2, 1)
    first, second = item_of(order, 0), item_of(order, 1)
    answer = enter(
        desk, order,
        row(first, "ABCD-1234", "EFGH-5678", variantId=first.variant_id),
        row(second, "IJKL-9012"),
        notes="Recovered after provider outage",
    )  # fmt: skip
    one, two = FulfillmentAttempt.objects.filter(type="MANUAL_CODE_INPUT")
    assert answer == {
        "success": True,
        "message": "2 of 2 item(s) delivered to customer",
        "data": {
            "correlationId": one.correlation_id,
            "status": "DISPATCHED",
            "emailSent": True,
            "results": [
                {
                    "orderItemId": first.pk, "success": True, "status": "DISPATCHED",
                    "attemptId": one.pk, "error": None,
                    "message": "2 voucher code(s) delivered to customer",
                },
                {
                    "orderItemId": second.pk, "success": True, "status": "DISPATCHED",
                    "attemptId": two.pk, "error": None,
                    "message": "1 voucher code(s) delivered to customer",
                },
            ],
        },
    }  # fmt: skip
    assert one.correlation_id == two.correlation_id
    assert [one.notes, two.notes] == ["Recovered after provider outage"] * 2
    (message,) = mail.outbox
    assert all(code in message.body for code in ("ABCD-1234", "EFGH-5678", "IJKL-9012"))
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert open_alerts_of(order) == []


def test_every_repair_is_mailed_at_once_though_something_is_still_owed(desk):
    """A part goes out by itself once only; what an operator enters goes out each time."""
    order = stuck_order(1, 1, 1)
    for place, code in enumerate(("FIRST-0001", "SECOND-0002")):
        assert enter(desk, order, row(item_of(order, place), code))["data"]["emailSent"] is True
    assert "SECOND-0002" in mail.outbox[1].body


def test_who_may_read_no_code_sees_its_end_and_how_many_there_were(desk):
    order = stuck_order(2, 1)
    several, single = item_of(order, 0), item_of(order, 1)
    enter(desk, order, row(several, "ABCD-1234-5678", "EFGH-5678-9012"), row(single, "IJKL-9012-3"))
    masks = FulfillmentAttempt.objects.exclude(codes_mask="").order_by("pk")
    assert list(masks.values_list("codes_mask", flat=True)) == ["••••5678 (+1 more)", "••••12-3"]


def test_providers_may_differ_within_one_item(desk):
    order, five, eight = stuck_order(2), PartnerFactory(slug="five"), PartnerFactory(slug="eight")
    codes = [{"code": "ABCD-1234"}, {"code": "EFGH-5678", "partnerId": eight.pk}]
    body = {"orderItemId": item_of(order).pk, "partnerId": five.pk, "codes": codes}
    assert enter(desk, order, body)["success"] is True
    partners = Voucher.objects.order_by("unit_no").values_list("partner_id", flat=True)
    assert list(partners) == [five.pk, eight.pk]


def test_a_refused_row_does_not_stop_the_good_one(desk):
    order = stuck_order(1, 2)
    good, bad = item_of(order, 0), item_of(order, 1)
    answer = enter(desk, order, row(good, "GOOD-0001"), row(bad, "ONLY-0001"))
    assert answer["success"] is False
    assert answer["message"] == "1 of 2 item(s) delivered to customer"
    assert answer["data"]["emailSent"] is True
    assert answer["data"]["results"][1] == {
        "orderItemId": bad.pk,
        "success": False,
        "status": None,
        "attemptId": None,
        "message": f"Item {bad.pk} needs exactly 2 code(s), not 1.",
        "error": "BAD_REQUEST",
    }
    assert codes_of(order) == ["GOOD-0001"]
    assert len(mail.outbox) == 1
    again = enter(desk, order, row(bad, "BOTH-0001", "BOTH-0002"))
    assert again["success"] is True
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert codes_of(order) == ["GOOD-0001", "BOTH-0001", "BOTH-0002"]


def test_rows_that_cannot_be_told_by_their_item(desk):
    order, other = stuck_order(1, 1), stuck_order()
    item = item_of(order)
    before = everything()
    answer = enter(
        desk, order,
        row(item_of(other), "ABCD-1234"),
        row(item, "EFGH-5678", variantId=item.variant_id + 1),
        row(item_of(order, 1)),
    )  # fmt: skip
    assert [each["error"] for each in answer["data"]["results"]] == [
        "NOT_FOUND", "BAD_REQUEST", "BAD_REQUEST",
    ]  # fmt: skip
    assert (answer["success"], answer["data"]["emailSent"]) == (False, False)
    assert answer["data"]["status"] == "FAILED"
    assert everything() == before
    assert mail.outbox == []


def test_one_item_twice_in_a_request_is_delivered_once(desk):
    order = stuck_order()
    item = item_of(order)
    answer = enter(desk, order, row(item, "ABCD-1234"), row(item, "EFGH-5678"))
    assert [each["success"] for each in answer["data"]["results"]] == [True, False]
    assert codes_of(order) == ["ABCD-1234"]


def test_one_code_for_two_items_is_given_to_the_first(desk):
    order = stuck_order(1, 1)
    answer = enter(
        desk, order, row(item_of(order), "ABCD-1234"), row(item_of(order, 1), "abcd-1234")
    )
    assert [each["error"] for each in answer["data"]["results"]] == [None, "CONFLICT"]
    assert codes_of(order) == ["ABCD-1234"]


def test_the_orders_own_guards_refuse_the_call(desk):
    unpaid = OrderItemFactory(order=OrderFactory())
    before = everything()
    answer = enter(desk, unpaid.order, row(unpaid, "A-1"), status=400)
    assert "refusing to dispatch voucher" in answer["message"]
    enter(desk, "99999999", row(unpaid, "A-1"), status=404)
    enter(desk, unpaid.order, status=400)
    named = enter(desk, unpaid.order, {**row(unpaid, "A-1"), "extra": 1}, status=400)
    assert named["error"]["details"][0]["field"] == "items.0.extra"
    assert everything() == before


def test_a_mail_that_fails_fails_every_row_and_the_same_call_delivers(desk, settings):
    order = stuck_order(1, 1)
    rows = [row(item_of(order), "ABCD-1234"), row(item_of(order, 1), "EFGH-5678")]
    with mail_server(settings, RCPT=["550 no such box", "250 OK"]) as server:
        failed = enter(desk, order, *rows)
        assert failed["success"] is False
        assert failed["data"]["status"] == "DISPATCH_FAILED"
        assert failed["data"]["emailSent"] is False
        assert [each["status"] for each in failed["data"]["results"]] == ["DISPATCH_FAILED"] * 2
        assert [each["error"] for each in failed["data"]["results"]] == [
            "SMTP 550: mailbox unavailable"
        ] * 2
        states = [each.fulfillment_status for each in order.items.all()]
        assert states == ["DISPATCH_FAILED"] * 2
        assert "fulfillment_failed" in open_alerts_of(order)
        assert enter(desk, order, *rows)["success"] is True
        assert len(server.taken) == 1
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert trail_of(order) == [
        *[("AUTO", "PARTNER_FAILED")] * 2,
        *[("MANUAL_CODE_INPUT", "DISPATCH_FAILED")] * 2,
        *[("MANUAL_CODE_INPUT", "DISPATCHED")] * 2,
    ]


def test_the_seeds_own_path_answers_too(desk):
    order = stuck_order()
    answer = enter(Desk(desk.user, SEED_PATHS), order, row(item_of(order), "ABCD-1234"))
    assert answer["success"] is True

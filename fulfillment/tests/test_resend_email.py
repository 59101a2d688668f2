"""`resend-email`: every stored code in one mail again (seed Recovery; D13, D27, I12)."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.desk import SEED_PATHS, Desk
from fulfillment.tests.factories import (
    codes_of,
    everything,
    item_of,
    offered,
    open_alerts_of,
    paid_order,
    pool_of,
    stuck_order,
    trail_of,
)
from notifications.models import EmailMessage
from notifications.tests.smtp import mail_server, no_server
from orders.tests.factories import OrderFactory, OrderItemFactory

pytestmark = pytest.mark.django_db


def delivered(*codes):
    order = paid_order((pool_of(*codes), len(codes)))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    return order


def test_a_delivered_order_is_mailed_again(desk):
    order = delivered("ABCD-1234", "EFGH-5678")
    first_sent = order.email_sent_at
    answer = desk.resend(order, notes="Customer requested resend")
    attempt = FulfillmentAttempt.objects.get(type="RESEND_EMAIL")
    assert answer == {
        "success": True,
        "message": "2 voucher code(s) sent again",
        "data": {
            "attemptId": attempt.pk,
            "correlationId": attempt.correlation_id,
            "status": "SUCCESS",
            "emailSent": True,
        },
    }
    assert (attempt.item, attempt.admin_user, attempt.notes) == (
        None, desk.user, "Customer requested resend",
    )  # fmt: skip
    first, second = mail.outbox
    assert first.body == second.body
    assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]
    order.refresh_from_db()
    assert order.email_sent_at > first_sent
    assert order.status == "SUCCEEDED"


def test_support_may_resend_and_nothing_else(support_desk):
    order, stuck = delivered("ABCD-1234"), stuck_order()
    item = item_of(stuck)
    mail.outbox.clear()
    before = everything()
    support_desk.enter(stuck, item, "A-1", status=403)
    support_desk.post(stuck, "manual-codes", status=403, items=[])
    support_desk.retry(stuck, item, status=403)
    answer = support_desk.resend(order, to="somebody@else.example", status=403)
    assert answer["message"] == "You may send only to the order's own address."
    assert answer["error"]["code"] == "FORBIDDEN"
    assert everything() == before
    assert mail.outbox == []
    assert support_desk.resend(order, to=order.recipient_email.upper())["success"] is True
    assert support_desk.resend(order)["success"] is True
    assert len(mail.outbox) == 2


def test_another_address_needs_its_right_and_is_audited(desk):
    order = delivered("ABCD-1234")
    mail.outbox.clear()
    answer = desk.resend(order, to="somebody@else.example", notes="asked by phone")
    assert mail.outbox[0].to == ["somebody@else.example"]
    attempt = FulfillmentAttempt.objects.get(pk=answer["data"]["attemptId"])
    assert attempt.notes == "To somebody@else.example. asked by phone"
    order.refresh_from_db()
    assert order.dispatched_email == "somebody@else.example"
    assert order.recipient_email != "somebody@else.example"


@pytest.mark.parametrize("case", ["unpaid", "nothing", "risk", "unknown", "bad_address", "field"])
def test_refusals_change_nothing(desk, case):
    order = delivered("ABCD-1234")
    mail.outbox.clear()
    status, says, body = 400, "", {}
    match case:
        case "unpaid":
            order, says = OrderItemFactory(order=OrderFactory()).order, "refusing to dispatch"
        case "nothing":
            order, status, says = stuck_order(), 409, "has no code to send yet"
        case "risk":
            order.held_for_risk = True
            order.save()
            status, says = 409, "held as risky"
        case "unknown":
            order, status, says = "99999999", 404, "no such order"
        case "bad_address":
            body, says = {"to": "nobody"}, "valid email"
        case "field":
            body, says = {"email": "a@b.example"}, "Unknown field"
    before = everything()
    assert says in desk.resend(order, status=status, **body)["message"]
    assert everything() == before
    assert mail.outbox == []


def test_a_resend_whose_mail_fails_says_so(desk, settings):
    order = delivered("ABCD-1234")
    sent_at = order.email_sent_at
    with no_server(settings):
        answer = desk.resend(order)
    assert answer["success"] is False
    assert answer["message"] == "1 voucher code(s) saved, e-mail not sent"
    assert answer["data"]["status"] == "DISPATCH_FAILED"
    assert answer["data"]["emailSent"] is False
    order.refresh_from_db()
    assert (order.status, order.email_sent_at) == ("SUCCEEDED", sent_at)
    assert item_of(order).fulfilled is True


def test_a_copy_that_did_not_get_through_is_sent_not_doubled(desk, settings):
    order = delivered("ABCD-1234")
    with mail_server(settings, RCPT=["451 later", "250 OK"]) as server:
        assert desk.resend(order)["success"] is False
        assert desk.resend(order)["success"] is True
        assert len(server.taken) == 1
    assert EmailMessage.objects.filter(order=order).count() == 2


def test_an_accepted_resend_completes_an_order_whose_mail_had_failed(desk, settings):
    order = stuck_order(1, 1)
    with no_server(settings):
        desk.enter(order, item_of(order, 0), "ABCD-1234")
        desk.enter(order, item_of(order, 1), "EFGH-5678")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    answer = desk.resend(order)
    assert answer["data"]["status"] == "SUCCESS"
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert [each.fulfillment_status for each in order.items.all()] == ["SUCCEEDED"] * 2
    assert open_alerts_of(order) == []
    assert len(mail.outbox) == 1
    assert all(code in mail.outbox[0].body for code in codes_of(order))


def test_a_resend_ends_the_automatic_mail_that_waits(desk, settings):
    order = paid_order((pool_of("ABCD-1234"), 1))
    with no_server(settings):
        process(order_id=order.pk)
    waiting = EmailMessage.objects.get()
    assert (waiting.status, waiting.automatic) == ("PENDING", True)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert desk.resend(order)["success"] is True
    waiting.refresh_from_db()
    assert waiting.status == "SENT"
    EmailMessage.objects.update(next_try_at=timezone.now())
    process(order_id=order.pk)
    assert len(mail.outbox) == 1
    assert trail_of(order) == [("AUTO", "DISPATCH_FAILED"), ("RESEND_EMAIL", "SUCCESS")]


def test_a_part_is_sent_again_and_the_order_stays_open(desk):
    order = paid_order((pool_of("ABCD-1234"), 2))
    process(order_id=order.pk)
    mail.outbox.clear()
    assert desk.resend(order)["data"]["status"] == "SUCCESS"
    assert "ABCD-1234" in mail.outbox[0].body
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"
    assert open_alerts_of(order) == ["fulfillment_partial"]


def test_what_is_stored_is_sent_even_while_a_unit_is_under_way(desk, zendit):
    zendit.meets("A", "accepted")
    order = paid_order((pool_of("ABCD-1234"), 1), (offered("A"), 1))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, mail.outbox) == ("PENDING", [])
    assert desk.resend(order)["data"]["status"] == "SUCCESS"
    assert "ABCD-1234" in mail.outbox[0].body


def test_the_seeds_own_path_answers_too(desk):
    assert Desk(desk.user, SEED_PATHS).resend(delivered("ABCD-1234"))["success"] is True


# A request that died on its way


def abandoned(order, desk, **fields):
    """As the process left it that was killed: claimed, and the claim has run out."""
    now = timezone.now()
    return FulfillmentAttempt.objects.create(
        order=order, type="RESEND_EMAIL", status="IN_PROGRESS", admin_user=desk.user,
        correlation_id="corr-00000009", created_at=now, next_try_at=now,
        claimed_at=now - timedelta(hours=1), **fields,
    )  # fmt: skip


def copy_of(order, **fields):
    (first,) = EmailMessage.objects.filter(order=order)
    return EmailMessage.objects.create(
        order=order, template="vouchers", recipient=first.recipient, dispatch_no=2,
        message_id="<copy@mail.test>", resend_of=first, voucher_ids=first.voucher_ids,
        definition=first.definition, automatic=False, next_try_at=timezone.now(), **fields,
    )  # fmt: skip


def test_a_copy_whose_request_died_before_it_was_queued_ends_and_says_so(desk):
    order = delivered("ABCD-1234")
    attempt = abandoned(order, desk)
    process(order_id=order.pk)
    attempt.refresh_from_db()
    assert (attempt.status, attempt.error_message) == (
        "DISPATCH_FAILED", "Interrupted before the e-mail was ready; ask for it again.",
    )  # fmt: skip
    assert len(mail.outbox) == 1
    assert desk.resend(order)["data"]["emailSent"] is True


@pytest.mark.parametrize("state", ["PENDING", "SENDING"])
def test_a_queued_copy_whose_request_died_goes_out_under_its_own_id(desk, state):
    order = delivered("ABCD-1234")
    attempt = abandoned(order, desk)
    claimed = timezone.now() - timedelta(hours=1) if state == "SENDING" else None
    copy = copy_of(order, status=state, claimed_at=claimed)
    process(order_id=order.pk)
    process(order_id=order.pk)
    attempt.refresh_from_db()
    copy.refresh_from_db()
    assert (attempt.status, copy.status) == ("SUCCESS", "SENT")
    assert [each.extra_headers["Message-ID"] for each in mail.outbox[1:]] == ["<copy@mail.test>"]


def test_a_copy_that_somebody_is_sending_just_now_is_left_to_them(desk):
    order = delivered("ABCD-1234")
    attempt = abandoned(order, desk)
    copy_of(order, status="SENDING", claimed_at=timezone.now())
    process(order_id=order.pk)
    attempt.refresh_from_db()
    assert attempt.status == "IN_PROGRESS"
    assert len(mail.outbox) == 1

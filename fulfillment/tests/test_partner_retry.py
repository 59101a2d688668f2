"""Recovery path 2: `partner-retry` (seed Fulfillment Recovery; D9, D10, D18, D50)."""

import pytest
from django.core import mail
from django.utils import timezone

from catalog.models import PartnerSource
from catalog.tests.factories import SourceFactory, VariantFactory
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import process
from fulfillment.tests.desk import SEED_PATHS, Desk
from fulfillment.tests.factories import (
    codes_of,
    everything,
    item_of,
    offered,
    open_alerts_of,
    paid_order,
    stuck_order,
    trail_of,
)
from fulfillment.tests.partner import code_of
from notifications.models import AdminAlert
from notifications.tests.smtp import mail_server
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def failed_at(zendit, *offers, quantity=1):
    """An order whose every source refused; they sell again from now on."""
    for offer in offers:
        zendit.meets(offer, "no_stock")
    order = paid_order((offered(*offers), quantity))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"
    zendit.scripts.clear()
    zendit.asked.clear()
    return order


def test_a_retry_that_works_is_dispatched_via_the_partner(desk, zendit):
    order = failed_at(zendit, "A")
    answer = desk.retry(order, item_of(order), notes="Retrying after Zendit outage")
    attempt = FulfillmentAttempt.objects.get(type="PARTNER_RETRY")
    assert answer == {
        "success": True,
        "message": "Voucher delivered via zendit",
        "data": {
            "status": "DISPATCHED",
            "attemptId": attempt.pk,
            "correlationId": attempt.correlation_id,
            "emailSent": True,
        },
    }
    (reference,) = zendit.sold
    assert codes_of(order) == [code_of(reference)]
    assert code_of(reference) in mail.outbox[0].body
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    note = AdminAlert.objects.get(order=order).resolution_notes
    assert f"fa:{attempt.correlation_id}" in note
    assert open_alerts_of(order) == []


def test_a_partners_no_is_an_answer_of_200(desk, zendit):
    order = failed_at(zendit, "A")
    zendit.meets("A", "no_stock")
    answer = desk.retry(order, item_of(order))
    attempt = FulfillmentAttempt.objects.get(type="PARTNER_RETRY")
    assert answer == {
        "success": False,
        "message": "Partner responded with status NO_STOCK",
        "data": {
            "status": "PARTNER_FAILED",
            "attemptId": attempt.pk,
            "correlationId": attempt.correlation_id,
            "emailSent": False,
            "errorMessage": "No available fulfillment source for this product",
        },
    }
    assert attempt.partner_response["status"] == "NO_STOCK"
    assert attempt.partner_response["offerId"] == "A"
    order.refresh_from_db()
    assert (order.status, item_of(order).fulfillment_status) == (
        "NEEDS_ATTENTION", "PARTNER_FAILED",
    )  # fmt: skip
    assert open_alerts_of(order) == ["fulfillment_failed"]
    assert mail.outbox == []
    assert not FulfillmentAttempt.objects.filter(status="IN_PROGRESS").exists()


def test_without_any_source_nobody_is_asked(desk, zendit):
    order = stuck_order()
    answer = desk.retry(order, item_of(order))
    assert answer["message"] == "Partner responded with status NO_STOCK"
    assert answer["data"]["errorMessage"] == "No available fulfillment source for this product"
    assert zendit.asked == []


def test_a_retry_goes_by_priority_and_a_forced_source_overrides_it(desk, zendit):
    first, second = failed_at(zendit, "A", "B"), failed_at(zendit, "C", "D")
    desk.retry(first, item_of(first))
    forced = PartnerSource.objects.get(external_offer_id="D")
    answer = desk.retry(second, item_of(second), partnerSourceId=forced.pk)
    assert answer["data"]["status"] == "DISPATCHED"
    assert [body["offerId"] for body in zendit.bodies[-2:]] == ["A", "D"]
    attempt = FulfillmentAttempt.objects.get(pk=answer["data"]["attemptId"])
    assert attempt.partner_source == forced


def test_a_forced_source_that_refuses_is_not_replaced_by_another(desk, zendit):
    order = failed_at(zendit, "A", "B")
    zendit.meets("B", "no_stock")
    forced = PartnerSource.objects.get(external_offer_id="B")
    answer = desk.retry(order, item_of(order), partnerSourceId=forced.pk)
    assert answer["data"]["status"] == "PARTNER_FAILED"
    assert len(zendit.sold) == 1


def test_the_pool_may_be_the_forced_source(desk, zendit):
    order = failed_at(zendit, "A")
    item = item_of(order)
    pool = SourceFactory(variant=item.variant, preloaded=True, priority=9)
    VoucherFactory(variant=item.variant, code="POOL-0001")
    answer = desk.retry(order, item, partnerSourceId=pool.pk)
    assert answer["message"] == "Voucher delivered via the voucher pool"
    assert (codes_of(order), zendit.asked) == (["POOL-0001"], [])


def test_stock_that_came_is_taken_before_a_partner_is_asked(desk, zendit):
    order = failed_at(zendit, "A")
    VoucherFactory(variant=item_of(order).variant, code="POOL-0001")
    answer = desk.retry(order, item_of(order))
    assert answer["message"] == "Voucher delivered via the voucher pool"
    assert zendit.asked == []


def test_a_forced_partner_is_asked_though_there_is_stock(desk, zendit):
    order = failed_at(zendit, "A")
    item = item_of(order)
    held = VoucherFactory(variant=item.variant, code="POOL-0001")
    forced = PartnerSource.objects.get(external_offer_id="A")
    answer = desk.retry(order, item, partnerSourceId=forced.pk)
    assert answer["message"] == "Voucher delivered via zendit"
    held.refresh_from_db()
    assert (held.status, len(zendit.sold)) == ("available", 1)


def test_every_unit_of_a_quantity_is_bought(desk, zendit):
    order = failed_at(zendit, "A", quantity=3)
    assert desk.retry(order, item_of(order))["success"] is True
    assert len(set(zendit.sold)) == 3
    assert codes_of(order) == [code_of(reference) for reference in zendit.sold]
    assert len(mail.outbox) == 1


def test_a_retry_that_leaves_a_unit_owed_is_partner_failed_and_its_part_is_mailed(desk, zendit):
    order = failed_at(zendit, "A", quantity=2)
    zendit.meets("A", "done", "no_stock")
    answer = desk.retry(order, item_of(order))
    assert (answer["success"], answer["data"]["status"]) == (False, "PARTNER_FAILED")
    assert len(codes_of(order)) == 1
    assert codes_of(order)[0] in mail.outbox[0].body
    assert "fulfillment_partial" in open_alerts_of(order)
    zendit.scripts.clear()
    assert desk.retry(order, item_of(order))["success"] is True
    assert all(code in mail.outbox[1].body for code in codes_of(order))


def test_a_passing_trouble_is_told_and_plans_nothing_behind_the_operators_back(desk, zendit):
    order = failed_at(zendit, "A")
    zendit.meets("A", "busy")
    answer = desk.retry(order, item_of(order))
    assert answer["message"] == "Partner responded with status 429"
    assert answer["data"]["errorMessage"] == "rate limited"
    assert trail_of(order) == [("AUTO", "PARTNER_FAILED"), ("PARTNER_RETRY", "PARTNER_FAILED")]


def test_a_retry_that_somebody_else_ended_meanwhile_says_so(desk, zendit):
    """The answer is the attempt as it stands, whatever this request believed of it."""
    order = failed_at(zendit, "A")
    zendit.meets("A", "interrupted")
    mine = FulfillmentAttempt.objects.filter(type="PARTNER_RETRY")
    zendit.meanwhile = lambda _: mine.update(
        status="PARTNER_FAILED", error_message="Replaced by another attempt",
        claimed_at=None, next_try_at=None, ended_at=timezone.now(),
    )  # fmt: skip
    data = desk.retry(order, item_of(order))["data"]
    assert (data["status"], data["errorMessage"]) == (
        "PARTNER_FAILED", "Replaced by another attempt",
    )  # fmt: skip
    assert len(codes_of(order)) == 1


def test_wrong_credentials_raise_an_alert(desk, zendit):
    order = failed_at(zendit, "A")
    zendit.meets("A", "key_refused")
    assert desk.retry(order, item_of(order))["data"]["status"] == "PARTNER_FAILED"
    assert "partner_misconfigured" in open_alerts_of(order)


# After DISPATCH_FAILED the partner is not called again (D10)


def test_after_a_failed_mail_a_retry_only_mails(desk, zendit, settings):
    order = failed_at(zendit, "A")
    with mail_server(settings, DOT=["554 no", "250 OK"]) as server:
        failed = desk.retry(order, item_of(order))
        assert failed["message"] == "Voucher code(s) saved, e-mail not sent"
        assert failed["data"]["status"] == "DISPATCH_FAILED"
        assert failed["data"]["errorMessage"] == "SMTP 554: mail not accepted"
        assert item_of(order).fulfillment_status == "DISPATCH_FAILED"
        assert len(zendit.sold) == 1
        assert desk.retry(order, item_of(order))["data"]["status"] == "DISPATCHED"
        assert len(zendit.sold) == 1
        assert len(server.taken) == 1
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"


# D18: an open purchase


@pytest.mark.parametrize(
    ("step", "status"),
    [("never_arrived", "UNKNOWN"), ("lost", "UNKNOWN"), ("accepted", "PENDING")],
)
def test_an_open_purchase_forbids_a_retry(desk, zendit, step, status):
    zendit.meets("A", step)
    order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    before = everything()
    answer = desk.retry(order, item_of(order), status=409)
    assert f"is {status} at" in answer["message"]
    assert everything() == before
    assert len(zendit.sold) == 1


def test_a_purchase_the_operator_sees_begin_is_followed_while_they_wait(desk, zendit, settings):
    order = failed_at(zendit, "A")
    settings.LOOKUP_WAITS = [0.0]
    zendit.meets("A", "accepted")
    zendit.delivers_when_asked = True
    assert desk.retry(order, item_of(order))["data"]["status"] == "DISPATCHED"
    assert (len(zendit.sold), len(zendit.looked_up)) == (1, 1)


def test_what_is_not_known_in_time_goes_on_in_the_worker(desk, zendit, settings):
    settings.OPERATOR_WAIT_SECONDS = 1
    order = failed_at(zendit, "A")
    zendit.meets("A", "accepted")
    answer = desk.retry(order, item_of(order))
    assert (answer["success"], answer["data"]["status"]) == (False, "IN_PROGRESS")
    assert answer["data"]["emailSent"] is False
    zendit.deliver(zendit.sold[0])
    PartnerTransaction.objects.update(next_check_at=timezone.now())
    process(order_id=order.pk)
    attempt = FulfillmentAttempt.objects.get(pk=answer["data"]["attemptId"])
    assert attempt.status == "DISPATCHED"
    order.refresh_from_db()
    assert (order.status, len(zendit.sold)) == ("SUCCEEDED", 1)


# Guards


def test_guards_in_their_order(desk, zendit):
    unpaid = OrderItemFactory(order=OrderFactory(), variant=offered("A"))
    order, other = failed_at(zendit, "B"), stuck_order()
    item = item_of(order)
    foreign = SourceFactory(variant=VariantFactory())
    before = everything()
    answer = desk.retry(unpaid.order, unpaid, status=400)
    assert "refusing to dispatch voucher" in answer["message"]
    assert "has no item" in desk.retry(order, item_of(other), status=404)["message"]
    answer = desk.retry(order, item, status=400, partnerSourceId=foreign.pk)
    assert answer["error"]["details"][0]["field"] == "partnerSourceId"
    assert everything() == before
    assert zendit.asked == []
    desk.enter(order, item, "HAND-0001")
    assert "already fulfilled" in desk.retry(order, item, status=409)["message"]


def test_an_item_that_is_worked_on_is_left_alone(desk, zendit):
    order = paid_order((offered("A"), 1))
    FulfillmentAttempt.objects.update(claimed_at=timezone.now())
    assert "is working on item" in desk.retry(order, item_of(order), status=409)["message"]
    assert zendit.asked == []


def test_the_seeds_own_path_answers_too(desk, zendit):
    order = failed_at(zendit, "A")
    assert Desk(desk.user, SEED_PATHS).retry(order, item_of(order))["success"] is True

"""The audit trail and the operator's order over HTTP (seed Fulfillment Recovery; D20, D38)."""

import pytest

from accounts.tests.factories import UserFactory
from fulfillment.processing import process
from fulfillment.tests.desk import API_PATHS, SEED_PATHS, Desk
from fulfillment.tests.factories import item_of, offered, paid_order, pool_of, stuck_order
from fulfillment.tests.partner import code_of
from vouchers.models import CodeReveal

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("mount", [SEED_PATHS, API_PATHS])
def test_a_failed_retry_is_told_with_the_seeds_fields(desk, zendit, mount):
    zendit.meets("zen_abc123", "no_stock")
    order = paid_order((offered("zen_abc123"), 1))
    process(order_id=order.pk)
    answer = desk.retry(order, item_of(order), notes="again")
    retry, auto = Desk(desk.user, mount).attempts(order)
    transaction = retry.pop("partner_api_transaction")
    assert retry.pop("created_at").endswith("Z")
    assert retry.pop("ended_at").endswith("Z")
    assert retry.pop("partner_response").items() >= {
        "status": "NO_STOCK", "offerId": "zen_abc123",
    }.items()  # fmt: skip
    assert retry == {
        "id": answer["data"]["attemptId"],
        "order_item_id": item_of(order).pk,
        "type": "PARTNER_RETRY",
        "status": "PARTNER_FAILED",
        "correlation_id": answer["data"]["correlationId"],
        "error_message": "No available fulfillment source for this product",
        "code_provided": None,
        "notes": "again",
        "next_try_at": None,
        "admin_user": {"id": desk.user.pk, "name": "Ops Team", "email": desk.user.email},
    }
    assert transaction.pop("created_at").endswith("Z")
    assert transaction.pop("id") > 0
    assert transaction == {
        "status": "FAILED",
        "reference": zendit.sold[-1],
        "partner_transaction_id": None,
        "voucher_code": None,
    }
    assert (auto["type"], auto["status"], auto["admin_user"]) == ("AUTO", "PARTNER_FAILED", None)


def test_a_purchase_shows_its_code_to_who_may_reveal_and_the_reading_is_kept(desk, zendit):
    order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    (auto,) = desk.attempts(order)
    assert auto["status"] == "SUCCESS"
    assert auto["partner_api_transaction"]["voucher_code"] == code_of(zendit.sold[0])
    assert auto["partner_api_transaction"]["partner_transaction_id"] == f"C-{zendit.sold[0]}"
    reveal = CodeReveal.objects.get()
    assert (reveal.user, reveal.voucher.order_item) == (desk.user, item_of(order))
    assert order.order_number in reveal.reason


def test_support_reads_masks_and_leaves_no_reading(desk, support_desk, zendit):
    order = stuck_order(2)
    desk.enter(order, item_of(order), "ABCD-1234-EFGH-5678", "WXYZ-9876-MNOP-5432")
    bought = paid_order((offered("A"), 1))
    process(order_id=bought.pk)
    (manual, _) = support_desk.attempts(order)
    assert manual["code_provided"] == "••••5678 (+1 more)"
    assert manual["partner_response"]["allCodes"] == ["••••5678", "••••5432"]
    (auto,) = support_desk.attempts(bought)
    assert auto["partner_api_transaction"]["voucher_code"].startswith("••••")
    shown = support_desk.get(order)["data"]
    assert shown["voucher_codes"] == ["••••5678", "••••5432"]
    assert shown["items"][0]["voucher"]["code"] == "••••5678"
    assert CodeReveal.objects.count() == 0


def test_every_reading_in_full_is_recorded_for_each_code(desk):
    order = paid_order((pool_of("ABCD-1234-EFGH", "WXYZ-9876-MNOP"), 2))
    process(order_id=order.pk)
    assert desk.get(order)["data"]["voucher_codes"] == ["ABCD-1234-EFGH", "WXYZ-9876-MNOP"]
    assert CodeReveal.objects.count() == 2
    desk.get(order)
    assert CodeReveal.objects.count() == 4
    assert {each.user_id for each in CodeReveal.objects.all()} == {desk.user.pk}


def test_the_operators_order_tells_what_is_delivered_and_owed(desk, zendit):
    zendit.meets("A", "accepted")
    order = paid_order((pool_of("ABCD-1234"), 3), (offered("A"), 1))
    process(order_id=order.pk)
    order.refresh_from_db()
    data = desk.get(order)["data"]
    lines = [
        (each["order_item_id"], each["quantity"], each["delivered"], each["owed"],
         each["open_at_partner"])
        for each in data["items"]
    ]  # fmt: skip
    assert lines == [(item_of(order, 0).pk, 3, 1, 2, 0), (item_of(order, 1).pk, 1, 0, 1, 1)]
    assert data["recipient_email"] == order.recipient_email
    assert data["status"] == order.status
    assert [alert["type"] for alert in data["alerts"]] == ["fulfillment_partial"]


def test_pages_are_as_everywhere_and_newest_first(desk):
    order = stuck_order()
    for _ in range(4):
        desk.retry(order, item_of(order))
    page = desk.get(order, "/fulfillment-attempts", page=2, limit=2)["data"]
    assert {name: page[name] for name in ("page", "limit", "total", "total_pages")} == {
        "page": 2, "limit": 2, "total": 5, "total_pages": 3,
    }  # fmt: skip
    everyone = [each["id"] for each in desk.attempts(order)]
    assert [each["id"] for each in page["items"]] == everyone[2:4]
    assert everyone == sorted(everyone, reverse=True)
    assert desk.get(order, "/fulfillment-attempts", page=9)["data"]["items"] == []
    desk.get(order, "/fulfillment-attempts", limit=101, status=400)


@pytest.mark.parametrize("mount", [SEED_PATHS, API_PATHS])
def test_finance_reads_the_trail_and_repairs_nothing(mount):
    order = stuck_order()
    finance = Desk(UserFactory(finance=True), mount)
    assert len(finance.attempts(order)) == 1
    finance.resend(order, status=403)
    finance.enter(order, item_of(order), "A-1", status=403)


def test_every_type_and_every_good_and_bad_end_is_in_the_trail(desk, settings):
    order = stuck_order()
    item = item_of(order)
    desk.retry(order, item)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    desk.enter(order, item, "ABCD-1234")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    desk.enter(order, item, "ABCD-1234")
    desk.resend(order)
    assert [(each["type"], each["status"]) for each in desk.attempts(order)] == [
        ("RESEND_EMAIL", "SUCCESS"),
        ("MANUAL_CODE_INPUT", "DISPATCHED"),
        ("MANUAL_CODE_INPUT", "DISPATCH_FAILED"),
        ("PARTNER_RETRY", "PARTNER_FAILED"),
        ("AUTO", "PARTNER_FAILED"),
    ]

"""The operators' queue by API: tabs, filters, the exact search, pages by key, alerts, partners."""

from datetime import timedelta
from uuid import uuid4

import pytest
import responses
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.models import Partner
from core import correlation
from fulfillment.breaker import note_silence
from fulfillment.models import FulfillmentAttempt, PartnerHealth, PartnerTransaction
from fulfillment.processing import process
from fulfillment.tests.desk import API_PATHS, SEED_PATHS, Desk
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
from fulfillment.tests.partner import BASE
from notifications.models import AdminAlert
from notifications.tests.smtp import no_server
from orders.models import Order, OrderEvent
from orders.tests.factories import OrderFactory
from vouchers.models import Voucher

BALANCE = {"availableBalance": 9950, "currencyDivisor": 100, "currency": "USD"}

pytestmark = pytest.mark.django_db


def asked(desk, *, answered=200, **query):
    answer = desk.client.get(desk.mount, query)
    assert answer.status_code == answered, answer.content
    return answer.json()


def numbers(desk, **query):
    return [each["order_number"] for each in asked(desk, **query)["data"]["items"]]


def delivered(*codes):
    order = paid_order((pool_of(*codes), len(codes)))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    return order


def unknown_order(zendit):
    zendit.meets("LOST", "never_arrived")
    order = paid_order((offered("LOST"), 1))
    process(order_id=order.pk)
    return order


# Tabs and filters


@pytest.mark.parametrize("mount", [API_PATHS, SEED_PATHS])
def test_the_queue_answers_at_both_paths(mount):
    stuck = stuck_order()
    desk = Desk(UserFactory(operator=True), mount)
    (row,) = asked(desk, tab="needs_attention")["data"]["items"]
    assert row["order_number"] == stuck.order_number
    assert row["alerts"][0]["type"] == "fulfillment_failed"
    assert row["items"][0]["fulfillment_status"] == "PARTNER_FAILED"


def test_each_tab_holds_its_own(desk, zendit, settings):
    done = delivered("A-0001")
    stuck = stuck_order()
    lost = unknown_order(zendit)
    unmailed = paid_order((pool_of("B-0001"), 1))
    with no_server(settings):
        process(order_id=unmailed.pk)
    late = OrderFactory(paid=True)
    AdminAlert.objects.create(
        order=late, kind="late_payment", message="late", correlation_id="x",
        created_at=timezone.now(),
    )  # fmt: skip
    assert numbers(desk, tab="unknown") == [lost.order_number]
    assert numbers(desk, tab="mail_failed") == [unmailed.order_number]
    assert numbers(desk, tab="late_money") == [late.order_number]
    assert numbers(desk, tab="waiting_for_stock") == [stuck.order_number]
    assert set(numbers(desk, tab="needs_attention")) >= {stuck.order_number, unmailed.order_number}
    assert done.order_number not in numbers(desk, tab="needs_attention")
    assert len(numbers(desk)) == 5


def test_a_tab_is_worked_off_from_the_oldest_and_all_is_browsed_from_the_newest(desk):
    first, second = stuck_order(), stuck_order()
    oldest_first = [first.order_number, second.order_number]
    assert numbers(desk, tab="needs_attention") == oldest_first
    assert numbers(desk) == oldest_first[::-1]


def test_filters_narrow_the_list(desk, zendit):
    zendit.meets("A", "no_stock")
    refused = paid_order((offered("A"), 1), payment_method="bkash")
    process(order_id=refused.pk)
    old = delivered("A-0001")
    Order.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))
    number = [refused.order_number]
    assert numbers(desk, partner="zendit") == number
    assert numbers(desk, cause="NO_STOCK") == number
    assert numbers(desk, status="NEEDS_ATTENTION") == number
    assert numbers(desk, payment_method="bkash") == number
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    assert numbers(desk, **{"from": yesterday}) == number
    assert numbers(desk, to=yesterday) == [old.order_number]


@pytest.mark.parametrize(
    ("name", "value"),
    [("tab", "mine"), ("status", "LOST"), ("from", "yesterday"), ("to", "2026-02-31T00:00:00Z"),
     ("limit", "0"), ("limit", "101"), ("after", "x"), ("search", "x" * 201), ("page", "501")],
)  # fmt: skip
def test_a_wrong_value_is_named(desk, name, value):
    answer = asked(desk, answered=400, **{name: value})
    assert answer["error"]["details"][0]["field"] == name


# Search


def test_an_order_is_found_by_everything_exact_and_by_nothing_else(desk, zendit):
    with correlation.correlated(str(uuid4())):
        order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    delivered("OTHER-0001")
    (code,) = codes_of(order)
    purchase = PartnerTransaction.objects.get()
    attempt = FulfillmentAttempt.objects.get(order=order)
    for term in (
        order.order_number,
        f"#{order.order_number}",
        f"BDV-{order.order_number}-1",
        f"BDV{order.order_number}1",
        purchase.reference,
        purchase.partner_transaction_id,
        order.recipient_email.upper(),
        order.customer.msisdn,
        f"+{order.customer.msisdn}",
        code,
        code.lower(),
        f" {code} ",
        attempt.correlation_id,
        f"fa:{attempt.correlation_id}",
    ):
        assert numbers(desk, search=term) == [order.order_number], term
    for term in (code[:-1], order.order_number[:-1], "nobody@example.com", "?", "%"):
        assert numbers(desk, search=term) == [], term


def test_a_search_shows_no_code(desk, zendit):
    order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    (code,) = codes_of(order)
    answer = desk.client.get(desk.mount, {"search": code})
    assert code not in answer.content.decode()


# Pages


def test_pages_by_key_miss_nothing_when_rows_come_and_go(desk):
    orders = [OrderFactory(paid=True) for _ in range(5)]
    first = asked(desk, limit=2)["data"]
    OrderFactory(paid=True)  # newer than the page we hold
    second = asked(desk, limit=2, after=first["next_after"])["data"]
    third = asked(desk, limit=2, after=second["next_after"])["data"]
    seen = [each["id"] for page in (first, second, third) for each in page["items"]]
    assert seen == [order.pk for order in reversed(orders)]
    assert third["next_after"] is None
    assert (first["total"], first["total_exact"], first["total_pages"]) == (5, True, 3)


def test_the_count_stops(desk, monkeypatch):
    monkeypatch.setattr("fulfillment.queue.MOST_COUNTED", 2)
    for _ in range(4):
        OrderFactory()
    data = asked(desk)["data"]
    assert (data["total"], data["total_exact"], len(data["items"])) == (2, False, 4)


def test_one_row_or_thirty_cost_the_same(desk, django_assert_num_queries):
    stuck_order()
    with django_assert_num_queries(7):
        asked(desk, tab="needs_attention", limit=100)
    for _ in range(5):
        stuck_order(1, 1)
    with django_assert_num_queries(7):
        asked(desk, tab="needs_attention", limit=100)


def test_customers_and_strangers_have_no_queue():
    customer = Desk(UserFactory())
    assert asked(customer, answered=401)
    customer.client.credentials()
    assert asked(customer, answered=401)


# Open purchases


def close(desk, order, purchase, *, status=200, **body):
    where = f"{desk.mount}/{order.pk}/purchases/{purchase.pk}/close"
    answer = desk.client.post(where, body, format="json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_open_purchases_are_listed(desk, zendit):
    order = unknown_order(zendit)
    (row,) = desk.get(order, "/purchases")["data"]["items"]
    assert (row["status"], row["partner"], row["unit_no"]) == ("UNKNOWN", "zendit", 1)
    assert row["reference"] == PartnerTransaction.objects.get().reference


def test_bought_with_its_code_completes_the_order(desk, zendit):
    order = unknown_order(zendit)
    purchase = PartnerTransaction.objects.get()
    answer = close(
        desk, order, purchase,
        outcome="bought", reason="Zendit support, ticket 7", code="TOLD-0001", pin="1234",
    )  # fmt: skip
    assert answer["data"]["status"] == "SUCCEEDED"
    process(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, codes_of(order)) == ("SUCCEEDED", ["TOLD-0001"])
    purchase.refresh_from_db()
    assert (purchase.closed_by, purchase.close_reason) == (desk.user, "Zendit support, ticket 7")
    assert OrderEvent.objects.filter(order=order, kind="purchase").exists()


def test_not_bought_lets_the_unit_be_bought_anew_under_another_reference(desk, zendit):
    order = unknown_order(zendit)
    purchase = PartnerTransaction.objects.get()
    zendit.meets("LOST", "done")
    close(desk, order, purchase, outcome="not_bought", reason="They never saw it")
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"  # the source refused within this attempt
    desk.retry(order, item_of(order))
    assert len(set(zendit.sold)) == 2


def test_bought_for_a_unit_filled_meanwhile_is_surplus(desk, zendit):
    order = unknown_order(zendit)
    desk.enter(order, item_of(order), "HAND-0001")
    close(
        desk, order, PartnerTransaction.objects.get(), outcome="bought", reason="r", code="LATE-01"
    )
    assert codes_of(order) == ["HAND-0001"]
    assert Voucher.objects.get(former_item=item_of(order)).status == "available"
    assert "surplus_code" in open_alerts_of(order)


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"outcome": "bought", "reason": "r"}, "code", "Give the code that was bought."),
        ({"outcome": "not_bought", "reason": "r", "code": "X-1"}, "code", "so no code."),
        ({"outcome": "not_bought"}, "reason", ""),
        ({"outcome": "not_bought", "reason": "  "}, "reason", ""),
        ({"outcome": "perhaps", "reason": "r"}, "outcome", ""),
        ({"outcome": "not_bought", "reason": "r", "why": "x"}, "why", ""),
    ],
)
def test_what_makes_no_sense_is_refused(desk, zendit, body, field, says):
    order = unknown_order(zendit)
    before = everything()
    answer = close(desk, order, PartnerTransaction.objects.get(), status=400, **body)
    assert answer["error"]["details"][0]["field"] == field
    assert says in answer["error"]["details"][0]["message"]
    assert everything() == before


def test_a_closed_purchase_and_a_taken_code_are_409_and_a_strange_one_404(desk, zendit):
    done = delivered("A-0001")
    order = unknown_order(zendit)
    purchase = PartnerTransaction.objects.get()
    before = everything()
    close(desk, order, purchase, status=409, outcome="bought", reason="r", code="A-0001")
    assert everything() == before
    close(desk, done, purchase, status=404, outcome="not_bought", reason="r")
    close(desk, order, purchase, outcome="not_bought", reason="r")
    close(desk, order, purchase, status=409, outcome="not_bought", reason="r")


def test_support_may_look_and_not_close(support_desk, zendit):
    order = unknown_order(zendit)
    support_desk.get(order, "/purchases")
    close(
        support_desk, order, PartnerTransaction.objects.get(), status=403,
        outcome="not_bought", reason="r",
    )  # fmt: skip
    assert trail_of(order) == [("AUTO", "IN_PROGRESS")]


# Alerts


def alerts(desk, path="", *, status=200, body=None, **query):
    where = f"/api/v1/admin/alerts{path}"
    client = desk.client
    answer = client.get(where, query) if body is None else client.post(where, body, format="json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_alerts_are_listed_seen_and_closed_with_a_note(desk):
    order = OrderFactory(paid=True)
    alert = AdminAlert.objects.create(
        order=order, kind="late_payment", message="late", correlation_id="x",
        created_at=timezone.now(),
    )  # fmt: skip
    (row,) = alerts(desk, order=order.order_number)["data"]["items"]
    assert (row["type"], row["order_number"]) == ("late_payment", order.order_number)
    seen = alerts(desk, f"/{alert.pk}/acknowledge", body={})["data"]
    assert seen["acknowledged_by"]["id"] == desk.user.pk
    closed = alerts(desk, f"/{alert.pk}/resolve", body={"notes": "Refunded by hand"})["data"]
    assert closed["resolution_notes"] == "Refunded by hand"
    assert alerts(desk)["data"]["items"] == []
    assert alerts(desk, state="closed", type="late_payment")["data"]["total"] == 1
    alerts(desk, f"/{alert.pk}/resolve", body={"notes": "again"}, status=409)


def test_the_first_to_have_seen_it_is_kept(desk):
    stuck_order()
    alert = AdminAlert.objects.get()
    alerts(desk, f"/{alert.pk}/acknowledge", body={})
    other = Desk(UserFactory(operator=True))
    assert alerts(other, f"/{alert.pk}/acknowledge", body={})["data"]["acknowledged_by"]["id"] == (
        desk.user.pk
    )


def test_an_undelivered_orders_alert_closes_with_its_cause_only(desk):
    stuck_order()
    alert = AdminAlert.objects.get()
    assert alerts(desk)["data"]["items"][0]["closes_by_itself"] is True
    alerts(desk, f"/{alert.pk}/resolve", body={"notes": "enough"}, status=409)
    alerts(desk, f"/{alert.pk}/resolve", body={}, status=400)
    alerts(desk, "/999/resolve", body={"notes": "x"}, status=404)
    alert.refresh_from_db()
    assert alert.resolved_at is None


def test_support_sees_alerts_and_closes_none(support_desk):
    stuck_order()
    alert = AdminAlert.objects.get()
    assert alerts(support_desk)["data"]["total"] == 1
    alerts(support_desk, f"/{alert.pk}/acknowledge", body={}, status=403)


@pytest.mark.parametrize("query", [{"state": "mine"}, {"type": "x"}, {"page": "0"}])
def test_a_wrong_filter_of_alerts_is_named(desk, query):
    answer = alerts(desk, status=400, **query)
    assert answer["error"]["details"][0]["field"] in query


# Partners


def partner_call(desk, path="", *, post=False, status=200):
    where = f"/api/v1/admin/partners{path}"
    answer = desk.client.post(where) if post else desk.client.get(where)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_paused_partner_is_shown_and_let_through_again(desk, zendit, settings):
    settings.BREAKER_FAILURES = 1
    offered("A")
    partner = Partner.objects.get()
    note_silence(partner, "no answer", now=timezone.now())
    (row,) = partner_call(desk)["data"]["items"]
    assert (row["slug"], row["state"], row["failures"]) == ("zendit", "open", 1)
    answer = partner_call(desk, f"/{partner.pk}/reset", post=True)
    assert answer["data"]["state"] == "closed"
    assert not AdminAlert.objects.filter(resolved_at=None).exists()
    partner_call(desk, "/999/reset", post=True, status=404)


def test_checking_a_partner_asks_for_the_balance_and_buys_nothing(desk, zendit, wire):
    offered("A")
    partner = Partner.objects.get()
    PartnerHealth.objects.create(partner=partner, low_balance=100)
    wire.add(responses.GET, f"{BASE}/balance", json=BALANCE)
    answer = partner_call(desk, f"/{partner.pk}/check", post=True)
    assert (answer["success"], zendit.sold) == (True, [])
    assert answer["data"]["balance"] == 99.5
    assert AdminAlert.objects.get(resolved_at=None).kind == "partner_balance"
    PartnerHealth.objects.update(low_balance=50)
    partner_call(desk, f"/{partner.pk}/check", post=True)
    assert not AdminAlert.objects.filter(resolved_at=None).exists()


def test_a_partner_that_cannot_be_asked_is_said(desk, zendit, wire):
    offered("A")
    partner = Partner.objects.get()
    wire.add(responses.GET, f"{BASE}/balance", status=401, json={})
    answer = partner_call(desk, f"/{partner.pk}/check", post=True)
    assert (answer["success"], answer["data"]["balance"]) == (False, None)

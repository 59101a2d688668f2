"""The landing page: every figure leads to a list that holds just what was counted."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.utils import timezone

from fulfillment.processing import process
from fulfillment.tests.factories import offered, paid_order, pool_of, stuck_order
from notifications.models import AdminAlert
from notifications.tests.smtp import no_server
from orders.models import Order
from orders.tests.factories import OrderFactory

pytestmark = pytest.mark.django_db


def alert(kind, order=None):
    AdminAlert.objects.create(
        order=order, kind=kind, message=f"{kind}, look", created_at=timezone.now()
    )


@pytest.fixture
def bad_night(zendit, settings):
    """Something of everything that can need a person."""
    stuck_order()
    stuck_order(2)
    zendit.meets("A", "no_stock")
    zendit.meets("B", "never_arrived")
    for offer in "AB":
        process(order_id=paid_order((offered(offer), 1)).pk)
    pool = pool_of("DONE-0001", "DONE-0002", "DONE-0003", low_stock_threshold=5)
    for _ in range(2):
        process(order_id=paid_order((pool, 1)).pk)
    with no_server(settings):
        process(order_id=paid_order((pool, 1)).pk)
    late, bounced = OrderFactory(paid=True), OrderFactory(paid=True)
    alert("late_payment", late)
    alert("mail_bounced", bounced)
    alert("partner_down")
    Order.objects.update(paid_at=timezone.now() - timedelta(minutes=1))
    Order.objects.filter(pk=late.pk).update(paid_at=timezone.now() - timedelta(days=3))
    OrderFactory()


def listed(client, link):
    """How many rows the list behind a link holds."""
    answer = client.get(link)
    assert answer.status_code == 200, link
    context = answer.context
    return context["page"].total if "page" in context else context["cl"].result_count


def test_every_figure_leads_to_what_it_counted(bad_night, client, sign_in):
    sign_in("owner")
    context = client.get("/admin/").context
    needs = {each.label: each for each in context["needs"]}
    assert {label for label, each in needs.items() if each.count} == {
        "Paid, not delivered", "Purchase with unknown outcome", "Waiting for stock", "Mail failed",
        "Late, duplicate or wrong money", "The customer's mail came back", "Low in stock",
        "Partner does not answer; purchases are paused",
    }  # fmt: skip
    for each in needs.values():
        assert listed(client, each.link) == each.count, each
        assert each.oldest or not each.count or each.label == "Low in stock"
    today = context["today"]
    assert listed(client, context["placed_link"]) == today.placed
    assert listed(client, context["paid_link"]) == today.paid
    assert listed(client, context["delivered_link"]) == today.delivered
    assert listed(client, context["hours_link"]) == context["hours"].total == 8
    assert listed(client, context["days_link"]) == 9
    for group in context["incidents"]:
        link = f"?tab=needs_attention&cause={group.cause}&partner={group.partner}"
        assert listed(client, f"/admin/orders/order/{link}") == group.orders, group
    for chart in ("hours", "days"):
        for drawn in context[chart].bars:
            paid = int(drawn.bar.words.split(" paid")[0].split()[-1]) if drawn.bar.value else 0
            assert listed(client, drawn.bar.link) == paid, drawn.bar


def test_days_that_are_over_are_kept_and_today_is_not(client, sign_in):
    sign_in("owner")
    now = timezone.now()

    def paid(days_ago, amount):
        order = OrderFactory(paid=True, subtotal_amount=amount, total_amount=amount)
        Order.objects.filter(pk=order.pk).update(paid_at=now - timedelta(days=days_ago))

    def revenue():
        return [int(drawn.bar.value) for drawn in client.get("/admin/").context["days"].bars]

    for days_ago in (29, 7, 2, 0):
        paid(days_ago, 100 + days_ago)
    first = revenue()
    assert (first[0], first[22], first[27], first[29], sum(first)) == (129, 107, 102, 100, 438)
    paid(7, 1000)
    paid(0, 50)
    assert revenue() == [*first[:29], 150]
    cache.clear()
    assert revenue() == [*first[:22], 1107, *first[23:29], 150]


def test_links_name_the_filter_in_their_address(bad_night, client, sign_in):
    sign_in("owner")
    context = client.get("/admin/").context
    came_back = next(each for each in context["needs"] if "came back" in each.label)
    assert parse_qs(urlsplit(came_back.link).query) == {"tab": ["all"], "alert": ["mail_bounced"]}


def test_a_shop_without_orders_says_so(client, sign_in):
    sign_in("support")
    told = client.get("/admin/").content.decode()
    assert "Every paid order is delivered. Nothing to do." in told
    assert "no mail yet" in told
    assert told.count(">none<") == 5

"""What the desk's pages cost: as many statements for three hundred rows as for three."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fulfillment.models import FulfillmentAttempt
from fulfillment.tests.factories import stuck_order
from notifications.models import EmailMessage
from orders.models import OrderEvent
from tests.admin.bulk import copies, stuck_orders

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
FEW, MANY = 3, 300


def cost(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    assert answer.status_code == 200, url
    return answer, len(queries)


LISTS = [
    "/admin/", LIST, f"{LIST}?tab=all", f"{LIST}?tab=waiting_for_stock",
    f"{LIST}?tab=needs_attention&cause=-&partner=-", f"{LIST}?tab=all&cause=-",
    f"{LIST}?alert=fulfillment_failed", f"{LIST}?claim=free", f"{LIST}?q=a@b.example",
    "/admin/payments/payment/", "/admin/notifications/adminalert/",
    "/admin/notifications/emailmessage/", "/admin/vouchers/voucher/",
    "/admin/fulfillment/fulfillmentattempt/", "/admin/catalog/variant/", "/admin/catalog/product/",
]  # fmt: skip


@pytest.mark.parametrize("address", LISTS)
def test_a_list(address, client, sign_in, monkeypatch):
    monkeypatch.setattr("orders.admin.queue.PAGE", MANY)
    monkeypatch.setattr("core.admin.ShopModelAdmin.list_per_page", MANY)
    sign_in("owner")
    stuck_orders(FEW)
    few, statements = cost(client, address)
    stuck_orders(MANY - FEW)
    many, same = cost(client, address)
    assert same == statements <= 25
    if address == LIST:
        assert (len(few.context["page"].rows), len(many.context["page"].rows)) == (FEW, MANY)
    if address == "/admin/":
        assert many.context["needs"][0].count == MANY


def test_the_page_of_an_order_with_a_long_story(client, sign_in):
    """Few and many attempts, events and mails; the claims, items and units stay as they are."""
    sign_in("owner")
    order = stuck_order(2, 1)
    attempt = FulfillmentAttempt.objects.filter(order=order, status="PARTNER_FAILED").first()
    event = OrderEvent.objects.filter(order=order).first()
    mail = EmailMessage(
        order=order, template="ORDERCONFIRMATION", recipient="a@example.com", status="SENT",
        sent_at=timezone.now(), correlation_id="x",
    )  # fmt: skip

    def goes_on(first, count):
        FulfillmentAttempt.objects.bulk_create(copies(attempt, count))
        OrderEvent.objects.bulk_create(copies(event, count))
        EmailMessage.objects.bulk_create(
            copies(
                mail, count, dispatch_no=lambda n: first + n, message_id=lambda n: f"m{first + n}"
            )
        )

    url = f"{LIST}{order.pk}/change/?tab=needs_attention"
    goes_on(1, FEW)
    _, statements = cost(client, url)
    goes_on(1 + FEW, MANY - FEW)
    answer, same = cost(client, url)
    assert len(answer.context["mails"]) == MANY
    assert len(answer.context["attempts"]) > MANY
    assert same == statements <= 34

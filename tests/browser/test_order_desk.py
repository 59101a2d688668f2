"""An operator repairs an order in a real browser, under the shop's own Content-Security-Policy."""

import pytest
from django.core import mail

from accounts.tests.factories import PASSWORD, UserFactory
from fulfillment.models import FulfillmentAttempt
from fulfillment.tests.factories import stuck_order
from tests.browser.watching import watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def desk(chromium, live_server, complaints, request):
    """A page of a signed-in operator."""
    width, scheme = getattr(request, "param", (1280, "light"))
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=live_server.url
    )
    page = context.new_page()
    watch(page, live_server.url, complaints)
    user = UserFactory(operator=True, name="Olivia Operator")
    page.goto("/admin/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Operations").wait_for()
    yield page
    context.close()


@pytest.mark.parametrize("desk", [(1280, "light"), (1280, "dark"), (390, "light")], indirect=True)
def test_codes_are_entered_from_the_landing_page(desk, complaints):
    order = stuck_order(2)
    desk.reload()
    desk.get_by_role("link", name=f"#{order.order_number}").click()
    desk.get_by_text("2 of 2 codes are missing").wait_for()
    desk.get_by_role("link", name="Enter codes").click()
    desk.get_by_label("Codes").fill("ABCD-1234-EFGH | 1111\nEFGH-5678-IJKL\n")
    desk.get_by_role("button", name="Save codes and e-mail the customer").click()
    desk.get_by_text("2 voucher code(s) delivered to customer").wait_for()
    desk.get_by_text(f"Delivered to {order.recipient_email}").wait_for()
    assert "ABCD-1234-EFGH" not in desk.content()
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert len(mail.outbox) == 1
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not desk.evaluate(wider)
    assert complaints == []


def test_a_double_click_asks_once(desk, complaints):
    order = stuck_order()
    desk.goto(f"/admin/orders/order/{order.pk}/change/")
    desk.get_by_role("button", name="Ask the partner again").dblclick()
    desk.get_by_text("Partner responded with status").wait_for()
    assert FulfillmentAttempt.objects.filter(order=order, type="PARTNER_RETRY").count() == 1
    assert complaints == []


@pytest.mark.parametrize("desk", [(1280, "light"), (1280, "dark"), (390, "light")], indirect=True)
def test_lists_and_forms_keep_to_the_policy(desk, complaints):
    stuck_order()
    pages = ("orders/order", "orders/discountcode/add", "catalog/product/add", "vouchers/voucher")
    for page in (*pages, "notifications/adminalert"):
        assert desk.goto(f"/admin/{page}/").status == 200
    assert complaints == []

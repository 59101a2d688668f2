"""An operator repairs an order in a real browser, under the shop's own Content-Security-Policy.

Each repair begins at the dashboard and ends with the customer's mail; what it took, in clicks and
seconds, is printed (`-s` shows it).
"""

import time

import pytest
from django.core import mail

from accounts.tests.factories import PASSWORD, UserFactory
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.factories import offered, paid_order, pool_of, stuck_order
from notifications.tests.smtp import no_server
from tests.browser.watching import watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
LOOKS = [(1280, "light"), (1280, "dark"), (390, "light")]
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Hand:
    """Counts what an operator has to press, and how long it takes."""

    def __init__(self, page):
        self.page, self.clicks, self.began = page, 0, time.monotonic()

    def press(self, role, name):
        self.clicks += 1
        self.page.get_by_role(role, name=name).first.click()

    def tell(self, what):
        print(f"\n{what}: {self.clicks} clicks, {time.monotonic() - self.began:.1f} s")


def signed_in(chromium, live_server, complaints, user, *, width=1280, scheme="light"):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=live_server.url
    )
    page = context.new_page()
    watch(page, live_server.url, complaints)
    page.goto("/admin/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Operations").wait_for()
    return page


@pytest.fixture
def desk(chromium, live_server, complaints, request):
    """A page of a signed-in operator."""
    width, scheme = getattr(request, "param", LOOKS[0])
    user = UserFactory(operator=True, name="Olivia Operator")
    page = signed_in(chromium, live_server, complaints, user, width=width, scheme=scheme)
    yield page
    page.context.close()


@pytest.mark.parametrize("desk", LOOKS, indirect=True)
def test_codes_are_entered_from_the_landing_page(desk, complaints):
    order = stuck_order(2)
    desk.reload()
    hand = Hand(desk)
    hand.press("link", f"#{order.order_number}")
    desk.get_by_text("2 of 2 codes are missing").wait_for()
    hand.press("link", "Enter codes")
    desk.get_by_label("Codes").fill("ABCD-1234-EFGH | 1111\nEFGH-5678-IJKL\n")
    hand.press("button", "Save codes and e-mail the customer")
    desk.get_by_text("2 voucher code(s) delivered to customer").wait_for()
    desk.get_by_text(f"Delivered to {order.recipient_email}").wait_for()
    assert len(mail.outbox) == 1
    hand.tell("One order repaired by codes")
    assert hand.clicks == 3
    assert "ABCD-1234-EFGH" not in desk.content()
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert not desk.evaluate(WIDER)
    assert complaints == []


def test_a_partner_that_is_back_is_asked_again(desk, zendit, complaints):
    zendit.meets("A", "no_stock", "done")
    order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    desk.reload()
    hand = Hand(desk)
    hand.press("link", f"#{order.order_number}")
    desk.get_by_text("The partner said: NO_STOCK The offer is sold out").wait_for()
    hand.press("button", "Ask the partner again")
    desk.get_by_text("Voucher delivered via zendit").wait_for()
    assert len(mail.outbox) == 1
    hand.tell("One order repaired by a retry")
    assert hand.clicks == 2
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert complaints == []


def test_a_mail_that_did_not_go_out_is_sent_again(desk, settings, complaints):
    backend = settings.EMAIL_BACKEND
    order = paid_order((pool_of("ABCD-1234-EFGH"), 1))
    with no_server(settings):
        process(order_id=order.pk)
    settings.EMAIL_BACKEND = backend
    desk.reload()
    hand = Hand(desk)
    hand.press("link", f"#{order.order_number}")
    desk.get_by_text("All codes are saved, but the customer has no e-mail.").wait_for()
    hand.press("button", "Send the e-mail")
    desk.get_by_text("1 voucher code(s) sent again").wait_for()
    assert "ABCD-1234-EFGH" in mail.outbox[0].body
    hand.tell("One order repaired by a resend")
    assert hand.clicks == 2
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    assert complaints == []


def test_a_double_click_asks_once(desk, zendit, complaints):
    zendit.meets("A", "no_stock")
    order = paid_order((offered("A"), 1))
    process(order_id=order.pk)
    desk.goto(f"/admin/orders/order/{order.pk}/change/")
    desk.get_by_role("button", name="Ask the partner again").dblclick()
    desk.get_by_text("Partner responded with status NO_STOCK").wait_for()
    assert FulfillmentAttempt.objects.filter(order=order, type="PARTNER_RETRY").count() == 1
    assert len(zendit.sold) == 2  # the one by itself, and this one
    assert complaints == []


def test_support_sees_masks_and_gets_no_further(chromium, live_server, complaints):
    order = paid_order((pool_of("HIDE-1234-5678"), 1))
    process(order_id=order.pk)
    user = UserFactory(support=True)
    page = signed_in(chromium, live_server, complaints, user)
    page.goto(f"/admin/orders/order/{order.pk}/change/")
    page.get_by_text("••••5678").first.wait_for()
    assert page.get_by_role("link", name="••••5678").count() == 0
    assert page.get_by_role("link", name="Enter codes").count() == 0
    assert "HIDE-1234-5678" not in page.content()
    assert complaints == []
    code = order.items.get().vouchers.get()
    assert page.goto(f"/admin/orders/order/{order.pk}/codes/{code.pk}/").status == 403
    assert "HIDE-1234-5678" not in page.content()
    page.context.close()


@pytest.mark.parametrize("desk", LOOKS, indirect=True)
def test_lists_and_forms_keep_to_the_policy(desk, complaints):
    stuck_order()
    pages = ("orders/order", "orders/discountcode/add", "catalog/product/add", "vouchers/voucher")
    for page in (*pages, "notifications/adminalert"):
        assert desk.goto(f"/admin/{page}/").status == 200
    assert complaints == []

"""Finance pays a unit back in a real browser, under the shop's own Content-Security-Policy."""

import pytest

from accounts.tests.factories import PASSWORD, UserFactory
from payments.models import Refund
from tests.admin.test_payment_page import paid
from tests.browser.watching import watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_unit_is_paid_back_by_hand(chromium, live_server, complaints, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, base_url=live_server.url
    )
    desk = context.new_page()
    watch(desk, live_server.url, complaints)
    user = UserFactory(finance=True, name="Farhana Finance")
    payment = paid()
    desk.goto(f"/admin/payments/payment/{payment.pk}/change/")
    desk.get_by_label("Email").fill(user.email)
    desk.get_by_label("Password").fill(PASSWORD)
    desk.get_by_role("button", name="Log in").click()
    desk.get_by_text("Refund", exact=True).first.click()
    desk.get_by_label("unit 2").check()
    desk.get_by_label("Reason").fill("Out of stock at every partner")
    desk.get_by_role("button", name="Pay back").click()
    desk.get_by_text("pay it back by hand").wait_for()
    desk.get_by_label("Reference of the payment").fill("PANEL-4711")
    desk.get_by_role("button", name="Write it down").click()
    desk.get_by_text(": paid back.").wait_for()
    refund = Refund.objects.get()
    assert (refund.status, refund.hand_reference, len(refund.units)) == (
        "SUCCEEDED", "PANEL-4711", 1,
    )  # fmt: skip
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not desk.evaluate(wider)
    assert complaints == []
    context.close()

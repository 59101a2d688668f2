"""An operator sets up a second factor and comes in by it, in a real browser."""

import base64
import time

import pytest

from accounts.services.second_factor import STEP, code_at
from accounts.tests.factories import PASSWORD, UserFactory
from fulfillment.processing import process
from fulfillment.tests.factories import paid_order, pool_of
from tests.browser.watching import watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def now_of(key):
    """The code of the next half minute: what was used to set it up is not taken twice."""
    return code_at(base64.b32decode(key.replace(" ", "")), int(time.time()) // STEP + 1)


def sign_in(page, user, code=""):
    page.goto("/admin/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code of your second factor").fill(code)
    page.get_by_role("button", name="Log in").click()


def test_set_up_sign_out_and_in_again(chromium, live_server, complaints):
    user = UserFactory(support=True)
    context = chromium.new_context(base_url=live_server.url)
    page = context.new_page()
    watch(page, live_server.url, complaints)
    sign_in(page, user)
    page.get_by_role("link", name="Second factor").click()
    key = page.locator(".full-code").inner_text()
    drawn = page.get_by_role("img", name="QR code of the key").bounding_box()
    assert drawn["width"] == drawn["height"] > 180
    step = int(time.time()) // STEP
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(code_at(base64.b32decode(key.replace(" ", "")), step))
    page.get_by_role("button", name="Switch it on").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    page.get_by_role("button", name="Log out").click()
    sign_in(page, user)
    page.get_by_text("The code is needed to sign in.").wait_for()
    sign_in(page, user, now_of(key))
    page.get_by_role("heading", name="Operations").wait_for()
    order = paid_order((pool_of("HIDE-1234-5678"), 1))
    process(order_id=order.pk)
    page.goto(f"/admin/orders/order/{order.pk}/change/")
    page.get_by_text("••••5678").first.wait_for()
    assert page.get_by_role("link", name="••••5678").count() == 0  # support can't reveal
    assert "HIDE-1234-5678" not in page.content()
    context.close()
    assert complaints == []

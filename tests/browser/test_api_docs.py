"""The API's pages draw themselves from what we serve, under our Content-Security-Policy."""

import pytest

from tests.browser.watching import watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(chromium, live_server, complaints):
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900}, base_url=live_server.url
    )
    page = context.new_page()
    watch(page, live_server.url, complaints)
    yield page
    context.close()


def test_swagger_ui(page, complaints):
    page.goto("/api/docs/")
    page.get_by_role("heading", name="Paying", exact=True).wait_for()
    order = page.locator("#operations-Orders-createOrder")
    order.locator(".opblock-summary-control").click()
    order.get_by_text("Pattern A: pay at once").first.wait_for(state="attached")
    order.get_by_text("gift-recipient@example.com").first.wait_for()
    assert complaints == []


def test_redoc(page, complaints):
    page.goto("/api/redoc/")
    page.get_by_role("heading", name="Place an order").first.wait_for()
    page.get_by_placeholder("Search...").fill("cancel")
    page.get_by_text("Cancel an unpaid order").first.wait_for()
    assert complaints == []

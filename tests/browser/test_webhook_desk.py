"""An operator replays a dead letter in a real browser, under the shop's own policy."""

import os
from pathlib import Path

import pytest

from accounts.tests.factories import PASSWORD, UserFactory
from tests.browser.watching import watch
from webhooks.models import Delivery
from webhooks.tests.factories import DeliveryAttemptFactory, DeliveryFactory, EndpointFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def seen(desk, name):
    folder = os.environ.get("BDV_PICTURES", "")
    if folder:
        desk.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    assert not desk.evaluate(WIDER), name


@pytest.mark.parametrize("width", [1280, 390])
def test_a_dead_letter_is_replayed(chromium, live_server, complaints, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, base_url=live_server.url
    )
    desk = context.new_page()
    watch(desk, live_server.url, complaints)
    user = UserFactory(owner=True, name="Omar Owner")
    shop = EndpointFactory(name="Storefront")
    row = DeliveryFactory(endpoint=shop, dead=True, subject="20260427")
    for number in range(1, 6):
        DeliveryAttemptFactory(delivery=row, number=number)
    DeliveryFactory(endpoint=shop)
    desk.goto(f"/admin/webhooks/delivery/{row.pk}/change/")
    desk.get_by_label("Email").fill(user.email)
    desk.get_by_label("Password").fill(PASSWORD)
    desk.get_by_role("button", name="Log in").click()
    desk.get_by_text("It failed for good").wait_for()
    seen(desk, f"webhook-dead-{width}")
    for name in ("delivery", "endpoint"):
        desk.goto(f"/admin/webhooks/{name}/")
        seen(desk, f"webhook-{name}-{width}")
    desk.goto("/admin/webhooks/endpoint/add/")
    seen(desk, f"webhook-new-{width}")
    desk.goto(f"/admin/webhooks/delivery/{row.pk}/change/")
    desk.get_by_label("Reason").fill("The receiver was repaired")
    desk.get_by_role("button", name="Replay").click()
    desk.get_by_text("1 event(s) are told again.").wait_for()
    seen(desk, f"webhook-replayed-{width}")
    assert Delivery.objects.get(pk=row.pk).replay_reason == "The receiver was repaired"
    assert complaints == []
    context.close()

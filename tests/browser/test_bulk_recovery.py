"""Bulk recovery in a real browser: a dry run, a start, figures that move by themselves."""

import pytest

from fulfillment.models import RecoveryRun
from fulfillment.running import work_run
from fulfillment.tests.factories import pool_of, stuck_order
from orders.models import Order
from tests.browser.test_order_desk import desk  # noqa: F401 - the fixture
from vouchers.tests.factories import VoucherFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("desk", [(1280, "light"), (390, "dark")], indirect=True)
def test_from_dry_run_to_the_last_order(desk, complaints):  # noqa: F811
    assert pool_of()
    orders = [stuck_order() for _ in range(3)]
    for number, order in enumerate(orders[:2]):
        VoucherFactory(variant=order.items.get().variant, code=f"CAME-000{number}")
    desk.goto("/admin/fulfillment/recoveryrun/add/")
    desk.get_by_role("button", name="Dry run").click()
    desk.get_by_text("2 of 3 would be worked on").wait_for()
    assert desk.get_by_text("1 from the pool").count() == 2
    assert desk.get_by_text("no partner sells them").count() == 1
    desk.get_by_role("button", name="Start: work on 2 rows").click()
    desk.get_by_role("heading", name="Progress").wait_for()
    run = RecoveryRun.objects.get()
    RecoveryRun.objects.update(per_minute=600)
    work_run(run.pk)
    work_run(run.pk)
    desk.get_by_text("Done").first.wait_for()
    assert desk.locator("[data-figure=delivered]").inner_text() == "2"
    assert Order.objects.filter(status="SUCCEEDED").count() == 2
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not desk.evaluate(wider)
    assert complaints == []

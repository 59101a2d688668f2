"""Recovery runs on the operators' site: plan, look, start, pause, stop, export."""

import pytest

from fulfillment.models import RecoveryRun
from fulfillment.processing import process
from fulfillment.running import work_run
from fulfillment.tests.factories import offered, paid_order
from orders.models import Order

pytestmark = pytest.mark.django_db
RUNS = "/admin/fulfillment/recoveryrun/"


@pytest.fixture
def stuck(zendit):
    variant = offered("A")
    zendit.meets("A", "no_stock")
    orders = [paid_order((variant, 1)) for _ in range(3)]
    for order in orders:
        process(order_id=order.pk)
    zendit.meets("A", "done")
    return orders


def plan(client, **fields):
    fields = {"action": "partner_retry", "per_minute": "600", "tab": "needs_attention", **fields}
    return client.post(f"{RUNS}add/", fields)


def test_from_the_dry_run_to_the_export(client, sign_in, stuck):
    sign_in("operator")
    assert "Bulk recovery" in client.get(f"{RUNS}add/?partner=zendit").content.decode()
    answer = plan(client, partner="zendit", notes="=cmd()")
    run = RecoveryRun.objects.get()
    assert answer.headers["Location"] == f"{RUNS}{run.pk}/change/"
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Dry run" in page
    assert "buy 1 from Zendit" in page
    assert Order.objects.filter(status="NEEDS_ATTENTION").count() == 3
    client.post(f"{RUNS}{run.pk}/start")
    work_run(run.pk)
    assert Order.objects.filter(status="SUCCEEDED").count() == 3
    told = client.get(f"{RUNS}{run.pk}/progress").json()
    assert (told["status"], told["delivered"], told["percent"]) == ("DONE", 3, 100)
    export = b"".join(client.get(f"{RUNS}{run.pk}/export").streaming_content).decode()
    assert export.count("Voucher delivered via zendit") == 3
    listed = client.get(RUNS).content.decode()
    assert "3 of 3" in listed


def test_ticked_orders(client, sign_in, stuck):
    sign_in("operator")
    ids = ",".join(str(order.pk) for order in stuck[:2])
    assert "orders ticked" in client.get(f"{RUNS}add/?ids={ids}").content.decode()
    plan(client, ids=ids)
    assert RecoveryRun.objects.get().rows.count() == 2


def test_nothing_picked_is_said_on_the_form(client, sign_in):
    sign_in("operator")
    answer = plan(client, partner="")
    assert "No order is picked." in answer.content.decode()
    assert "errornote" in plan(client, per_minute="0").content.decode()
    assert not RecoveryRun.objects.exists()


def test_pause_stop_and_what_is_over(client, sign_in, stuck):
    sign_in("operator")
    plan(client)
    run = RecoveryRun.objects.get()
    for move, status in (("start", "RUNNING"), ("pause", "PAUSED"), ("stop", "STOPPED")):
        client.post(f"{RUNS}{run.pk}/{move}")
        run.refresh_from_db()
        assert run.status == status
    answer = client.post(f"{RUNS}{run.pk}/start", follow=True).content.decode()
    assert f"Run {run.pk} is stopped." in answer


@pytest.mark.parametrize("role", ["support", "finance"])
def test_who_may_not_recover_may_not_run(client, sign_in, stuck, role):
    sign_in("operator")
    plan(client)
    run = RecoveryRun.objects.get()
    sign_in(role)
    assert plan(client).status_code == 403
    assert client.post(f"{RUNS}{run.pk}/start").status_code == 403
    assert client.get(f"{RUNS}{run.pk}/export").status_code == 403
    run.refresh_from_db()
    assert run.status == "PLANNED"


def test_a_run_that_is_not_there(client, sign_in):
    sign_in("operator")
    assert client.get(f"{RUNS}999/change/").status_code == 404
    assert client.get(f"{RUNS}x/change/").status_code == 404
    assert client.get(f"{RUNS}1/start").status_code == 405

"""Recovery runs: what a dry run foresees, what the work does, and what a crash leaves."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.models import Partner, PartnerSource
from core import correlation
from core.actors import SYSTEM, Actor
from fulfillment.breaker import note_silence, reset
from fulfillment.models import FulfillmentAttempt, RecoveryRow, RecoveryRun
from fulfillment.processing import process
from fulfillment.recovery import retry_with_partner
from fulfillment.running import _claim, runs_to_work_on, wake_paused, work_run
from fulfillment.runs import RunWish, pause_run, plan_run, progress_of, start_run, stop_run
from fulfillment.tests.factories import codes_of, item_of, offered, paid_order, pool_of
from notifications.tests.smtp import no_server
from orders.models import Order
from orders.tests.factories import OrderFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
RUNS = "/api/v1/admin/recovery-runs"


def stuck_at(zendit, count=3, quantity=1, **fields):
    """Orders whose partner had nothing; now it has."""
    variant = offered("A", **fields)
    zendit.meets("A", "no_stock")
    orders = [paid_order((variant, quantity)) for _ in range(count)]
    for order in orders:
        process(order_id=order.pk)
    zendit.meets("A", "done")
    zendit.asked.clear()
    return orders


def run_of(orders, action="partner_retry", **more):
    wish = RunWish(action, order_ids=[order.pk for order in orders], per_minute=600, **more)
    return plan_run(wish, operator=UserFactory(operator=True))


def statuses(orders):
    return list(
        Order.objects.filter(pk__in=[order.pk for order in orders])
        .order_by("pk").values_list("status", flat=True)
    )  # fmt: skip


def rows(run):
    return list(run.rows.values_list("status", flat=True))


# The dry run


def test_the_dry_run_says_what_would_happen_and_does_nothing(zendit):
    orders = stuck_at(zendit, 2, quantity=2)
    PartnerSource.objects.update(cost=Decimal(90))
    run = run_of(orders)
    row = run.rows.first()
    assert (row.foreseen, row.codes, row.cost) == ("buy 2 from Zendit", 2, Decimal(180))
    progress = progress_of(run)
    assert (progress.total, progress.waiting, progress.codes) == (2, 2, 4)
    assert (progress.cost, progress.cost_unknown) == (Decimal(360), 0)
    assert zendit.asked == []
    assert statuses(orders) == ["NEEDS_ATTENTION"] * 2


def test_the_last_code_of_the_pool_is_promised_once(zendit):
    variant = pool_of()
    orders = [paid_order((variant, 1)) for _ in range(2)]
    for order in orders:
        process(order_id=order.pk)
    VoucherFactory(variant=variant, code="ONLY-0001")
    first, second = run_of(orders).rows.all()
    assert (first.foreseen, first.blocked) == ("1 from the pool", "")
    assert "missing from the pool" in second.blocked
    assert second.status == "SKIPPED"


def test_what_blocks_is_said_row_by_row(zendit):
    unpaid = OrderFactory()
    risky = OrderFactory(needs_attention=True, held_for_risk=True)
    done = paid_order((pool_of("D-0001"), 1))
    process(order_id=done.pk)
    zendit.meets("LOST", "never_arrived")
    lost = paid_order((offered("LOST"), 1))
    process(order_id=lost.pk)
    found = {row.order_id: row.blocked for row in run_of([unpaid, risky, done, lost]).rows.all()}
    assert "no successful payment" in found[unpaid.pk]
    assert found[done.pk] == "Every code is delivered."
    assert "nothing is bought twice" in found[lost.pk]
    assert found[risky.pk]


def test_a_paused_partner_is_told(zendit, settings):
    settings.BREAKER_FAILURES = 1
    orders = stuck_at(zendit, 1)
    note_silence(Partner.objects.get(), "no answer", now=timezone.now())
    assert run_of(orders).rows.get().foreseen == "buy 1 from Zendit, paused just now"


# The work


def test_every_order_is_brought_home_by_one_mail_each(zendit):
    orders = stuck_at(zendit, 3, quantity=2)
    mail.outbox.clear()
    run = start_run(run_of(orders).pk)
    assert work_run(run.pk) is False
    run.refresh_from_db()
    assert (run.status, rows(run)) == ("DONE", ["DELIVERED"] * 3)
    assert statuses(orders) == ["SUCCEEDED"] * 3
    assert len(mail.outbox) == 3
    assert len(zendit.sold) == len(set(zendit.sold)) == 6
    attempt = run.rows.first().attempt
    assert (attempt.type, attempt.admin_user) == ("PARTNER_RETRY", run.created_by)
    assert attempt.notes.startswith(f"Run {run.pk}")


def test_a_forced_source_is_used(zendit):
    orders = stuck_at(zendit, 1)
    other = PartnerSource.objects.create(
        variant=item_of(orders[0]).variant, partner=Partner.objects.get(),
        fulfillment_type="API", external_offer_id="B", priority=9,
    )  # fmt: skip
    run = start_run(run_of(orders, source_id=other.pk).pk)
    work_run(run.pk)
    assert [body["offerId"] for body in zendit.bodies][-1] == "B"


def test_mails_are_sent_again_in_one_run(settings):
    orders = [paid_order((pool_of(f"M-000{n}"), 1)) for n in (1, 2)]
    with no_server(settings):
        for order in orders:
            process(order_id=order.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    run = start_run(run_of(orders, "resend_email").pk)
    work_run(run.pk)
    assert statuses(orders) == ["SUCCEEDED"] * 2
    assert len(mail.outbox) == 2


def test_a_refusal_is_the_rows_result_and_the_others_go_on(zendit):
    orders = stuck_at(zendit, 3)
    run = start_run(run_of(orders).pk)
    retry_with_partner(
        orders[1].pk, item_of(orders[1]).pk, operator=Actor.of(UserFactory(operator=True))
    )
    work_run(run.pk)
    assert rows(run) == ["DELIVERED", "SKIPPED", "DELIVERED"]
    assert "already" in run.rows.all()[1].message
    assert len(zendit.sold) == len(set(zendit.sold)) == 3


def test_a_no_is_told_with_the_partners_reason(zendit):
    orders = stuck_at(zendit, 1)
    zendit.meets("A", "no_stock")
    run = start_run(run_of(orders).pk)
    work_run(run.pk)
    row = run.rows.get()
    assert (row.status, row.message) == (
        "FAILED", "No available fulfillment source for this product",
    )  # fmt: skip


def test_what_takes_longer_is_followed_and_told_when_it_ends(zendit, settings):
    settings.OPERATOR_WAIT_SECONDS = 0.3
    orders = stuck_at(zendit, 1)
    zendit.meets("A", "accepted")
    run = start_run(run_of(orders).pk)
    work_run(run.pk)
    run.refresh_from_db()
    assert (run.status, rows(run)) == ("RUNNING", ["FOLLOWED"])
    zendit.deliver(zendit.sold[-1])
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=True):
        process(order_id=orders[0].pk)
        work_run(run.pk)
    run.refresh_from_db()
    assert (run.status, rows(run)) == ("DONE", ["DELIVERED"])


# Pace, pause, stop


def test_the_pace_is_kept(zendit):
    orders = stuck_at(zendit, 3)
    run = run_of(orders)
    RecoveryRun.objects.filter(pk=run.pk).update(per_minute=2)
    start_run(run.pk)
    assert work_run(run.pk) is False
    assert rows(run) == ["DELIVERED", "WAITING", "WAITING"]
    assert runs_to_work_on(now=timezone.now()) == []
    with time_machine.travel(timezone.now() + timedelta(seconds=31), tick=True):
        assert runs_to_work_on(now=timezone.now()) == [run.pk]
        work_run(run.pk)
    assert rows(run) == ["DELIVERED", "DELIVERED", "WAITING"]


def test_pause_and_go_on(zendit):
    orders = stuck_at(zendit, 2)
    run = start_run(run_of(orders).pk)
    pause_run(run.pk)
    assert work_run(run.pk) is False
    assert rows(run) == ["WAITING"] * 2
    start_run(run.pk)
    work_run(run.pk)
    assert rows(run) == ["DELIVERED"] * 2


def test_stop_leaves_the_rest_alone_for_good(zendit):
    orders = stuck_at(zendit, 2)
    run = start_run(run_of(orders).pk)
    stop_run(run.pk)
    assert work_run(run.pk) is False
    assert rows(run) == ["SKIPPED"] * 2
    assert zendit.sold == []


def test_a_partner_that_goes_silent_pauses_the_run_and_wakes_it(zendit, settings):
    settings.BREAKER_FAILURES = 1
    orders = stuck_at(zendit, 2)
    run = start_run(run_of(orders).pk)
    note_silence(Partner.objects.get(), "no answer", now=timezone.now())
    work_run(run.pk)
    run.refresh_from_db()
    assert run.status == "PAUSED"
    assert "does not answer" in run.paused_because
    wake_paused(now=timezone.now())
    run.refresh_from_db()
    assert run.status == "PAUSED"
    reset(Partner.objects.get(), operator=SYSTEM, now=timezone.now())
    wake_paused(now=timezone.now())
    work_run(run.pk)
    assert rows(run) == ["DELIVERED"] * 2


def test_a_run_that_a_person_paused_is_not_woken(zendit):
    run = start_run(run_of(stuck_at(zendit, 1)).pk)
    pause_run(run.pk)
    wake_paused(now=timezone.now())
    run.refresh_from_db()
    assert run.status == "PAUSED"


# Crashes


def died_at_work(run, *, began):
    """The worker was killed with the first row in hand: before or after its attempt began."""
    row = run.rows.first()
    RecoveryRow.objects.filter(pk=row.pk).update(status="WORKING", began_at=timezone.now())
    RecoveryRun.objects.filter(pk=run.pk).update(leased_until=timezone.now() + timedelta(minutes=2))
    if began:
        with correlation.correlated(row.correlation_id):
            retry_with_partner(row.order_id, row.item_id, operator=Actor.of(run.created_by))


@pytest.mark.parametrize("began", [False, True])
def test_after_a_crash_another_worker_goes_on_and_does_nothing_twice(zendit, began):
    orders = stuck_at(zendit, 2)
    run = start_run(run_of(orders).pk)
    died_at_work(run, began=began)
    assert work_run(run.pk) is False  # the lease of the dead one still holds
    with time_machine.travel(timezone.now() + timedelta(minutes=3), tick=True):
        assert runs_to_work_on(now=timezone.now()) == [run.pk]
        work_run(run.pk)
    run.refresh_from_db()
    assert (run.status, rows(run)) == ("DONE", ["DELIVERED"] * 2)
    assert statuses(orders) == ["SUCCEEDED"] * 2
    assert len(zendit.sold) == len(set(zendit.sold)) == 2
    assert FulfillmentAttempt.objects.filter(type="PARTNER_RETRY").count() == 2
    assert all(len(codes_of(order)) == 1 for order in orders)


def test_two_workers_never_have_one_run(zendit):
    run = start_run(run_of(stuck_at(zendit, 1)).pk)
    assert _claim(run.pk) is True
    assert _claim(run.pk) is False


# The API


def call(desk, path="", *, status=200, body=None):
    where = f"{RUNS}{path}"
    answer = (
        desk.client.get(where) if body is None else desk.client.post(where, body, format="json")
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_run_by_api_from_dry_run_to_result(zendit, desk):
    orders = stuck_at(zendit, 2)
    body = {"action": "partner_retry", "filter": {"partner": "zendit"}, "notes": "02:10"}
    planned = call(desk, status=201, body=body)
    assert planned["message"] == "2 row(s) planned, 0 of them blocked."
    assert planned["data"]["picked"] == {"tab": "needs_attention", "partner": "zendit"}
    run = planned["data"]["id"]
    assert call(desk, f"/{run}/start", body={})["data"]["status"] == "RUNNING"
    RecoveryRun.objects.filter(pk=run).update(per_minute=600)
    work_run(run)
    data = call(desk, f"/{run}")["data"]
    assert (data["status"], data["progress"]["delivered"]) == ("DONE", 2)
    shown = call(desk, f"/{run}/rows")["data"]["items"]
    assert [row["order_number"] for row in shown] == [order.order_number for order in orders]
    assert shown[0]["message"] == "Voucher delivered via zendit"
    call(desk, f"/{run}/start", status=409, body={})
    call(desk, f"/{run}/pause", status=409, body={})
    assert call(desk)["data"]["items"][0]["id"] == run


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "partner_retry"}, "filter"),
        ({"action": "partner_retry", "filter": {}, "orderIds": [1]}, "filter"),
        ({"action": "partner_retry", "orderIds": [999999]}, "orderIds"),
        ({"action": "partner_retry", "filter": {"partner": "nobody"}}, "filter"),
        ({"action": "delete", "filter": {}}, "action"),
        ({"action": "partner_retry", "filter": {}, "perMinute": 601}, "perMinute"),
        ({"action": "partner_retry", "filter": {"tab": "mine"}}, "filter.tab"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_by_field(desk, body, field):
    answer = call(desk, status=400, body=body)
    assert answer["error"]["details"][0]["field"] == field


def test_a_source_that_does_not_exist_is_refused(zendit, desk):
    (order,) = stuck_at(zendit, 1)
    body = {"action": "partner_retry", "orderIds": [order.pk], "partnerSourceId": 999999}
    answer = call(desk, status=400, body=body)
    assert answer["error"]["details"][0]["field"] == "partnerSourceId"

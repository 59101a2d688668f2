"""What a load balancer, a monitor and Prometheus are told; and that people know what to do."""

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as live
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from bdvoucher import alive, health
from bdvoucher.celery import app, sweep_is_done, worker_beats
from bdvoucher.tasks import sweep_expired
from catalog.models import Partner
from fulfillment.models import PartnerHealth
from notifications.alerts import raise_alert
from notifications.states import AlertKind
from orders.models import Order
from orders.tests.factories import OrderFactory

pytestmark = pytest.mark.django_db
TOKEN = "t" * 40
RUNBOOK = Path(live.BASE_DIR) / "docs" / "runbook.md"


@pytest.fixture(autouse=True)
def nothing_kept():
    cache.clear()
    yield
    cache.clear()


def ready(query=""):
    answer = APIClient().get(f"/readyz{query}")
    return answer.status_code, answer.json()


def everything_lives():
    for name in (alive.WORKER, *health.plan()):
        alive.note(name)


def test_all_is_well():
    everything_lives()
    status, told = ready("?all")
    assert (status, told["status"]) == (200, "ok")
    assert {name for name, part in told["parts"].items() if part["ok"]} == set(health.PARTS)


def test_without_a_worker_the_web_stays_and_a_monitor_is_told():
    status, told = ready()
    assert (status, told["status"]) == (200, "degraded")
    assert told["parts"]["worker"] == {"ok": False, "seconds": None}
    assert ready("?all")[0] == 503


def test_a_sweep_that_stands_still_is_named(monkeypatch):
    everything_lives()
    late = "fulfillment.tasks.sweep_orders"
    cache.set(f"alive:{late}", time.time() - 10_000)
    assert ready()[1]["parts"]["sweeps"] == {"ok": False, "late": [late]}


def test_a_dead_redis_is_told_quickly(settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**live.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    started = time.monotonic()
    status, told = ready("?all")
    assert time.monotonic() - started < 10
    assert (status, told["parts"]["broker"]["ok"], told["parts"]["worker"]["ok"]) == (
        503, False, False,
    )  # fmt: skip
    assert "127.0.0.1" not in str(told)


def test_celerys_own_signals_leave_the_signs():
    alive._last["beat"] = 0.0
    worker_beats()
    sweep_is_done(sender=sweep_expired)
    ages = alive.ages([alive.WORKER, sweep_expired.name, "nobody"])
    assert ages["nobody"] is None
    assert all(
        ages[name] is not None and ages[name] < 5 for name in (alive.WORKER, sweep_expired.name)
    )


def scraped(token=TOKEN, **headers):
    answer = APIClient().get("/metrics", HTTP_AUTHORIZATION=f"Bearer {token}", **headers)
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize(
    ("configured", "shown"), [("", ""), ("", TOKEN), (TOKEN, "x"), (TOKEN, "")]
)
def test_the_figures_are_for_nobody_without_the_token(settings, configured, shown):
    settings.METRICS_TOKEN = configured
    status, page = scraped(shown)
    assert status == 401
    assert "bdv_" not in page


def test_the_figures(settings):
    settings.METRICS_TOKEN = TOKEN
    now = timezone.now()
    OrderFactory(needs_attention=True)
    sent = OrderFactory(paid=True)
    Order.objects.filter(pk=sent.pk).update(
        paid_at=now - timedelta(seconds=7), email_sent_at=now, dispatched_email="x@example.com"
    )
    raise_alert(None, AlertKind.PARTNER_DOWN, "zendit", now=now)
    partner, _ = Partner.objects.get_or_create(slug="zendit", defaults={"name": "Zendit"})
    PartnerHealth.objects.update_or_create(
        partner=partner, defaults={"failures": 3, "opened_at": now, "open_until": now}
    )
    alive.note(alive.WORKER)
    status, page = scraped()
    assert status == 200
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert values['bdv_open_orders{status="NEEDS_ATTENTION"}'] == "1"
    assert float(values['bdv_seconds_to_mail{quantile="0.5"}']) == pytest.approx(7, abs=0.5)
    assert values['bdv_open_alerts{kind="partner_down"}'] == "1"
    assert values['bdv_partner_failures{partner="zendit"}'] == "3"
    assert values['bdv_partner_paused{partner="zendit"}'] == "1"
    assert values['bdv_sweep_age_seconds{sweep="fulfillment.tasks.sweep_orders"}'] == "+Inf"
    assert float(values["bdv_worker_age_seconds"]) < 60
    queues = {route["queue"] for route in app.conf.task_routes.values()}
    queues.add(app.conf.task_default_queue)
    told = {line.split('"')[1] for line in values if line.startswith("bdv_queued_tasks")}
    assert told == queues
    due = {line.split('"')[1] for line in values if line.startswith("bdv_due_work")}
    assert due == {"deliveries", "purchases", "payments", "mails", "transfers", "webhooks"}
    assert values["bdv_redis_up"] == "1"
    for line in page.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) .+|\w+(\{(\w+="[^"]*",?)*\})? \S+', line), line


def test_no_figure_reads_a_whole_table(settings):
    """Whatever the rows: a fixed number of statements, and none that could only scan `orders`."""
    settings.METRICS_TOKEN = TOKEN
    with CaptureQueriesContext(connection) as few:
        scraped()
    OrderFactory.create_batch(5)
    with CaptureQueriesContext(connection) as more:
        scraped()
    assert len(more) == len(few)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for each in few.captured_queries:
            if each["sql"].strip().upper().startswith("SELECT") and "FROM orders" in each["sql"]:
                cursor.execute(f"EXPLAIN {each['sql']}")
                told = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on orders" not in told, told


@pytest.mark.parametrize("kind", list(AlertKind))
def test_the_runbook_says_what_to_press(kind):
    text = RUNBOOK.read_text(encoding="utf-8")
    found = re.search(
        rf"^### `{kind.value}` {re.escape(kind.label)}\n(.+?)(?=^##)",
        text,
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"docs/runbook.md has no heading for {kind.value}"
    assert "*Press:*" in found[1] or "*press:*" in found[1].lower()
    assert "*closes*" in found[1].lower()

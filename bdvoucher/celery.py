"""Celery is a doorbell: what must happen stands in PostgreSQL, tasks only say "look now".

`acks_late` and `task_reject_on_worker_lost` bring a task back when its process dies; the
sweeps bring it back when the broker forgets. Every task is safe twice at once (ADR 0003).
"""

import os
from contextlib import ExitStack
from typing import Any

from celery import Celery, signals
from django.conf import settings

from bdvoucher import alive
from bdvoucher.bells import ShopTask
from core import correlation
from core.patience import patience

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bdvoucher.settings.production")

app = Celery("bdvoucher", task_cls=ShopTask)
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    # A broker that hangs must not hold a customer's request: short limits, one try.
    broker_transport_options={
        "socket_timeout": settings.REDIS_SECONDS,
        "socket_connect_timeout": settings.REDIS_SECONDS,
        "max_retries": 0,
        "visibility_timeout": 3600,
    },
    task_publish_retry=False,
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_default_queue="money",
    task_routes={
        "*.sweep_*": {"queue": "sweeps"},
        "*.close_*": {"queue": "sweeps"},
        "*.remind_*": {"queue": "sweeps"},
        "notifications.tasks.deliver_*": {"queue": "mail"},
        "webhooks.tasks.deliver_*": {"queue": "webhooks"},
    },
    timezone="UTC",
    worker_hijack_root_logger=False,
    worker_max_tasks_per_child=2000,
    beat_schedule={
        "sweep-payments": {
            "task": "payments.tasks.sweep_payments",
            "schedule": settings.SWEEP_PAYMENTS_SECONDS,
        },
        "sweep-refunds": {
            "task": "payments.tasks.sweep_refunds",
            "schedule": settings.SWEEP_PAYMENTS_SECONDS,
        },
        "close-overdue": {
            "task": "payments.tasks.close_overdue",
            "schedule": settings.CLOSE_OVERDUE_SECONDS,
        },
        "sweep-orders": {
            "task": "fulfillment.tasks.sweep_orders",
            "schedule": settings.SWEEP_ORDERS_SECONDS,
        },
        "sweep-expired": {
            "task": "bdvoucher.tasks.sweep_expired",
            "schedule": settings.SWEEP_EXPIRED_SECONDS,
        },
        "sweep-subscriptions": {
            "task": "bdvoucher.tasks.sweep_subscriptions",
            "schedule": settings.SWEEP_SUBSCRIPTIONS_SECONDS,
        },
        "remind-of-payments": {
            "task": "payments.tasks.remind_of_payments",
            "schedule": settings.SWEEP_PAYMENTS_SECONDS,
        },
        "sweep-emails": {
            "task": "notifications.tasks.sweep_emails",
            "schedule": settings.SWEEP_EMAILS_SECONDS,
        },
        "sweep-runs": {
            "task": "fulfillment.run_tasks.sweep_runs",
            "schedule": settings.SWEEP_RUNS_SECONDS,
        },
        "sweep-transfers": {
            "task": "loyalty.tasks.sweep_transfers",
            "schedule": settings.SWEEP_TRANSFERS_SECONDS,
        },
        "sweep-webhooks": {
            "task": "webhooks.tasks.sweep_webhooks",
            "schedule": settings.SWEEP_WEBHOOKS_SECONDS,
        },
        "sweep-partners": {
            "task": "fulfillment.tasks.sweep_partners",
            "schedule": settings.SWEEP_PARTNERS_SECONDS,
        },
        "sweep-imports": {
            "task": "fulfillment.tasks.sweep_imports",
            "schedule": settings.SWEEP_IMPORTS_SECONDS,
        },
        "close-days": {
            "task": "books.tasks.sweep_days",
            "schedule": settings.CLOSE_BOOKS_SECONDS,
        },
        "check-invariants": {
            "task": "bdvoucher.tasks.sweep_invariants",
            "schedule": settings.CHECK_INVARIANTS_SECONDS,
        },
    },
)
# A sweep that nobody took is worthless when the next one is due.
for entry in app.conf.beat_schedule.values():
    entry["options"] = {"expires": entry["schedule"] * 2}
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="run_tasks")


@signals.heartbeat_sent.connect
def worker_beats(**_: object) -> None:
    alive.beat()


@signals.task_success.connect
def sweep_is_done(sender: Any, **_: object) -> None:
    if any(entry["task"] == sender.name for entry in app.conf.beat_schedule.values()):
        alive.note(sender.name)


HEADER = "bdv_correlation_id"
#: How long a task waits for a database that hangs: shorter than the leases of what it claims.
WORK = 45.0
LONG_WORK = 900.0
#: These go through whole tables, and claim nothing.
LONG = frozenset(
    {
        "bdvoucher.tasks.sweep_invariants",
        "bdvoucher.tasks.sweep_expired",
        "books.tasks.sweep_days",
    }
)


@signals.before_task_publish.connect
def send_correlation(headers: dict[str, Any], **_: object) -> None:
    headers[HEADER] = correlation.current()


@signals.task_prerun.connect
def take_correlation(task: Any, **_: object) -> None:
    scope = ExitStack()
    offered = correlation.accepted(getattr(task.request, HEADER, None))
    scope.enter_context(correlation.correlated(offered))
    scope.enter_context(patience(LONG_WORK if task.name in LONG else WORK))
    task.request.correlation_scope = scope


@signals.task_postrun.connect
def drop_correlation(task: Any, **_: object) -> None:
    scope = getattr(task.request, "correlation_scope", None)
    if scope is not None:
        scope.__exit__(None, None, None)

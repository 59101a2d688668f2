"""A process that has loaded the shop and forks for each job: some of its children die on purpose.

Runs in a shop's environment. One JSON job a line on stdin, one JSON answer a line on stdout. A
child that is told to die ends by `os._exit` at the point named: nothing is flushed, closed or
rolled back by us, as in a power cut.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import django

KILLED = 137
MOST_MESSAGES = 12
SOON_SECONDS = 3.0
QUEUES = ("money", "mail", "webhooks", "sweeps")


class Points:
    """Counts every commit and every call to the outside, before and after; dies at one of them."""

    def __init__(self, die_at: int | None) -> None:
        self.die_at = die_at
        self.seen: list[str] = []

    def reach(self, what: str) -> None:
        self.seen.append(what)
        if self.die_at is not None and len(self.seen) - 1 == self.die_at:
            os._exit(KILLED)

    @contextmanager
    def around(self, what: str) -> Iterator[None]:
        self.reach(f"before {what}")
        yield
        self.reach(f"after {what}")

    def wrap(self, owner: Any, name: str, what: str) -> None:
        real = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            with self.around(what):
                return real(*args, **kwargs)

        setattr(owner, name, watched)

    def watch(self) -> None:
        import smtplib

        import kombu.messaging
        import requests.adapters
        from django.db import connection
        from django.db.backends.base.base import BaseDatabaseWrapper

        self.wrap(BaseDatabaseWrapper, "_commit", "commit")
        self.wrap(requests.adapters.HTTPAdapter, "send", "call")
        self.wrap(smtplib.SMTP, "sendmail", "mail")
        self.wrap(kombu.messaging.Producer, "publish", "broker")
        connection.execute_wrappers.append(self._autocommit)

    def _autocommit(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """A writing statement outside of a transaction is a commit of its own."""
        alone = not context["connection"].in_atomic_block
        if alone and sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            with self.around("commit"):
                return execute(sql, params, many, context)
        return execute(sql, params, many, context)


def request(
    *, method: str, path: str, body: Any, who: str, key: str, secret: str = ""
) -> dict[str, Any]:
    """One HTTP request through all of the shop's own code; `secret` is a partner's."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from accounts.tests.factories import bearer

    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    if secret:
        headers |= {"HTTP_" + settings.ZENDIT_WEBHOOK_HEADER.upper().replace("-", "_"): secret}
    if who:
        rows = User.objects.filter(msisdn=who) | User.objects.filter(email=who)
        headers |= bearer(rows.get())
    client = Client(headers={"host": "127.0.0.1"})
    if method == "GET":
        answer = client.get(path, **headers)
    else:
        answer = client.post(path, json.dumps(body), content_type="application/json", **headers)
    text = answer.content.decode(errors="replace")
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return {"status": answer.status_code, "body": json.loads(text) if is_json else text}


def work() -> dict[str, Any]:
    """As the worker: take messages from the broker and run their tasks, until none is due soon."""
    from queue import Empty

    from bdvoucher.celery import app

    ran: list[str] = []
    with app.connection() as connection:
        queues = [connection.SimpleQueue(name) for name in QUEUES]
        for queue in queues:
            while len(ran) < MOST_MESSAGES:
                try:
                    message = queue.get_nowait()
                except Empty:
                    break
                if _comes_due(message.headers.get("eta")):
                    task = message.headers["task"]
                    app.tasks[task].run(**message.payload[1])
                    ran.append(task)
                message.ack()  # late, as the worker's; what is due later is the sweep's
            queue.close()
    return {"ran": ran}


def _comes_due(eta: str | None) -> bool:
    if eta is None:
        return True
    wait = (datetime.fromisoformat(eta) - datetime.now(UTC)).total_seconds()
    if wait > SOON_SECONDS:
        return False
    time.sleep(max(0.0, wait))
    return True


def flush() -> dict[str, Any]:
    """The broker forgets everything; so does the cache, whose keys live by another clock."""
    from django.core.cache import cache

    from bdvoucher.celery import app

    cache.clear()
    with app.connection() as connection:
        return {"lost": sum(connection.SimpleQueue(name).clear() or 0 for name in QUEUES)}


def sweep(order: str, minutes: int = 1) -> dict[str, Any]:
    """The schedule minute by minute, until nothing of the order is due any more; how it stands."""
    import time_machine
    from django.utils import timezone

    began, ran = timezone.now(), []
    for passed in range(minutes):
        with time_machine.travel(began + timedelta(minutes=passed), tick=True):
            told = sweep_once(order)
        ran += told["ran"]
        if told["waiting"] == 0:
            break
    return {**told, "ran": ran, "minutes": passed + 1}


def sweep_once(order: str) -> dict[str, Any]:
    """Every sweep of the schedule, then the worker."""
    from bdvoucher.celery import app
    from orders.models import Order

    for entry in app.conf.beat_schedule.values():
        if entry["task"].startswith(("payments.", "fulfillment.tasks.sweep_orders", "notif")):
            app.tasks[entry["task"]].run()
    ran = work()["ran"]
    row = Order.objects.filter(order_number=order).first()
    return {"ran": ran, "status": row and row.status, "waiting": row and waits_for(row)}


def waits_for(order: Any) -> int:
    """How many rows of an order still have something to come."""
    from fulfillment.models import FulfillmentAttempt, PartnerTransaction
    from notifications.models import EmailMessage
    from payments.models import Payment, Refund
    from payments.states import OPEN, REFUND_OPEN

    return sum(
        rows.count()
        for rows in (
            FulfillmentAttempt.objects.filter(order=order, status="IN_PROGRESS"),
            PartnerTransaction.objects.filter(item__order=order, next_check_at__isnull=False),
            PartnerTransaction.objects.filter(item__order=order, status="SENT"),
            EmailMessage.objects.filter(order=order, status__in=["PENDING", "SENDING"]),
            Payment.objects.filter(order=order, status__in=OPEN),
            Refund.objects.filter(payment__order=order, status__in=REFUND_OPEN),
        )
    )


def state(order: str) -> dict[str, Any]:
    """What our rows say of one order, and what is broken anywhere."""
    from django.utils import timezone

    from bdvoucher.invariants import check_all
    from fulfillment.models import FulfillmentAttempt, PartnerTransaction
    from notifications.models import AdminAlert, EmailMessage
    from orders.models import Order
    from payments.models import Payment, Refund
    from vouchers.models import Voucher
    from vouchers.selectors import codes_of_order

    breaches = [str(each) for _, found in check_all(now=timezone.now()) for each in found]
    row = Order.objects.filter(order_number=order).first()
    if row is None:
        return {"breaches": breaches, "status": None}
    sent = EmailMessage.objects.filter(order=row, template="vouchers", status="SENT")
    return {
        "breaches": breaches,
        "status": row.status,
        "id": row.pk,
        "items": list(row.items.order_by("position").values_list("pk", flat=True)),
        "codes": [each.code for each in codes_of_order(row.pk)],
        "mails": list(sent.values_list("message_id", flat=True)),
        "payments": list(Payment.objects.filter(order=row).values_list("pk", flat=True)),
        "references": list(
            PartnerTransaction.objects.filter(item__order=row).values_list("reference", flat=True)
        ),
        "held": Voucher.objects.filter(order_item__order=row).count(),
        "unended": FulfillmentAttempt.objects.filter(order=row, status="IN_PROGRESS").count(),
        "closed": row.closed_by_refund,
        "alerts": list(
            AdminAlert.objects.filter(order=row, resolved_at=None).values_list("kind", flat=True)
        ),
        "refunds": [
            {"reference": each.reference, "status": each.status, "amount": str(each.amount)}
            for each in Refund.objects.filter(payment__order=row).order_by("pk")
        ],
    }


def stock(variant: int, count: int) -> dict[str, Any]:
    """Load codes into a pool."""
    import uuid

    from catalog.models import Variant
    from vouchers.ciphers import Secret
    from vouchers.services import NewCode, import_batch

    codes = [NewCode(Secret(f"PROOF-{uuid.uuid4().hex[:16].upper()}")) for _ in range(count)]
    batch, _ = import_batch(Variant.objects.get(pk=variant), codes, supplier="proof")
    return {"loaded": batch.rows}


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    "request": request,
    "work": work,
    "sweep": sweep,
    "flush": flush,
    "state": state,
    "stock": stock,
}


def child(job: dict[str, Any], answer: int) -> None:
    import time_machine
    from django.utils import timezone

    points = Points(job.get("die_at"))
    later = timezone.now() + timedelta(minutes=job.get("minutes_later", 0))
    with time_machine.travel(later, tick=True):
        if job.get("watched"):
            points.watch()
        result = JOBS[job["job"]](**job.get("arguments", {}))
    os.write(answer, json.dumps({"result": result, "points": points.seen}).encode())
    os.close(answer)
    os._exit(0)


def main() -> None:
    django.setup()
    # Loaded once, for all children.
    import kombu.transport.redis
    import time_machine  # noqa: F401
    from django.urls import get_resolver

    from accounts.tests import factories  # noqa: F401
    from bdvoucher.celery import app

    app.loader.import_default_modules()
    _ = get_resolver().url_patterns, kombu.transport.redis.Transport
    gc.freeze()

    commands = os.fdopen(os.dup(0), "r")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answers.write("ready\n")
    answers.flush()
    for line in commands:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            try:
                child(json.loads(line), write)
            except BaseException as exc:  # noqa: BLE001 - told to the proof, which fails by it
                import traceback

                traceback.print_exc()
                os.write(write, json.dumps({"error": repr(exc)}).encode())
                os._exit(1)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        answers.write(json.dumps({"exit": code, **(json.loads(told) if told else {})}) + "\n")
        answers.flush()


if __name__ == "__main__":
    sys.exit(main())

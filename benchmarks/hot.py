"""Eight workers that sell the same variant, against eight that each sell their own."""

import statistics
import time
from multiprocessing import get_context
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from benchmarks.seeding import HOT
from core.actors import SYSTEM
from orders.services import Buyer, Cart, Line
from payments.closing import close
from payments.services import placed

WORKERS: Final = 8


def allocation(passes: int, orders_each: int) -> dict[str, Any]:
    """Orders a second, hot and spread, and the first as a share of the second."""
    connection.close()
    hot, spread = [], []
    for _ in range(passes):
        spread.append(_rate([HOT[worker] for worker in range(WORKERS)], orders_each))
        hot.append(_rate([HOT[-1]] * WORKERS, orders_each))
    share = statistics.median(one / other for one, other in zip(hot, spread, strict=True))
    return {"hot": statistics.median(hot), "spread": statistics.median(spread), "share": share}


def _rate(variants: list[int], orders_each: int) -> float:
    context = get_context("fork")
    start, done = context.Barrier(WORKERS + 1), context.Queue()
    workers = [
        context.Process(target=_sell, args=(variant, orders_each, start, done))
        for variant in variants
    ]
    for worker in workers:
        worker.start()
    start.wait(60)
    began = time.monotonic()
    placed_by_all = [done.get(timeout=600) for _ in workers]
    rate = WORKERS * orders_each / (time.monotonic() - began)
    for worker in workers:
        worker.join()
    for pks in placed_by_all:
        for pk in pks:
            close(pk, actor=SYSTEM, reason="bench", now=timezone.now())
    connection.close()
    return rate


def _sell(variant: int, orders_each: int, start: Any, done: Any) -> None:
    connection.ensure_connection()
    cart, buyer = Cart([Line(variant, 1)], "paystation"), Buyer(2, "customer2@example.com", "en")
    first, _ = placed(cart, buyer, init_payment=True, now=timezone.now())
    start.wait(60)
    pks = [first.pk]
    for _ in range(orders_each):
        order, _payment = placed(cart, buyer, init_payment=True, now=timezone.now())
        pks.append(order.pk)
    done.put(pks)
    connection.close()

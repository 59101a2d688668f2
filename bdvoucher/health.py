"""Whether each part is there: what `/readyz` tells, without a name or an address in it."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from bdvoucher import alive

#: A worker beats every few seconds; a sweep may miss some turns before somebody is told.
WORKER_SECONDS: Final = 60.0
TURNS: Final = 4
LEAST_SECONDS: Final = 60.0
ONCE: Final = Retry(NoBackoff(), 0)


@dataclass(frozen=True, slots=True)
class Part:
    ok: bool
    detail: Mapping[str, Any]


def plan() -> dict[str, float]:
    """Each task of the schedule and how often it is due, in seconds."""
    from bdvoucher.celery import app

    schedule: Mapping[str, Mapping[str, Any]] = app.conf.beat_schedule
    return {str(entry["task"]): float(entry["schedule"]) for entry in schedule.values()}


def database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Part(ok=False, detail={})
    return Part(ok=True, detail={})


def broker() -> Part:
    try:
        with closing(broker_client()) as client:
            client.ping()
    except (RedisError, ValueError):
        return Part(ok=False, detail={})
    return Part(ok=True, detail={})


def broker_client() -> Any:
    """The broker asked directly, once, and not for long."""
    wait = settings.REDIS_SECONDS
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_timeout=wait, socket_connect_timeout=wait, retry=ONCE
    )


def worker() -> Part:
    try:
        age = alive.ages([alive.WORKER])[alive.WORKER]
    except RedisError:
        return Part(ok=False, detail={"seconds": None})
    return Part(ok=age is not None and age <= WORKER_SECONDS, detail={"seconds": age})


def sweeps() -> Part:
    """Late is one that was not done within some turns of its own plan."""
    due = plan()
    try:
        ages = alive.ages(due)
    except RedisError:
        return Part(ok=False, detail={"late": sorted(due)})
    late = [name for name, age in ages.items() if age is None or age > patience(due[name])]
    return Part(ok=not late, detail={"late": sorted(late)})


def patience(every: float) -> float:
    return max(LEAST_SECONDS, TURNS * every)


PARTS: Final[Mapping[str, Callable[[], Part]]] = {
    "database": database,
    "broker": broker,
    "worker": worker,
    "sweeps": sweeps,
}
#: Without these no request can be served; orders are taken and callbacks verified without the rest.
NEEDED: Final = frozenset({"database"})


def look() -> dict[str, Part]:
    return {name: find() for name, find in PARTS.items()}

"""Signs of life: when a worker last beat and when each sweep was last done.

They stand in Redis, where a write costs nothing: forgotten ones are back within seconds, and
nothing but `/readyz` and the metrics reads them.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

WORKER: Final = "worker"
KEPT_SECONDS: Final = 7 * 24 * 3600
#: Celery beats every 2 s; so often is it written down.
BEAT_SECONDS: Final = 5.0
_last: Final = {"beat": 0.0}


def note(what: str) -> None:
    """It is alive, or done, now; a Redis that is away must not keep anybody from working."""
    with suppress(RedisError):
        cache.set(_key(what), time.time(), KEPT_SECONDS)


def beat() -> None:
    """A worker's heart; written down only every few seconds."""
    now = time.monotonic()
    if now - _last["beat"] >= BEAT_SECONDS:
        _last["beat"] = now
        note(WORKER)


def ages(names: Iterable[str]) -> dict[str, float | None]:
    """Seconds since the last sign of each; None where there was none.

    Raises:
        RedisError: nobody can be asked.
    """
    keys = {_key(name): name for name in names}
    found = cache.get_many(keys)
    now = time.time()
    return {
        name: round(max(0.0, now - float(found[key])), 1) if key in found else None
        for key, name in keys.items()
    }


def _key(what: str) -> str:
    return f"alive:{what}"

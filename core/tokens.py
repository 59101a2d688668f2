"""A provider's access token: one for all processes, kept over their restarts in the cache.

Renewed early, by one process at a time; the others use what is left of the old one, or wait.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.cache import cache
from redis.exceptions import RedisError

from core.providers import Unavailable

_LATE: Final = 30  # seconds a renewal may take beyond its calls before another process tries


@dataclass(frozen=True, slots=True)
class Token:
    """What a provider granted; moments are seconds since the epoch."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float
    refresh: str = field(default="", repr=False)

    @classmethod
    def living(cls, value: str, seconds: float, *, refresh: str = "") -> "Token":
        """A token of so many seconds, to be renewed at five sixths of its life."""
        now = time.time()
        return cls(value, now + seconds * 5 / 6, now + seconds, refresh)


@dataclass(frozen=True, slots=True)
class TokenShelf:
    """Where the token of one credential lies."""

    provider: str
    key: str
    """Names provider and credential; `lock` and `token` are appended."""
    answer_seconds: float
    """How long one call to the provider may take."""

    def current(self, renew: Callable[[Token | None], Token], *, bad: str = "") -> str:
        """A token other than the `bad` one.

        Args:
            renew: asks the provider; is given the old token if that one still works.

        Raises:
            Unavailable: no token just now; nothing was asked, or nothing came of it.
            ProviderError: what `renew` raised.
        """
        try:
            return self._wait(renew, bad)
        except RedisError as exc:  # without the lock every process would ask at once
            raise Unavailable(self.provider, "the store of tokens does not answer") from exc

    def _wait(self, renew: Callable[[Token | None], Token], bad: str) -> str:
        until = time.monotonic() + self.answer_seconds
        me, lock = uuid.uuid4().hex, f"{self.key}:lock"
        while True:
            kept = self._kept(bad)
            if kept and time.time() < kept.renew_at:
                return kept.value
            if cache.add(lock, me, timeout=3 * self.answer_seconds + _LATE):
                try:
                    return self._renewed(renew, bad)
                finally:
                    if cache.get(lock) == me:
                        cache.delete(lock)
            if kept:
                return kept.value
            if time.monotonic() > until:
                raise Unavailable(self.provider, "the token is being renewed", retry_after=1)
            time.sleep(0.05)

    def _renewed(self, renew: Callable[[Token | None], Token], bad: str) -> str:
        kept = self._kept(bad)
        if kept and time.time() < kept.renew_at:
            return kept.value  # somebody was quicker
        try:
            fresh = renew(kept)
        except Unavailable:
            if kept:
                return kept.value  # good for some minutes more
            raise
        record = [fresh.value, fresh.renew_at, fresh.expires_at, fresh.refresh]
        cache.set(f"{self.key}:token", record, timeout=fresh.expires_at - time.time())
        return fresh.value

    def _kept(self, bad: str) -> Token | None:
        record: Any = cache.get(f"{self.key}:token")
        kept = Token(*record) if isinstance(record, list) else None  # older forms: none
        usable = kept and kept.value != bad and time.time() < kept.expires_at
        return kept if usable else None

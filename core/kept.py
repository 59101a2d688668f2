"""What is read often and changes seldom, kept in Redis for a while.

A shelf has a version that is part of every key: turned on commit of a change, it puts all that is
kept aside at once. Who makes a value reads the version first, so what was read before a change is
never found after it. Without Redis everything is made anew; a turn that Redis missed is made up for
by the short life of what is kept.
"""

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from core.logging import get_logger

log = get_logger(__name__)

T = TypeVar("T")
#: A server that hangs costs one request its time limit, not each of them.
REST_SECONDS: Final = 5.0
_rest = {"until": 0.0}


@dataclass(frozen=True, slots=True)
class Shelf:
    name: str

    def turn_on_commit(self) -> None:
        """What is kept holds no longer, once the transaction under way is committed."""
        transaction.on_commit(self.turn, robust=True)

    def turn(self) -> None:
        """A version nobody has seen; where Redis is away, so is what it keeps, or soon."""
        _asked(lambda: cache.set_many({self._version_key: uuid.uuid4().hex}, None))

    def kept(self, key: str, make: Callable[[], T], *, seconds: int) -> T:
        """The value under `key`, made if it is not there; what it raises is raised each time."""
        return self.kept_many([key], lambda _: {key: make()}, seconds=seconds)[key]

    def kept_many(
        self,
        keys: Sequence[str],
        make: Callable[[Sequence[str]], Mapping[str, T]],
        *,
        seconds: int,
    ) -> dict[str, T]:
        """The values under `keys`; those that are not there are made together."""
        version = self._version() if seconds > 0 and keys else None
        if version is None:
            return dict(make(keys)) if keys else {}
        names = {key: self._name(version, key) for key in keys}
        there: Mapping[str, T] = _asked(lambda: cache.get_many(names.values())) or {}
        found = {key: there[name] for key, name in names.items() if name in there}
        missing = [key for key in keys if key not in found]
        if missing:
            made = make(missing)
            fresh = {names[key]: value for key, value in made.items()}
            _asked(lambda: cache.set_many(fresh, seconds))
            found.update(made)
        return found

    @property
    def _version_key(self) -> str:
        return f"kept:{self.name}:version"

    def _name(self, version: str, key: str) -> str:
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        return f"kept:{self.name}:{version}:{digest}"

    def _version(self) -> str | None:
        """Random, so that one that Redis forgot never comes back with what was kept under it."""

        def read() -> str | None:
            known: str | None = cache.get(self._version_key)
            if known is None:
                cache.add(self._version_key, uuid.uuid4().hex, None)
                known = cache.get(self._version_key)
            return known

        version: str | None = _asked(read)
        return version


def _asked(ask: Callable[[], Any]) -> Any:
    """Redis' answer; None where it is away, or was a moment ago."""
    if time.monotonic() < _rest["until"]:
        return None
    try:
        return ask()
    except RedisError as exc:
        _rest["until"] = time.monotonic() + REST_SECONDS
        log.warning("kept.redis_away", error=type(exc).__name__)
        return None

"""How often somebody may try: counters in Redis, one step each, so parallel tries can't slip by.

A window is fixed: it begins with the first try and ends by itself; what is refused counts but
does not prolong it. Keys are digests, so numbers and addresses can't be read in Redis.

When Redis is away the caller decides: what costs money or tells who has an account is refused
(503, `open_when_down=False`); signing in goes on uncounted, since an outage must not keep
operators from repairing orders, and Argon2 keeps guessing slow (`open_when_down=True`).
"""

import hashlib
import ipaddress
import time
from datetime import timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from redis.exceptions import RedisError, TimeoutError as RedisTimeout

from core.errors import DomainError, RateLimited
from core.logging import get_logger

log = get_logger(__name__)

_COUNT: Final = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""
#: After a time-out; a Redis that refuses is asked again at once, since a no costs nothing.
REST_SECONDS: Final = 3.0
_rest: Final = {"until": 0.0}
_GIVE_BACK: Final = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
"""


class CounterDown(DomainError):  # noqa: N818 - the words of D2
    """We can't count just now, and without counting this is not done."""

    http_status: ClassVar[int] = 503
    code: ClassVar[str] = "UNAVAILABLE"


def count_and_check(
    scope: str, key: str, limit: int, window: timedelta, *, open_when_down: bool = False
) -> None:
    """Count one try of `key` and refuse it if there were `limit` in this window already.

    Raises:
        RateLimited: too many, with the seconds until the window ends.
        CounterDown: Redis does not answer, and `open_when_down` is false.
    """
    try:
        milliseconds = int(window.total_seconds() * 1000)
        count, left = _asked(_COUNT, _name(scope, key), milliseconds)
    except RedisError as exc:
        log.warning("limits.uncounted", scope=scope, refused=not open_when_down)
        if open_when_down:
            return
        raise CounterDown("This does not work just now. Please try again in a minute.") from exc
    if int(count) > limit:
        log.warning("limits.refused", scope=scope)
        seconds = max(1, -(-int(left) // 1000))
        raise RateLimited("Too many tries. Please try again later.", retry_after=seconds)


def give_back(scope: str, key: str) -> None:
    """One try was a good one and shall not count (many customers share one address)."""
    _quietly(_GIVE_BACK, _name(scope, key))


def forget(scope: str, key: str) -> None:
    """Whoever it was has shown who they are: earlier tries no longer count."""
    _quietly("redis.call('DEL', KEYS[1])", _name(scope, key))


def client_address(request: HttpRequest) -> str:
    """Who sent this, as far as a header can't lie about it.

    The peer's own address; `TRUSTED_PROXIES` says how many hops in front of us are our own,
    and then the entry that the outermost of them wrote into `X-Forwarded-For` is taken. All of
    an IPv6 subscriber's /64 is one address.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    hops: int = settings.TRUSTED_PROXIES
    if hops > 0:
        chain = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",")]
        if len(chain) >= hops:
            address = chain[-hops]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _quietly(script: str, name: str) -> None:
    try:
        _asked(script, name)
    except RedisError:
        log.warning("limits.uncounted", refused=False)


def _asked(script: str, name: str, *arguments: int) -> Any:
    """Redis' answer. One that hangs is left alone for a moment: a request may count many times."""
    if time.monotonic() < _rest["until"]:
        raise RedisTimeout("no answer a moment ago")
    try:
        return _client().eval(script, 1, name, *arguments)
    except RedisTimeout:
        _rest["until"] = time.monotonic() + REST_SECONDS
        raise


def _name(scope: str, key: str) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return str(caches["default"].make_key(f"limit:{scope}:{digest}"))


def _client() -> Any:
    """The cache's own client: same server, same time limits, same pool."""
    cache: Any = caches["default"]
    return cache._cache.get_client(write=True)  # noqa: SLF001 - Django has no public name for it

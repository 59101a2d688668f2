"""A database and a broker for whoever needs them: theirs if they named some, else our own.

with local_servers(fresh=True) as servers:
    subprocess.run([...], env=os.environ | servers.env)
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bdvoucher.local.addresses import check_database, check_redis
from bdvoucher.local.places import local_dir, prepare, temporary
from bdvoucher.local.postgres import Postgres
from bdvoucher.local.valkey import Valkey

Say = Callable[[str], None]
CACHE, BROKER = 0, 1


def silent(_text: str) -> None:
    """For those who need no telling."""


@dataclass(frozen=True)
class Servers:
    """`env` holds DATABASE_URL, REDIS_URL and CELERY_BROKER_URL."""

    env: dict[str, str] = field(default_factory=dict)
    postgres: Postgres | None = None
    valkey: Valkey | None = None


@contextmanager
def local_servers(
    *,
    fresh: bool = False,
    home: Path | None = None,
    given: Mapping[str, str] | None = None,
    say: Say = silent,
) -> Iterator[Servers]:
    """Servers for the time of a `with`.

    What `given` names (DATABASE_URL, REDIS_URL) is used as it is; the rest is started. `fresh`:
    empty throwaway servers in a temporary folder, `given` nothing unless said otherwise. If not:
    servers that keep their data in `home`, adopted if they run already, stopped at the end unless
    they were started to stay (`manage.py services start`); `given` is the environment.
    """
    with ExitStack() as stack:
        if fresh:
            folder = stack.enter_context(temporary())
            given = given or {}
        else:
            folder = prepare(home or local_dir())
            given = os.environ if given is None else given
        yield _bring_up(stack, folder, given, fresh=fresh, say=say)


def _bring_up(
    stack: ExitStack, folder: Path, given: Mapping[str, str], *, fresh: bool, say: Say
) -> Servers:
    postgres = valkey = None
    logs = folder / "logs"
    if database := given.get("DATABASE_URL", ""):
        check_database(database)
        say("PostgreSQL answers at DATABASE_URL")
    else:
        postgres = Postgres(folder, logs / "postgres.log", throwaway=fresh)
        stack.callback(_stop, postgres, folder, "PostgreSQL", say)
        database = postgres.start().url()
        say("PostgreSQL " + ("was running, adopted" if postgres.adopted else "is up"))
    if cache := given.get("REDIS_URL", ""):
        check_redis(cache)
        broker = given.get("CELERY_BROKER_URL") or cache
        say("Redis answers at REDIS_URL")
    else:
        valkey = Valkey(folder / "valkey", logs / "valkey.log", throwaway=fresh)
        stack.callback(_stop, valkey, folder, "Valkey", say)
        cache = valkey.start().url(CACHE)
        broker = given.get("CELERY_BROKER_URL") or valkey.url(BROKER)
        say("Valkey " + ("was running, adopted" if valkey.adopted else "is up"))
    env = {"DATABASE_URL": database, "REDIS_URL": cache, "CELERY_BROKER_URL": broker}
    return Servers(env, postgres, valkey)


def _stop(server: Postgres | Valkey, folder: Path, name: str, say: Say) -> None:
    if server.adopted and stay_mark(folder).exists():
        say(f"{name} stays up (manage.py services stop ends it)")
        return
    if server.pid:
        server.stop()
        say(f"{name} stopped")


def stay_mark(folder: Path) -> Path:
    """Its presence says that the servers were started to stay."""
    return folder / "services.stay"

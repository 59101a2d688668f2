"""PostgreSQL and Valkey started to stay, for those who run the rest by hand."""

from bdvoucher.local.places import local_dir, prepare
from bdvoucher.local.postgres import Postgres
from bdvoucher.local.servers import BROKER, CACHE, stay_mark
from bdvoucher.local.valkey import Valkey


def start() -> None:
    """Start what does not run yet, and print what to put into the environment."""
    postgres, valkey = _servers()
    postgres.start()
    valkey.start()
    stay_mark(local_dir()).touch()
    status()


def stop() -> None:
    for name, server in zip(("PostgreSQL", "Valkey"), _servers(), strict=True):
        if server.find():
            server.stop()
            print(f"{name} stopped")
        else:
            print(f"{name} was not running")
    stay_mark(local_dir()).unlink(missing_ok=True)


def status() -> None:
    postgres, valkey = _servers()
    if postgres.find():
        print(f"export DATABASE_URL='{postgres.url()}'")
    else:
        print("# PostgreSQL is not running")
    if valkey.find():
        print(f"export REDIS_URL='{valkey.url(CACHE)}'")
        print(f"export CELERY_BROKER_URL='{valkey.url(BROKER)}'")
    else:
        print("# Valkey is not running")


def _servers() -> tuple[Postgres, Valkey]:
    folder = prepare(local_dir())
    logs = folder / "logs"
    return (
        Postgres(folder, logs / "postgres.log", stays=True),
        Valkey(folder / "valkey", logs / "valkey.log", stays=True),
    )

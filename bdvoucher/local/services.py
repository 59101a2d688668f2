"""PostgreSQL and Valkey started to stay, for those who run the rest by hand."""

from bdvoucher.local.environment import RUNNING, write_env_file
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
    write_env_file(local_dir() / RUNNING, _environment(postgres, valkey))
    status()


def stop() -> None:
    postgres, valkey = _servers()
    for name, server in (("Valkey", valkey), ("PostgreSQL", postgres)):
        if server.find():
            server.stop()
            print(f"{name} stopped")
        else:
            print(f"{name} was not running")
    for left in (stay_mark(local_dir()), local_dir() / RUNNING):
        left.unlink(missing_ok=True)


def status() -> None:
    postgres, valkey = _servers()
    if not postgres.find():
        print("# PostgreSQL is not running")
    if not valkey.find():
        print("# Valkey is not running")
    for name, value in _environment(postgres, valkey).items():
        print(f"export {name}='{value}'")


def _environment(postgres: Postgres, valkey: Valkey) -> dict[str, str]:
    found = {"DATABASE_URL": postgres.url()} if postgres.pid else {}
    if valkey.pid:
        found |= {"REDIS_URL": valkey.url(CACHE), "CELERY_BROKER_URL": valkey.url(BROKER)}
    return found


def _servers() -> tuple[Postgres, Valkey]:
    folder = prepare(local_dir())
    logs = folder / "logs"
    return (
        Postgres(folder, logs / "postgres.log", stays=True),
        Valkey(folder / "valkey", logs / "valkey.log", stays=True),
    )

"""`./run check`: everything that can be said about the code without running the suite."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bdvoucher.local import locks
from bdvoucher.local.environment import (
    DEMO_CREDENTIALS,
    SETTINGS,
    TEST_SECRETS,
    neutral_environment,
    new_secrets,
)
from bdvoucher.local.nagad_keys import nagad_keys
from bdvoucher.local.places import PROJECT

SCHEMA: Final = PROJECT / "docs" / "api" / "openapi.yaml"
BIN: Final = Path(sys.executable).parent
MANAGE: Final = [sys.executable, "manage.py"]
NOWHERE: Final = {
    # These checks read no row: an address that is never dialled keeps them quick and honest.
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def _test_environment() -> dict[str, str]:
    settings = {SETTINGS: "bdvoucher.settings.test"}
    return {**neutral_environment(), **NOWHERE, **TEST_SECRETS, **settings}


def _production_environment() -> dict[str, str]:
    """A complete one, so that only what the code itself lacks is complained about."""
    return {
        **neutral_environment(),
        **NOWHERE,
        **{name: f"only-this-shop-{name.lower()}" for name in DEMO_CREDENTIALS},
        **new_secrets(),
        **nagad_keys(),
        SETTINGS: "bdvoucher.settings.production",
        "DATABASE_URL": "postgres://shop:secret@db.example.com:5432/shop",
        "REDIS_URL": "redis://:secret@cache.example.com:6379/0",
        "CELERY_BROKER_URL": "redis://:secret@cache.example.com:6379/1",
        "EMAIL_URL": "smtp+tls://shop:secret@mail.example.com:587",
        "ALLOWED_HOSTS": "shop.example.com",
        "PUBLIC_BASE_URL": "https://shop.example.com",
        "POINTS_BRIDGE_BASE_URL": "https://points.example.com",
        "BEHIND_TLS_PROXY": "1",
        "SECOND_FACTOR_REQUIRED": "1",
    }


def _command(*command: str, environment: dict[str, str] | None = None) -> Callable[[], bool]:
    def run() -> bool:
        env = environment or _test_environment()
        return subprocess.run(command, cwd=PROJECT, env=env, check=False).returncode == 0

    return run


def schema_is_current() -> bool:
    """The served schema is valid, and the copy in docs/api is that very schema."""
    with tempfile.TemporaryDirectory(prefix="bdv-") as folder:
        made = Path(folder) / SCHEMA.name
        write = [*MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", str(made)]
        if not _command(*write)():
            return False
        if SCHEMA.exists() and SCHEMA.read_text() == made.read_text():
            return True
    where = SCHEMA.relative_to(PROJECT)
    print(f"{where} differs from what is served: ./run spectacular --file {where}")
    return False


def locks_are_current() -> bool:
    found = locks.check()
    print(*found, sep="\n", end="\n" if found else "")
    return not found


def steps() -> dict[str, Callable[[], bool]]:
    deploy = [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"]
    return {
        "ruff check": _command(str(BIN / "ruff"), "check", "."),
        "ruff format": _command(str(BIN / "ruff"), "format", "--check", "."),
        "mypy": _command(str(BIN / "mypy"), "."),
        "import contract": _command(str(BIN / "lint-imports")),
        "migrations": _command(*MANAGE, "makemigrations", "--check", "--dry-run"),
        "deployment": _command(*deploy, environment=_production_environment()),
        "API schema": schema_is_current,
        "locks": locks_are_current,
    }


def main() -> int:
    results: dict[str, tuple[bool, float]] = {}
    os.chdir(PROJECT)
    for name, step in steps().items():
        print(f"--- {name}", flush=True)
        started = time.monotonic()
        results[name] = (step(), time.monotonic() - started)
    print("---")
    for name, (good, seconds) in results.items():
        print(f"{'ok    ' if good else 'FAILED'}  {name:<16} {seconds:6.1f} s")
    return 0 if all(good for good, _ in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

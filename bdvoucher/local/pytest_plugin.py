"""Servers for a test run: started before Django reads its settings, gone when the run is over.

Loaded with `-p bdvoucher.local.pytest_plugin` (pytest.ini). With pytest-xdist the controller starts
one PostgreSQL and one Valkey; each worker has a database (pytest-django) and two Valkey databases
of its own. DATABASE_URL and REDIS_URL, if set, are used instead.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import FrameType
from typing import Any, Final

import pytest

from bdvoucher.local.environment import TEST_SECRETS
from bdvoucher.local.model import model_cluster
from bdvoucher.local.nagad_keys import nagad_keys
from bdvoucher.local.postgres import without_postgres_variables
from bdvoucher.local.problems import SetupProblem, explain
from bdvoucher.local.servers import local_servers
from bdvoucher.local.valkey import DATABASES

OWN_VALKEY: Final = "BDV_TEST_OWN_VALKEY"
NOT_RUNNING: Final = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/1",
}
_servers: Final = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Iterator[None]:
    """A wrapper, so that it comes before pytest-django, which loads the settings here."""
    os.environ.update(TEST_SECRETS)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        os.environ.update(nagad_keys())  # workers inherit them
    if worker:
        _separate(worker)
    elif _runs_nothing(early_config, args):
        for name, value in NOT_RUNNING.items():
            os.environ.setdefault(name, value)
    else:
        _start(several=bool(getattr(early_config.known_args_namespace, "numprocesses", 0)))
    return (yield)


def pytest_unconfigure() -> None:
    """The end of every run, also of one that was interrupted."""
    _servers.close()


def _runs_nothing(config: pytest.Config, args: list[str]) -> bool:
    known = config.known_args_namespace
    named: list[Any] = [getattr(known, name, False) for name in ("help", "version", "collectonly")]
    words = {"-h", "--help", "-V", "--version", "--collect-only", "--co", "--markers", "--fixtures"}
    return any(named) or not words.isdisjoint(args)


def _start(*, several: bool) -> None:
    given = {name: os.environ.get(name, "") for name in NOT_RUNNING}
    if not given["DATABASE_URL"]:
        for name in set(os.environ) - set(without_postgres_variables(os.environ)):
            del os.environ[name]
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        if several and not given["DATABASE_URL"]:
            redis = {name: value for name, value in NOT_RUNNING.items() if name != "DATABASE_URL"}
            settings = {"DJANGO_SETTINGS_MODULE": "bdvoucher.settings.test"}
            _servers.enter_context(model_cluster(settings | redis))
        servers = _servers.enter_context(local_servers(fresh=True, given=given))
    except SetupProblem as problem:
        _servers.close()
        raise pytest.UsageError(str(problem)) from None
    except OSError as error:
        _servers.close()
        raise pytest.UsageError(str(explain(error))) from error
    os.environ.update(servers.env)
    if servers.valkey:
        os.environ[OWN_VALKEY] = "1"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """`timeout 600 ./run test` must leave nothing behind either."""
    sys.stderr.write("\nThe test run was told to end.\n")
    raise KeyboardInterrupt


def _separate(worker: str) -> None:
    """Give a parallel worker its own Valkey databases; a foreign Redis may have but 16."""
    if os.environ.get(OWN_VALKEY):
        first = 2 + 2 * int(worker.removeprefix("gw")) % (DATABASES - 2)
        for name, number in (("REDIS_URL", first), ("CELERY_BROKER_URL", first + 1)):
            os.environ[name] = f"{os.environ[name].rpartition('/')[0]}/{number}"
    os.environ["REDIS_PREFIX"] = f"test-{worker}"

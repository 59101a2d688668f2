"""A cluster made and migrated once, for all that a test run starts: they begin as copies of it.

Migrating takes seven seconds of a core, a copy a fifth of one, and the suite needs some fifteen.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from bdvoucher.local.places import PROJECT, temporary
from bdvoucher.local.postgres import DATABASE, MODEL, Postgres
from bdvoucher.local.problems import SetupProblem

#: What a test database is copied from: nobody is ever connected to it, as PostgreSQL demands.
TEMPLATE = "migrated"


@contextmanager
def model_cluster(env: Mapping[str, str]) -> Iterator[None]:
    """For the time of a `with`, throwaway clusters of this process and its children are copies.

    `env` is what `manage.py migrate` needs besides the database.
    """
    with temporary() as folder:
        postgres = Postgres(folder, folder / "logs" / "postgres.log", throwaway=True).start()
        try:
            _migrate({**os.environ, **env, "DATABASE_URL": postgres.url()})
            with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
                connection.execute(f"ALTER DATABASE {DATABASE} RENAME TO {TEMPLATE}")
                connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {TEMPLATE}")
        finally:
            postgres.stop()
        os.environ[MODEL] = str(postgres.data)
        try:
            yield
        finally:
            os.environ.pop(MODEL, None)


def _migrate(env: Mapping[str, str]) -> None:
    command = [sys.executable, str(PROJECT / "manage.py"), "migrate", "--verbosity", "0"]
    done = subprocess.run(
        command, env=env, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SetupProblem(f"The migrations fail:\n{(done.stderr or done.stdout)[-2000:]}")

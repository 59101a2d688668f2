"""Where the bench runs: our own PostgreSQL and Valkey, and a database for each size of shop."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from bdvoucher.local.environment import (
    DEMO_CREDENTIALS,
    TEST_SECRETS,
    neutral_environment,
)
from bdvoucher.local.nagad_keys import nagad_keys
from bdvoucher.local.places import local_dir
from bdvoucher.local.postgres import DATABASE
from bdvoucher.local.servers import Say, local_servers

SETTINGS: Final = "benchmarks.settings"


def name_of(orders: int) -> str:
    return f"bench_{orders}"


def url_of(base: str, orders: int) -> str:
    """The address of a size's database, from that of the server's own."""
    return base.replace(f"/{DATABASE}", f"/{name_of(orders)}", 1)


@contextmanager
def bench_world(sizes: Sequence[int], *, home: Path | None = None, say: Say) -> Iterator[str]:
    """Servers that keep their data, with fsync on, and Django set up on the first size.

    Yields the address of the server's own database.
    """
    with local_servers(home=home or local_dir() / "bench", given={}, say=say) as servers:
        base = servers.env["DATABASE_URL"]
        for orders in sizes:
            create_database(base, orders)
        env = {**neutral_environment(), **DEMO_CREDENTIALS, **TEST_SECRETS, **nagad_keys()}
        env |= servers.env | {"DATABASE_URL": url_of(base, sizes[0])}
        os.environ.update(env | {"DJANGO_SETTINGS_MODULE": SETTINGS})
        import django

        django.setup()
        import bdvoucher.celery  # noqa: F401 - knows the broker

        try:
            yield base
        finally:
            from django.db import connection

            connection.close()


def create_database(base: str, orders: int) -> None:
    with psycopg.connect(base, autocommit=True) as connection:
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(known, [name_of(orders)]).fetchone() is None:
            name = sql.Identifier(name_of(orders))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def drop_database(base: str, orders: int) -> None:
    with psycopg.connect(base, autocommit=True) as connection:
        name = sql.Identifier(name_of(orders))
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def use(orders: int) -> None:
    """Point Django's one connection at a size's database."""
    from django.db import connection

    if connection.settings_dict["NAME"] != name_of(orders):
        connection.close()
        connection.settings_dict["NAME"] = name_of(orders)
    connection.ensure_connection()

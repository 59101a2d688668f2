"""`DATABASE_URL` and `REDIS_URL` as people set them: tried before anything is built on them."""

from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import psycopg
import redis

from bdvoucher.local.problems import SetupProblem
from bdvoucher.local.valkey import ONCE

SCHEMES: Final = {"postgres", "postgresql", "pgsql", "psql"}
PASSED_ON: Final = {"host", "port", "options", "service", "passfile"}
CONNECT_SECONDS: Final = 5
OWN_POSTGRES: Final = "or unset DATABASE_URL and a PostgreSQL of the project's own is started."
OWN_VALKEY: Final = "or unset REDIS_URL and a Valkey of the project's own is started."


def check_database(url: str) -> None:
    """Connect once; a refusal becomes one sentence, without the password."""
    parts = _postgres_parts(url)
    arguments: dict[str, str | int | None] = {
        "host": unquote(parts.hostname or "") or None,
        "port": parts.port,
        "user": unquote(parts.username or "") or None,
        "password": unquote(parts.password or "") or None,
        "dbname": unquote(parts.path.removeprefix("/")) or None,
    }
    asked = parse_qsl(parts.query)
    arguments |= {n: value for n, value in asked if n in PASSED_ON or n.startswith("ssl")}
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        with psycopg.connect(connect_timeout=CONNECT_SECONDS, **given) as connection:  # type: ignore[arg-type]
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        raise SetupProblem(_why(given, str(error))) from None


def check_form(url: str) -> None:
    """Whether it can be read as a PostgreSQL address at all, or is empty."""
    if url:
        _postgres_parts(url)


def check_redis(url: str) -> None:
    """Ping once."""
    wanted = "set it to an address such as redis://:password@host:6379/0"
    try:
        client = redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=5, retry=ONCE
        )
    except ValueError:
        raise SetupProblem(f"REDIS_URL is not a Redis address: {wanted}, {OWN_VALKEY}") from None
    try:
        with client:
            client.ping()
    except redis.AuthenticationError:
        raise SetupProblem(
            f"REDIS_URL: the password was refused; correct it, {OWN_VALKEY}"
        ) from None
    except (redis.RedisError, OSError):
        parts = urlsplit(url)
        where = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
        raise SetupProblem(
            f"REDIS_URL points to {where}, where nothing answers: start it, correct REDIS_URL, "
            f"{OWN_VALKEY}"
        ) from None


def _postgres_parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in SCHEMES:
        raise SetupProblem(
            "DATABASE_URL is not a PostgreSQL address: set it to one such as "
            f"postgres://user:password@host:5432/name, {OWN_POSTGRES}"
        )
    return parts


def _why(given: dict[str, str | int], said: str) -> str:
    where = f"{given.get('host', 'the local socket')}:{given.get('port', 5432)}"
    user = given.get("user", "you")
    if "authentication failed" in said or "no password supplied" in said:
        return (
            f"DATABASE_URL: PostgreSQL at {where} refused the password of {user}; "
            f"correct it, {OWN_POSTGRES}"
        )
    if "database" in said and "does not exist" in said:
        return (
            f"DATABASE_URL: PostgreSQL at {where} has no database {given.get('dbname', user)!s}; "
            f"create it (createdb), correct DATABASE_URL, {OWN_POSTGRES}"
        )
    if "role" in said and "does not exist" in said:
        return (
            f"DATABASE_URL: PostgreSQL at {where} knows no user {user}; correct it, {OWN_POSTGRES}"
        )
    reason = said.strip().splitlines()[0] if said.strip() else "no answer"
    return (
        f"DATABASE_URL points to {where}, which cannot be used ({reason}): "
        f"start it, correct DATABASE_URL, {OWN_POSTGRES}"
    )

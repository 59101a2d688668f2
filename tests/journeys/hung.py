"""Servers that hang: their processes are stopped, so connections are taken and never answered."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from bdvoucher.local.stack import Shop


def parent_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def valkey_of(shop: Shop) -> list[int]:
    with redis.Redis.from_url(shop.env["REDIS_URL"]) as client:
        return [int(client.info("server")["process_id"])]


def postgres_of(shop: Shop) -> list[int]:
    """The postmaster and everybody it started."""
    with psycopg.connect(shop.env["DATABASE_URL"]) as connection:
        mine = connection.info.backend_pid
        head = parent_of(mine)
    found = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    family = [head]
    for pid in found:
        try:
            if parent_of(pid) == head and pid != mine:
                family.append(pid)
        except OSError:  # it ended meanwhile
            continue
    return family


@contextmanager
def hanging(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        _tell(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            _tell(pid, signal.SIGCONT)


def _tell(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return

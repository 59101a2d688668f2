"""Where things lie: the project, its `.local` folder, short temporary folders."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bdvoucher.local.problems import SetupProblem

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
PREFIX: Final = "bdv-"
NEEDED_BYTES: Final = 300_000_000
OWNER_FILE: Final = "owner"
# A socket's path may be about 100 characters long; ours add 40 to this folder's.
LONGEST_TEMPORARY: Final = 60


def local_dir() -> Path:
    """The folder of everything that belongs to this machine: data, logs, secrets."""
    return Path(os.environ.get("BDV_LOCAL_DIR") or PROJECT / ".local").absolute()


def prepare(folder: Path) -> Path:
    """Make `folder`, and refuse early when it cannot be written or its disk is full."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except OSError as error:
        error.filename = str(folder)  # the person knows the folder, not our probe in it
        raise
    if shutil.disk_usage(folder).free < NEEDED_BYTES:
        raise SetupProblem(
            f"Less than {NEEDED_BYTES // 1_000_000} MB are free on the disk of {folder}: "
            "free some, or set BDV_LOCAL_DIR to a folder on another disk."
        )
    return folder


def short_temporary_root() -> Path:
    """The temporary folder, or /tmp where its name is too long for a socket."""
    root = Path(tempfile.gettempdir())
    return root if len(str(root)) <= LONGEST_TEMPORARY else Path("/tmp")  # noqa: S108


def new_temporary() -> Path:
    """A new folder that only we can list; remembered as ours by our process id."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=short_temporary_root()))
    mark_owner(folder, os.getpid())
    if os.geteuid() == 0:
        folder.chmod(0o711)  # the user that runs PostgreSQL for root must pass through
    return folder


def mark_owner(folder: Path, pid: int) -> None:
    """Say whose life `folder` hangs on."""
    (folder / OWNER_FILE).write_text(str(pid))


@contextmanager
def temporary() -> Iterator[Path]:
    """A temporary folder, removed at the end; those of killed processes go with it."""
    sweep_leftovers()
    folder = new_temporary()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_leftovers() -> None:
    """Remove temporary folders of our own user whose process was killed before it could."""
    for mark in short_temporary_root().glob(f"{PREFIX}*/{OWNER_FILE}"):
        with suppress(OSError, ValueError):
            if mark.stat().st_uid == os.geteuid() and not _exists(int(mark.read_text())):
                shutil.rmtree(mark.parent, ignore_errors=True)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

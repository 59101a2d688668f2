"""Starting, watching and ending programs, each in a process group of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bdvoucher.local.launch import PLAIN

LAUNCHER: Final = str(Path(__file__).with_name("launch.py"))
ROTATE_AT: Final = 10_000_000
LOOK_EVERY: Final = 0.02


@dataclass(frozen=True)
class Account:
    """Who a program runs as; `how` is explained in launch.py."""

    uid: int
    gid: int
    how: int = PLAIN


def launching(
    command: Sequence[str], *, account: Account | None = None, end_with_us: int = 0
) -> list[str]:
    """The command line that runs `command` as `account`; `end_with_us` is the signal it gets
    when we die (0: it stays).
    """
    # The kernel watches the thread that started a program, so only the main one may promise this.
    promised = end_with_us if threading.current_thread() is threading.main_thread() else 0
    user = f"{account.uid}:{account.gid}:{account.how}" if account else "-1:-1:0"
    head = [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid()), str(promised), user]
    return [*head, "--", *command]


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    account: Account | None = None,
    end_with_us: int = 0,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own: a Ctrl-C in our terminal does not reach it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > ROTATE_AT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as out:
        return subprocess.Popen(
            launching(command, account=account, end_with_us=end_with_us),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def alive(pid: int) -> bool:
    """Whether `pid` runs; one that has ended but was not collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return True


def wait_gone(pid: int, seconds: float, process: subprocess.Popen[bytes] | None = None) -> bool:
    """Wait for the end of `pid`; a child of our own is collected, so that no zombie stays."""
    deadline = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    if process is not None:
        process.wait()
    return True


def signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def stop(process: subprocess.Popen[bytes], *, number: int, patience: float) -> None:
    """Ask the leader to end, wait, then make sure that nothing of its group is left."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
        wait_gone(process.pid, patience, process)
    kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` for the whole group, at once."""
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def command_line_of(pid: int) -> str:
    """The command line of any process, empty if it cannot be told."""
    with suppress(OSError):
        return (
            Path(f"/proc/{pid}/cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode("utf-8", "replace")
        )
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["/bin/ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=5).stdout
    return ""


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for the person who must find out why."""
    with suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return ""

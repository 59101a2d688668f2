"""`manage.py up`: the shop on this machine, from nothing to its addresses, until Ctrl-C."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from bdvoucher.local.environment import (
    RUNNING,
    addresses,
    given_environment,
    kept_secrets,
    shop_environment,
    write_env_file,
)
from bdvoucher.local.places import local_dir, prepare
from bdvoucher.local.ports import Ports
from bdvoucher.local.problems import SetupProblem, explain
from bdvoucher.local.servers import local_servers, stay_mark
from bdvoucher.local.stack import Shop
from bdvoucher.local.summary import summary

LOOK_AGAIN_SECONDS: Final = 0.5
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Progress:
    """Says what is being done, with the seconds since the start."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"[{time.monotonic() - self.started:5.1f} s] {text}", flush=True)


def guarded(work: Callable[[], None]) -> None:
    """Run `work`; what people can mend is one sentence on stderr and exit 1."""
    try:
        work()
    except SetupProblem as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        sys.exit(1)
    except OSError as error:
        print(f"\n{explain(error)}", file=sys.stderr, flush=True)
        sys.exit(1)


def bring_up() -> None:
    """Everything up; stays until it is told to end; then everything down, in order."""
    say = Progress()
    with ended_by_signals(), only_one(prepare(local_dir())) as folder:
        try:
            _run(folder, say)
        except KeyboardInterrupt:
            say("everything has stopped; ./run brings it up again with its data")


def _run(folder: Path, say: Progress) -> None:
    given = given_environment()
    ports = Ports.wanted()
    ports.check()
    say("bringing up the servers")
    with local_servers(home=folder, given=given, say=say) as servers:
        env = shop_environment(
            given=given, servers=servers.env, ports=ports, made_secrets=kept_secrets(folder)
        )
        shop = Shop(home=folder, env=env, ports=ports, say=say)
        running = servers.env | addresses(ports)
        try:
            write_env_file(folder / RUNNING, {name: env[name] for name in running})
            shop.start("simulators", wait=False)
            say("migrating the database and seeding the demo shop")
            users = shop.prepare()
            say("starting simulators, web, worker and beat")
            shop.start_all()
            print(summary(shop, users), flush=True)
            say("up and running; Ctrl-C stops everything")
            while True:
                time.sleep(LOOK_AGAIN_SECONDS)
                shop.watch()
        finally:
            ignore_further_signals()
            say("stopping")
            shop.stop_all()
            if not stay_mark(folder).exists():
                (folder / RUNNING).unlink(missing_ok=True)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end us as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_further_signals() -> None:
    """A second Ctrl-C must not cut short a stop that is under way: it ends by itself."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def only_one(folder: Path) -> Iterator[Path]:
    """One shop in a folder; the lock goes with the process, however it ends."""
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SetupProblem(
                f"The shop runs here already (process {lock.read().strip()}): stop it with Ctrl-C "
                "where it was started, or set BDV_LOCAL_DIR and other ports for a second one."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield folder

"""One process of the shop: how it is started, when it is ready, how it ends."""

import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import redis

from bdvoucher.local import processes
from bdvoucher.local.places import PROJECT
from bdvoucher.local.ports import HOST, Ports
from bdvoucher.local.problems import SetupProblem
from bdvoucher.local.valkey import ONCE

if TYPE_CHECKING:
    from subprocess import Popen

READY_SECONDS: Final = 60.0
#: Longer than a proxy or a client keeps an idle line: who closes first never meets a closed one.
KEEP_ALIVE: Final = "75"
ASK_SECONDS: Final = 2.0
ANSWERED: Final = range(200, 400)
# A proxy of the machine has no business between our own processes.
DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Recipe:
    """What a child is made of."""

    command: list[str]
    ready: Callable[[], bool]
    patience: float
    """Seconds it may take to end what it has begun."""


class Child:
    def __init__(self, name: str, recipe: Recipe, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.recipe = recipe
        self.env = env
        self.log = log
        self.started_at = 0.0
        self._process: Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def exit_code(self) -> int | None:
        """None while it runs, and before its first start."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def age(self) -> float:
        return time.monotonic() - self.started_at

    def start(self) -> None:
        if self.running:
            return
        self._process = processes.spawn(
            self.recipe.command,
            env=self.env,
            log=self.log,
            end_with_us=signal.SIGTERM,
            cwd=PROJECT,
        )
        self.started_at = time.monotonic()

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it serves; its log's last lines tell why it does not."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            if self.recipe.ready():
                return
            time.sleep(0.05)
        what = "is not ready" if self.running else f"ended with {self.exit_code}"
        last = processes.tail(self.log)
        raise SetupProblem(f"The {self.name} {what}. Its last lines ({self.log}):\n{last}")

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, number=signal.SIGTERM, patience=self.recipe.patience)

    def kill(self) -> None:
        """`kill -9`, the whole group: nothing is finished, nothing is told."""
        if self._process is not None:
            processes.kill_group(self._process)


def recipes(env: Mapping[str, str], ports: Ports, state: Path) -> dict[str, Recipe]:
    """The children in the order they start; they stop in another one, see `STOP_ORDER`."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "bdvoucher"]
    web = f"http://{HOST}:{ports.web}"
    simulators = f"http://{HOST}:{ports.simulators}"
    return {
        "simulators": Recipe(
            [
                *[*python, "simulators", "--port", str(ports.simulators)],
                *["--smtp-port", str(ports.smtp), "--state-dir", str(state / "simulators")],
            ],
            lambda: answers(f"{simulators}/"),
            patience=5,
        ),
        "web": Recipe(
            [
                *[*python, "gunicorn", "bdvoucher.wsgi", "--bind", f"{HOST}:{ports.web}"],
                *["--workers", "2", "--threads", "4", "--worker-class", "gthread"],
                *["--keep-alive", KEEP_ALIVE],
                *["--graceful-timeout", "10", "--timeout", "60", "--no-control-socket"],
                "--preload",  # one import for both workers
            ],
            lambda: answers(f"{web}/healthz"),
            patience=15,
        ),
        "worker": Recipe(
            [
                *[
                    *celery,
                    "worker",
                    "-Q",
                    "money,mail,webhooks,sweeps,celery",
                    "--concurrency",
                    "2",
                ],
                *["--without-mingle", "--without-gossip", "--loglevel", "INFO"],
            ],
            lambda: worker_listens(env["CELERY_BROKER_URL"]),
            patience=30,
        ),
        "beat": Recipe(
            [
                *[*celery, "beat", "--schedule", str(state / "celerybeat-schedule")],
                *["--pidfile", "", "--loglevel", "INFO"],
            ],
            lambda: True,
            patience=5,
        ),
    }


def answers(url: str) -> bool:
    with suppress(OSError, ValueError), DIRECT.open(url, timeout=ASK_SECONDS) as answer:
        return bool(answer.status in ANSWERED)
    return False


def worker_listens(broker: str) -> bool:
    """A ready worker is subscribed to its remote control; the subscription dies with it."""
    with (
        suppress(redis.RedisError, ValueError),
        redis.Redis.from_url(broker, socket_timeout=ASK_SECONDS, retry=ONCE) as client,
    ):
        ours = str(client.connection_pool.connection_kwargs.get("db", 0))
        return any(one["db"] == ours and one["psub"] != "0" for one in client.client_list())
    return False

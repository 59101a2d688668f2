"""A whole shop: web, worker, beat and simulators on servers, started and stopped as one.

with Shop.fresh() as shop:
    requests.post(f"{shop.url}/api/v1/orders", ...)
    shop.kill("worker")          # as the power cut would
    shop.start("worker")
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bdvoucher.local import processes
from bdvoucher.local.children import Child, recipes
from bdvoucher.local.environment import (
    TEST_SECRETS,
    neutral_environment,
    shop_environment,
)
from bdvoucher.local.nagad_keys import nagad_keys
from bdvoucher.local.places import PROJECT, local_dir, temporary
from bdvoucher.local.ports import HOST, Ports
from bdvoucher.local.problems import SetupProblem
from bdvoucher.local.servers import Say, Servers, local_servers, silent

STOP_ORDER: Final = ("beat", "web", "worker", "simulators")
QUICK_DEATH_SECONDS: Final = 10.0
QUICK_DEATHS_ALLOWED: Final = 3


class Shop:
    """`home` holds logs and state; `env` is what the processes get and what a command needs."""

    def __init__(
        self, *, home: Path, env: Mapping[str, str], ports: Ports, say: Say = silent
    ) -> None:
        self.home = home
        self.env = dict(env)
        self.ports = ports
        self.say = say
        self.url = f"http://{HOST}:{ports.web}"
        self.simulators_url = f"http://{HOST}:{ports.simulators}"
        self.mail_url = f"{self.simulators_url}/mail/"
        self.children = {
            name: Child(name, recipe, self.env, home / "logs" / f"{name}.log")
            for name, recipe in recipes(self.env, ports, home).items()
        }
        self.servers = Servers()
        self._quick_deaths = dict.fromkeys(self.children, 0)

    @classmethod
    @contextmanager
    def fresh(
        cls,
        *,
        extra_env: Mapping[str, str] | None = None,
        only: tuple[str, ...] | None = None,
        seed: bool = True,
        say: Say = silent,
    ) -> Iterator["Shop"]:
        """A shop of its own: empty servers, free ports, migrated, seeded; nothing is left of it.

        `extra_env` sets what a story needs otherwise (short waits, say), `only` names the
        processes to start when not all are wanted. When it fails its logs are kept, and named.
        """
        with temporary() as home, local_servers(fresh=True, say=say) as servers:
            ports = Ports.free()
            env = shop_environment(
                given={**neutral_environment(), **(extra_env or {})},
                servers=servers.env,
                ports=ports,
                made_secrets={**TEST_SECRETS, **nagad_keys()},
            )
            env["STATIC_ROOT"] = str(home / "static")
            shop = cls(home=home, env=env, ports=ports, say=say)
            shop.servers = servers
            try:
                shop.start("simulators", wait=False)
                shop.prepare(seed=seed)
                shop.start_all(only)
                yield shop
            except BaseException:
                shop.keep_logs()
                raise
            finally:
                shop.stop_all()

    def prepare(self, *, seed: bool = True) -> str:
        """Migrate and seed, in one process; returns who may sign in (JSON of `seed_demo`)."""
        return self.manage("up", "--prepare", *([] if seed else ["--no-seed"]))

    def manage(self, *arguments: str) -> str:
        """Run `manage.py ...` in the shop's environment and return what it printed."""
        done = subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *arguments],
            env=self.env,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise SetupProblem(f"manage.py {' '.join(arguments)} failed:\n{last}")
        return done.stdout

    def start_all(self, only: tuple[str, ...] | None = None) -> None:
        """Start all together, then wait for each: they load side by side."""
        wanted = [child for name, child in self.children.items() if only is None or name in only]
        for child in wanted:
            child.start()
        for child in wanted:
            child.wait_ready()
            self.say(f"{child.name}: ready")

    def start(self, name: str, *, wait: bool = True) -> None:
        child = self.children[name]
        child.start()
        if wait:
            child.wait_ready()

    def stop(self, name: str) -> None:
        """Let it finish what it has begun, then end it."""
        self.children[name].stop()

    def kill(self, name: str) -> None:
        """`kill -9` for the process and its children."""
        self.children[name].kill()

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def running(self, name: str) -> bool:
        return self.children[name].running

    def log(self, name: str) -> str:
        path = self.children[name].log
        return path.read_text(errors="replace") if path.exists() else ""

    def stop_all(self) -> None:
        """In the order that loses least: no new work, then what is under way, then the outside."""
        for name in STOP_ORDER:
            child = self.children[name]
            if child.pid:
                child.stop()
                self.say(f"{name}: stopped")

    def watch(self) -> None:
        """Start again whatever ended by itself; `SetupProblem` when that does not help."""
        for name, child in self.children.items():
            if not child.pid or child.running:
                if child.running and child.age > QUICK_DEATH_SECONDS:
                    self._quick_deaths[name] = 0
                continue
            if child.age < QUICK_DEATH_SECONDS:
                self._quick_deaths[name] += 1
            if self._quick_deaths[name] >= QUICK_DEATHS_ALLOWED:
                last = processes.tail(child.log)
                raise SetupProblem(
                    f"The {name} ends as soon as it starts. Its last lines ({child.log}):\n{last}"
                )
            self.say(f"The {name} ended by itself (exit {child.exit_code}), starting it again")
            child.kill()  # what is left of its group
            time.sleep(self._quick_deaths[name])
            child.start()

    def keep_logs(self) -> None:
        """Copy the logs where they outlive the shop, for whoever must find out why."""
        logs = self.home / "logs"
        if logs.exists():
            kept = local_dir() / "logs-of-last-failure"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(logs, kept, dirs_exist_ok=True)
            self.say(f"its logs are kept in {kept}")

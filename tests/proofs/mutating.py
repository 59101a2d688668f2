"""A run of pytest that keeps its process and its database, and forks for each mutant.

Loaded with `-p tests.proofs.mutating`. First the tests run once, to learn which statements each of
them reaches; then each mutant lives in a child that runs the tests that reach it, quickest first,
until one fails. Started by `test_mutation`, which says in MUTATION what to do and where to write.
"""

import ast
import json
import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from pytest_django.plugin import blocking_manager_key

from bdvoucher.local.places import PROJECT
from tests.proofs.mutator import Loaded, mutated, sites, watched

#: A mutant that is still alive after so long has survived: said together with what was run.
PATIENCE_SECONDS: Final = 40.0
#: One that hangs is ended: what stands still is noticed.
HUNG_SECONDS: Final = 120.0
#: A module with a fixture of its own that takes so long to make comes last.
COSTLY_SECONDS: Final = 0.4


@dataclass(frozen=True)
class Verdict:
    module: str
    function: str
    line: int
    what: str
    killed: bool
    by: str = ""
    """The test that noticed, or "hung"."""
    ran: int = 0
    of: int = 0


@dataclass
class Known:
    """What the first run taught about one test."""

    item: pytest.Item
    reaches: set[tuple[str, int]] = field(default_factory=set)
    setup: float = 0.0
    seconds: float = 0.0


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    if session.testsfailed:
        raise session.Interrupted("the tests can't be collected")
    job = json.loads(os.environ["MUTATION"])
    Mutating(session, job).run()
    return True


class Mutating:
    def __init__(self, session: pytest.Session, job: dict[str, Any]) -> None:
        self.session, self.job = session, job
        self.paths = {name: PROJECT / name for name in job["modules"]}
        for name in job["modules"]:  # some are loaded with the first request only
            import_module(name.removesuffix(".py").replace("/", "."))
        self.loaded = Loaded(self.paths.values())
        self.end = SimpleNamespace(listchain=lambda: [session])
        self.reached: set[tuple[str, int]] = set()
        self.progress, self.results = Path(job["progress"]), Path(job["results"])

    def say(self, what: str) -> None:
        with self.progress.open("a") as file:
            file.write(f"{what}\n")

    def run(self) -> None:
        known = self.learn()
        known, unfit = self.checked(known)
        chosen = self.chosen()
        self.say(f"{len(known)} tests ({unfit} left out), {len(chosen)} mutants")
        for done, (name, number) in enumerate(chosen, 1):
            verdict = self.judged(name, number, known)
            with self.results.open("a") as file:
                file.write(json.dumps(asdict(verdict)) + "\n")
            if done % 25 == 0:
                self.say(f"{done} of {len(chosen)} mutants")

    # What the tests reach

    def learn(self) -> list[Known]:
        items = self.session.items
        for name, path in self.paths.items():
            self.loaded.install(watched(path), __reached__=_note(self.reached, name))
        known = []
        for place, item in enumerate(items):
            self.reached.clear()
            following = items[place + 1] if place + 1 < len(items) else self.end
            reports = runtestprotocol(item, log=False, nextitem=following)
            for _ in range(2):  # a machine that is busy makes a test fail now and then
                if any(each.failed for each in reports):
                    reports = runtestprotocol(item, log=False, nextitem=following)
            if all(each.passed for each in reports) and len(reports) == 3:
                setup = next(each.duration for each in reports if each.when == "setup")
                seconds = sum(each.duration for each in reports)
                known.append(Known(item, set(self.reached), setup, seconds))
            elif failed := next((each for each in reports if each.failed), None):
                self.say(f"fails without a mutant: {item.nodeid}: {str(failed.longrepr)[-600:]}")
            if place % 100 == 99:
                self.say(f"{place + 1} of {len(items)} tests looked at")
        for path in self.paths.values():
            self.loaded.install(compile(path.read_text(), str(path), "exec"))
        connections.close_all()
        return self.ordered(known)

    def ordered(self, known: list[Known]) -> list[Known]:
        """Quickest first; those that share a costly fixture together, after the others."""
        costs: dict[str, float] = {}
        for each in known:
            module = each.item.nodeid.partition("::")[0]
            costs[module] = max(costs.get(module, 0.0), each.setup)

        def key(each: Known) -> tuple[float, str, float]:
            module = each.item.nodeid.partition("::")[0]
            costly = costs[module] > COSTLY_SECONDS
            return (costs[module], module, each.seconds) if costly else (0, "", each.seconds)

        return sorted(known, key=key)

    def checked(self, known: list[Known]) -> tuple[list[Known], int]:
        """Without a mutant all of them must pass in that order; what does not is no witness."""
        told = self.in_child(lambda: self.failures(known), 3600.0)
        failed = set(json.loads(told)) if told else {each.item.nodeid for each in known}
        for each in sorted(failed)[:20]:
            self.say(f"left out: {each}")
        return [each for each in known if each.item.nodeid not in failed], len(failed)

    def failures(self, known: Sequence[Known]) -> str:
        passing = (
            any(self.passes(each.item) for _ in range(3))  # the first that passes is enough
            for each in known
        )
        fit = zip(known, passing, strict=True)
        return json.dumps([each.item.nodeid for each, passes in fit if not passes])

    # One mutant

    def chosen(self) -> list[tuple[str, int]]:
        """A sample of each module's mutants, always the same one."""
        if "only" in self.job:
            return [(name, number) for name, number in self.job["only"]]
        found = []
        for name, path in self.paths.items():
            count = sum(1 for _ in sites(ast.parse(path.read_text())))
            wanted = min(count, max(self.job["least"], round(count * self.job["share"])))
            dice = random.Random(f"{self.job['seed']} {name}")
            found += [(name, number) for number in sorted(dice.sample(range(count), wanted))]
        return found

    def judged(self, name: str, number: int, known: Sequence[Known]) -> Verdict:
        site = list(sites(ast.parse(self.paths[name].read_text())))[number]
        lines = {(name, line) for line in site.lines}
        witnesses = [each for each in known if each.reaches & lines]
        verdict = Verdict(name, site.function, site.lines[0], site.what, False, of=len(witnesses))

        def live() -> str:
            module = mutated(self.paths[name], number)
            if not self.loaded.install(module, only=site.function):
                return json.dumps({"by": "", "ran": 0})
            began = time.monotonic()
            for ran, each in enumerate(witnesses, 1):
                # Twice: a machine that is busy makes a test fail now and then.
                if not self.passes(each.item) and not self.passes(each.item):
                    return json.dumps({"by": each.item.nodeid, "ran": ran})
                if time.monotonic() - began > PATIENCE_SECONDS:
                    return json.dumps({"by": "", "ran": ran})
            return json.dumps({"by": "", "ran": len(witnesses)})

        told = self.in_child(live, HUNG_SECONDS)
        if not told:
            self.clean_up()
            return Verdict(**{**asdict(verdict), "killed": True, "by": "hung or died"})
        answer = json.loads(told)
        return Verdict(**{**asdict(verdict), **answer, "killed": bool(answer["by"])})

    def passes(self, item: pytest.Item) -> bool:
        reports = runtestprotocol(item, log=False, nextitem=self.end)  # type: ignore[arg-type]
        return all(each.passed for each in reports)

    def in_child(self, job: Any, seconds: float) -> str:
        """What `job` answers in a child of ours; nothing if it hangs or dies."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            os.setsid()
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            with suppress(BaseException):
                _forked()
                os.write(write, job().encode())
            os._exit(0)
        os.close(write)
        told = b""
        until = time.monotonic() + seconds
        with os.fdopen(read, "rb", buffering=0) as pipe:
            os.set_blocking(pipe.fileno(), False)
            while time.monotonic() < until:
                part = pipe.read()
                told += part or b""
                if part == b"":
                    break
                time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return told.decode()

    def clean_up(self) -> None:
        """What a child left that was ended in the middle of a test."""
        with self.session.config.stash[blocking_manager_key].unblock():
            call_command("flush", verbosity=0, interactive=False)
            connections.close_all()
        cache.clear()


def _note(reached: set[tuple[str, int]], name: str) -> Any:
    def note(line: int) -> None:
        reached.add((name, line))

    return note


def _forked() -> None:
    """What must not be shared with the parent."""
    from bdvoucher.celery import app

    app._after_fork()
    random.seed()

"""Nothing stays behind: children end with us, and a shop ends with its `with`."""

import os
import signal
import subprocess
import sys
import time

import pytest

from bdvoucher.local import launch, processes
from bdvoucher.local.children import Child, Recipe
from bdvoucher.local.places import PROJECT
from bdvoucher.local.problems import SetupProblem
from bdvoucher.local.stack import Shop

SLEEP = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)"]
PARENT = """
import os, sys, time
from pathlib import Path
from bdvoucher.local import processes
child = processes.spawn(
    sys.argv[2:], env=dict(os.environ), log=Path(sys.argv[1]), end_with_us=15
)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_a_child_ends_when_its_parent_is_killed(tmp_path):
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log"), *SLEEP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as parent:
        pid = int(parent.stdout.readline())
        deadline = time.monotonic() + 10
        while "awake" not in (tmp_path / "log").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        parent.kill()

    assert processes.wait_gone(pid, 5)


def test_a_child_that_does_not_start_shows_its_last_words(tmp_path):
    recipe = Recipe([sys.executable, "-c", "raise SystemExit('no luck')"], lambda: False, 1)
    child = Child("web", recipe, dict(os.environ), tmp_path / "web.log")
    child.start()
    with pytest.raises(SetupProblem, match="no luck"):
        child.wait_ready(10)
    child.stop()


def test_a_child_that_will_not_end_is_ended(tmp_path):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True); "
    recipe = Recipe([sys.executable, "-c", deaf + "time.sleep(600)"], lambda: True, 0.1)
    child = Child("worker", recipe, dict(os.environ), tmp_path / "log")
    child.start()
    while not processes.tail(child.log):
        time.sleep(0.02)

    child.stop()

    assert child.exit_code == -signal.SIGKILL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("how", [launch.PLAIN, launch.KEEP_DAC])
def test_root_becomes_somebody_else(how):
    account = processes.Account(65534, 65534, how)
    command = processes.launching(["/bin/sh", "-c", "id -u; id -g"], account=account)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["65534", "65534"]


def test_a_shop_survives_a_killed_worker_and_leaves_nothing():
    wanted = ("simulators", "worker", "beat")
    with Shop.fresh(only=wanted, seed=False) as shop:
        before = [shop.children[name].pid for name in wanted]
        assert all(shop.running(name) for name in wanted)

        shop.kill("worker")
        assert not shop.running("worker")
        shop.watch()
        assert shop.running("worker")
        shop.children["worker"].wait_ready()

        after = [shop.children[name].pid for name in wanted]
        home = shop.home

    assert not any(processes.alive(pid) for pid in [*before, *after])
    assert not home.exists()

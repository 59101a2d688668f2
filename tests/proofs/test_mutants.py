"""Each guard is taken away in a copy of the tree, and the suite must go red.

A run of the suite looks only whether each mutant can still be made.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from bdvoucher.local.places import PROJECT
from bdvoucher.local.postgres import MODEL
from tests.proofs.mutant import Mutant
from tests.proofs.mutants import MUTANTS
from tests.telling import FULL, Teller

pytestmark = pytest.mark.timeout(1800)
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "staticfiles", "docs", "benchmarks")


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_can_be_made(name: str) -> None:
    mutant = MUTANTS[name]
    assert (PROJECT / mutant.path).read_text().count(mutant.before) == 1
    assert all((PROJECT / each).exists() for each in mutant.tests)


def databases(worker: str) -> tuple[str, str]:
    """The suite makes its own beside them: one is kept, the other made anew each time."""
    return f"mutants_{worker}", f"mutants_schema_{worker}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    copy = tmp_path_factory.mktemp("mutants") / "tree"
    shutil.copytree(PROJECT, copy, ignore=LEFT_OUT)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        for name in databases(worker_id):
            server.execute(f"CREATE DATABASE {name}")
    return copy


def suite(tree: Path, mutant: Mutant, worker: str) -> subprocess.CompletedProcess[str]:
    """The tests named, on our servers, in a database of their own."""
    server = urlsplit(os.environ["DATABASE_URL"])
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    kept = {key: value for key, value in kept.items() if not key.startswith("PROVE")}
    if mutant.of_the_schema:  # not a copy of what was migrated without the slip
        kept.pop(MODEL, None)
    name = databases(worker)[mutant.of_the_schema]
    kept["DATABASE_URL"] = urlunsplit(server._replace(path=f"/{name}"))
    schema = "--create-db" if mutant.of_the_schema else "--reuse-db"
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", schema,
         *mutant.tests],
        cwd=tree, env=kept, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.skipif(not FULL, reason="./run prove makes the mutants")
@pytest.mark.parametrize("name", MUTANTS)
def test_the_suite_notices(tree: Path, name: str, worker_id: str, tell: Teller) -> None:
    mutant = MUTANTS[name]
    path = tree / mutant.path
    whole = path.read_text()
    path.write_text(whole.replace(mutant.before, mutant.after))
    try:
        done = suite(tree, mutant, worker_id)
    finally:
        path.write_text(whole)
    # 1: tests failed. Anything else is no verdict: a broken tree, or no tests.
    assert done.returncode == 1, f"{name} was not noticed:\n{done.stdout[-3000:]}"
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert failed, done.stdout[-3000:]
    tell.figure(f"{name}: noticed by {failed[0].split()[1].split('::')[-1][:60]}")

"""Small slips in the modules of money, stock, recovery, codes and mail: the suite must notice.

How many it does is the score. What survives is kept in docs/mutation-survivors.md with a reason,
taken from survivors.toml; one without a reason there is a gap of the suite, and told as such.
"""

import json
import os
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from bdvoucher.local.places import PROJECT
from tests.proofs.mutated import GROUPS
from tests.proofs.mutator import sites
from tests.telling import FULL, Teller

pytestmark = pytest.mark.timeout(7200)
SURVIVORS: Final = PROJECT / "docs" / "mutation-survivors.md"
REASONS: Final = Path(__file__).parent / "survivors.toml"
SEED: Final = 20260427
#: Of each module this part of its mutants, and at least so many: MUTATION_SHARE=1 takes them all.
SHARE: Final = float(os.environ.get("MUTATION_SHARE", "0.1"))
LEAST: Final = 6
AT_LEAST_KILLED: Final = 0.9
OURS: Final = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "PROVE", "PYTEST", "BDV_TEST")
Verdict = dict[str, Any]


def test_every_group_has_modules_and_tests_that_exist() -> None:
    import ast

    for group in GROUPS.values():
        for name in (*group.modules, *group.tests):
            assert (PROJECT / name).exists(), name
        for name in group.modules:
            tree = ast.parse((PROJECT / name).read_text())
            assert any(sites(tree)), f"there is nothing to change in {name}"


@pytest.mark.skipif(not FULL, reason="./run prove makes the mutants")
def test_most_mutants_are_noticed(tmp_path: Path, tell: Teller) -> None:
    chosen = os.environ.get("MUTATION_GROUPS", ",".join(GROUPS)).split(",")
    with ThreadPoolExecutor(2) as pool:
        running = {name: pool.submit(judged, name, tmp_path) for name in chosen}
        while not all(each.done() for each in running.values()):
            time.sleep(20)
            for name in chosen:
                tell.progress(f"{name}: {last_line(progress_of(name, tmp_path))}")
    verdicts = [each for name in chosen for each in running[name].result()]
    survived = [each for each in verdicts if not each["killed"]]
    reasons = tomllib.loads(REASONS.read_text())["survivor"]
    score = 1 - len(survived) / len(verdicts)
    for name in chosen:
        mine = [each for each in verdicts if each["module"] in GROUPS[name].modules]
        killed = sum(each["killed"] for each in mine)
        tell.figure(f"{name}: {killed} of {len(mine)} killed")
    gaps = [each for each in survived if not reason_for(each, reasons)]
    tell.figure(
        f"score {100 * score:.1f} %: {len(verdicts) - len(survived)} of {len(verdicts)} mutants "
        f"killed ({100 * SHARE:.0f} % of all, seed {SEED}); {len(survived)} survived, "
        f"{len(gaps)} of them without a reason"
    )
    if chosen == list(GROUPS):
        SURVIVORS.write_text("\n".join(page(verdicts, survived, reasons)))
    assert score >= AT_LEAST_KILLED


def judged(name: str, folder: Path) -> list[Verdict]:
    """The verdicts on a group's mutants, by a run of pytest of its own."""
    group, results = GROUPS[name], folder / f"{name}.jsonl"
    job = {
        "modules": group.modules, "share": SHARE, "least": LEAST, "seed": SEED,
        "results": str(results), "progress": str(progress_of(name, folder)),
    }  # fmt: skip
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    with (folder / f"{name}.log").open("w") as log:
        subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.proofs.mutating", "-p",
             "no:cacheprovider", "-q", *group.tests],
            cwd=PROJECT, env={**kept, "MUTATION": json.dumps(job)}, stdout=log,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    assert results.exists(), (folder / f"{name}.log").read_text()[-3000:]
    return [json.loads(line) for line in results.read_text().splitlines()]


def progress_of(name: str, folder: Path) -> Path:
    return folder / f"{name}.progress"


def last_line(path: Path) -> str:
    return path.read_text().splitlines()[-1] if path.exists() and path.stat().st_size else "waits"


def reason_for(verdict: Verdict, reasons: list[dict[str, str]]) -> str:
    keys = ("module", "function", "what")
    fitting = (each for each in reasons if all(each[key] == verdict[key] for key in keys))
    return next((each["reason"] for each in fitting), "")


def page(
    verdicts: list[Verdict], survived: list[Verdict], reasons: list[dict[str, str]]
) -> Iterator[str]:
    """docs/mutation-survivors.md"""
    killed = len(verdicts) - len(survived)
    yield "# What the mutation test left alive"
    yield ""
    yield (
        f"Written by `./run prove mutation`: {killed} of {len(verdicts)} mutants killed "
        f"({100 * killed / len(verdicts):.1f} %), a sample of {100 * SHARE:.0f} % of each "
        f"module's mutants (at least {LEAST}) by the seed {SEED}."
    )
    yield "The reasons stand in `tests/proofs/survivors.toml`."
    yield ""
    total = Counter(each["module"] for each in verdicts)
    alive = Counter(each["module"] for each in survived)
    yield "| module | mutants | killed |"
    yield "|---|---|---|"
    for module, count in sorted(total.items()):
        yield f"| `{module}` | {count} | {count - alive[module]} |"
    yield ""
    yield "| where | change | tests run | reason |"
    yield "|---|---|---|---|"
    for each in survived:
        what = each["what"].replace("|", "\\|").replace("`", "'")
        why = reason_for(each, reasons) or "**a gap: no test tells of it yet**"
        where = f"{each['module']} `{each['function']}`"
        yield f"| {where} | `{what}` | {each['ran']} of {each['of']} | {why} |"
    yield ""

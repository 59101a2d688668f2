"""`./run prove`: the long proofs, each in full, one after the other, and a table at the end.

`./run test` runs a sample of each of them. Names as arguments choose some: `./run prove machine`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bdvoucher.local.places import PROJECT, local_dir

#: Set for the tests: take everything, not a sample.
FULL: Final = "PROVE"
#: Where the tests leave what they counted.
FIGURES: Final = "PROVE_FIGURES"
TWO_AT_A_TIME: Final = ("-n", "2", "--dist", "load", "--maxschedchunk", "1")


@dataclass(frozen=True, slots=True)
class Proof:
    what: str
    tests: tuple[str, ...]
    in_parallel: bool = False
    """Whether its tests need nothing of each other: two at a time then."""


PROOFS: Final[Mapping[str, Proof]] = {
    "tables": Proof(
        "every row of the recovery guide's tables, over HTTP",
        ("fulfillment/tests/test_recovery_tables.py",),
    ),
    "partners": Proof(
        "every partner against every fault", ("fulfillment/tests/test_partner_matrix.py",)
    ),
    "gateways": Proof("every gateway against every fault", ("payments/gateways", "payments/tests")),
    "races": Proof("races, and their twins without the lock", ("tests/races",)),
    "stock": Proof(
        "contended allocations, half of them given up", ("tests/proofs/test_contended_stock.py",)
    ),
    "imports": Proof(
        "100,000 codes in a file, the worker killed on the way; suppliers' mails",
        (
            "tests/journeys/test_big_import_survives_kill.py",
            "tests/races/test_imports.py",
            "vouchers/tests/test_mailtext.py",
        ),
    ),
    "bulk": Proof(
        "fifty orders brought home by one run, its worker killed",
        (
            "tests/journeys/test_bulk_recovery_survives_kill.py",
            "tests/journeys/test_bulk_recovery_in_a_browser.py",
        ),
    ),
    "drills": Proof(
        "the five drills of an operator's day, promise by promise",
        ("tests/journeys/test_drills.py",),
    ),
    "machine": Proof("random lives of orders against a model", ("tests/proofs/test_machine.py",)),
    "purchases": Proof(
        "faulted purchases against the partners' ledgers",
        ("tests/proofs/test_faulted_purchases.py",),
    ),
    "points": Proof(
        "killed before and after every commit and outside call",
        ("tests/proofs/test_commit_points.py",),
        in_parallel=True,
    ),
    "outages": Proof(
        "outages of a running shop, intervals as shipped", ("tests/proofs/test_outages.py",)
    ),
    "mutants": Proof(
        "each guard taken away: the suite must notice",
        ("tests/proofs/test_mutants.py",),
        in_parallel=True,
    ),
    "mutation": Proof(
        "small slips in money, stock, recovery, codes and mail: the suite must notice",
        ("tests/proofs/test_mutation.py",),
    ),
}


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    what: str
    passed: bool
    figures: Sequence[str]
    """What was counted, in the proof's own words."""
    seconds: float


def prove(name: str, proof: Proof) -> Result:
    """Run one proof with its output shown as it comes."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bdv-") as folder:
        figures = Path(folder) / "figures.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-v", "--no-header", "--timeout=7200",
             *(TWO_AT_A_TIME if proof.in_parallel else ()), *proof.tests],
            cwd=PROJECT,
            env={**os.environ, FULL: "1", FIGURES: str(figures)},
            check=False,
        )  # fmt: skip
        told = json.loads(figures.read_text()) if figures.exists() else ["nothing was run"]
    return Result(name, proof.what, done.returncode == 0, told, time.monotonic() - started)


def table(results: Sequence[Result]) -> list[str]:
    lines = []
    for each in results:
        verdict = "ok" if each.passed else "FAILED"
        lines.append(f"{verdict:<8}{each.name:<12}{each.seconds:8.1f} s   {each.what}")
        lines += [f"{'':<32}{figure}" for figure in each.figures]
    return lines


def keep(results: Sequence[Result]) -> Path:
    """The same table for a machine."""
    path = local_dir() / "proofs.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "passed": all(each.passed for each in results),
        "proofs": [asdict(each) for each in results],
    }
    path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    return path


def main(arguments: Sequence[str]) -> int:
    unknown = [name for name in arguments if name not in PROOFS]
    if unknown:
        print(f"There is no proof {unknown[0]}. There are: {', '.join(PROOFS)}")
        return 2
    chosen = list(arguments) or list(PROOFS)
    results = []
    for place, name in enumerate(chosen, 1):
        print(f"--- {place} of {len(chosen)}: {name}: {PROOFS[name].what}", flush=True)
        results.append(prove(name, PROOFS[name]))
        keep(results)
    print("---", *table(results), f"Kept in {keep(results)}", sep="\n")
    return 0 if all(each.passed for each in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

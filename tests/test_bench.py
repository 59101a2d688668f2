"""The bench itself, on a tiny shop: it seeds lawfully, counts, compares and writes its table.

No time is held against anything here.
"""

import json
import os
import subprocess
import sys

import pytest

from bdvoucher.local.environment import neutral_environment
from bdvoucher.local.places import PROJECT
from benchmarks.meter import Cost, Series
from benchmarks.rows import growth
from benchmarks.table import Row, lines, missed

TINY = ["--orders", "400", "--passes", "1", "--count", "3"]


def bench(home, *arguments):
    environment = neutral_environment() | {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *TINY, "--home", str(home), *arguments],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.timeout(320)
def test_a_tiny_bench_tells_its_whole_table(tmp_path):
    table = tmp_path / "table.json"
    done = bench(tmp_path / "home", "--json", str(table), "--drop")
    assert table.exists(), done.stderr[-2000:]
    told = json.loads(table.read_text())
    rows = {row["what"]: row for row in told["rows"]}
    for exact in (
        "create order: statements",
        "fulfil 2 items, 3 units: statements",
        "fulfil: more statements for more units",
        "create: commits",
        "fulfil: commits",
        "mail outcome: commits",
        "order detail, HTTP: statements with sign-in",
        "order list, HTTP: statements with sign-in",
        "check_invariants: breaches",
    ):
        assert rows[exact]["verdict"] in ("must", "aim"), rows[exact]
    measured = [
        "create order: CPU over careful ORM",
        "fulfil: CPU over the SQL floor",
        "order detail, HTTP: CPU over plain DRF",
        "p99 at 8 clients over the bare view: list",
        "search: staff, exact code",
        "admin: dashboard",
        "one hot variant, 8 workers, over spread",
    ]
    assert all(rows[what]["value"] > 0 for what in measured)
    assert "order detail, HTTP: CPU over plain DRF" in done.stdout
    assert done.returncode == bool([row for row in rows.values() if row["verdict"] == "MISSED"])


def test_growth_is_the_median_of_passes_that_stood_beside_each_other():
    small = {"pay": Series([Cost(cpu, wall=9) for cpu in (1, 2, 4)])}
    big = {"pay": Series([Cost(cpu, wall=9) for cpu in (3, 3, 4)])}
    (row,) = growth({10: small, 1000: big}, [10, 1000], {"settle": "pay"})
    assert (row.what, row.value, row.word) == ("growth of settle, 10 to 1,000", 1.5, "MISSED")
    assert growth({10: small}, [10], {"settle": "pay"}) == []


def test_a_missed_must_is_named():
    rows = [
        Row("slow", 5, "x", must=2, aim=1),
        Row("quick", 0.5, "x", must=2, aim=1),
        Row("fair", 80, "%", must=35, aim=90, at_least=True),
        Row("counted", 2, must=1, exactly=True),
    ]
    assert missed(rows) == ["slow", "counted"]
    assert [row.word for row in rows] == ["MISSED", "aim", "must", "MISSED"]
    assert "slow" in lines(rows)[2]

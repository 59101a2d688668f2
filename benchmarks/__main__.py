"""`./run bench`: seed, measure in turn, print one table, write it as JSON."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from bdvoucher.local.places import local_dir
from bdvoucher.local.up import guarded
from benchmarks import rows as groups
from benchmarks.rows import GROUPS, Run
from benchmarks.table import lines, missed
from benchmarks.world import bench_world, drop_database, use

SIZES: Final = (10_000, 1_000_000)


def asked(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument(
        "--orders",
        type=int,
        nargs="+",
        default=list(SIZES),
        metavar="N",
        help="sizes of the shop; growth is from the first to the last",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*GROUPS, "sustained"),
        default=[*GROUPS],
        metavar="GROUP",
        help=f"of {', '.join(GROUPS)}, sustained",
    )
    parser.add_argument("--passes", type=int, default=3, help="alternating passes; medians count")
    parser.add_argument("--count", type=int, default=100, help="operations of a kind in a pass")
    parser.add_argument("--minutes", type=float, default=15, help="how long `sustained` lasts")
    parser.add_argument("--rate", type=float, default=5, help="its paid orders a second")
    parser.add_argument("--home", type=Path, help="where the databases stay for the next run")
    parser.add_argument("--drop", action="store_true", help="leave no database behind")
    parser.add_argument("--seed-only", action="store_true", help="make the databases, no more")
    parser.add_argument("--json", type=Path, help="where the table goes as JSON")
    return parser.parse_args(arguments)  # fmt: skip


class Say:
    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", file=sys.stderr, flush=True)


def main(options: argparse.Namespace) -> list[Any]:
    say = Say()
    home = (options.home or local_dir() / "bench").absolute()
    wanted = [name for name in GROUPS if name in options.only]
    found: Run | None = None
    if wanted or options.seed_only:
        found = _measured(options, home, wanted, say)
    rows, raw = (found.rows, found.raw) if found else ([], {})
    if "sustained" in options.only:
        from benchmarks.sustained import sustained

        more, figures = sustained(minutes=options.minutes, rate=options.rate, say=say)
        rows, raw = [*rows, *more], {**raw, "sustained": figures}
    if rows:
        _tell(options, home, rows, raw)
    return rows


def _measured(options: argparse.Namespace, home: Path, wanted: list[str], say: Say) -> Run:
    sizes = sorted(options.orders)
    with bench_world(sizes, home=home, say=say) as base:
        from benchmarks.seeding import ready

        for size in sizes:
            use(size)
            ready(size, say)
        run = Run(base, sizes, options.passes, options.count, home / "logs", say)
        if not options.seed_only:
            for name in wanted:
                getattr(groups, name)(run)
        if options.drop:
            from django.db import connection

            connection.close()
            for size in sizes:
                drop_database(base, size)
    return run


def _tell(options: argparse.Namespace, home: Path, rows: list[Any], raw: dict[str, Any]) -> None:
    print("\n".join(["", *lines(rows), ""]), flush=True)
    path = options.json or home / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "orders": sorted(options.orders),
        "passes": options.passes,
        "rows": [row.as_data() for row in rows],
        "raw": raw,
    }
    path.write_text(json.dumps(told, indent=1, default=str))
    over = missed(rows)
    print(f"Missed: {', '.join(over)}" if over else "Every must is kept.")
    print(f"As JSON: {path}", flush=True)


if __name__ == "__main__":
    guarded(lambda: sys.exit(1 if missed(main(asked())) else 0))

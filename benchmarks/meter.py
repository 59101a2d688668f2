"""What an operation costs: CPU of Python and of PostgreSQL, wall time, statements.

CPU comes from the kernel's own account of each process (`/proc/<pid>/schedstat`, nanoseconds),
so that a busy machine changes it little; wall time is only told beside it.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

Operation = Callable[[int], object]
"""Does one operation; the argument counts them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one operation, in milliseconds."""

    cpu: float
    wall: float


@dataclass
class Series:
    """What the passes over one thing cost, beside each other."""

    passes: list[Cost] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        return statistics.median(each.cpu for each in self.passes)

    @property
    def wall(self) -> float:
        return statistics.median(each.wall for each in self.passes)

    def over(self, other: "Series") -> float:
        """The median of the ratios of passes that stood beside each other."""
        pairs = zip(self.passes, other.passes, strict=True)
        return statistics.median(ours.cpu / theirs.cpu for ours, theirs in pairs)


def cpu_of(pids: Iterable[int]) -> int:
    """Nanoseconds of CPU these processes have used, threads included."""
    used = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            used += int(thread.read_text().split()[0])
    return used


def backend_pid() -> int:
    """The PostgreSQL process that serves Django's connection; it runs on this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def measured(operation: Operation, numbers: Sequence[int], *, backends: Sequence[int] = ()) -> Cost:
    """Run `operation` once for each number, in this process."""
    pids = list(backends) or [backend_pid()]
    theirs, ours, wall = cpu_of(pids), time.process_time_ns(), time.perf_counter_ns()
    for number in numbers:
        operation(number)
    wall = time.perf_counter_ns() - wall
    ours, theirs = time.process_time_ns() - ours, cpu_of(pids) - theirs
    count = len(numbers) * 1_000_000
    return Cost((ours + theirs) / count, wall / count)


@contextmanager
def said() -> Iterator[list[str]]:
    """The statements of the block as PostgreSQL gets them, BEGIN and COMMIT included."""
    statements: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield statements
    statements += [each["sql"] for each in queries.captured_queries]


def commits(statements: Sequence[str]) -> int:
    return sum(each == "COMMIT" for each in statements)


def percentile(values: Sequence[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, round(share * len(ranked)))]

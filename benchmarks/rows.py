"""From measurements to the rows of the table; each group of rows is one `--only` word."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.meter import Series
from benchmarks.table import Row, costs_as_data
from benchmarks.world import use

#: The rules first: what the others open is worked on by nobody, and would break them in time.
GROUPS: Final = ("invariants", "services", "http", "crowd", "pages", "hot")


@dataclass
class Run:
    """What one run was asked for, and where it writes what it finds."""

    base: str
    sizes: Sequence[int]
    passes: int
    count: int
    logs: Path
    say: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    def customers(self, size: int) -> int:
        return max(20, size // 10)


def services(run: Run) -> None:
    from benchmarks import services as measured

    found: dict[int, dict[str, Series]] = {size: {} for size in run.sizes}
    use(run.sizes[-1])
    counted = measured.statements(run.customers(run.sizes[-1]))
    for number in range(run.passes):
        for size in run.sizes:
            use(size)
            run.say(f"services, pass {number + 1} of {run.passes}, {size:,} orders")
            chain = measured.warmed(run.customers(size), 1000 * number)
            measured.one_pass(found[size], chain, run.count)
    of = found[run.sizes[-1]]
    create, fulfil = counted["create/ours"], counted["fulfil/ours"]
    over = of["create/ours"].over(of["create/careful"])
    floor = of["fulfil/ours"].over(of["fulfil/floor"])
    run.rows += [
        Row("create order: statements", create["statements"], "", 12, 7),
        Row("create order: CPU over careful ORM", over, "x", 1.4, 1.0, note=_cpu(of, "create")),
        Row("fulfil 2 items, 3 units: statements", fulfil["statements"], "", 20, 13),
        Row("fulfil: more statements for a third item", fulfil["per item"], "", 3),
        Row("fulfil: more statements for more units", fulfil["per unit"], "", 0),
        Row("fulfil: CPU over the SQL floor", floor, "x", 10, 4, note=_cpu(of, "fulfil")),
        *(
            Row(f"{what}: commits", counted[f"{job}/ours"]["commits"], "", 1, exactly=True)
            for what, job in (("create", "create"), ("fulfil", "fulfil"), ("mail outcome", "mail"))
        ),
        Row(
            "settle a payment: statements", counted["pay/ours"]["statements"], note=_cpu(of, "pay")
        ),
        Row("mail outcome: statements", counted["mail/ours"]["statements"], note=_cpu(of, "mail")),
    ]
    run.rows += growth(found, run.sizes, {
        "create": "create/ours", "settle": "pay/ours", "fulfil": "fulfil/ours",
        "mail outcome": "mail/ours",
    })  # fmt: skip
    run.raw["services"] = {size: costs_as_data(each) for size, each in found.items()}
    run.raw["statements"] = counted


def _cpu(of: Mapping[str, Series], job: str) -> str:
    told = [
        f"{kind} {of[f'{job}/{kind}'].cpu:.1f}"
        for kind in ("ours", "careful", "floor")
        if f"{job}/{kind}" in of
    ]
    return f"ms CPU: {', '.join(told)}; wall {of[f'{job}/ours'].wall:.1f}"


def growth(
    found: Mapping[int, Mapping[str, Series]], sizes: Sequence[int], jobs: Mapping[str, str]
) -> list[Row]:
    if len(sizes) < 2:  # noqa: PLR2004
        return []
    small, big = found[sizes[0]], found[sizes[-1]]
    words = f"{sizes[0]:,} to {sizes[-1]:,}"
    return [
        Row(f"growth of {name}, {words}", big[key].over(small[key]), "x", 1.4, 1.2)
        for name, key in jobs.items()
    ]


def _serving(run: Run, stack: ExitStack) -> dict[int, Any]:
    from benchmarks.serving import served

    return {
        size: stack.enter_context(served(run.base, size, run.logs / f"web-{size}.log"))
        for size in run.sizes
    }


def http(run: Run) -> None:
    from benchmarks import over_http

    found: dict[int, dict[str, Series]] = {size: {} for size in run.sizes}
    with ExitStack() as stack:
        servers = _serving(run, stack)
        for size in run.sizes:
            use(size)
            over_http.same_json(servers[size])
            over_http.one_pass({}, servers[size], 99, 8)
        counted = over_http.statements()
        for number in range(run.passes):
            for size in run.sizes:
                use(size)
                run.say(f"http, pass {number + 1} of {run.passes}, {size:,} orders")
                over_http.one_pass(found[size], servers[size], number, run.count)
        for size in run.sizes:
            use(size)
            over_http.tidy()
    of = found[run.sizes[-1]]
    for kind, must, limit, aim in (("detail", 6, 1.15, 0.6), ("list", 7, 1.15, 0.4)):
        note = f"ms CPU: ours {of[kind].cpu:.1f}, plain DRF {of[f'{kind}/careful'].cpu:.1f}"
        note += f", bare {of['bare'].cpu:.2f}; wall {of[kind].wall:.1f}"
        over = of[kind].over(of[f"{kind}/careful"])
        told = counted[kind]["statements"]
        run.rows += [
            Row(f"order {kind}, HTTP: statements with sign-in", told, "", must),
            Row(f"order {kind}, HTTP: CPU over plain DRF", over, "x", limit, aim, note=note),
        ]
    kinds = {f"{kind}, HTTP": kind for kind in ("detail", "list", "create")}
    run.rows += growth(found, run.sizes, kinds)
    run.raw["http"] = {size: costs_as_data(each) for size, each in found.items()}


def crowd(run: Run) -> None:
    from benchmarks import over_http

    size = run.sizes[-1]
    found: dict[str, list[Any]] = {}
    use(size)
    with ExitStack() as stack:
        server = _serving(run, stack)[size]
        over_http.crowded({}, server, 98, 8 * min(10, run.count))
        for number in range(run.passes):
            run.say(f"eight clients at once, pass {number + 1} of {run.passes}")
            over_http.crowded(found, server, number, 8 * run.count)
        over_http.tidy()
    rate = statistics.median(each["rate"] for each in found["bare"])
    for kind, must, aim in (("detail", 14, 4), ("create", 14, 6), ("list", 30, 5)):
        p99 = statistics.median(each["p99"] for each in found[kind])
        over = over_http.p99_over_bare(found, kind)
        note = f"p99 {p99:.0f} ms; bare {rate:.0f}/s"
        run.rows.append(
            Row(f"p99 at 8 clients over the bare view: {kind}", over, "x", must, aim, note=note)
        )
    run.raw["crowd"] = found


def pages(run: Run) -> None:
    from benchmarks import pages as measured

    use(run.sizes[-1])
    run.say("searches and the operators' pages")
    searches, admin = measured.searches(run.passes), measured.admin_pages(run.passes)
    run.rows += [Row(f"search: {name}", took, "ms", 50, 10) for name, took in searches.items()]
    run.rows += [Row(f"admin: {name}", took, "ms", 500, 150) for name, took in admin.items()]
    run.raw["pages"] = {"searches": searches, "admin": admin}


def hot(run: Run) -> None:
    from benchmarks.hot import allocation

    use(run.sizes[-1])
    run.say("eight workers on one variant")
    found = allocation(run.passes, max(5, run.count // 2))
    note = f"{found['hot']:.0f}/s against {found['spread']:.0f}/s"
    run.rows.append(
        Row("one hot variant, 8 workers, over spread", 100 * found["share"], "%", 35, 70,
            at_least=True, note=note)
    )  # fmt: skip
    run.raw["hot"] = found


def invariants(run: Run) -> None:
    import time

    from django.utils import timezone

    from bdvoucher.invariants import check_all

    use(run.sizes[-1])
    run.say("every invariant over the whole shop")
    seconds, breaches, since = {}, [], time.monotonic()
    for rule, found in check_all(now=timezone.now()):
        seconds[rule.name], since = time.monotonic() - since, time.monotonic()
        breaches += found
    slowest = max(seconds, key=lambda name: seconds[name])
    run.rows += [
        Row("check_invariants: breaches", len(breaches), "", 0,
            note="; ".join(str(each) for each in breaches[:2])),
        Row("check_invariants: seconds", sum(seconds.values()), "s", 60, 30,
            note=f"the slowest: {slowest} {seconds[slowest]:.1f} s"),
    ]  # fmt: skip
    run.raw["invariants"] = seconds

"""Reading and placing orders over HTTP: cost by cost, and eight customers at once."""

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from django.conf import settings
from django.test import Client as InProcess

from benchmarks.meter import Series, percentile, said
from benchmarks.seeding import USUAL
from benchmarks.serving import Client, Readers, Server, costs
from core.actors import SYSTEM
from orders.models import Order
from payments.closing import close

KINDS: Final = ("bare", "detail/careful", "detail", "list/careful", "list", "create")
CROWDED: Final = ("bare", "detail", "list", "create")
CLIENTS: Final = 8
P99: Final = 0.99
CREATED: Final = 201


def same_json(server: Server) -> None:
    """The plain views and ours say the same, field by field, or nothing is compared."""
    readers, client = Readers(3, usual=USUAL), Client(server.port)
    for ours, plain in (("detail", "detail/careful"), ("list", "list/careful")):
        call = readers.calls(ours, 1)[0]
        path = call.path.replace("/api/v1/", "/bench/").partition("?")[0]
        told = [client.get(each, call.token) for each in (call.path, path)]
        if told[0].data != told[1].data:
            raise RuntimeError(f"{plain} is not the JSON of {ours}: {told[0].data} {told[1].data}")


def statements() -> dict[str, dict[str, int]]:
    """What PostgreSQL gets for one request, sign-in included."""
    counted = {}
    readers = Readers(4, usual=USUAL)
    client = InProcess()
    for kind in KINDS:
        call = readers.calls(kind, 1)[0]
        body = {"data": json.dumps(call.body), "content_type": "application/json"}
        with said() as lines:
            answer = client.generic(
                call.method, call.path, headers={"Authorization": f"Bearer {call.token}"},
                **(body if call.body else {}),
            )  # fmt: skip
        if answer.status_code not in (200, CREATED):
            raise RuntimeError(f"{kind}: {answer.status_code} {answer.content[:300]!r}")
        counted[kind] = {"statements": len(lines)}
    return counted


def one_pass(results: dict[str, Series], server: Server, seed: int, count: int) -> None:
    """Each kind of call `count` times, one after the other, in turn."""
    readers = Readers(seed, usual=USUAL)
    for kind in KINDS:
        expect = CREATED if kind == "create" else 200
        cost = costs(server, readers.calls(kind, count), expect=expect)
        results.setdefault(kind, Series()).passes.append(cost)


def crowded(results: dict[str, list[Any]], server: Server, seed: int, count: int) -> None:
    """Eight clients at once; keeps p50, p99 and the rate of each pass."""
    readers = Readers(seed, usual=USUAL)
    for kind in CROWDED:
        calls = [asdict(each) for each in readers.calls(kind, count)]
        told = json.dumps({"port": server.port, "clients": CLIENTS, "calls": calls})
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.crowd"],
            input=told, capture_output=True, text=True, check=False, cwd=settings.BASE_DIR,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr[-1000:])
        took = json.loads(done.stdout)
        row = {"p50": statistics.median(took), "p99": percentile(took, P99)}
        row["rate"] = 1000 * CLIENTS / statistics.fmean(took)
        results.setdefault(kind, []).append(row)


def p99_over_bare(results: Mapping[str, list[Any]], kind: str) -> float:
    pairs = zip(results[kind], results["bare"], strict=True)
    return statistics.median(each["p99"] / bare["p99"] for each, bare in pairs)


def tidy() -> None:
    """Close what was placed and never paid; its stock goes back."""
    from django.utils import timezone

    for pk in Order.objects.filter(status="INITIATED").values_list("pk", flat=True):
        close(pk, actor=SYSTEM, reason="bench", now=timezone.now())

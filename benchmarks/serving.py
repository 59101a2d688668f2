"""The shop behind a gunicorn on one size's database, and a client that keeps its line open."""

import http.client
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from bdvoucher.local import processes
from bdvoucher.local.places import PROJECT
from bdvoucher.local.ports import HOST, free_ports
from benchmarks.meter import Cost, cpu_of
from benchmarks.world import url_of

WORKERS, THREADS = 2, 4
READY_SECONDS: Final = 60.0


@dataclass
class Server:
    """One gunicorn as `./run` starts it, and the PostgreSQL backends that serve it."""

    port: int
    pid: int
    database: str

    def processes(self) -> list[int]:
        """Master and workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def backends(self) -> list[int]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
                " AND application_name = 'bench-web'"
            ).fetchall()
        return [row[0] for row in rows]

    def cpu(self) -> int:
        return cpu_of([*self.processes(), *self.backends()])


@contextmanager
def served(base: str, orders: int, log: Path) -> Iterator[Server]:
    port = free_ports(1)[0]
    database = url_of(base, orders)
    env = os.environ | {
        "DATABASE_URL": f"{database}&application_name=bench-web",
        "BENCH_SERVES": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "bdvoucher.wsgi", "--bind", f"{HOST}:{port}"]
    command += ["--workers", str(WORKERS), "--threads", str(THREADS), "--worker-class", "gthread"]
    command += ["--preload", "--no-control-socket", "--keep-alive", "30"]
    process = processes.spawn(command, env=env, log=log, end_with_us=15, cwd=PROJECT)
    try:
        _wait_ready(port, log)
        yield Server(port, process.pid, database)
    finally:
        processes.stop(process, number=15, patience=10)


def _wait_ready(port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if Client(port).get("/healthz").status == http.client.OK:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"gunicorn does not answer; see {log}")


@dataclass
class Answer:
    status: int
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.line = http.client.HTTPConnection(HOST, port, timeout=60)

    def get(self, path: str, token: str = "") -> Answer:
        return self.send("GET", path, token)

    def send(self, method: str, path: str, token: str = "", body: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        text = None
        if body is not None:
            text, headers["Content-Type"] = json.dumps(body), "application/json"
        self.line.request(method, path, text, headers)
        answer = self.line.getresponse()
        return Answer(answer.status, answer.read())


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    token: str = ""
    body: Any = None


def costs(server: Server, calls: Sequence[Call], *, expect: int = 200) -> Cost:
    """One client after the other: CPU of the server's processes and backends a call."""
    client = Client(server.port)
    before, wall = server.cpu(), time.perf_counter_ns()
    for call in calls:
        answer = client.send(call.method, call.path, call.token, call.body)
        if answer.status != expect:
            raise RuntimeError(f"{call.method} {call.path}: {answer.status} {answer.body[:300]!r}")
    wall = time.perf_counter_ns() - wall
    count = len(calls) * 1_000_000
    return Cost((server.cpu() - before) / count, wall / count)


class Readers:
    """Customers with their orders, and what they ask."""

    def __init__(self, seed: int, *, usual: Sequence[int]) -> None:
        from accounts.authentication import CLIENT, tokens_for
        from accounts.models import User
        from orders.models import Order

        self.random = random.Random(seed)
        self.usual = usual
        last = Order.objects.order_by("-pk").values_list("pk", flat=True)[0]
        places = [self.random.randint(1, last) for _ in range(120)]
        delivered = Order.objects.filter(pk__in=places, status="SUCCEEDED").exclude(customer=1)
        rows = list(delivered.values_list("pk", "customer_id"))
        users = User.objects.in_bulk({customer for _, customer in rows})
        self.people = [(pk, tokens_for(users[customer], door=CLIENT)[0]) for pk, customer in rows]

    def calls(self, kind: str, count: int) -> list[Call]:
        return [self._call(kind) for _ in range(count)]

    def _call(self, kind: str) -> Call:
        order, token = self.random.choice(self.people)
        match kind:
            case "bare":
                return Call("GET", "/bench/bare")
            case "detail":
                return Call("GET", f"/api/v1/orders/{order}", token)
            case "detail/careful":
                return Call("GET", f"/bench/orders/{order}", token)
            case "list":
                return Call("GET", "/api/v1/orders?limit=10", token)
            case "list/careful":
                return Call("GET", "/bench/orders", token)
        first, second = self.random.sample(self.usual, 2)
        items = [{"variant_id": first, "quantity": 2}, {"variant_id": second, "quantity": 1}]
        body = {"items": items, "payment_method": "paystation", "init_payment": False}
        return Call("POST", "/api/v1/orders", token, body)

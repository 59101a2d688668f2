"""Paid orders end to end for minutes: a shop as `./run` starts it, two workers, steady custom.

Each order is placed over HTTP, paid on the gateway's simulated page, called back, verified,
filled from the pool and mailed over SMTP. What counts is the time from the payer's press of the
button to the server that accepted the mail, and the memory of every process meanwhile.
"""

import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final

import psycopg

from bdvoucher.local.client import ShopClient
from bdvoucher.local.environment import TEST_SECRETS, neutral_environment, shop_environment
from bdvoucher.local.nagad_keys import nagad_keys
from bdvoucher.local.places import PROJECT, temporary
from bdvoucher.local.ports import Ports
from bdvoucher.local.servers import local_servers
from bdvoucher.local.stack import Shop
from benchmarks.meter import percentile
from benchmarks.table import Row

Say = Callable[[str], None]
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
EVERY: Final = 5.0
CUSTOMERS: Final = 12
PATIENCE: Final = 120.0
P95: Final = 0.95
FLAT: Final = 1.15
"""A process may end with so many times the memory it had after the first fifth of the run."""
NOISE: Final = 5.0
"""Megabytes that are no growth: Valkey keeps the limits of its last quarter of an hour."""
OUTSIDE: Final = ("simulators",)
"""Keeps a ledger and every mail in memory, as no shop does."""
FILL: Final = """
import sys
from catalog.models import Variant
from vouchers.ciphers import Secret
from vouchers.services import NewCode, import_batch
variant = Variant.objects.get(pk=22405)
for first in range(0, int(sys.argv[1]), 1000):
    import_batch(variant, [NewCode(Secret(f"SUST-{first + n:08d}")) for n in range(1000)],
                 supplier="bench")
"""
ORDER: Final = {
    "items": [{"variant_id": 22405, "quantity": 2}],
    "payment_method": "paystation",
}


def sustained(*, minutes: float, rate: float, say: Say) -> tuple[list[Row], dict[str, Any]]:
    count = max(1, round(minutes * 60 * rate))
    with temporary() as home, local_servers(home=home, given={}, say=say) as servers:
        env = shop_environment(
            given=neutral_environment(), servers=servers.env, ports=(ports := Ports.free()),
            made_secrets={**TEST_SECRETS, **nagad_keys()},
        )  # fmt: skip
        shop = Shop(home=home, env=env | {"LOG_LEVEL": "WARNING"}, ports=ports, say=say)
        pids = [pid for pid in (servers.postgres and servers.postgres.pid,
                                servers.valkey and servers.valkey.pid) if pid]  # fmt: skip
        try:
            shop.start("simulators", wait=False)
            shop.prepare()
            _fill(shop, 2 * count + 1000)
            shop.start_all()
            say(f"{count} orders at {rate:g}/s for {minutes:g} minutes")
            pressed, failed, memory = _drive(shop, pids, count, rate, say)
            told = _times(env["DATABASE_URL"], pressed)
        except BaseException:
            shop.keep_logs()
            raise
        finally:
            shop.stop_all()
    return _rows(pressed, failed, told, memory, rate)


def _fill(shop: Shop, units: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()\n" + FILL, str(units)],
        env=shop.env, cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-1000:])


def _drive(
    shop: Shop, servers: list[int], count: int, rate: float, say: Say
) -> tuple[dict[str, float], list[str], dict[str, list[float]]]:
    """Order number -> when its payer pressed the button; what failed; memory by process."""
    wanted: Queue[int] = Queue()
    pressed: dict[str, float] = {}
    failed: list[str] = []
    threads = [
        threading.Thread(target=_customer, args=(shop, wanted, pressed, failed), daemon=True)
        for _ in range(CUSTOMERS)
    ]
    for thread in threads:
        thread.start()
    memory: dict[str, list[float]] = defaultdict(list)
    began, looked = time.monotonic(), 0.0
    for number in range(count):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        wanted.put(number)
        if time.monotonic() - looked > EVERY:
            looked = time.monotonic()
            for name, size in _memory(shop, servers).items():
                memory[name].append(size)
            if len(memory["web"]) % 12 == 0:
                say(f"{len(pressed)} paid, {wanted.qsize()} waiting, {len(failed)} failed")
    for _ in threads:
        wanted.put(-1)
    for thread in threads:
        thread.join(PATIENCE)
    for name, size in _memory(shop, servers).items():
        memory[name].append(size)
    return pressed, failed, memory


def _customer(
    shop: Shop, wanted: "Queue[int]", pressed: dict[str, float], failed: list[str]
) -> None:
    client = ShopClient(shop.url, shop.simulators_url)
    while True:
        try:
            number = wanted.get(timeout=PATIENCE)
        except Empty:
            return
        if number < 0:
            return
        try:
            placed = client.place_order(ORDER | {"recipient_email": f"b{number}@example.com"})
            at = time.time()
            client.pay(placed["payment"]["paymentGatewayUrl"])
            pressed[placed["order_number"]] = at
        except Exception as exc:  # noqa: BLE001 - counted, and told in the table
            failed.append(f"{type(exc).__name__}: {exc}"[:300])
            client = ShopClient(shop.url, shop.simulators_url)


def _times(database: str, pressed: Mapping[str, float]) -> dict[str, float]:
    """Order number -> seconds until a mail server had its codes; waits for the last ones."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(database, autocommit=True) as connection:
        while True:
            rows = connection.execute(
                "SELECT order_number, extract(epoch FROM email_sent_at)::float8 FROM orders"
                " WHERE order_number = ANY(%s) AND status = 'SUCCEEDED'",
                [list(pressed)],
            ).fetchall()
            if len(rows) == len(pressed) or time.monotonic() > deadline:
                return {number: sent - pressed[number] for number, sent in rows}
            time.sleep(1)


def _memory(shop: Shop, servers: list[int]) -> dict[str, float]:
    """Megabytes of each part's own memory; what is shared (buffers, code) is not its growth."""
    named = {name: child.pid for name, child in shop.children.items() if child.pid}
    named |= dict(zip(("postgres", "valkey"), servers, strict=False))
    return {name: sum(map(_pss, _family(pid))) for name, pid in named.items()}


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _pss(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def _rows(
    pressed: Mapping[str, float],
    failed: list[str],
    told: Mapping[str, float],
    memory: Mapping[str, list[float]],
    rate: float,
) -> tuple[list[Row], dict[str, Any]]:
    took = list(told.values())
    last = max((pressed[number] + seconds for number, seconds in told.items()), default=0.0)
    span = max(1e-9, last - min(pressed.values(), default=0.0))
    p95 = percentile(took, P95) if took else float("inf")
    rows = [
        Row("sustained: paid orders mailed a second", round(len(took) / span, 2), "/s",
            round(min(5.0, rate) * 0.98, 2), 15, at_least=True,
            note=f"asked {rate:g}/s, {len(took)} orders"),
        Row("sustained: p95 from paying to accepted mail", p95, "s", 10, 2),
        Row("sustained: orders not delivered", len(pressed) - len(took), "", 0),
        Row("sustained: requests that failed", len(failed), "", 0, note="; ".join(failed[:1])),
    ]  # fmt: skip
    for name, sizes in memory.items():
        start = sizes[len(sizes) // 5]
        grown = sizes[-1] / max(1.0, start)
        note = f"{start:.0f} to {sizes[-1]:.0f} MB, at most {max(sizes):.0f}"
        small = sizes[-1] - start < NOISE
        must = None if name in OUTSIDE or small else FLAT
        rows.append(Row(f"sustained: memory of {name}, growth", grown, "x", must, note=note))
    figures = {"took": sorted(took), "memory_mb": memory, "failed": failed[:20]}
    return rows, figures

"""A file of very many codes: read and loaded by a worker that is killed in both halves.

`./run prove imports` takes 100,000 rows, as CSV and as XLSX; a run of the suite takes a few
thousand. Said are the seconds, the worker's memory, and what an operator saw of it meanwhile.
"""

import io
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bdvoucher.local.client import ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.backoffice import BackOffice
from tests.telling import FULL, Teller

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1800)]
ROWS = 100_000 if FULL else 6_000
TIMED_ROWS = ROWS if FULL else 1_500
BATCHES = "/api/v1/admin/batches"
AMAZON = 22409
"""Sold from the pool, and nobody else's in these stories."""
MOST_MEGABYTES = 120
"""What the worker may take for it beside what it takes anyway."""


@dataclass
class Written:
    """A supplier's file, and what should become of it."""

    rows: list[tuple[str, str]]
    good: int
    left_out: dict[int, str] = field(default_factory=dict)

    def csv(self) -> bytes:
        lines = [f"{code},{pin}" for code, pin in self.rows]
        return "\n".join(["code,pin", *lines, ""]).encode()

    def xlsx(self) -> bytes:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in (("code", "pin"), *self.rows):
            sheet.append(row)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()


def written(count: int) -> Written:
    """Codes with leading zeros; one row in a hundred has none, one in a hundred stands twice."""
    lot = uuid.uuid4().hex[:6].upper()
    file = Written([], count)
    for number in range(count):
        code, pin = f"000{lot}-{number:07d}", f"{number % 10000:04d}"
        if number % 100 == 50:
            code, outcome = "", "error"
        elif number % 100 == 99:
            code, outcome = file.rows[number - 1][0], "double"
        else:
            outcome = ""
        file.rows.append((code, pin))
        if outcome:
            file.left_out[number + 2] = outcome
    file.good = count - len(file.left_out)
    return file


def megabytes(pid: int, what: str) -> float:
    """Of a process: `VmRSS` now, `VmHWM` at most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no {what}")


def processes_of(pid: int) -> Iterator[int]:
    """A worker and the processes it forked."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from processes_of(int(child))


class Import:
    """One import, watched as an operator's page does."""

    def __init__(self, client: ShopClient, name: str, content: bytes) -> None:
        self.client, self.office = client, BackOffice(client)
        self.office.post(
            "/admin/vouchers/batch/import/",
            (name, content),
            variant=str(AMAZON),
            supplier="Acme Vouchers",
        )
        self.id = client.admin("GET", BATCHES)["data"]["items"][0]["id"]
        self.page = f"/admin/vouchers/batch/{self.id}"
        self.seen: list[tuple[str, int, int]] = []

    def look(self) -> dict[str, Any]:
        answer = self.office.session.get(f"{self.client.url}{self.page}/progress", timeout=20)
        now: dict[str, Any] = answer.json()
        told = (now["status"], now["read"], now["loaded"])
        if not self.seen or self.seen[-1] != told:
            self.seen.append(told)
        return now

    def until(self, figure: str, least: int) -> dict[str, Any]:
        return self.client.until(
            self.look, lambda now: now[figure] >= least, f"{figure} of {least}", seconds=600
        )

    def until_status(self, status: str) -> dict[str, Any]:
        return self.client.until(
            self.look, lambda now: now["status"] == status, status, seconds=600
        )

    def confirm(self) -> None:
        self.office.press(f"{self.page}/change/", "confirm")

    def report(self) -> dict[int, str]:
        """Row -> outcome, as the operator downloads it."""
        lines = self.office.get(f"{self.page}/report").lstrip("\ufeff").splitlines()[1:]
        return {int(line.split(",")[0]): line.split(",")[1] for line in lines}

    def voucher_masks(self) -> list[str]:
        lines = self.office.get(f"{self.page}/codes").lstrip("\ufeff").splitlines()[1:]
        return [line.split(",")[1] for line in lines]


def kill_at(shop: Shop, job: Import, figure: str) -> int:
    """`kill -9` once a part is done; how far it was."""
    job.until(figure, ROWS // 4 if FULL else 1)
    shop.kill("worker")
    at = int(job.look()[figure])
    shop.start("worker")
    return at


def test_a_big_file_survives_its_worker(shop: Shop, client: ShopClient, tell: Teller) -> None:
    file = written(ROWS)
    job = Import(client, "big.csv", file.csv())

    read_at = kill_at(shop, job, "read") if FULL else 0  # a few thousand are read in no time
    ready = job.until_status("READY")
    assert (ready["read"], ready["good"]) == (ROWS, file.good)
    job.confirm()
    loaded_at = kill_at(shop, job, "loaded")
    done = job.until_status("DONE")

    assert read_at < ROWS, "it was read before it could be killed"
    assert 0 < loaded_at < file.good, "it was loaded before it could be killed"
    assert (done["loaded"], done["rows"]) == (file.good, file.good)
    assert job.report() == file.left_out
    assert len(job.voucher_masks()) == file.good
    figures = [read for _, read, _ in job.seen]
    assert figures == sorted(figures)
    assert len({loaded for _, _, loaded in job.seen}) > ROWS // 5000, "no progress was seen"
    tell.figure(
        f"{ROWS:,} rows as CSV, worker killed at row {read_at:,} read and {loaded_at:,} loaded: "
        f"{done['rows']:,} codes once each, {len(file.left_out):,} left out with their reason"
    )


@pytest.mark.parametrize("form", ["csv", "xlsx"] if FULL else ["xlsx"])
def test_what_a_big_file_takes(shop: Shop, client: ShopClient, tell: Teller, form: str) -> None:
    file = written(TIMED_ROWS)
    content = file.csv() if form == "csv" else file.xlsx()
    shop.restart("worker")
    before = {pid: megabytes(pid, "VmRSS") for pid in processes_of(shop.children["worker"].pid)}
    begun = time.monotonic()
    job = Import(client, f"big.{form}", content)
    job.until_status("READY")
    read = time.monotonic()
    job.confirm()
    done = job.until_status("DONE")
    ended = time.monotonic()

    assert done["rows"] == file.good
    peaks = {pid: megabytes(pid, "VmHWM") for pid in processes_of(shop.children["worker"].pid)}
    grown = max(peak - before.get(pid, peak) for pid, peak in peaks.items())
    assert grown < MOST_MEGABYTES
    tell.figure(
        f"{TIMED_ROWS:,} rows as {form.upper()} ({len(content) / 1e6:.1f} MB): read in "
        f"{read - begun:.1f} s, loaded in {ended - read:.1f} s; "
        f"worker {max(peaks.values()):.0f} MB at most, {grown:.0f} MB of it for the import; "
        f"{len(job.seen)} steps of progress seen"
    )

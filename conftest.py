"""What the whole suite shares."""

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

BROWSER_TESTS = Path(__file__).parent / "tests" / "browser"
JOURNEYS, BROWSER = "tests/journeys/", "tests/browser/"
#: The journeys are told on two shops, this one and what follows it on the second.
SECOND_SHOP = f"{JOURNEYS}test_n"
LONGEST = (JOURNEYS, "tests/test_generated_requests.py", "tests/proofs/", BROWSER)


def no_browser() -> str:
    """Why the browser tests can't run on this machine; empty where they can."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed: BDV_DEV=1 ./run test installs it"
    if shutil.which("chromium") is None:
        return "there is no Chromium: apt-get install chromium"
    return ""


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path == BROWSER_TESTS and no_browser() else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was left out is said, so that nobody takes silence for a pass."""
    if reason := no_browser():
        terminalreporter.write_line(f"The browser tests were left out: {reason}.")
    tell_figures(terminalreporter)
    if cells := matrix_cells(terminalreporter):
        from payments.tests.matrix import table  # needs Django

        terminalreporter.section("gateway x misbehaviour")
        for line in table(cells):
            terminalreporter.write_line(line)
    if cells := matrix_cells(terminalreporter, "partner_matrix"):
        from fulfillment.tests.matrix import table as partners_table

        terminalreporter.section("partner x fault")
        for line in partners_table(cells):
            terminalreporter.write_line(line)


def tell_figures(terminalreporter: pytest.TerminalReporter) -> None:
    """What the proofs counted, from all workers; `./run prove` makes its table of it."""
    ran = [
        report for each in ("passed", "failed") for report in terminalreporter.stats.get(each, [])
    ]
    calls = [report for report in ran if getattr(report, "when", "") == "call"]
    said = [
        str(value) for report in calls for name, value in report.user_properties if name == "figure"
    ]
    if said:
        terminalreporter.section("figures")
        for line in said:
            terminalreporter.write_line(line)
    if where := os.environ.get("PROVE_FIGURES"):
        passed = sum(report.passed for report in calls)
        Path(where).write_text(json.dumps([f"{passed} of {len(calls)} tests passed", *said]))


def matrix_cells(
    terminalreporter: pytest.TerminalReporter, matrix: str = "matrix"
) -> list[tuple[str, str, str]]:
    """What the tests of one matrix recorded, from all workers."""
    cells = []
    for outcome, word in (("passed", "ok"), ("failed", "FAILED")):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", []):
                if name == matrix:
                    misbehaviour, provider, text = value
                    said = text if outcome == "passed" else ""
                    cells.append((misbehaviour, provider, said or word))
    return cells


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What mostly waits begins first, so that nothing long is left over at the end."""
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(nodeid: str) -> int:
    return next((turn for turn, place in enumerate(LONGEST) if nodeid.startswith(place)), 99)


class SharedPlaces(LoadScopeScheduling):
    """What shares something dear goes to one worker: journeys a running shop, browser tests a
    browser, a file what its fixtures start."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(JOURNEYS):
            return f"{JOURNEYS}{nodeid >= SECOND_SHOP}"
        return BROWSER if nodeid.startswith(BROWSER) else nodeid.split("::", maxsplit=1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    config.option.loadscopereorder = False  # the order is ours
    return SharedPlaces(config, log)

"""What the whole suite shares."""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest

BROWSER_TESTS = Path(__file__).parent / "tests" / "browser"
JOURNEYS = Path(__file__).parent / "tests" / "journeys"


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


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys share one running shop, browser tests one browser: each on one worker."""
    for item in items:
        for folder in (JOURNEYS, BROWSER_TESTS):
            if folder in item.path.parents:
                item.add_marker(pytest.mark.xdist_group(folder.name))

"""The guides in docs/api are true: their blocks are run in order, and answer what they show."""

import os
import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise

import pytest

from bdvoucher.local.places import PROJECT
from bdvoucher.local.stack import Shop
from tests.journeys.conftest import QUICK

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

GUIDES = PROJECT / "docs" / "api"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "---- end of block ----"


@pytest.fixture(scope="module")
def calm_shop() -> Iterator[Shop]:
    """What a person meets takes as long as in a real shop; only the sweeps come sooner."""
    plan = {name: value for name, value in QUICK.items() if name.startswith(("SWEEP", "LOOKUP"))}
    with Shop.fresh(extra_env=plan) as shop:
        yield shop


def blocks_of(guide: str) -> list[tuple[str, str]]:
    """Each shell block with the output shown right after it, or with none."""
    found = [*BLOCK.findall((GUIDES / guide).read_text()), ("", "")]
    return [
        (body, shown if kind == "text" else "")
        for (language, body), (kind, shown) in pairwise(found)
        if language == "sh"
    ]


def told(shown: str) -> re.Pattern[str]:
    lines = (re.escape(line).replace(r"\.\.\.", ".*?") for line in shown.strip().splitlines())
    return re.compile(r"\r?\n".join(lines), re.DOTALL)


@pytest.mark.parametrize("guide", ["README.md", "operators.md"])
def test_the_guide_does_what_it_says(calm_shop: Shop, guide: str, tmp_path) -> None:
    blocks = blocks_of(guide)
    assert len(blocks) >= 7
    script = f"\necho '{MARK}'\n".join(body for body, _ in blocks)
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "SHOP": calm_shop.url, "SIMULATORS": calm_shop.simulators_url},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    outputs = done.stdout.split(f"{MARK}\n")
    for (body, shown), output in zip(blocks, outputs, strict=False):
        assert told(shown).fullmatch(output.strip()), f"{body}\nsaid:\n{output}\n{done.stderr}"
    assert (done.returncode, done.stderr) == (0, ""), outputs[-1]
    assert len(outputs) == len(blocks)


def test_what_is_shown_is_compared() -> None:
    assert told("a...c\n2").fullmatch("abc\n2")
    assert not told("a...c\n2").fullmatch("abc\n3")
    assert not told("").fullmatch("something")

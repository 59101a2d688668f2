"""docs/security.md: every row is proved by a test that is there, or says that it is open."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

PROJECT = Path(settings.BASE_DIR)
TEXT = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall(TEXT)
NAMED = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")
WORDS = ("met", "open", "in part", "by hosting", "not ours")


def names_in(path):
    tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_table_is_long_and_no_row_stands_twice():
    numbers = [row[0] for row in ROWS]
    assert len(numbers) > 80
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_is_proved_or_says_that_it_is_not(row):
    number, _, standing, proof = row
    assert standing.strip() in WORDS, number
    named = NAMED.findall(proof)
    for path, name in named:
        assert (PROJECT / path).exists(), f"{number}: no {path}"
        if name:
            assert name in names_in(path), f"{number}: no {name} in {path}"
    if standing.strip() == "met":
        assert any("test" in Path(path).name for path, _ in named) or "`./run check`" in proof, (
            number
        )
    else:
        assert len(proof.strip()) > 20, f"{number}: say what is missing"

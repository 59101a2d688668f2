"""The table of codes in docs/domain/loyalty.md: every code is in it, and is provoked over HTTP."""

import re
from pathlib import Path

from django.conf import settings

from loyalty.refusals import STATUS

PAGE = Path(settings.BASE_DIR) / "docs" / "domain" / "loyalty.md"
TESTS = Path(__file__).with_name("test_refusals.py")
ROW = re.compile(r"^\| ((?:NN|TC|AF)\d+) \| (\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)


def test_every_code_has_its_rows_and_its_http_status():
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert {(code, int(http)) for code, http, _, _ in rows} == set(STATUS.items())
    assert len(rows) >= 18


def test_every_code_is_provoked_by_a_request():
    said = TESTS.read_text(encoding="utf-8")
    assert [code for code in STATUS if f'"{code}"' not in said] == []


def test_the_eight_messages_of_nn1001_are_provoked_word_for_word():
    said = TESTS.read_text(encoding="utf-8")
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    words = [m.strip("`") for code, _, m, _ in rows if code == "NN1001" and m.startswith("`")]
    assert len(words) == 8
    assert [each for each in words if each.replace("xxxx", "{wanted}") not in said] == []

"""Codes pasted for one order: dealt out to its items, and no line lost on the way."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from vouchers.pasting import read_pasted
from vouchers.tests.mails import MAILS

LABELS = {1: ("Free Fire Diamonds", "100 Diamonds"), 2: ("Steam Wallet", "BDT 500")}
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def read(text, owed=None):
    return read_pasted(text, owed=owed or {1: 2, 2: 1}, labels=LABELS, now=NOW)


@pytest.mark.parametrize(
    ("text", "one", "two", "over"),
    [
        ("AAAA-1111\nBBBB-2222 | 9999\nCCCC-3333", ["AAAA-1111", "BBBB-2222 | 9999"],
         ["CCCC-3333"], 0),
        ("code,pin\nAAAA-1111,7\nBBBB-2222,", ["AAAA-1111 | 7", "BBBB-2222"], [], 0),
        ("item;code\nSteam Wallet;S-11111\n100 Diamonds;D-2222", ["D-2222"], ["S-11111"], 0),
        ("Steam Wallet BDT 500:\nS-11111\nFree Fire Diamonds 100 Diamonds\n* D-22222\n* D-33333",
         ["D-22222", "D-33333"], ["S-11111"], 0),
        ("Free Fire Diamonds - 100 Diamonds: D-22222\nSteam Wallet | S-11111", ["D-22222"],
         ["S-11111"], 0),
        ("Thank you, 2 of 3.\nVoucher code: WXYZ-9999\nPIN: 1234", ["WXYZ-9999 | 1234"], [], 0),
        ("https://redeem.example/x?y=1", ["https://redeem.example/x?y=1"], [], 0),
        ("A1111\nB2222\nC3333\nD4444\nE5555", ["A1111", "B2222"], ["C3333"], 2),
        ("6363 8812 0042 9917", ["6363 8812 0042 9917"], [], 0),
        ("Code: X100-DIAM-0500\nCall 01712345678\n01712345678", ["X100-DIAM-0500"], [], 0),
        ("nothing here\nat all", [], [], 0),
    ],
)  # fmt: skip
def test_what_is_pasted(text, one, two, over):
    pasted = read(text)
    assert [each.line for each in pasted.codes.get(1, [])] == one
    assert [each.line for each in pasted.codes.get(2, [])] == two
    assert len(pasted.left_over) == over


def test_what_is_no_good_says_why():
    pasted = read("code,expiry\nAAAA-1111,2020-01-31\n,2027-01-01")
    assert pasted.count == 0
    assert pasted.ignored == [
        "AAAA-1111,2020-01-31 (It expired on 31 Jan 2020.)", ",2027-01-01 (There is no code.)"
    ]  # fmt: skip


@pytest.mark.parametrize("shape", MAILS)
def test_a_mail_is_read_as_an_import_reads_it(shape):
    text, wanted, _ = MAILS[shape]
    pasted = read(text, {1: 99})
    found = [(each.code, each.pin) for each in (*pasted.codes.get(1, []), *pasted.left_over)]
    assert [code for code in wanted if code[0] and code not in found] == []


@given(st.text(alphabet=st.sampled_from("AB12- :PINcode\n>.|,#100Diamonds"), max_size=200))
def test_a_line_that_is_not_understood_is_shown(text):
    pasted = read(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert all(any(line in said for line in lines) for said in pasted.ignored if "(" not in said)
    assert pasted.count + len(pasted.ignored) <= len(lines) + 1

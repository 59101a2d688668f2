"""Codes at rest: sealed, found by fingerprint, masked (D20, D34)."""

import pytest

from vouchers.ciphers import (
    Secret,
    Unreadable,
    fingerprint,
    mask,
    normalised,
    seal,
    seal_secret,
    unseal,
    unseal_secret,
    words_of,
)

SECRET = Secret("ABCD-1234-EFGH", "9999", "https://redeem.example/x")


def test_what_is_sealed_opens_again_and_shows_nothing():
    sealed = seal_secret(SECRET)
    assert unseal_secret(sealed) == SECRET
    assert unseal_secret(memoryview(sealed)) == SECRET
    assert seal_secret(SECRET) != sealed
    for plain in (b"ABCD", b"9999", b"redeem"):
        assert plain not in sealed
    assert "ABCD" not in repr(SECRET)
    assert "9999" not in repr(SECRET)


def test_the_ring_turns_and_old_rows_stay_readable(settings):
    settings.CODE_KEYS = {"k1": b"1" * 32}
    old, print_before = seal_secret(SECRET), fingerprint("ABCD")
    settings.CODE_KEYS = {"k2": b"2" * 32, "k1": b"1" * 32}
    assert seal_secret(SECRET).startswith(b"k2:")
    assert unseal_secret(old) == SECRET
    assert fingerprint("ABCD") == print_before
    settings.CODE_KEYS = {"k2": b"2" * 32}
    with pytest.raises(Unreadable):
        unseal_secret(old)


def test_what_was_changed_or_moved_does_not_open():
    sealed = seal_secret(SECRET)
    for broken in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:10], b"", b"nokey:" + sealed):
        with pytest.raises(Unreadable):
            unseal_secret(broken)
    attempt = seal(["x"], context="attempt")
    assert unseal(attempt, context="attempt") == ["x"]
    with pytest.raises(Unreadable):
        unseal(attempt, context="voucher")


@pytest.mark.parametrize(
    "spelling",
    [
        "ABCD-1234",
        "abcd-1234",
        "  ABCD - 1234 ",
        "ABCD\u00a0-\u200b1234",
        "ＡＢＣＤ-１２３４",
        "ABCD-1234\n",
    ],
)
def test_spellings_of_one_code_are_equal(spelling):
    assert normalised(spelling) == "abcd-1234"
    assert fingerprint(spelling) == fingerprint("ABCD-1234")


@pytest.mark.parametrize("other", ["ABCD1234", "ABCD-1235", "ABCD-12345", "0ABCD-1234"])
def test_other_codes_differ(other):
    assert fingerprint(other) != fingerprint("ABCD-1234")


def test_a_fingerprint_is_keyed(settings):
    before = fingerprint("ABCD-1234")
    settings.CODE_FINGERPRINT_KEY = b"3" * 32
    assert fingerprint("ABCD-1234") != before
    assert len(before) == 32


def test_groups_of_three_and_more_are_words():
    assert words_of("AB-CDE-1234") == words_of("cde 1234 ab")
    assert len(words_of("AB-CDE-1234")) == 2
    assert set(words_of("CDE")) < set(words_of("AB-CDE-1234"))


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("ABCD-1234-EFGH-5678", "••••5678"), ("abcd-1234", "••••1234"), ("12345678", "••••"),
        ("1", "••••"), ("", "••••"),
    ],
)  # fmt: skip
def test_a_mask_shows_the_end_of_long_codes_alone(code, shown):
    assert mask(code) == shown

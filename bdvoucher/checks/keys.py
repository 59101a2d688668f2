"""Keys that sign and seal: long enough, each for one thing only."""

import os
from collections.abc import Iterator, Mapping
from typing import Final

from django.conf import settings
from django.core.checks import CheckMessage

from bdvoucher.checks.messages import MAKE_KEY, MAKE_TEXT, error

KEY_BYTES: Final = 32
SECRET_LENGTH: Final = 50
JWT_LENGTH: Final = 32


def signing_keys() -> Iterator[CheckMessage]:
    secret, jwt = settings.SECRET_KEY, settings.JWT_SIGNING_KEY
    if len(secret) < SECRET_LENGTH:
        yield error(
            1,
            f"SECRET_KEY has {len(secret)} characters, fewer than {SECRET_LENGTH}.",
            f"Set SECRET_KEY to a random text: {MAKE_TEXT}",
        )
    if not jwt:
        yield error(
            2,
            "There is no JWT_SIGNING_KEY, so anybody could sign an access token.",
            f"Set JWT_SIGNING_KEY to a random text: {MAKE_TEXT}",
        )
    elif len(jwt.encode()) < JWT_LENGTH:
        yield error(
            3,
            f"JWT_SIGNING_KEY is shorter than the {JWT_LENGTH} bytes that HS256 needs.",
            f"Set JWT_SIGNING_KEY to a longer random text: {MAKE_TEXT}",
        )
    elif jwt == secret:
        yield error(
            4,
            "JWT_SIGNING_KEY is the same as SECRET_KEY: neither could be changed alone.",
            f"Set JWT_SIGNING_KEY to a random text of its own: {MAKE_TEXT}",
        )
    if settings.SIMPLE_JWT.get("SIGNING_KEY") != jwt:
        yield error(
            5,
            "Tokens are signed with another key than JWT_SIGNING_KEY.",
            "Let SIMPLE_JWT['SIGNING_KEY'] be JWT_SIGNING_KEY.",
        )


def code_keys() -> Iterator[CheckMessage]:
    ring: Mapping[str, bytes] = settings.CODE_KEYS
    own: bytes = settings.CODE_FINGERPRINT_KEY
    form = f"CODE_KEYS is `name:key,...`, newest first; a key: {MAKE_KEY}"
    if not ring:
        yield error(10, "The key ring is empty: no voucher code can be sealed or read.", form)
    for name, key in ring.items():
        if not name or len(key) != KEY_BYTES:
            yield error(
                11,
                f"Key {name[:8]!r} of the ring has {len(key)} bytes or no name; "
                f"it must have {KEY_BYTES} bytes and a name.",
                form,
            )
    if len(set(ring.values())) < len(ring) or _names_given_twice():
        yield error(
            12,
            "A name or a key stands on the ring twice.",
            "Give every key of CODE_KEYS a name of its own; a key that was taken off the ring "
            "leaves the codes sealed with it unreadable.",
        )
    if len(own) != KEY_BYTES:
        yield error(
            13,
            f"The fingerprint key has {len(own)} bytes instead of {KEY_BYTES}.",
            f"Set CODE_FINGERPRINT_KEY, once and for ever: {MAKE_KEY}",
        )
    elif own in ring.values():
        yield error(
            14,
            "The fingerprint key is also a key of the ring, and would turn with it.",
            "Set CODE_FINGERPRINT_KEY to a key that is not in CODE_KEYS.",
        )


def _names_given_twice() -> bool:
    """The parsed ring keeps the last of two keys of one name, so the variable itself is read."""
    entries = os.environ.get("CODE_KEYS", "").split(",")
    names = [entry.partition(":")[0].strip() for entry in entries if entry.strip()]
    return len(set(names)) < len(names)

"""The only module that sees codes in both forms: sealed at rest, open in memory (D20, ADR 0008).

Sealing is AES-256-GCM under a key ring; what is sealed names its key, so that the ring can
turn while old rows stay readable. Fingerprints are HMAC-SHA256 under a key of their own,
which the ring's rotation leaves alone: uniqueness and exact search go on through it.
"""

import hashlib
import hmac
import json
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES: Final = 12
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_GROUP: Final = re.compile(r"[^\W_]{3,}")
_SHOWN: Final = 4


class Unreadable(Exception):  # noqa: N818
    """A sealed value does not open: its key is not on the ring, or it was changed."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What a customer pays for."""

    code: str = field(repr=False)
    pin: str = field(default="", repr=False)
    redemption_url: str = field(default="", repr=False)


def seal(value: Mapping[str, Any] | list[Any], *, context: str) -> bytes:
    """`<key name>:<nonce><ciphertext>`; `context` ties it to its kind of place."""
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return seal_bytes(plain, context=context)


def seal_bytes(plain: bytes, *, context: str) -> bytes:
    """As `seal`, for what is no JSON: a supplier's file."""
    name, key = next(iter(settings.CODE_KEYS.items()))
    nonce = os.urandom(_NONCE_BYTES)
    return name.encode() + b":" + nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def unseal(sealed: bytes | memoryview, *, context: str) -> Any:
    """What was sealed.

    Raises:
        Unreadable: unknown key, or not what we wrote for this context.
    """
    return json.loads(unseal_bytes(sealed, context=context))


def unseal_bytes(sealed: bytes | memoryview, *, context: str) -> bytes:
    """What `seal_bytes` sealed; raises as `unseal` does."""
    name, _, rest = bytes(sealed).partition(b":")
    try:
        key = settings.CODE_KEYS[name.decode()]
        return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], context.encode())
    except (KeyError, InvalidTag, ValueError) as exc:
        raise Unreadable(f"key {name[:20]!r} is not on the ring, or the value was changed") from exc


def resealed(sealed: bytes | memoryview, *, context: str) -> bytes:
    """The same value under the newest key of the ring.

    Raises:
        Unreadable: see `unseal`.
    """
    return seal_bytes(unseal_bytes(sealed, context=context), context=context)


def seal_secret(secret: Secret) -> bytes:
    return seal([secret.code, secret.pin, secret.redemption_url], context="voucher")


def unseal_secret(sealed: bytes | memoryview) -> Secret:
    return Secret(*unseal(sealed, context="voucher"))


def normalised(code: str) -> str:
    """One spelling for codes that are the same: NFKC, nothing invisible, case folded (D34)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", code).casefold())
    return "".join(char for char in folded if unicodedata.category(char) not in _INVISIBLE)


def fingerprint(code: str) -> bytes:
    """Keyed digest of the normalised code: equal for two spellings, useless to a thief."""
    return _digest("code", normalised(code))


def file_digest(content: bytes) -> str:
    """Keyed, since a file of one code would be guessed from a plain digest."""
    digest = hashlib.sha256(content).hexdigest()
    return _digest("file", digest).hex()


def words_of(code: str) -> list[bytes]:
    """Keyed digests of the code's groups, so that a customer finds it by a part of it."""
    folded = unicodedata.normalize("NFKC", code).casefold()
    return sorted({_digest("word", group) for group in _GROUP.findall(folded)})


def mask(code: str) -> str:
    """What staff see: the last four characters of a code long enough to keep its secret."""
    bare = normalised(code).upper()
    return f"••••{bare[-_SHOWN:]}" if len(bare) > 2 * _SHOWN else "••••"


def _digest(kind: str, text: str) -> bytes:
    message = f"{kind}\0{text}".encode()
    return hmac.new(settings.CODE_FINGERPRINT_KEY, message, hashlib.sha256).digest()

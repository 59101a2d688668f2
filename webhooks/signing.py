"""Secrets of endpoints, sealed at rest, and the signature that each notice carries (8.2)."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from vouchers.ciphers import seal_bytes, unseal_bytes

SIGNATURE: Final = "X-BDV-Signature"
FORMER: Final = "X-BDV-Signature-Former"
TIMESTAMP: Final = "X-BDV-Timestamp"
PREFIX: Final = "whsec_"


class Keeper(Protocol):
    public_id: uuid.UUID
    secret: bytes | memoryview
    former_secret: bytes | memoryview
    former_until: datetime | None


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def sealed(public_id: uuid.UUID, secret: str) -> bytes:
    return seal_bytes(secret.encode(), context=_context(public_id))


def signature(secret: bytes, body: bytes) -> str:
    """Of the raw body only, as the contract says; the time stands in a header of its own."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def headers(keeper: Keeper, body: bytes, *, now: datetime) -> Mapping[str, str]:
    """What proves that a notice is ours.

    Raises:
        Unreadable: the secret's key is not on the ring.
    """
    proofs = {
        SIGNATURE: signature(_open(keeper.public_id, keeper.secret), body),
        TIMESTAMP: str(int(now.timestamp())),
    }
    if keeper.former_until is not None and keeper.former_until > now and keeper.former_secret:
        proofs[FORMER] = signature(_open(keeper.public_id, keeper.former_secret), body)
    return proofs


def _open(public_id: uuid.UUID, value: bytes | memoryview) -> bytes:
    return unseal_bytes(value, context=_context(public_id))


def _context(public_id: uuid.UUID) -> str:
    return f"webhook:{public_id}"

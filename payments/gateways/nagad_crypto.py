"""Nagad's cryptography (contract page nagad, section 2): RSA PKCS#1 v1.5, SHA-256, base64.

A text is built once; the same bytes are encrypted and signed. What comes in counts only if the
signature is Nagad's over the very bytes that were decrypted: decryption alone proves nothing,
since a wrong key may yield random bytes instead of an error.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from core.providers import Misconfigured

SLUG: Final = "nagad"
BITS: Final = 2048
#: Block of a 2048-bit key less the padding (section 2, "Size limit").
LONGEST: Final = BITS // 8 - 11


class BadSeal(Exception):  # noqa: N818 - named for what happened
    """It was not encrypted for us, or Nagad has not signed it, or it is no object."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Our private key, which reads and signs; Nagad's public one, which writes and proves."""

    ours: RSAPrivateKey = field(repr=False)
    theirs: RSAPublicKey = field(repr=False)

    @classmethod
    def read(cls, private: str, public: str) -> Self:
        """From the texts of `NAGAD_MERCHANT_PRIVATE_KEY` and `NAGAD_GATEWAY_PUBLIC_KEY`.

        Raises:
            Misconfigured: one can't be read, or both are of one pair; the message names it.
        """
        ours, theirs = _private(private), _public(public)
        if ours.public_key().public_numbers() == theirs.public_numbers():
            message = "NAGAD_GATEWAY_PUBLIC_KEY is our own public key; Nagad's is wanted"
            raise Misconfigured(SLUG, message)
        return cls(ours, theirs)

    def seal(self, members: Mapping[str, str]) -> tuple[str, str]:
        """`sensitiveData` and `signature` of an object, its members in the order given.

        Raises:
            ValueError: it is longer than one block.
        """
        text = plaintext(members)
        if len(text) > LONGEST:
            raise ValueError(f"{len(text)} bytes are more than the {LONGEST} of one block")
        sealed = self.theirs.encrypt(text, PKCS1v15())
        signature = self.ours.sign(text, PKCS1v15(), SHA256())
        return base64.b64encode(sealed).decode(), base64.b64encode(signature).decode()

    def opened(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The object in an answer's `sensitiveData`, proved by its `signature`.

        Raises:
            BadSeal: nothing in it may be believed.
        """
        try:
            text = self.ours.decrypt(_bytes(body.get("sensitiveData")), PKCS1v15())
            self.theirs.verify(_bytes(body.get("signature")), text, PKCS1v15(), SHA256())
            value = json.loads(text)
        except (InvalidSignature, ValueError, RecursionError) as exc:
            raise BadSeal("not encrypted for us, or not signed by Nagad") from exc
        if not isinstance(value, dict):
            raise BadSeal("no object")
        return value


def plaintext(members: Mapping[str, str]) -> bytes:
    return json.dumps(dict(members), separators=(",", ":")).encode()


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("no text")  # noqa: TRY004 - one kind of error for all that is unreadable
    return base64.b64decode("".join(text.split()), validate=True)


def _der(text: str) -> bytes:
    """Bare base64 as the portal shows it, or PEM of any name, also with `\\n` written out."""
    bare = re.sub(r"-----[A-Z ]+-----|\s|\\n", "", text)
    return base64.b64decode(bare, validate=True)


@lru_cache(maxsize=4)  # checking a private key takes longer than using it
def _private(text: str) -> RSAPrivateKey:
    name = "NAGAD_MERCHANT_PRIVATE_KEY"
    try:
        key = load_der_private_key(_der(text), password=None)  # PKCS#8 or PKCS#1
    except (ValueError, TypeError):
        # No cause: its message may quote the key.
        raise Misconfigured(SLUG, f"{name} can't be read as a private key in base64") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < BITS:
        raise Misconfigured(SLUG, f"{name} is no RSA key of {BITS} bits")
    return key


@lru_cache(maxsize=4)
def _public(text: str) -> RSAPublicKey:
    name = "NAGAD_GATEWAY_PUBLIC_KEY"
    try:
        key = load_der_public_key(_der(text))
    except (ValueError, TypeError):
        raise Misconfigured(SLUG, f"{name} can't be read as a public key in base64") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < BITS:
        raise Misconfigured(SLUG, f"{name} is no RSA key of {BITS} bits")
    return key

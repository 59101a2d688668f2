"""Who can read what, and who has signed it: RSA, PKCS#1 v1.5, SHA-256, base64 around both."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulators.frame.http import JsonObject
from simulators.frame.service import Environment

BITS: Final = 2048
KEPT: Final = "nagad-keys"
"""Beside the ledger in the state folder, so that a reset leaves the keys as they are."""


class KeyRefused(ValueError):  # noqa: N818 - named for what happened, like Refusal
    """That text is no RSA key."""


class Unreadable(ValueError):  # noqa: N818
    """It was not encrypted for us, or holds no JSON object."""


class BadSignature(ValueError):  # noqa: N818
    """Somebody else has signed, or another text, or in another way."""


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=BITS)


def private_key(text: str) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_der_private_key(base64.b64decode(text, validate=True), None)
    except (ValueError, TypeError) as exc:
        raise KeyRefused("That is no private key in base64.") from exc
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyRefused("That is no RSA key.")
    return key


def public_key(text: str) -> rsa.RSAPublicKey:
    try:
        key = serialization.load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, TypeError) as exc:
        raise KeyRefused("That is no public key in base64.") from exc
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyRefused("That is no RSA key.")
    return key


def private_text(key: rsa.RSAPrivateKey) -> str:
    """Bare base64 of PKCS#8, as the portal shows it."""
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(der).decode()


def public_text(key: rsa.RSAPublicKey) -> str:
    """Bare base64 of the SubjectPublicKeyInfo, as the portal shows it."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def encrypt(text: bytes, reader: rsa.RSAPublicKey) -> str:
    return base64.b64encode(reader.encrypt(text, padding.PKCS1v15())).decode()


def sign(text: bytes, signer: rsa.RSAPrivateKey, *, sha1: bool = False) -> str:
    digest = hashes.SHA1() if sha1 else hashes.SHA256()  # noqa: S303 - to be refused by the merchant
    return base64.b64encode(signer.sign(text, padding.PKCS1v15(), digest)).decode()


def opened(
    sealed: object, signature: object, reader: rsa.RSAPrivateKey, signer: rsa.RSAPublicKey
) -> tuple[bytes, JsonObject]:
    """The very bytes that were encrypted and signed, and the object in them.

    Raises:
        Unreadable: not for us. A wrong padding or key may decrypt to random bytes; those are
            no JSON.
        BadSignature: not of the merchant over exactly these bytes.
    """
    try:
        text = reader.decrypt(_bytes(sealed), padding.PKCS1v15())
        value = json.loads(text)
    except ValueError as exc:
        raise Unreadable("It cannot be decrypted.") from exc
    if not isinstance(value, dict):
        raise Unreadable("It is no object.")
    try:
        signer.verify(_bytes(signature), text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError) as exc:
        raise BadSignature("The signature does not match.") from exc
    return text, value


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise Unreadable("It is no text.")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise Unreadable("It is no base64.") from exc


@dataclass
class KeyRing:
    """The gateway's own pair, and the public key of each merchant."""

    own: rsa.RSAPrivateKey
    merchants: dict[str, rsa.RSAPublicKey]

    @classmethod
    def of(cls, environment: Environment) -> KeyRing:
        """The pair of the environment, else the one kept in the state folder, else a new one."""
        kept = str((environment.store.read(KEPT) or {}).get("private_key", ""))
        known = environment.get("NAGAD_SIMULATOR_PRIVATE_KEY", kept)
        own = private_key(known) if known else new_key()
        text = json.dumps({"private_key": private_text(own)})
        environment.store.register(KEPT, lambda: text)
        environment.store.touch(KEPT)
        return cls(own, cls.uploaded(environment))

    @staticmethod
    def uploaded(environment: Environment) -> dict[str, rsa.RSAPublicKey]:
        """The shop's own key, as if it had been uploaded in the portal: its public half alone."""
        merchant = environment.get("NAGAD_MERCHANT_ID", "683002007104225")
        private = environment.get("NAGAD_MERCHANT_PRIVATE_KEY", "")
        return {merchant: private_key(private).public_key()} if private else {}

    def as_json(self) -> JsonObject:
        return {
            "gateway_public_key": public_text(self.own.public_key()),
            "merchants": {name: public_text(key) for name, key in self.merchants.items()},
        }

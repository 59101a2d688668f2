"""The two RSA pairs of a demo shop and its Nagad: made for each shop, never kept in the source."""

import base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

MERCHANT: Final = "NAGAD_MERCHANT_PRIVATE_KEY"
GATEWAY: Final = "NAGAD_GATEWAY_PUBLIC_KEY"
SIMULATOR: Final = "NAGAD_SIMULATOR_PRIVATE_KEY"
"""The other half of the gateway's pair; nobody but the simulator reads it."""
NAGAD_KEYS: Final = (MERCHANT, GATEWAY, SIMULATOR)


def nagad_keys() -> dict[str, str]:
    """All of them together, as bare base64: one alone would match nothing."""
    merchant, gateway = _pair(), _pair()
    public = gateway.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        MERCHANT: _private_text(merchant),
        GATEWAY: base64.b64encode(public).decode(),
        SIMULATOR: _private_text(gateway),
    }


def _pair() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _private_text(key: RSAPrivateKey) -> str:
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(der).decode()

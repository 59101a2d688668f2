"""Nagad's cryptography against arithmetic written out here (RFC 8017) and a vector of NIST.

The contract page has no vectors of its own: nobody publishes a key pair of Nagad's.
"""

import base64
import hashlib
import json
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from core.providers import Misconfigured
from payments.gateways.nagad_crypto import LONGEST, BadSeal, Keys, plaintext
from payments.gateways.tests.nagad_answers import (
    KEYS,
    MERCHANT,
    NAGAD,
    STRANGER,
    private_text,
    public_text,
    sealed,
)

#: DER of DigestInfo for SHA-256 (RFC 8017, section 9.2, note 1).
DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
#: FIPS 186-3 SigGen15, 2048 bits, SHA-256, first entry.
N: Final = int(
    "a564d3d06be468a46958d56bb4884e2c4c28f538b7e15df35330505177789d3e1d792ad7aec7fc80a8cccf7e"
    "d4030471100401724bd4636a8a8244180cc655e256c00e778efe8bea55ab52d3a557075e35039d687cc0755b"
    "939a44a73033a0a6f09d2d6ae7e6593380718be00814d20567b1d7d48b633735e423017ff0a7b406d822f45f"
    "bb4d234028ca78abb702b18fcce13d2f69148ef584e9aaf283caab38f6946d342d600c6e77b7370a05ff302e"
    "5483b0faad3103d0b3e8c9c8e9eca1d4a871bdbd09585eb00dc3a488271cf6a3b767e68ea9bd2c83e8c89fd0"
    "47f17915cf6a4c05bb9222b7e4470df5f3f1a28324c1aafcbb2236d2293041d128b0e15f",
    16,
)
E: Final = 0x1001
MESSAGE: Final = bytes.fromhex(
    "8f51ec6359d7efe1898274fa89ea4a91b8bbf95e05fef84bbc9a201e9f1a615939b0b45e6f7a50d758052155"
    "4f1076374692face5dfee5bfb3c573a87b1c96065301e756d278e37a601b545f4bd10ddd17dedade151cb7c3"
    "3787400322ff6915854a6f91a9590f924accf55ea6b87749d3a783d655e0d620f0e96f78bb4b4450"
)
SIGNATURE: Final = bytes.fromhex(
    "795B0D51721469DCDF14DF08EACAA83AF79C2734226B3C8E048CBC4BD44ED7DC6C1EFAEFE1C71F017A876418"
    "27A0D3AF287E8C27EFA7CEBFC9435EFC7F6EAB1E373551887217D08313E8AE5EF0B0EFCB87C49C1F2898FCC1"
    "17AC7DB229D34BD4AC39A4F91377F4B5A038338E7D4CF530E4E00FF67BF257E27E55FA6D2C0EB21AD0BCFD65"
    "F9EA760A440CAB4F904D4B817604289BC8FF96FB07C0A23B5D31ABFFA706241D47FB42EF09B7BEC820E6076E"
    "BE7E1E0F4EEFE755BAB2CBCAE557AAB8208BB681D5381C1D09B4CCF1100F33CAD1990EFB507062EA51DE3DFA"
    "E0821F106B4B052244C379D0D32DE7A56EE17A7D9A5DCA2B472F0D3EEFA05F4E02FC0295"
)


def raised(number: bytes, exponent: int, modulus: int) -> bytes:
    """RSA itself, of a 2048-bit key."""
    return pow(int.from_bytes(number), exponent, modulus).to_bytes(256)


def expected_signature_block(text: bytes) -> bytes:
    """EMSA-PKCS1-v1_5: 00 01 FF..FF 00 DigestInfo."""
    end = DIGEST_INFO + hashlib.sha256(text).digest()
    return b"\x00\x01" + b"\xff" * (256 - 3 - len(end)) + b"\x00" + end


def test_what_is_sealed_is_what_rfc_8017_says() -> None:
    members = {"merchantId": "683002007104225", "orderId": "BDV482133771"}

    sensitive, signature = KEYS.seal(members)

    read = NAGAD.private_numbers()
    block = raised(base64.b64decode(sensitive), read.d, read.public_numbers.n)
    start, _, text = block[2:].partition(b"\x00")
    assert (block[:2], len(start) >= 8) == (b"\x00\x02", True)
    assert text == b'{"merchantId":"683002007104225","orderId":"BDV482133771"}'
    ours = MERCHANT.public_key().public_numbers()
    signed = raised(base64.b64decode(signature), ours.e, ours.n)
    assert signed == expected_signature_block(text)


def test_what_was_sealed_by_arithmetic_is_opened() -> None:
    text = b'{"paymentReferenceId": "MDUy=="}'
    block = b"\x00\x02" + b"\x5a" * (256 - 3 - len(text)) + b"\x00" + text
    ours, theirs = MERCHANT.public_key().public_numbers(), NAGAD.private_numbers()
    body = {
        "sensitiveData": base64.b64encode(raised(block, ours.e, ours.n)).decode(),
        "signature": base64.b64encode(
            raised(expected_signature_block(text), theirs.d, theirs.public_numbers.n)
        ).decode(),
    }

    assert KEYS.opened(body) == {"paymentReferenceId": "MDUy=="}


@pytest.mark.parametrize("good", [True, False])
def test_nists_vector(good: bool) -> None:
    keys = Keys(MERCHANT, rsa.RSAPublicNumbers(E, N).public_key())
    signature = SIGNATURE if good else SIGNATURE[:-1] + bytes([SIGNATURE[-1] ^ 1])
    hidden = MERCHANT.public_key().encrypt(MESSAGE, padding.PKCS1v15())
    body = {
        "sensitiveData": base64.b64encode(hidden).decode(),
        "signature": base64.b64encode(signature).decode(),
    }

    with pytest.raises(BadSeal) as caught:  # the message of the vector is no JSON
        keys.opened(body)

    assert isinstance(caught.value.__cause__, InvalidSignature) is not good


def test_one_text_is_built_once_and_its_order_is_kept() -> None:
    members = {"b": "1", "a": "é"}
    assert plaintext(members) == b'{"b":"1","a":"\\u00e9"}'
    assert list(json.loads(plaintext(members))) == ["b", "a"]


def test_a_block_carries_245_bytes() -> None:
    fitting = {"m": "x" * (LONGEST - len('{"m":""}'))}
    assert (LONGEST, len(plaintext(fitting))) == (245, 245)
    KEYS.seal(fitting)
    with pytest.raises(ValueError, match="246 bytes"):
        KEYS.seal({"m": fitting["m"] + "x"})


GOOD: Final = sealed({"paymentReferenceId": "R1"})
TEXT: Final = json.dumps({"paymentReferenceId": "R1"}).encode()


def signed(key: rsa.RSAPrivateKey, text: bytes = TEXT, digest: Any = None) -> dict[str, Any]:
    signature = key.sign(text, padding.PKCS1v15(), digest or hashes.SHA256())
    return GOOD | {"signature": base64.b64encode(signature).decode()}


def pss() -> dict[str, Any]:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = NAGAD.sign(TEXT, scheme, hashes.SHA256())
    return GOOD | {"signature": base64.b64encode(signature).decode()}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sensitiveData": GOOD["sensitiveData"]},
        GOOD | {"signature": None},
        GOOD | {"signature": ""},
        GOOD | {"signature": "*** no base64 ***"},
        GOOD | {"signature": ["x"]},
        GOOD | {"sensitiveData": "*** no base64 ***"},
        GOOD | {"sensitiveData": ""},
        GOOD | {"sensitiveData": 5},
        GOOD | {"sensitiveData": base64.b64encode(b"x" * 256).decode()},
        signed(STRANGER),
        signed(MERCHANT),
        signed(NAGAD, TEXT + b" "),
        signed(NAGAD, digest=hashes.SHA1()),  # noqa: S303
        pss(),
        sealed({"paymentReferenceId": "R1"}, reader=STRANGER),
        sealed(["no object"]),
        sealed("text"),
    ],
    ids=range(18),
)
def test_nothing_else_is_opened(body: dict[str, Any]) -> None:
    assert KEYS.opened(GOOD) == {"paymentReferenceId": "R1"}
    with pytest.raises(BadSeal):
        KEYS.opened(body)


def test_white_space_in_base64_is_no_matter() -> None:
    wrapped = {name: "\r\n".join([text[:76], text[76:]]) for name, text in GOOD.items()}
    assert KEYS.opened(wrapped) == {"paymentReferenceId": "R1"}


def pem(kind: str, text: str, glue: str = "\n") -> str:
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return glue.join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
@pytest.mark.parametrize("glue", ["\n", "\r\n", "\\n", " ", ""])
def test_keys_are_read_in_every_wrapping(form: Any, glue: str) -> None:
    der = MERCHANT.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
    private = base64.b64encode(der).decode()
    public = public_text(NAGAD)

    bare = Keys.read(private, public)
    wrapped = Keys.read(pem("RSA PRIVATE KEY", private, glue), pem("PUBLIC KEY", public, glue))

    assert bare.ours.private_numbers() == wrapped.ours.private_numbers()
    assert bare.theirs == wrapped.theirs == NAGAD.public_key()


def small() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505


def curve() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    "text",
    ["no key", "bm8ga2V5", public_text(NAGAD), private_text(small()), private_text(curve())],
    ids=["no base64", "no key", "public", "small", "curve"],
)
def test_a_private_key_of_no_use_is_named_and_not_shown(text: str) -> None:
    with pytest.raises(Misconfigured, match="NAGAD_MERCHANT_PRIVATE_KEY") as caught:
        Keys.read(text, public_text(NAGAD))

    assert text not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    ["no key", "bm8ga2V5", private_text(NAGAD), public_text(small()), public_text(curve())],
    ids=["no base64", "no key", "private", "small", "curve"],
)
def test_a_public_key_of_no_use_is_named(text: str) -> None:
    with pytest.raises(Misconfigured, match="NAGAD_GATEWAY_PUBLIC_KEY"):
        Keys.read(private_text(MERCHANT), text)


def test_our_own_public_key_is_not_taken_for_nagads() -> None:
    with pytest.raises(Misconfigured, match="our own public key"):
        Keys.read(private_text(MERCHANT), public_text(MERCHANT))


def test_keys_are_not_shown() -> None:
    assert "RSA" not in repr(KEYS)

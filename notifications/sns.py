"""Whether Amazon signed a notice (SNS, signature versions 1 and 2); what SES tells comes this way.

Source: "Verifying the signatures of Amazon SNS messages", AWS documentation. The certificate is
fetched from Amazon alone, once a day, and kept; nothing of a message is believed before it fits.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.core.cache import cache

from core.http import Outbound
from core.providers import Unavailable

NAME: Final = "amazon_sns"
#: https, Amazon's own host of a region, a file that is a certificate; no user, port or query.
_CERTIFICATE_URL: Final = re.compile(
    r"https://sns\.[a-z]{2}(-[a-z]+)+-[0-9]\.amazonaws\.com(\.cn)?/[A-Za-z0-9._-]{1,200}\.pem"
)
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]
_DIGESTS: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    "1": hashes.SHA1,
    "2": hashes.SHA256,
}
KEPT_SECONDS: Final = 24 * 3600
ANSWER_SECONDS: Final = 3.0


def signed_by_amazon(message: Mapping[str, Any], *, now: datetime) -> bool:
    """True if the signature is Amazon's and covers what we would read.

    Raises:
        Unavailable: Amazon's certificate can't be had just now; the notice should come again.
    """
    fields = _SIGNED.get(str(message.get("Type")), ())
    digest = _DIGESTS.get(str(message.get("SignatureVersion")))
    url = str(message.get("SigningCertURL"))
    if not fields or digest is None or not _CERTIFICATE_URL.fullmatch(url):
        return False
    lines = [f"{name}\n{message[name]}\n" for name in fields if message.get(name) is not None]
    try:
        signature = base64.b64decode(str(message.get("Signature")), validate=True)
        certificate = x509.load_pem_x509_certificate(_certificate(url))
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or not _in_force(certificate, now):
            return False
        key.verify(signature, "".join(lines).encode(), padding.PKCS1v15(), digest())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _in_force(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _certificate(url: str) -> bytes:
    kept: bytes | None = cache.get(f"sns:{url}")
    if kept is None:
        out = Outbound(NAME, answer_seconds=ANSWER_SECONDS)
        answer = out.send(requests.Request("GET", url), repeatable=True)
        if answer.status != requests.codes.ok:
            raise Unavailable(NAME, f"no certificate, HTTP {answer.status}")
        kept = answer.body
        cache.set(f"sns:{url}", kept, KEPT_SECONDS)
    return kept

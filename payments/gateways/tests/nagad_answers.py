"""What Nagad answers, with keys made for this run; names as on contract page nagad."""

import base64
import json
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import responses
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from core.http import Outbound
from core.tests.wire import TRANSPORT
from payments.gateways.base import Known, Verdict
from payments.gateways.nagad import NagadGateway
from payments.gateways.nagad_crypto import Keys
from payments.gateways.tests.canned import REFERENCE, known

BASE: Final = "https://nagad.test/api/dfs"
ID: Final = "683002007104225"
ORDER: Final = "BDV482133771"
PAYMENT: Final = "MDQyNzIwMDAwMC42ODMwMDIwMDcxMDQyMjUuQkRWNDgyMTMzNzcxLjFhMmIzYw=="
CHALLENGE: Final = "9f3c" * 10
INITIALIZE: Final = f"{BASE}/check-out/initialize/{ID}/{ORDER}"
COMPLETE: Final = f"{BASE}/check-out/complete/{quote(PAYMENT, safe='')}"
VERIFY: Final = f"{BASE}/verify/payment/{quote(PAYMENT, safe='')}"
CANCEL: Final = f"{BASE}/purchase/cancel"
PAGE: Final = "https://payment.nagad.test/check-out/MDQy"

MERCHANT, NAGAD, STRANGER = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3)
)


def private_text(key: Any) -> str:
    form, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return base64.b64encode(key.private_bytes(serialization.Encoding.DER, form, bare)).decode()


def public_text(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = key.public_key().public_bytes(serialization.Encoding.DER, form)
    return base64.b64encode(der).decode()


KEYS: Final = Keys.read(private_text(MERCHANT), public_text(NAGAD))


def sealed(
    value: object, *, reader: rsa.RSAPrivateKey = MERCHANT, signer: rsa.RSAPrivateKey = NAGAD
) -> dict[str, Any]:
    text = json.dumps(value).encode()
    hidden = reader.public_key().encrypt(text, padding.PKCS1v15())
    signature = signer.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return {
        "sensitiveData": base64.b64encode(hidden).decode(),
        "signature": base64.b64encode(signature).decode(),
    }


def read(sensitive: str, signature: str) -> dict[str, Any]:
    """What we sent, as Nagad reads it; a wrong signature is an error."""
    text = NAGAD.decrypt(base64.b64decode(sensitive), padding.PKCS1v15())
    MERCHANT.public_key().verify(
        base64.b64decode(signature), text, padding.PKCS1v15(), hashes.SHA256()
    )
    return json.loads(text)


def started(**changes: object) -> dict[str, Any]:
    value = {
        "paymentReferenceId": PAYMENT,
        "challenge": CHALLENGE,
        "acceptDateTime": "20260427200001",
    } | changes
    return {"json": sealed({name: each for name, each in value.items() if each is not None})}


def opened(**changes: object) -> dict[str, Any]:
    body = {"callBackUrl": PAGE, "status": "Success"} | changes
    return {"json": {name: value for name, value in body.items() if value is not None}}


def refused(reason: object, message: str = "No.", status: int = 400) -> dict[str, Any]:
    return {"json": {"reason": reason, "message": message}, "status": status}


def found(**changes: object) -> dict[str, Any]:
    """Verify's answer; a member given as None is left out."""
    body: dict[str, object] = {
        "merchantId": ID,
        "orderId": ORDER,
        "paymentRefId": PAYMENT,
        "amount": "1500",
        "clientMobileNo": "017****5678",
        "merchantMobileNo": "01700000000",
        "orderDateTime": "2026-04-27 20:00:01.0",
        "issuerPaymentDateTime": "2026-04-27 20:01:10.0",
        "issuerPaymentRefNo": "7ALKTB3A",
        "additionalMerchantInfo": None,
        "status": "Success",
        "statusCode": "000",
        "serviceType": "Remote Payment",
    }
    body = {name: value for name, value in (body | changes).items() if value is not None}
    return {"json": body}


FIREWALL: Final = {
    "body": "<html><body>The requested URL was rejected.<br>Your support ID is: 17</body></html>",
    "content_type": "text/html",
}
OPENING: Final = {
    "opened": started(),
    "refused": refused("Duplicate Order Id", "The order id was used before"),
    "bad_credentials": refused("InvalidMerchant"),
}
VERIFYING: Final = {
    "paid": found(),
    "paid_wrong_sum": found(amount="15"),
    "paid_without_transaction": found(issuerPaymentRefNo=None),
    "not_paid_yet": found(status="OtpSent", statusCode=None, issuerPaymentRefNo=None),
    "given_up": found(status="Aborted", statusCode=None, issuerPaymentRefNo=None),
    "foreign": found(orderId="BDV482133781"),
    "unknown_status": found(status="Reversing"),
    "bad_credentials": refused("Inactive Merchant"),
}


class CannedNagad:
    """Two calls open a session; the situation is that of the first, or of the `second` one."""

    def __init__(self, wire: responses.RequestsMock, *, second: bool = False) -> None:
        self.wire = wire
        self.gateway = gateway()
        self.second = second

    def next_session(self, situation: str) -> None:
        answer = (TRANSPORT | OPENING)[situation]
        if self.second and situation != "opened":
            self.wire.post(INITIALIZE, **started())
            self.wire.post(COMPLETE, **answer)
            return
        self.wire.post(INITIALIZE, **answer)
        self.wire.post(COMPLETE, **opened())

    def payment(self, situation: str) -> Known:
        self.wire.get(VERIFY, **(TRANSPORT | VERIFYING)[situation])
        return known(PAYMENT)


def gateway(**changes: Any) -> NagadGateway:
    made = NagadGateway(
        out=Outbound("nagad"),
        base_url=BASE,
        page_host="nagad.test",
        merchant_id=ID,
        client_ip="192.0.2.7",
        keys=KEYS,
    )
    return replace(made, **changes)


def verify_with(wire: responses.RequestsMock, answer: dict[str, Any]) -> Verdict:
    wire.get(VERIFY, **answer)
    return gateway().verify(known(PAYMENT, reference=REFERENCE))

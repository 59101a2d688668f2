"""The optional second channel: AWS SNS messages, signed as SNS signs them.

Key and certificate are made at the start and live as long as the process. The certificate is
served here, so a client must be told this host instead of ``sns.<region>.amazonaws.com``.
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from simulators.frame.clock import dhaka, iso_utc
from simulators.frame.http import (
    Call,
    JsonObject,
    Response,
    Route,
    is_web_address,
    json_response,
    text_response,
)
from simulators.frame.outbound import Delivery
from simulators.frame.service import ControlRefused

from .records import Payment, payment_facts

if TYPE_CHECKING:
    from .service import Bkash

TOPIC: Final = "arn:aws:sns:ap-southeast-1:000000000000:bkash-simulator"
SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
WEBHOOK_FAULTS: Final = {
    "never": "not sent",
    "repeat": "sent `count` (2) times at once",
    "late": "sent after `seconds` (5)",
    "changed_message": "another amount in Message (`amount`), signature of the true one",
    "wrong_cert_host": "SigningCertURL on another host (`url`)",
    "unsigned": "no Signature",
}


class Sender:
    """Signs with SHA1 and RSA, as SNS signature version 1 demands."""

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.simulator")])
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .sign(self.key, hashes.SHA256())
        )
        return built.public_bytes(serialization.Encoding.PEM)

    def sign(self, message: JsonObject) -> str:
        text = "".join(
            f"{name}\n{message[name]}\n" for name in SIGNED[message["Type"]] if name in message
        )
        signature = self.key.sign(
            text.encode(),
            padding.PKCS1v15(),
            hashes.SHA1(),  # noqa: S303 - the contract's choice
        )
        return base64.b64encode(signature).decode()


def routes(service: Bkash) -> list[Route]:
    return [
        Route("GET", "/sns/cert.pem", lambda _: certificate(service)),
        Route("GET", "/sns/confirm", lambda call: confirm(service, call)),
    ]


def certificate(service: Bkash) -> Response:
    return text_response(service.sender.certificate.decode())


def confirm(service: Bkash, call: Call) -> Response:
    token = call.request.query.get("Token", "")
    if not token or token != service.subscription["token"]:
        return json_response({"message": "Invalid token"}, 403)
    service.subscription["confirmed"] = True
    return json_response({"SubscriptionArn": f"{TOPIC}:{token[:8]}"})


def subscribe(service: Bkash, wish: JsonObject) -> JsonObject:
    """Set the webhook address and send the confirmation that it has to answer.

    ``base_url`` is where the receiver reaches these simulators.
    """
    url, base_url = str(wish.get("url", "")), str(wish.get("base_url", ""))
    if not is_web_address(url) or not is_web_address(base_url):
        raise ControlRefused("url (of the webhook) and base_url (of the simulators) are needed.")
    service.settings["webhook_url"] = url
    token = secrets.token_hex(32)
    service.subscription = {"token": token, "confirmed": False, "base_url": base_url.rstrip("/")}
    root = f"{service.subscription['base_url']}{service.prefix}/sns"
    message = {
        "Type": "SubscriptionConfirmation",
        "MessageId": str(uuid.uuid4()),
        "Token": token,
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe. To confirm, visit the SubscribeURL.",
        "SubscribeURL": f"{root}/confirm?Action=ConfirmSubscription&Token={token}",
        "Timestamp": iso_utc(service.clock.now()),
    }
    post(service, message, reference="subscription", fault_facts={})
    return {"sent_to": url}


def notify(service: Bkash, payment: Payment) -> None:
    if not service.settings["webhook_url"]:
        return
    inner = {
        "dateTime": dhaka(payment.executed_at).strftime("%Y%m%d%H%M%S"),
        "debitMSISDN": payment.wallet,
        "creditOrganizationName": "Test Merchant",
        "creditShortCode": "50022",
        "trxID": payment.trx_id,
        "transactionStatus": payment.status,
        "transactionType": "10003136",
        "amount": payment.charged_amount,
        "currency": payment.currency,
    }
    message = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": TOPIC,
        "Message": json.dumps(inner),
        "Timestamp": iso_utc(service.clock.now()),
    }
    post(service, message, reference=payment.trx_id, fault_facts=payment_facts(payment))


def post(
    service: Bkash, message: JsonObject, *, reference: str, fault_facts: dict[str, str]
) -> None:
    fault = service.faults.take("webhook", fault_facts)
    name = fault.fault if fault else ""
    base = service.subscription.get("base_url", "http://127.0.0.1")
    message |= {
        "SignatureVersion": "1",
        "Signature": service.sender.sign(message),
        "SigningCertURL": f"{base}{service.prefix}/sns/cert.pem",
    }
    if fault and name == "changed_message" and message["Type"] == "Notification":
        inner = {**json.loads(message["Message"]), "amount": fault.text("amount", "1.00")}
        message["Message"] = json.dumps(inner)
    elif fault and name == "wrong_cert_host":
        message["SigningCertURL"] = fault.text("url", "https://sns.example.com/cert.pem")
    elif name == "unsigned":
        del message["Signature"]
    delivery = Delivery(
        kind="sns",
        url=service.settings["webhook_url"],
        headers={
            "Content-Type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": message["Type"],
            "x-amz-sns-message-id": message["MessageId"],
            "x-amz-sns-topic-arn": TOPIC,
        },
        body=json.dumps(message),
        waits=list(service.settings["webhook_waits"]),
        reference=reference,
    )
    count = int(fault.number("count", 2)) if fault and name == "repeat" else int(name != "never")
    after = fault.number("seconds", 5) if fault and name == "late" else 0.0
    for _ in range(count):
        service.deliver(delivery, after=after)

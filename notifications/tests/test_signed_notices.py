"""Amazon SES, Brevo and SendGrid tell of a mail: theirs is kept, a forged one changes nothing."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from notifications.models import AdminAlert, EmailEvent, EmailMessage
from notifications.states import EmailStatus
from notifications.tests.factories import EmailMessageFactory
from orders.tests.factories import OrderFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]
SECRET: Final = "notices:of-this-shop"
RIGHT: Final = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}
WRONG: Final = {"Authorization": "Basic " + base64.b64encode(b"notices:guessed").decode()}
KEY: Final = ec.generate_private_key(ec.SECP256R1())
FOREIGN_KEY: Final = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def message(db: None) -> EmailMessage:
    return EmailMessageFactory.create(
        order=OrderFactory.create(needs_attention=True),
        template="ORDERCONFIRMATION",
        voucher_ids=[],
        status=EmailStatus.SENT,
        sent_at=timezone.now(),
        external_id="esp-1",
    )


def use(settings: Any, provider: str, **keys: Any) -> None:
    settings.EMAIL_BACKEND = f"anymail.backends.{provider}.EmailBackend"
    settings.ANYMAIL = keys


def post(provider: str, body: Any, headers: Mapping[str, str]) -> int:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = Client().post(
        f"/anymail/{provider}/tracking/", text, content_type="application/json", headers=headers
    )
    return answer.status_code


def bounced(message: EmailMessage) -> bool:
    message.refresh_from_db()
    kept = EmailEvent.objects.filter(message=message).exists()
    assert kept == (message.bounced_at is not None) == AdminAlert.objects.exists()
    return kept


def of_ses(told: str = "Bounce") -> dict[str, Any]:
    """What SNS posts of an event of SES."""
    event = {
        "eventType": told,
        "mail": {
            "timestamp": "2026-04-27T14:30:00.000Z",
            "messageId": "esp-1",
            "destination": ["customer@example.com"],
            "headers": [],
            "tags": {},
        },
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "feedbackId": "fb-1",
            "timestamp": "2026-04-27T14:30:05.000Z",
            "bouncedRecipients": [{"emailAddress": "customer@example.com"}],
        },
    }
    return {
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": "arn:aws:sns:ap-southeast-1:123456789012:mails",
        "Timestamp": "2026-04-27T14:30:06.000Z",
        "Message": json.dumps(event),
    }


CERTIFICATE_AT: Final = "https://sns.ap-southeast-1.amazonaws.com/SimpleNotificationService-1.pem"
AMAZONS_KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FOREIGN_RSA: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(days: int = 1) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = timezone.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(AMAZONS_KEY.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .sign(AMAZONS_KEY, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def signed(
    body: dict[str, Any], *, key: rsa.RSAPrivateKey = AMAZONS_KEY, version: str = "2"
) -> Any:
    """The lines that AWS documents for a notification, in its order."""
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{body[name]}\n" for name in names)
    digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - as version 1 signs
    signature = key.sign(text.encode(), padding.PKCS1v15(), digest)
    return {
        **body,
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": CERTIFICATE_AT,
    }


@pytest.fixture
def amazon() -> Iterator[responses.RequestsMock]:
    """Amazon's host of certificates; every other address is nowhere."""
    cache.clear()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        wire.get(CERTIFICATE_AT, body=certificate())
        yield wire


SNS: Final = {"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": "sns-1"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**SNS, **RIGHT}, 200),
        (SNS, 401),  # SNS sends its password only when it is asked for it
        ({**SNS, **WRONG}, 400),
        ({**SNS, **RIGHT, "x-amz-sns-message-id": "sns-2"}, 400),
        (RIGHT, 400),
    ],
)
def test_amazon_ses(
    headers: dict[str, str], status: int, message: EmailMessage, settings: Any, amazon: Any
) -> None:
    use(settings, "amazon_ses", WEBHOOK_SECRET=[SECRET])
    assert post("amazon_ses", signed(of_ses()), headers) == status
    assert bounced(message) == (status == 200)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (signed(of_ses(), version="1"), 200),
        (signed(of_ses(), key=FOREIGN_RSA), 400),
        ({**signed(of_ses()), "Message": of_ses("Delivery")["Message"]}, 400),
        ({**signed(of_ses()), "SignatureVersion": "3"}, 400),
        ({**signed(of_ses()), "Signature": "no base64!"}, 400),
        ({**signed(of_ses()), "SigningCertURL": "https://sns.evil.example/x.pem"}, 400),
        ({**signed(of_ses()), "SigningCertURL": CERTIFICATE_AT.replace("https", "http")}, 400),
        ({**signed(of_ses()), "SigningCertURL": f"https://evil.example/?{CERTIFICATE_AT}"}, 400),
        ({**signed(of_ses()), "Type": "SubscriptionConfirmation"}, 400),
        (of_ses(), 400),
        ("[]", 400),
    ],
)
def test_amazon_signs(
    body: Any, status: int, message: EmailMessage, settings: Any, amazon: Any
) -> None:
    use(settings, "amazon_ses", WEBHOOK_SECRET=[SECRET])
    assert post("amazon_ses", body, {**SNS, **RIGHT}) == status
    assert bounced(message) == (status == 200)


def test_amazons_certificate_is_fetched_once_and_must_be_in_force(
    message: EmailMessage, settings: Any, amazon: Any
) -> None:
    use(settings, "amazon_ses", WEBHOOK_SECRET=[SECRET])
    for _ in range(2):
        assert post("amazon_ses", signed(of_ses()), {**SNS, **RIGHT}) == 200
    assert len(amazon.calls) == 1
    cache.clear()
    amazon.replace("GET", CERTIFICATE_AT, body=certificate(days=-1))
    assert post("amazon_ses", signed(of_ses()), {**SNS, **RIGHT}) == 400


def test_without_amazons_certificate_the_notice_is_to_come_again(
    message: EmailMessage, settings: Any, amazon: Any
) -> None:
    use(settings, "amazon_ses", WEBHOOK_SECRET=[SECRET])
    amazon.replace("GET", CERTIFICATE_AT, status=500)
    assert post("amazon_ses", signed(of_ses()), {**SNS, **RIGHT}) == 503
    assert not bounced(message)


@pytest.mark.parametrize(("headers", "status"), [(RIGHT, 200), ({}, 400), (WRONG, 400)])
def test_brevo(headers: dict[str, str], status: int, message: EmailMessage, settings: Any) -> None:
    use(settings, "brevo", BREVO_API_KEY="k", WEBHOOK_SECRET=[SECRET])
    body = {
        "event": "hard_bounce",
        "email": "customer@example.com",
        "message-id": "esp-1",
        "ts_epoch": int(time.time() * 1000),
        "X-Mailin-custom": json.dumps({"bdv_mail": message.pk}),
    }
    assert post("brevo", body, headers) == status
    assert bounced(message) == (status == 200)


def signature(body: str, stamp: str, key: ec.EllipticCurvePrivateKey) -> str:
    signed = key.sign((stamp + body).encode(), ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(signed).decode()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"key": FOREIGN_KEY}, 400),
        ({"stamp": "1"}, 400),
        ({"body": "[]"}, 400),
        ({"signature": "not base64!"}, 400),
        ({"signature": None}, 400),
    ],
)
def test_sendgrid_signs(
    change: dict[str, Any], status: int, message: EmailMessage, settings: Any
) -> None:
    public = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    use(
        settings,
        "sendgrid",
        SENDGRID_API_KEY="k",
        SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY=base64.b64encode(public).decode(),
    )
    stamp = str(int(time.time()))
    event = {
        "event": "bounce",
        "email": "customer@example.com",
        "timestamp": int(stamp),
        "sg_event_id": "ev-1",
        "anymail_id": "esp-1",
        "reason": "550 no such mailbox",
        "bdv_mail": str(message.pk),
    }
    body = json.dumps([event])
    given = change.get("signature", signature(body, stamp, change.get("key", KEY)))
    headers = {"X-Twilio-Email-Event-Webhook-Timestamp": change.get("stamp", stamp)}
    if given is not None:
        headers["X-Twilio-Email-Event-Webhook-Signature"] = given
    assert post("sendgrid", change.get("body", body), headers) == status
    assert bounced(message) == (status == 200)


@pytest.mark.parametrize("provider", ["amazon_ses", "brevo", "sendgrid"])
def test_nobody_tells_anything_where_nothing_guards(
    provider: str, message: EmailMessage, settings: Any
) -> None:
    use(settings, provider, BREVO_API_KEY="k", SENDGRID_API_KEY="k")
    assert post(provider, of_ses(), SNS) == 404
    assert not bounced(message)

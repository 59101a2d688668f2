"""What providers tell of their mails: signatures, events, alerts; over HTTP (A7)."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import transaction
from django.test import Client
from django.utils import timezone

from core.correlation import HEADER
from notifications.models import AdminAlert, EmailEvent, EmailMessage
from notifications.states import EmailStatus
from notifications.tests.factories import EmailMessageFactory
from orders.tests.factories import OrderFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailInsecureWebhookWarning"),
]

KEY = "mailgun-signing-key"
OWN_ID = "esp-1@mg.example.com"
SVIX = "whsec_" + base64.b64encode(b"s" * 24).decode()


@pytest.fixture
def message(db: None) -> EmailMessage:
    return EmailMessageFactory.create(
        order=OrderFactory.create(needs_attention=True),
        template="ORDERCONFIRMATION",
        voucher_ids=[],
        status=EmailStatus.SENT,
        sent_at=timezone.now(),
        external_id="<esp-1@mg.example.com>",
    )


@pytest.fixture
def mailgun(settings: Any) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
    settings.ANYMAIL = {"MAILGUN_API_KEY": "key", "MAILGUN_WEBHOOK_SIGNING_KEY": KEY}


def mailgun_says(event: str, message: EmailMessage | None, **fields: Any) -> Any:
    """A notice as Mailgun posts it."""
    stamp, token = str(int(time.time())), "t" * 50
    right = hmac.new(KEY.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    variables = {"bdv_mail": str(message.pk)} if message else {}
    data = {
        "signature": {
            "timestamp": stamp,
            "token": token,
            "signature": fields.pop("signature", right),
        },
        "event-data": {
            "event": event,
            "id": fields.pop("event_id", "ev-1"),
            "timestamp": time.time(),
            "recipient": "customer@example.com",
            "user-variables": variables,
            "message": {
                "headers": {"message-id": fields.pop("message_id", "esp-1@mg.example.com")}
            },
            **fields,
        },
    }
    return Client().post(
        "/anymail/mailgun/tracking/", json.dumps(data), content_type="application/json"
    )


BOUNCE = {"severity": "permanent", "reason": "bounce"}


@pytest.mark.parametrize(
    ("event", "fields", "column", "standing", "workflow"),
    [
        ("delivered", {}, "delivered_at", "DELIVERED", "COMPLETED"),
        ("opened", {}, "opened_at", "OPENED", "COMPLETED"),
        ("failed", BOUNCE, "bounced_at", "BOUNCED", "FAILED"),
        ("complained", {}, "complained_at", "COMPLAINED", "COMPLETED"),
    ],
)
def test_events_become_the_state_of_the_mail(
    *,
    event: str,
    fields: Any,
    column: str,
    standing: str,
    workflow: str,
    message: Any,
    mailgun: None,
) -> None:
    answer = mailgun_says(event, message, **fields)
    assert answer.status_code == 200
    message.refresh_from_db()
    assert getattr(message, column) is not None
    assert (message.standing, message.workflow) == (standing, workflow)
    assert EmailEvent.objects.get().message == message
    assert message.status == EmailStatus.SENT


def test_a_bounce_raises_an_alert_once_and_a_later_delivery_closes_it(
    message: EmailMessage, mailgun: None
) -> None:
    for _ in range(2):
        assert mailgun_says("failed", message, **BOUNCE).status_code == 200
    alert = AdminAlert.objects.get()
    assert (alert.kind, alert.order, alert.resolved_at) == ("mail_bounced", message.order, None)
    assert alert.correlation_id == message.correlation_id
    assert EmailEvent.objects.count() == 1
    event = message.order.events.get(kind="mail")
    assert (event.new, event.correlation_id) == ("BOUNCED", message.correlation_id)

    later = EmailMessageFactory.create(
        order=message.order, template=message.template, voucher_ids=[],
        status=EmailStatus.SENT, sent_at=timezone.now(),
    )  # fmt: skip
    mailgun_says("delivered", later, event_id="ev-2")
    alert.refresh_from_db()
    assert alert.resolved_at is not None
    assert later.message_id in alert.resolution_notes


def test_a_delay_is_kept_and_changes_nothing(message: EmailMessage, mailgun: None) -> None:
    mailgun_says("failed", message, severity="temporary", reason="generic")
    message.refresh_from_db()
    assert message.standing == "SENT"
    assert EmailEvent.objects.get().kind == "deferred"
    assert not AdminAlert.objects.exists()


def test_the_providers_own_id_finds_the_mail(message: EmailMessage, mailgun: None) -> None:
    mailgun_says("delivered", None, message_id=OWN_ID)
    message.refresh_from_db()
    assert message.standing == "DELIVERED"


def test_an_event_before_the_answer_is_not_lost(message: EmailMessage, mailgun: None) -> None:
    """The provider may be quicker than our own record of having sent."""
    early = EmailMessageFactory.create(
        order=message.order, template="CANCELLATION", voucher_ids=[], status=EmailStatus.SENDING,
        claimed_at=timezone.now(),
    )  # fmt: skip
    mailgun_says("failed", early, message_id="unknown@mg.example.com", **BOUNCE)
    early.refresh_from_db()
    assert early.workflow == "FAILED"


def test_unknown_mails_and_events_change_nothing(message: EmailMessage, mailgun: None) -> None:
    assert mailgun_says("delivered", None, message_id="nobody@mg.example.com").status_code == 200
    assert mailgun_says("unsubscribed", message).status_code == 200
    assert not EmailEvent.objects.exists()


def test_a_forged_notice_is_refused(message: EmailMessage, mailgun: None) -> None:
    answer = mailgun_says("failed", message, signature="0" * 64, **BOUNCE)
    assert answer.status_code == 400
    assert answer.headers[HEADER]
    message.refresh_from_db()
    assert message.standing == "SENT"


def test_only_the_configured_provider_is_served(message: EmailMessage, settings: Any) -> None:
    for provider in ("mailgun", "postmark", "sendgrid", "nobody"):
        assert Client().post(f"/anymail/{provider}/tracking/").status_code == 404
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "t"}  # nothing guards its notices
    assert Client().post("/anymail/postmark/tracking/").status_code == 404


def test_postmark_shows_the_secret_of_its_address(message: EmailMessage, settings: Any) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "t", "WEBHOOK_SECRET": ["bdv:secret"]}
    body = {
        "RecordType": "Bounce", "ID": 4, "Type": "HardBounce", "MessageID": "esp-9",
        "Email": "customer@example.com", "BouncedAt": "2026-04-27T14:30:00Z",
        "Metadata": {"bdv_mail": str(message.pk)}, "Details": "code SECRET-1",
    }  # fmt: skip
    right = base64.b64encode(b"bdv:secret").decode()

    def post(auth: str) -> int:
        return Client().post(
            "/anymail/postmark/tracking/", json.dumps(body), content_type="application/json",
            headers={"Authorization": f"Basic {auth}"},
        ).status_code  # fmt: skip

    assert post(base64.b64encode(b"bdv:wrong").decode()) == 400
    assert post(right) == 200
    message.refresh_from_db()
    assert message.standing == "BOUNCED"
    assert "SECRET" not in str(EmailEvent.objects.values()) + str(AdminAlert.objects.values())


@pytest.mark.parametrize(
    ("change", "status"),
    [({}, 200), ({"secret": b"x" * 24}, 400), ({"age": 600}, 400), ({"id": ""}, 400)],
)
def test_resend_signs_as_svix_does(
    change: Any, status: int, message: EmailMessage, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.resend.EmailBackend"
    settings.ANYMAIL, settings.RESEND_WEBHOOK_SECRET = {"RESEND_API_KEY": "k"}, SVIX
    body = json.dumps({
        "type": "email.delivered", "created_at": "2026-04-27T14:30:00.000Z",
        "data": {"email_id": "<esp-1@mg.example.com>", "to": ["customer@example.com"],
                 "created_at": "2026-04-27T14:30:00.000Z", "subject": "s", "from": "a@b.c"},
    })  # fmt: skip
    known, stamp = change.get("id", "msg_1"), str(int(time.time()) - change.get("age", 0))
    signed = hmac.new(
        change.get("secret", b"s" * 24), f"{known}.{stamp}.{body}".encode(), hashlib.sha256
    )
    answer = Client().post(
        "/anymail/resend/tracking/", body, content_type="application/json",
        headers={
            "svix-id": known, "svix-timestamp": stamp,
            "svix-signature": "v1,b2xk v1," + base64.b64encode(signed.digest()).decode(),
        },
    )  # fmt: skip
    assert answer.status_code == status
    message.refresh_from_db()
    assert (message.delivered_at is not None) == (status == 200)


def test_events_are_kept_for_ever(message: EmailMessage, mailgun: None) -> None:
    mailgun_says("delivered", message)
    with pytest.raises(Exception, match="never vanish"), transaction.atomic():
        EmailEvent.objects.all().delete()


@pytest.mark.parametrize(
    ("provider", "keys", "found"),
    [
        ("mailgun", {}, {"notifications.E001", "notifications.E002"}),
        ("mailgun", {"MAILGUN_API_KEY": "k", "MAILGUN_WEBHOOK_SIGNING_KEY": "s"}, set()),
        ("brevo", {"BREVO_API_KEY": "k"}, {"notifications.E002"}),
        ("amazon_ses", {"WEBHOOK_SECRET": ["a:b"]}, set()),
        ("amazon_ses", {}, {"notifications.E002"}),
        ("mailjet", {}, {"notifications.W001"}),
    ],
)
def test_what_a_provider_lacks_is_said(
    provider: str, keys: dict[str, Any], found: set[str], settings: Any
) -> None:
    settings.EMAIL_BACKEND = f"anymail.backends.{provider}.EmailBackend"
    settings.ANYMAIL = keys
    said = {each.id for each in run_checks(include_deployment_checks=True)}
    assert {each for each in said if str(each).startswith("notifications.")} == found

"""What mail providers tell after they have taken a mail: delivered, bounced, complained, opened.

django-anymail reads each provider's notices and checks most signatures (Amazon's and Resend's are
checked here); served is the configured provider alone, and only if its notices can't be forged.
"""

import base64
import binascii
import hashlib
import hmac
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from anymail.exceptions import AnymailInsecureWebhookWarning
from anymail.signals import EventType
from anymail.webhooks.base import AnymailCoreWebhookView
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from core import correlation
from core.actors import SYSTEM
from core.logging import get_logger
from notifications.alerts import raise_alert, resolve_alerts
from notifications.composing import MAIL_KEY
from notifications.models import EmailEvent, EmailMessage
from notifications.sns import signed_by_amazon
from notifications.states import AlertKind, EventKind
from orders.services import locked, tell

log = get_logger(__name__)

warnings.filterwarnings("ignore", category=AnymailInsecureWebhookWarning)  # see `is_guarded`

PREFIX: Final = "anymail.backends."
#: A signed notice is good for so long, as its provider says.
SVIX_TOLERANCE: Final = timedelta(minutes=5)
MOST_DIGITS: Final = 18  # fits a bigint


@dataclass(frozen=True, slots=True)
class Provider:
    path: str
    """Of anymail's view. Loaded when it is served: Amazon's brings the whole of boto3 along."""
    guards: tuple[str, ...]
    """Settings of which any one keeps strangers from telling us events."""
    needs: tuple[str, ...]
    """Settings without which no mail can be sent."""

    @property
    def view(self) -> type[AnymailCoreWebhookView]:
        found: type[AnymailCoreWebhookView] = import_string(f"anymail.webhooks.{self.path}")
        return found


_SECRET: Final = "WEBHOOK_SECRET"  # noqa: S105 - the name of a setting
PROVIDERS: Final[Mapping[str, Provider]] = {
    "amazon_ses": Provider("amazon_ses.AmazonSESTrackingWebhookView", (_SECRET,), ()),
    "brevo": Provider("brevo.BrevoTrackingWebhookView", (_SECRET,), ("BREVO_API_KEY",)),
    "mailgun": Provider(
        "mailgun.MailgunTrackingWebhookView", ("MAILGUN_WEBHOOK_SIGNING_KEY",), ("MAILGUN_API_KEY",)
    ),
    "postmark": Provider(
        "postmark.PostmarkTrackingWebhookView", (_SECRET,), ("POSTMARK_SERVER_TOKEN",)
    ),
    "resend": Provider(
        "resend.ResendTrackingWebhookView", ("RESEND_WEBHOOK_SECRET", _SECRET), ("RESEND_API_KEY",)
    ),
    "sendgrid": Provider(
        "sendgrid.SendGridTrackingWebhookView",
        ("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY", _SECRET),
        ("SENDGRID_API_KEY",),
    ),
}
_KINDS: Final[Mapping[str, EventKind]] = {
    EventType.DELIVERED: EventKind.DELIVERED,
    EventType.DEFERRED: EventKind.DEFERRED,
    EventType.BOUNCED: EventKind.BOUNCED,
    EventType.REJECTED: EventKind.REJECTED,
    EventType.FAILED: EventKind.REJECTED,
    EventType.COMPLAINED: EventKind.COMPLAINED,
    EventType.OPENED: EventKind.OPENED,
}
_COLUMNS: Final[Mapping[EventKind, str]] = {
    EventKind.DELIVERED: "delivered_at",
    EventKind.BOUNCED: "bounced_at",
    EventKind.REJECTED: "bounced_at",
    EventKind.COMPLAINED: "complained_at",
    EventKind.OPENED: "opened_at",
}


def configured_provider() -> str:
    """The provider mail goes through; empty for SMTP."""
    backend: str = settings.EMAIL_BACKEND
    return backend.removeprefix(PREFIX).split(".")[0] if backend.startswith(PREFIX) else ""


def setting(name: str) -> str:
    found = settings.ANYMAIL.get(name) or getattr(settings, name, "")
    return str(found or "")


def is_guarded(provider: Provider) -> bool:
    return any(setting(name) for name in provider.guards)


def svix_signature_fits(
    body: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> bool:
    """Resend signs as Svix does: HMAC-SHA256 over id, time and body."""
    known, sent = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
    if not (known and sent.isascii() and sent.isdigit() and len(sent) <= MOST_DIGITS):
        return False
    if abs(now.timestamp() - int(sent)) > SVIX_TOLERANCE.total_seconds():
        return False
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    digest = hmac.new(key, f"{known}.{sent}.".encode() + body, hashlib.sha256).digest()
    right = b"v1," + base64.b64encode(digest)
    given = headers.get("svix-signature", "").encode()
    return any(hmac.compare_digest(right, each) for each in given.split())


def sns_signature_fits(body: bytes, *, now: datetime) -> bool:
    """Amazon SES tells through SNS, which signs what it posts.

    Raises:
        Unavailable: Amazon's certificate can't be had just now.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and signed_by_amazon(message, now=now)


def note_event(sender: Any, event: Any, esp_name: str, **_: Any) -> None:  # noqa: ARG001
    """Receiver of anymail's `tracking` signal: keep one event and what follows from it."""
    kind = _KINDS.get(event.event_type)
    message = _message_of(event) if kind else None
    if kind is None or message is None:
        log.info("mail.event_unplaced", provider=esp_name, kind=str(event.event_type)[:20])
        return
    with correlation.correlated(message.correlation_id):
        try:
            _keep(message.pk, kind, event, esp_name, now=timezone.now())
        except IntegrityError:  # told before
            log.info("mail.event_repeated", provider=esp_name, mail=message.pk)


def _message_of(event: Any) -> EmailMessage | None:
    """By our own id in the mail's metadata; else by the id the provider gave it."""
    rows = EmailMessage.objects.all()
    key = str((event.metadata or {}).get(MAIL_KEY, ""))
    if key.isascii() and key.isdigit() and len(key) <= MOST_DIGITS:
        return rows.filter(pk=int(key)).first()
    given = str(event.message_id or "")[:200]
    return rows.filter(external_id=given).first() if given else None


@transaction.atomic
def _keep(message_id: int, kind: EventKind, event: Any, provider: str, *, now: datetime) -> None:
    order = locked(EmailMessage.objects.values_list("order_id", flat=True).get(pk=message_id))
    message = EmailMessage.objects.get(pk=message_id)
    at = event.timestamp or now
    reason = str(event.reject_reason or "")[:60]
    EmailEvent.objects.create(
        message=message,
        kind=kind,
        provider=provider[:30],
        digest=_digest(message_id, kind, event),
        reason=reason,
        at=at,
    )
    column = _COLUMNS.get(kind)
    if column is None or getattr(message, column) is not None:
        return
    EmailMessage.objects.filter(pk=message_id).update(**{column: at})
    log.info("mail.event", mail=message_id, order=order.order_number, kind=kind, reason=reason)
    if column == "bounced_at":
        why = f" ({reason})" if reason else ""
        what = f"Mail {message.template} came back after it was accepted{why}. "
        advice = "Ask the customer for another address, then send it again."
        raise_alert(order, AlertKind.MAIL_BOUNCED, what + advice, now=now)
    elif column == "delivered_at":
        later = EmailMessage.objects.filter(
            order=order, bounced_at__isnull=False, pk__lt=message.pk
        )
        if later.filter(template=message.template).exists():
            note = f"A later mail was delivered, {message.message_id}"
            resolve_alerts(order, [AlertKind.MAIL_BOUNCED], note=note, now=now)
    if column != "opened_at":
        detail = {"template": message.template, "message_id": message.message_id}
        tell(order, "mail", new=kind.upper(), actor=SYSTEM, reason=reason, detail=detail, now=now)


def _digest(message_id: int, kind: EventKind, event: Any) -> bytes:
    """The provider's own id of the event, or what makes it one."""
    own = event.event_id or f"{event.timestamp}:{event.recipient}"
    return hashlib.sha256(f"{message_id}:{kind}:{own}".encode()).digest()

"""Rows of mail: made and planned in one place. Part of their caller's transaction."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Max

from core import correlation
from notifications.models import EmailMessage
from notifications.states import EmailStatus
from orders.models import Order


def create(
    order: Order,
    template: str,
    *,
    recipient: str,
    key: str,
    automatic: bool,
    now: datetime,
    **fields: Any,
) -> EmailMessage:
    """The next mail of an order; its number makes the Message-ID."""
    last = EmailMessage.objects.filter(order=order).aggregate(last=Max("dispatch_no"))["last"]
    number = (last or 0) + 1
    return EmailMessage.objects.create(
        order=order,
        template=template,
        recipient=recipient,
        language=order.language,
        dispatch_no=number,
        message_id=f"<{order.order_number}.{number}@{settings.MAIL_MESSAGE_ID_DOMAIN}>",
        dedup_key=key,
        automatic=automatic,
        correlation_id=correlation.current(),
        next_try_at=now,
        **fields,
    )


def plan(message: EmailMessage, *, recipient: str, automatic: bool, now: datetime) -> EmailMessage:
    """Send a row again that was not accepted; one that is being sent right now stays as it is."""
    if message.status != EmailStatus.SENDING:
        message.status = EmailStatus.PENDING
        message.recipient = recipient
        message.next_try_at = now
        message.automatic = automatic
        message.save(update_fields=["status", "recipient", "next_try_at", "automatic"])
    return message

"""Business mails that go out by themselves, at their moment in the life of an order (D45)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.db import after_commit
from core.logging import get_logger
from notifications.eligibility import definition_of
from notifications.models import EmailMessage
from notifications.selectors import email_policy
from notifications.services.rows import create
from notifications.states import ALTERNATIVE, Template
from notifications.tasks import deliver_email
from orders.models import Order

log = get_logger(__name__)


def queue_email(
    order: Order,
    template: Template,
    *,
    occasion: str = "",
    facts: Mapping[str, Any] | None = None,
    payment_ref: str = "",
    now: datetime,
) -> EmailMessage | None:
    """Put a business mail on its way, once per occasion; part of the caller's transaction.

    The caller holds the order's lock. What the mail says beside the order's own columns comes
    in as `facts` and is kept in the row.

    Returns:
        The row, or None if this occasion had its mail before, or the store does not send it.
    """
    if not _is_wanted(template):
        return None
    key = f"{order.pk}:{template}:{occasion}"[:120]
    if EmailMessage.objects.filter(dedup_key=key).exists():
        return None
    message = create(
        order,
        template,
        recipient=order.recipient_email,
        key=key,
        automatic=True,
        now=now,
        definition=definition_of(template, order),
        facts=dict(facts or {}),
        payment_ref=payment_ref,
    )
    after_commit(_ring, message_id=message.pk)
    log.info("mail.queued", order=order.order_number, template=template, mail=message.pk)
    return message


def _ring(message_id: int) -> None:
    deliver_email.delay(message_id=message_id)


def _is_wanted(template: Template) -> bool:
    policy = email_policy()
    if template == Template.ORDERCONFIRMATION:
        return policy.confirmation_by_itself
    if template == Template.CANCELLATION:
        return policy.cancellation_by_itself
    return template not in ALTERNATIVE or policy.non_recurring_communications

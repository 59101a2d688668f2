"""Putting the consolidated voucher mail on its way; part of its caller's transaction."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from notifications.models import EmailMessage
from notifications.services.rows import create, plan
from notifications.states import VOUCHERS, EmailStatus
from orders.models import Order


def queue_voucher_mail(
    order: Order,
    voucher_ids: Sequence[int],
    *,
    recipient: str = "",
    by_operator: bool,
    again: bool = False,
    now: datetime,
) -> EmailMessage | None:
    """Put the order's consolidated mail on its way; the caller holds the order's lock.

    The same set of codes is one row with one Message-ID until a server has accepted it
    (D13). `again` asks for another copy of an accepted mail (resend). A mail with other
    codes that still waits is taken over: nobody gets an outdated one.

    Returns:
        The row to send, or None if these codes were accepted before and nobody asked `again`.
    """
    key = dedup_key(order, voucher_ids)
    to = recipient or order.recipient_email
    known = EmailMessage.objects.filter(dedup_key=key).first()
    _take_over(order, keep=known)
    if known is not None and known.status == EmailStatus.SENT:
        if not again:
            return None
        waiting = _waiting_copy(known)
        if waiting is not None:
            return plan(waiting, automatic=not by_operator, recipient=to, now=now)
        return _new(order, voucher_ids, to, resend_of=known, automatic=not by_operator, now=now)
    if known is not None:
        if not by_operator and not _due_by_itself(known, now=now):
            return None
        return plan(known, automatic=not by_operator, recipient=to, now=now)
    return _new(order, voucher_ids, to, key=key, automatic=not by_operator, now=now)


def _new(
    order: Order,
    voucher_ids: Sequence[int],
    recipient: str,
    *,
    key: str = "",
    resend_of: EmailMessage | None = None,
    automatic: bool,
    now: datetime,
) -> EmailMessage:
    return create(
        order,
        VOUCHERS,
        recipient=recipient,
        key=key,
        automatic=automatic,
        now=now,
        voucher_ids=sorted(voucher_ids),
        resend_of=resend_of,
        definition=f"{VOUCHERS}.{'shop' if order.customer_id else 'programme'}",
    )


def dedup_key(order: Order, voucher_ids: Sequence[int]) -> str:
    digest = hashlib.sha256(",".join(map(str, sorted(voucher_ids))).encode()).hexdigest()
    return f"{order.pk}:{VOUCHERS}:{digest[:40]}"


def _due_by_itself(message: EmailMessage, *, now: datetime) -> bool:
    """Refused for good, or planned for later: only an operator sends it before that (D13)."""
    if message.status == EmailStatus.PENDING:
        return message.next_try_at is not None and message.next_try_at <= now
    return message.status == EmailStatus.SENDING


def _waiting_copy(original: EmailMessage) -> EmailMessage | None:
    """A copy asked for before that did not get through: it is sent, not doubled."""
    copies = EmailMessage.objects.filter(resend_of=original).exclude(status=EmailStatus.SENT)
    return copies.last()


def _take_over(order: Order, *, keep: EmailMessage | None) -> None:
    waiting = EmailMessage.objects.filter(
        order=order, template=VOUCHERS, status=EmailStatus.PENDING
    )
    if keep is not None:
        waiting = waiting.exclude(pk=keep.pk)
    waiting.update(
        status=EmailStatus.FAILED, next_try_at=None, error="Replaced by a newer mail of this order."
    )

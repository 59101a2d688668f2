"""The work on one paid order, safe to run twice at once: look up, obtain, mail, conclude."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from core import correlation
from core.actors import SYSTEM
from core.logging import get_logger
from fulfillment.completion import Failure, conclude, prepare
from fulfillment.issuing import OPEN, Round, issue
from fulfillment.models import FulfillmentAttempt
from fulfillment.purchasing import follow
from fulfillment.selectors import due_purchases, standings_of
from fulfillment.states import AttemptStatus, AttemptType
from notifications.delivery import Outcome, record, send
from notifications.models import EmailMessage
from notifications.selectors import due_voucher_mails, voucher_mail_of
from notifications.states import EmailStatus
from orders.models import Order
from orders.services import locked, tell

log = get_logger(__name__)

INTERRUPTED: Final = "Interrupted before the e-mail was ready; ask for it again."


@dataclass(frozen=True, slots=True)
class MailWish:
    """What an operator wants of the mail; the worker's wish is the default."""

    by_operator: bool = False
    recipient: str = ""
    again: bool = False


def process(*, order_id: int) -> None:
    """Do whatever is due for this order now. Running it twice is harmless."""
    look_up(order_id)
    send_left_copies(order_id)
    round_ = Round(order_id)
    work(round_, lambda: issue(order_id, into=round_), MailWish())


def look_up(order_id: int, *, now: datetime | None = None) -> None:
    """Ask partners about the order's purchases that are due."""
    due = due_purchases(now=now or timezone.now()).filter(item__order=order_id)
    for purchase in due.select_related("item__order", "source__partner", "partner"):
        with correlation.correlated(purchase.attempt.correlation_id):
            try:
                follow(purchase)
            except DatabaseError:
                raise
            except Exception:
                # One purchase nobody can follow must not keep the rest of the order waiting.
                log.exception("fulfilment.not_followed", reference=purchase.reference)


def work(round_: Round, obtain: Callable[[], Round], wish: MailWish) -> None:
    """Obtain codes, then mail and conclude; an unexpected error becomes a FAILED attempt.

    A database that is gone can't be told; the lease brings the work back then.
    """
    try:
        round_ = obtain()
        first = round_.attempts[0].correlation_id if round_.attempts else correlation.current()
        with correlation.correlated(first):
            finish(round_, wish)
    except DatabaseError:
        raise
    except Exception as exc:
        log.exception("fulfilment.failed", order_id=round_.order_id)
        if not round_.attempts:
            raise
        _give_up(round_, exc)


def finish(round_: Round, wish: MailWish) -> None:
    """Send the mail if one is due, and conclude with what became of it."""
    mail = round_.mail
    if not round_.prepared:
        with transaction.atomic():
            order = locked(round_.order_id)
            if order.held_for_risk or (order.status not in OPEN and not wish.by_operator):
                return
            mail = prepare(
                order,
                standings_of(order),
                by_operator=wish.by_operator,
                recipient=wish.recipient,
                again=wish.again,
                now=timezone.now(),
            )
            if mail is None:
                _conclude(order, round_, outcome=None, now=timezone.now())
                return
    outcome = None if mail is None else send(message_id=mail.pk, now=timezone.now())
    with transaction.atomic():
        order = locked(round_.order_id)
        now = timezone.now()
        if outcome is not None and record(outcome) and outcome.accepted and mail is not None:
            _note_dispatch(order, mail, now=now)
        _conclude(order, round_, outcome=outcome, now=now)


def send_left_copies(order_id: int) -> None:
    """Go on with copies of the mail whose operator's request died on its way.

    A mail that was queued goes out under its own Message-ID. Where none was, nobody knows the
    address that was asked for: the attempt ends, and the operator asks again.
    """
    asked = FulfillmentAttempt.objects.filter(
        order=order_id, type=AttemptType.RESEND_EMAIL, status=AttemptStatus.IN_PROGRESS
    )
    if not asked.exists():
        return
    with transaction.atomic():
        order = locked(order_id)
        now = timezone.now()
        left = list(asked)
        waiting = voucher_mail_of(order).waiting
        if not left or asked.filter(claimed_at__gte=now - settings.ATTEMPT_LEASE).exists():
            return  # a request is at it
        mail = due_voucher_mails(now=now).filter(order=order).last()
        if mail is None:
            if waiting is None or waiting.status == EmailStatus.PENDING:
                conclude(order, left, failures={}, mail_error=INTERRUPTED, now=now)
            return  # being sent: known when that is over
        asked.update(claimed_at=now)
    finish(Round(order_id, left, mail=mail, prepared=True), MailWish(by_operator=True))


def _note_dispatch(order: Order, mail: EmailMessage, *, now: datetime) -> None:
    order.dispatched_email, order.email_sent_at = mail.recipient, now
    order.save(update_fields=["dispatched_email", "email_sent_at", "updated_at"])
    detail: dict[str, Any] = {"message_id": mail.message_id, "codes": len(mail.voucher_ids)}
    tell(order, "mail", new=EmailStatus.SENT, actor=SYSTEM, detail=detail, now=now)


def _conclude(order: Order, round_: Round, *, outcome: Outcome | None, now: datetime) -> None:
    conclude(
        order,
        round_.attempts,
        failures=round_.failures,
        unfinished=round_.unfinished,
        resent=outcome.accepted if outcome is not None else None,
        mail_error=outcome.error if outcome is not None else "",
        now=now,
    )


def _give_up(round_: Round, exc: Exception) -> None:
    error = f"Unexpected error ({type(exc).__name__}); see the logs at fa:{correlation.current()}"
    failure = Failure(error, unexpected=True, definite=True)
    round_.failures |= {each.item_id: failure for each in round_.attempts if each.item_id}
    with transaction.atomic():
        order = locked(round_.order_id)
        _conclude(order, round_, outcome=None, now=timezone.now())

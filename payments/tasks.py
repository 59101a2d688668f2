"""Doors for the worker."""

from datetime import timedelta
from typing import Final

from celery import shared_task
from django.utils import timezone

from core.actors import SYSTEM
from orders.states import NOT_PAID_IN_TIME
from payments.closing import close
from payments.refunding import carry_out
from payments.selectors import (
    due_payments,
    due_refunds,
    open_payments,
    overdue_orders,
    payments_to_remind_of,
)
from payments.telling import remind
from payments.verification import verify

BATCH: Final = 500
CAPTURE_SETTLES: Final = timedelta(minutes=10)
#: A gateway that is silent for longer than this will not hold stock any more.
GIVE_UP: Final = timedelta(hours=6)


@shared_task
def verify_payment(*, payment_id: int, **_later: object) -> None:
    """Running it twice is harmless: asking moves no money, `settle` lets one caller through."""
    verify(payment_id)


@shared_task
def sweep_payments(**_later: object) -> None:
    """Ask again for payments without a final answer: no callback is ever relied on."""
    due = due_payments(now=timezone.now()).order_by("next_check_at")
    for payment_id in due.values_list("pk", flat=True)[:BATCH]:
        verify_payment.delay(payment_id=payment_id)


@shared_task
def remind_of_payments(**_later: object) -> None:
    """One mail to whoever left the payment page without paying; the order's lock makes it one."""
    now = timezone.now()
    for payment_id in payments_to_remind_of(now=now):
        remind(payment_id, now=now)


@shared_task
def follow_refund(*, refund_id: int, **_later: object) -> None:
    """Running it twice is harmless: one caller claims the right to send."""
    carry_out(refund_id)


@shared_task
def sweep_refunds(**_later: object) -> None:
    """Send what could not leave, ask about what was sent."""
    due = due_refunds(now=timezone.now()).order_by("next_check_at")
    for refund_id in due.values_list("pk", flat=True)[:BATCH]:
        follow_refund.delay(refund_id=refund_id)


@shared_task
def close_order(*, order_id: int, **_later: object) -> None:
    """One last question to each gateway, then the order is closed (D16).

    Nobody is told "not paid" while a gateway can't be asked, or while money may be moving
    (a capture was sent and its answer is open): the next run asks again.
    """
    now = timezone.now()
    for payment in open_payments(order_id):
        answered = verify(payment.pk).answered
        sent = payment.capture_sent_at
        # Silence after a capture of ours is never a no: a person is told before an order closes.
        moving = sent and (sent > now - CAPTURE_SETTLES or not answered)
        if moving or not (answered or payment.created_at < now - GIVE_UP):
            return
    close(order_id, actor=SYSTEM, reason=NOT_PAID_IN_TIME, now=timezone.now())


@shared_task
def close_overdue(**_later: object) -> None:
    for order_id in overdue_orders(now=timezone.now()).values_list("pk", flat=True)[:BATCH]:
        close_order.delay(order_id=order_id)

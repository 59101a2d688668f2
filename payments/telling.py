"""What a change of money tells by itself, part of its transaction: mails (D45) and webhooks."""

from datetime import datetime
from typing import Final

from django.db import transaction

from core.api.fields import instant, number
from notifications.facts import RefundFact
from notifications.kept import cancellation_facts, payment_facts, refund_facts
from notifications.models import EmailMessage
from notifications.services import queue_email
from notifications.states import Template
from orders.models import Order
from orders.services import locked
from orders.states import POINTS_METHOD, UNPAID, Billing
from payments.models import Payment, Refund
from payments.selectors import facts_of
from payments.states import PaymentStatus
from webhooks.services import Event, announce
from webhooks.states import EventType

_EVENTS: Final = {
    PaymentStatus.SUCCEEDED: EventType.PAYMENT_SUCCEEDED,
    PaymentStatus.FAILED: EventType.PAYMENT_FAILED,
    PaymentStatus.CANCELLED: EventType.PAYMENT_FAILED,
}
_REFUNDED: Final = EventType.PAYMENT_REFUNDED


def tell_paid(order: Order, payment: Payment, *, now: datetime) -> None:
    """A receipt, where the store wants one beside the voucher mail."""
    _about(order, payment, Template.ORDERCONFIRMATION, now=now)


def announce_payment(order: Order, payment: Payment, *, now: datetime) -> None:
    """To the clients of the shop that listen; orders of programmes are their programme's alone."""
    told = _EVENTS.get(PaymentStatus(payment.status))
    if told is None or payment.method == POINTS_METHOD:
        return
    data = {"payment": payment_data(order, payment)}
    announce(Event(told, payment.reference, payment.reference, data), now=now)


def announce_refund(order: Order, refund: Refund, *, now: datetime) -> None:
    """Once per refund that went through; `refund.amount` is what went back by it."""
    data = {
        "payment": payment_data(order, refund.payment),
        "refund": {"reference": refund.reference, "amount": number(refund.amount)},
    }
    announce(Event(_REFUNDED, refund.reference, refund.payment.reference, data), now=now)


def payment_data(order: Order, payment: Payment) -> dict[str, object]:
    return {
        "transactionId": payment.reference,
        "order_id": order.pk,
        "order_number": order.order_number,
        "method": payment.method,
        "status": payment.status,
        "amount": number(payment.amount),
        "currency": payment.currency,
        "paid_at": instant(payment.paid_at),
        "pays_the_order": payment.effective,
    }


def tell_awaited(order: Order, payment: Payment, *, now: datetime) -> EmailMessage | None:
    """The customer has done their part, or was sent to do it; the money is not here yet."""
    return _about(order, payment, Template.OFFLINE_PAYMENT_PENDING, now=now)


def remind(payment_id: int, *, now: datetime) -> None:
    """The customer left the payment page and nothing came; its own transaction."""
    with transaction.atomic():
        order = locked(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
        payment = Payment.objects.get(pk=payment_id)
        if order.status in UNPAID and payment.status == PaymentStatus.PENDING:
            tell_awaited(order, payment, now=now)


def tell_cancelled(order: Order, *, now: datetime) -> None:
    """A renewal that was not paid ends with its subscription, which has a mail of its own."""
    subscription = order.subscription
    if subscription is not None and subscription.billing == Billing.NON_RECURRING:
        return
    queue_email(order, Template.CANCELLATION, facts=cancellation_facts(order), now=now)


def tell_refunded(order: Order, refund: RefundFact, *, now: datetime) -> None:
    """A part goes back: partial refund. All of it: the order ends, so it is a cancellation."""
    money = facts_of(order)
    if money.refunded_in_full:
        facts = cancellation_facts(order, money)
        queue_email(order, Template.CANCELLATION, occasion="refunded", facts=facts, now=now)
        return
    queue_email(
        order, Template.PARTIAL_REFUND,
        occasion=refund.reference, facts=refund_facts(refund, money),
        payment_ref=refund.payment_reference, now=now,
    )  # fmt: skip


def _about(
    order: Order, payment: Payment, template: Template, *, now: datetime
) -> EmailMessage | None:
    fact = facts_of(order).payment(payment.reference)
    return queue_email(
        order, template,
        occasion=payment.reference, facts=payment_facts(fact) if fact else {},
        payment_ref=payment.reference, now=now,
    )  # fmt: skip

"""The only writer of payment results: what a verdict does to a payment and its order.

# Note [Late money]
A verified payment on a FAILED or CANCELLED order is honoured and shown (D15): the customer
paid, so the order goes on; an alert tells the operator that stock may have gone meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from core.actors import SYSTEM, Actor
from core.logging import get_logger
from core.money import CURRENCY
from fulfillment.services import request_fulfilment
from notifications.alerts import raise_alert, resolve_alerts
from notifications.states import AlertKind
from orders.discounts import give_back, take_again
from orders.models import Order
from orders.services import advance, locked, tell
from orders.states import PAID, UNPAID, OrderStatus
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment
from payments.states import ARROWS, CARRIER_METHOD, OPEN, PaymentStatus, RefundStatus
from payments.telling import announce_payment, tell_awaited, tell_cancelled, tell_paid
from vouchers.services import release

log = get_logger(__name__)

_STATUS: Final = {
    Outcome.AUTHORIZED: PaymentStatus.AUTHORIZED,
    Outcome.FAILED: PaymentStatus.FAILED,
    Outcome.CANCELLED: PaymentStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Settlement:
    payment: Payment
    changed: bool
    """False if this verdict moved nothing: settled before, or no verdict on this payment."""
    answered: bool = True
    """False if the gateway could not be asked, or its answer could not be placed."""


class UsedBefore(Exception):  # noqa: N818
    """The provider's transaction id belongs to another payment of ours (I7)."""


def settle(*, payment_id: int, verdict: Verdict, actor: Actor, now: datetime) -> Settlement:
    """Write down what became of a payment and set its order moving.

    May be called twice, and by callback, sweep and operator at once: the row locks (order,
    then payment, everywhere in this order) let one caller through; the others read what it
    wrote. Source: seed Orders, "Status semantics"; D15, D43, D44.

    Args:
        verdict: the gateway's answer to *our* query, never the content of a callback.
        now: when the answer came in; becomes `Order.paid_at`.
    """
    try:
        return _settle(payment_id=payment_id, verdict=verdict, actor=actor, now=now)
    except UsedBefore:
        foreign = Verdict(Outcome.FOREIGN, reason="the transaction id was used for another payment")
        return _settle(payment_id=payment_id, verdict=foreign, actor=actor, now=now)


@transaction.atomic
def _settle(*, payment_id: int, verdict: Verdict, actor: Actor, now: datetime) -> Settlement:
    order = locked(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if verdict.outcome == Outcome.FOREIGN:
        message = f"Payment {payment.reference}: {verdict.reason}"
        raise_alert(order, AlertKind.PAYMENT_FOREIGN, message, now=now)
        return Settlement(payment, changed=False)
    if verdict.also_paid:
        more = ", ".join(verdict.also_paid)
        message = f"{payment.reference} was paid more than once; refund at {payment.method}: {more}"
        raise_alert(order, AlertKind.DUPLICATE_PAYMENT, message, now=now)
    if verdict.outcome == Outcome.REFUNDED:
        _given_back(order, payment, verdict, now=now)
        return Settlement(payment, changed=False)
    if verdict.unless_captured and payment.capture_sent_at is not None:
        return Settlement(payment, changed=False)
    new = status_for(verdict, payment)
    if new is None or new not in ARROWS[PaymentStatus(payment.status)]:
        return Settlement(payment, changed=False)
    _move(order, payment, new, verdict, actor=actor, now=now)
    _move_order(order, payment, new, verdict, actor=actor, now=now)
    _told_by_the_carrier(order, payment, now=now)
    log.info("payment.settled", payment=payment.reference, status=new, order=order.order_number)
    return Settlement(payment, changed=True)


def _given_back(order: Order, payment: Payment, verdict: Verdict, *, now: datetime) -> None:
    """Somebody's hand at the gateway; a refund of our own books is no news."""
    if payment.refunds.exclude(status=RefundStatus.FAILED).exists():
        return
    message = f"Payment {payment.reference} was given back at {payment.method}: {verdict.reason}"
    raise_alert(order, AlertKind.PARTNER_ANOMALY, message, now=now)


def status_for(verdict: Verdict, payment: Payment) -> PaymentStatus | None:
    """What the verdict makes of the payment; None while the gateway has not decided."""
    if verdict.outcome == Outcome.PAID:
        right = verdict.amount == payment.amount and verdict.currency == CURRENCY
        return PaymentStatus.SUCCEEDED if right else PaymentStatus.AMOUNT_MISMATCH
    return _STATUS.get(verdict.outcome)


def _move(
    order: Order,
    payment: Payment,
    new: PaymentStatus,
    verdict: Verdict,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    old = payment.status
    payment.status = new
    payment.reason = verdict.reason[:300]
    payment.evidence = dict(verdict.evidence)
    payment.next_check_at = now if new in OPEN else None
    if verdict.gateway_transaction_id:
        payment.gateway_transaction_id = verdict.gateway_transaction_id
    if verdict.outcome == Outcome.PAID:
        payment.received_amount = verdict.amount
        payment.received_currency = verdict.currency[:3]
    if new == PaymentStatus.SUCCEEDED:
        payment.paid_at = now
        payment.effective = order.status not in PAID
    try:
        with transaction.atomic():
            payment.save()
    except IntegrityError as exc:
        if "payment_gateway_transaction_once" in str(exc):
            raise UsedBefore(payment.reference) from exc
        raise
    tell(
        order, "payment", old=old, new=new, actor=actor, reason=verdict.reason,
        detail={"transactionId": payment.reference, "method": payment.method}, now=now,
    )  # fmt: skip
    announce_payment(order, payment, now=now)


def _told_by_the_carrier(order: Order, payment: Payment, *, now: datetime) -> None:
    """Nobody need look it up any more."""
    if payment.method == CARRIER_METHOD and payment.status not in OPEN:
        kinds = {AlertKind.PAYMENT_UNCONFIRMED}
        resolve_alerts(order, kinds, note=f"{payment.reference} is {payment.status}", now=now)


def _move_order(
    order: Order,
    payment: Payment,
    new: PaymentStatus,
    verdict: Verdict,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Every case by name: what nobody thought of must never deliver."""
    match new:
        case PaymentStatus.SUCCEEDED if not payment.effective:
            message = f"Order {order.order_number} is paid twice; refund {payment.reference}."
            raise_alert(order, AlertKind.DUPLICATE_PAYMENT, message, now=now)
        case PaymentStatus.SUCCEEDED:
            _paid(order, payment, verdict, actor=actor, now=now)
        case PaymentStatus.AMOUNT_MISMATCH:
            message = (
                f"Payment {payment.reference}: {verdict.amount} {verdict.currency} came, "
                f"{payment.amount} {payment.currency} was asked. Nothing is delivered."
            )
            raise_alert(order, AlertKind.AMOUNT_MISMATCH, message, now=now)
        case PaymentStatus.AUTHORIZED if order.status == OrderStatus.INITIATED:
            advance(
                order, OrderStatus.CARRIER_AUTHORIZED, actor=actor, reason=verdict.reason, now=now
            )
            tell_awaited(order, payment, now=now)
        case PaymentStatus.FAILED | PaymentStatus.CANCELLED:
            close_if_unpaid(
                order, OrderStatus[new.name], actor=actor, reason=verdict.reason, now=now
            )


def _paid(order: Order, payment: Payment, verdict: Verdict, *, actor: Actor, now: datetime) -> None:
    if order.status not in UNPAID:  # Note [Late money]
        message = f"{payment.reference} was paid after order {order.order_number} was closed."
        raise_alert(order, AlertKind.LATE_PAYMENT, message, now=now)
        take_again(order, strictly=False)
    advance(order, OrderStatus.PENDING, actor=actor, reason=verdict.reason or "paid", now=now)
    tell_paid(order, payment, now=now)
    if verdict.risky:
        hold(order, f"{payment.reference} is flagged as risky by {payment.method}.", now=now)
    else:
        request_fulfilment(order, now=now)


def hold(order: Order, why: str, *, now: datetime) -> None:
    """Paid, and nothing is fulfilled until an operator releases it (D44)."""
    order.held_for_risk = True
    order.save(update_fields=["held_for_risk", "updated_at"])
    advance(order, OrderStatus.NEEDS_ATTENTION, actor=SYSTEM, reason=why, now=now)
    raise_alert(order, AlertKind.PAYMENT_RISK, why, now=now)


def close_if_unpaid(
    order: Order, new: OrderStatus, *, actor: Actor, reason: str, now: datetime
) -> bool:
    """FAILED or CANCELLED, if no other try to pay is open (D43); gives back what was held."""
    still_open = Payment.objects.filter(order=order, status__in=OPEN).exists()
    if order.status not in UNPAID or still_open:
        return False
    advance(order, new, actor=actor, reason=reason, now=now)
    give_back(order)  # lock order: discount before vouchers
    release(order)
    if new == OrderStatus.CANCELLED:
        tell_cancelled(order, now=now)
    return True

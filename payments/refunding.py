"""Paying money back: written down, sent once, asked about until it is known (D42).

The same three steps as everywhere money moves: the wish is stored under the order's lock, and
with it the units leave the debt; the right to send it is claimed and committed; what came of it
is recorded. An unclear answer is asked about, and sent again only if the gateway never had it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from core import correlation
from core.actors import SYSTEM, Actor
from core.db import durable
from core.errors import BadRequest, Conflict
from core.logging import get_logger
from core.money import CURRENCY, ZERO, taka
from core.providers import Declined, Misconfigured, ProviderError, Unavailable
from core.states import check_arrow
from fulfillment.refunds import Units, drop_units, restore_units
from notifications.alerts import raise_alert, resolve_alerts
from notifications.facts import RefundFact
from notifications.states import AlertKind
from orders.models import Order
from orders.services import locked, tell
from payments.exchanges import kept
from payments.gateways.base import (
    Known,
    RefundAnswer,
    RefundingGateway,
    RefundRequest,
    RefundState,
)
from payments.gateways.registry import get_gateway
from payments.models import Payment, Refund
from payments.states import REFUND_ARROWS, REFUND_OPEN, PaymentStatus, RefundStatus
from payments.telling import announce_refund, tell_refunded

log = get_logger(__name__)

MONEY_CAME: Final = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.AMOUNT_MISMATCH})
#: A claim to send is trusted for so long; afterwards its sender has died, and we ask.
SENDING: Final = timedelta(seconds=60)
MOMENT: Final = timedelta(seconds=1)
#: An answer nobody can place needs a person after this.
UNCLEAR_AFTER: Final = timedelta(hours=1)
REFUND_ALERTS: Final = frozenset(
    {AlertKind.REFUND_BY_HAND, AlertKind.REFUND_FAILED, AlertKind.REFUND_UNCLEAR}
)


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What an operator asks for."""

    reason: str
    amount: Decimal | None = None
    """Default: what the units are worth, or all that came."""
    items: Units | None = None
    """Default: everything that is not paid back yet."""
    revoking: bool = False
    """Take delivered codes back (D42)."""


def request_refund(payment_id: int, wish: RefundWish, *, operator: Actor, now: datetime) -> Refund:
    """Write a refund down; its units can't be delivered from here on. Nothing is sent yet.

    Raises:
        BadRequest: the amount or the units are not this payment's.
        Conflict: no money came, it went back already, or a refund is still under way; or a
            code is delivered and nobody said that it is to be revoked.
    """
    with transaction.atomic():
        order = locked(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        left = _left(payment)
        if payment.effective:
            dropped = drop_units(
                order, wish.items,
                revoking=wish.revoking, actor=operator, reason=wish.reason, now=now,
            )  # fmt: skip
            amount = _amount_of_units(order, dropped.units, wish, left)
            units, revoked = dropped.units, dropped.vouchers
        else:
            amount, units, revoked = _amount_without_goods(wish, left), (), ()
        refund = Refund.objects.create(
            payment=payment,
            reference=f"{payment.reference}-R{payment.refunds.count() + 1}",
            amount=amount,
            reason=wish.reason,
            units=[list(each) for each in units],
            revoked=list(revoked),
            by_hand=not _gateway_refunds(payment),
            next_check_at=now,
            requested_by_id=operator.user_id,
            correlation_id=correlation.current(),
            created_at=now,
        )
        if refund.by_hand:
            _ask_a_person(order, refund, now=now)
        _tell(order, refund, "", actor=operator, reason=wish.reason, now=now)
    log.info("refund.requested", refund=refund.reference, by_hand=refund.by_hand)
    return refund


def _left(payment: Payment) -> Decimal:
    """What came and has not gone back; raises Conflict if that is nothing."""
    if payment.status not in MONEY_CAME or not payment.received_amount:
        raise Conflict(f"Payment {payment.reference} brought no money: it is {payment.status}.")
    refunds = payment.refunds.exclude(status=RefundStatus.FAILED)
    under_way = refunds.filter(status__in=REFUND_OPEN).first()
    if under_way is not None:
        raise Conflict(f"Refund {under_way.reference} is still under way: {under_way.status}.")
    left = payment.received_amount - (refunds.aggregate(sum=Sum("amount"))["sum"] or ZERO)
    if left <= 0:
        raise Conflict(f"Payment {payment.reference} is paid back in full already.")
    return left


def _amount_of_units(
    order: Order, units: Iterable[tuple[int, int]], wish: RefundWish, left: Decimal
) -> Decimal:
    worth = min(left, worth_of(order, units))
    if wish.amount is None:
        return worth
    if wish.amount > worth:
        raise BadRequest.at("amount", f"These units are worth {worth} BDT.", code="max_value")
    if wish.items is None and wish.amount < worth:
        message = "Say which units are paid back; without them it is the whole payment."
        raise BadRequest.at("items", message, code="required")
    return wish.amount


def _amount_without_goods(wish: RefundWish, left: Decimal) -> Decimal:
    """A second payment, or a wrong sum: it paid for nothing, so no unit leaves the debt."""
    if wish.items is not None:
        raise BadRequest.at("items", "This payment paid for no goods of the order.")
    if wish.amount is not None and wish.amount > left:
        raise BadRequest.at("amount", f"{left} BDT can be paid back.", code="max_value")
    return left if wish.amount is None else wish.amount


def worth_of(order: Order, units: Iterable[tuple[int, int]]) -> Decimal:
    """What the customer paid for these units: the discount is spread, and no paisa is lost."""
    wanted, worth, so_far = set(units), ZERO, ZERO
    before = ZERO
    for item in order.items.order_by("position"):
        for unit in range(1, item.quantity + 1):
            so_far += item.unit_price
            upto = taka(order.total_amount * so_far / order.subtotal_amount)
            if (item.pk, unit) in wanted:
                worth += upto - before
            before = upto
    return worth


def _gateway_refunds(payment: Payment) -> bool:
    """Whether the gateway can be asked; what came in other money is a person's business."""
    if payment.received_currency != CURRENCY or not payment.gateway_transaction_id:
        return False
    try:
        return isinstance(get_gateway(payment.method), RefundingGateway)
    except Misconfigured:
        return False


def _ask_a_person(order: Order, refund: Refund, *, now: datetime) -> None:
    Refund.objects.filter(pk=refund.pk).update(next_check_at=None)
    payment = refund.payment
    message = (
        f"Pay back {refund.amount} {payment.received_currency} at {payment.method}, transaction "
        f"{payment.gateway_transaction_id or payment.reference}; then mark refund "
        f"{refund.reference} as paid, with the reference you got."
    )
    raise_alert(order, AlertKind.REFUND_BY_HAND, message, now=now)


@durable
def carry_out(refund_id: int, *, answer_seconds: float = 10.0) -> Refund:
    """Send what is to be sent, ask about what was sent. Safe to call twice at once."""
    now = timezone.now()
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.by_hand or refund.status not in REFUND_OPEN:
        return refund
    sending = refund.status == RefundStatus.REQUESTED
    if sending and not _claimed(refund, now=now):
        refund.refresh_from_db()
        return refund
    answer: RefundAnswer | ProviderError
    try:
        answer = _asked(refund, sending=sending, answer_seconds=answer_seconds)
    except ProviderError as exc:
        answer = exc
    return _record(refund.pk, answer, sending=sending, sent_before=refund.sent_at)


def _claimed(refund: Refund, *, now: datetime) -> bool:
    """One sender at a time; from here on the money may be on its way."""
    mine = Refund.objects.filter(pk=refund.pk, status=RefundStatus.REQUESTED, by_hand=False)
    return bool(mine.update(status=RefundStatus.PENDING, sent_at=now, next_check_at=now + SENDING))


def _asked(refund: Refund, *, sending: bool, answer_seconds: float) -> RefundAnswer:
    payment = refund.payment
    gateway = get_gateway(payment.method, answer_seconds=answer_seconds)
    if not isinstance(gateway, RefundingGateway):
        raise Misconfigured(payment.method, "this gateway can't refund")
    others = payment.refunds.exclude(pk=refund.pk).exclude(gateway_refund_id="")
    request = RefundRequest(
        reference=refund.reference,
        amount=refund.amount,
        reason=refund.reason,
        payment=Known(payment.reference, payment.gateway_reference, payment.amount),
        gateway_transaction_id=payment.gateway_transaction_id,
        paid_at=payment.paid_at or payment.created_at,
        evidence=payment.evidence,
        gateway_refund_id=refund.gateway_refund_id,
        sent_before=refund.sent_at is not None,
        earlier=frozenset(others.values_list("gateway_refund_id", flat=True)),
    )
    if sending:
        return kept("refund", lambda: gateway.refund(request), payment, refund)
    return kept("query_refund", lambda: gateway.query_refund(request), payment, refund)


@transaction.atomic
def _record(
    refund_id: int,
    answer: RefundAnswer | ProviderError,
    *,
    sending: bool,
    sent_before: datetime | None,
) -> Refund:
    now = timezone.now()
    order = locked(Refund.objects.values_list("payment__order_id", flat=True).get(pk=refund_id))
    refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund_id)
    if refund.status not in REFUND_OPEN:
        return refund
    new = _status_for(refund, answer, sending=sending, now=now)
    if isinstance(answer, RefundAnswer):
        refund.gateway_refund_id = answer.gateway_refund_id or refund.gateway_refund_id
        refund.evidence = dict(answer.evidence) or refund.evidence
        refund.error = answer.reason[:300]
    else:
        refund.error = answer.message[:300]
    if isinstance(answer, Misconfigured):
        raise_alert(None, AlertKind.PARTNER_MISCONFIGURED, str(answer), now=now)
    if sending and new == RefundStatus.REQUESTED:  # surely not sent: as if never tried
        refund.sent_at = sent_before
    if new in REFUND_OPEN:
        _wait(order, refund, new, answer, now=now)
    else:
        _end(order, refund, new, actor=SYSTEM, now=now)
    return refund


def _status_for(
    refund: Refund, answer: RefundAnswer | ProviderError, *, sending: bool, now: datetime
) -> RefundStatus:
    if isinstance(answer, ProviderError):
        if sending and isinstance(answer, Declined):
            return RefundStatus.FAILED
        surely_not_sent = sending and isinstance(answer, Unavailable | Misconfigured)
        return RefundStatus.REQUESTED if surely_not_sent else RefundStatus.PENDING
    match answer.state:
        case RefundState.DONE:
            return RefundStatus.SUCCEEDED
        case RefundState.REFUSED:
            return RefundStatus.FAILED
        case RefundState.NOT_FOUND if _surely_lost(refund, now=now):
            return RefundStatus.REQUESTED
        case _:
            return RefundStatus.PENDING


def _surely_lost(refund: Refund, *, now: datetime) -> bool:
    """What was sent may still be on its way for some minutes; then the same may go out again."""
    return refund.sent_at is not None and refund.sent_at < now - settings.REFUND_RESEND_AFTER


def _wait(
    order: Order,
    refund: Refund,
    new: RefundStatus,
    answer: RefundAnswer | ProviderError,
    *,
    now: datetime,
) -> None:
    """Quick first, then slower; the plan is in the row."""
    if refund.status != new:
        check_arrow(REFUND_ARROWS, RefundStatus(refund.status), new)
    refund.status = new
    refund.next_check_at = _next_look(refund, answer, now=now)
    refund.checks += 1
    refund.save()
    clear = isinstance(answer, RefundAnswer) and answer.state == RefundState.PENDING
    if not clear and refund.created_at < now - UNCLEAR_AFTER:
        message = f"Refund {refund.reference} of {refund.amount} BDT: {refund.error}"
        raise_alert(order, AlertKind.REFUND_UNCLEAR, message, now=now)


def _next_look(refund: Refund, answer: RefundAnswer | ProviderError, *, now: datetime) -> datetime:
    """By the plan; but what never arrived is sent as soon as that is sure."""
    waits = settings.REFUND_WAITS
    planned = now + timedelta(seconds=waits[min(refund.checks, len(waits) - 1)])
    unknown = isinstance(answer, RefundAnswer) and answer.state == RefundState.NOT_FOUND
    if not unknown or refund.sent_at is None:
        return planned
    return max(now, min(planned, refund.sent_at + settings.REFUND_RESEND_AFTER + MOMENT))


def settle_by_hand(
    refund_id: int, *, paid: bool, hand_reference: str, operator: Actor, notes: str, now: datetime
) -> Refund:
    """A person has paid it back, or knows from the gateway how it ended.

    Raises:
        BadRequest: paid, but no reference says how.
        Conflict: it ended already, or is being sent just now.
    """
    if paid and not hand_reference:
        raise BadRequest.at("reference", "Name the reference of the payment.", code="required")
    with transaction.atomic():
        order = locked(Refund.objects.values_list("payment__order_id", flat=True).get(pk=refund_id))
        refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund_id)
        if refund.status not in REFUND_OPEN:
            raise Conflict(f"Refund {refund.reference} has ended: {refund.status}.")
        sent = refund.status == RefundStatus.PENDING and refund.sent_at
        if sent and sent > now - SENDING:
            raise Conflict(f"Refund {refund.reference} is being sent just now; try again shortly.")
        refund.hand_reference, refund.ended_by_id = hand_reference[:120], operator.user_id
        refund.error = notes[:300]
        new = RefundStatus.SUCCEEDED if paid else RefundStatus.FAILED
        _end(order, refund, new, actor=operator, now=now)
    return refund


def _end(order: Order, refund: Refund, new: RefundStatus, *, actor: Actor, now: datetime) -> None:
    old = RefundStatus(refund.status)
    check_arrow(REFUND_ARROWS, old, new)
    refund.status, refund.ended_at, refund.next_check_at = new, now, None
    refund.save()
    note = f"Refund {refund.reference}: {new.label}, fa:{correlation.current()}"
    by_id = actor.user_id
    if not Refund.objects.filter(payment__order=order, status__in=REFUND_OPEN).exists():
        resolve_alerts(order, REFUND_ALERTS, note=note, now=now, by_id=by_id)
    if new == RefundStatus.SUCCEEDED:
        _tell_customer(order, refund, now=now)
        announce_refund(order, refund, now=now)
        kinds = _settled_kinds(order, refund.payment)
        resolve_alerts(order, kinds, note=note, now=now, by_id=by_id)
    else:
        units = [(item, unit) for item, unit in refund.units]
        if units:
            restore_units(order, units, vouchers=refund.revoked, now=now)
        message = f"{refund.amount} BDT did not go back ({refund.reference}): {refund.error}"
        raise_alert(order, AlertKind.REFUND_FAILED, message, now=now)
    _tell(order, refund, old, actor=actor, reason=refund.error, now=now)
    log.info("refund.ended", refund=refund.reference, status=new)


def _tell_customer(order: Order, refund: Refund, *, now: datetime) -> None:
    """By mail, of what the order's own payment gives back; a second payment bought nothing."""
    payment = refund.payment
    if payment.effective:
        fact = RefundFact(refund.reference, payment.reference, payment.method, refund.amount, now)
        tell_refunded(order, fact, now=now)


def _settled_kinds(order: Order, refunded: Payment) -> list[AlertKind]:
    """Alerts about money that paid for nothing, and that has all gone back (D15)."""
    if refunded.effective:
        return []
    gone = Sum("refunds__amount", filter=Q(refunds__status=RefundStatus.SUCCEEDED))
    payments = Payment.objects.filter(order=order, effective=False, status__in=MONEY_CAME)
    kept_money = {
        payment.status
        for payment in payments.annotate(gone=gone)
        if (payment.gone or ZERO) < (payment.received_amount or ZERO)
    }
    kind = {
        PaymentStatus.SUCCEEDED: AlertKind.DUPLICATE_PAYMENT,
        PaymentStatus.AMOUNT_MISMATCH: AlertKind.AMOUNT_MISMATCH,
    }[PaymentStatus(refunded.status)]
    return [] if refunded.status in kept_money else [kind]


def _tell(
    order: Order, refund: Refund, old: str, *, actor: Actor, reason: str, now: datetime
) -> None:
    detail = {"refund": refund.reference, "amount": str(refund.amount), "units": refund.units}
    tell(
        order, "refund", old=old, new=refund.status, actor=actor, reason=reason, detail=detail,
        now=now,
    )  # fmt: skip

"""What a mail keeps of the order's money when it is queued: derived here, never from a body."""

from typing import Any, Final

from notifications.eligibility import Case
from notifications.facts import MoneyFacts, PaymentFact, RefundFact
from notifications.states import Template
from orders.models import Order, OrderEvent
from orders.states import NOT_PAID_IN_TIME, OrderStatus

#: Reminders of one renewal are counted in its mail.
ATTEMPT_KEYS: Final = ("attempt", "attempts")


def payment_for(template: Template, case: Case) -> PaymentFact | None:
    """The payment a mail is about; None where it is about none."""
    match template:
        case Template.ORDERCONFIRMATION:
            return case.money.effective
        case Template.OFFLINE_PAYMENT_PENDING:
            return case.money.awaited
        case Template.PARTIAL_REFUND if case.money.refunds:
            return case.money.payment(case.money.refunds[-1].payment_reference)
        case Template.CANCELLATION:
            return case.money.payments[-1] if case.money.payments else None
    return None


def facts_for(template: Template, case: Case, named: PaymentFact | None) -> dict[str, Any]:
    payment = named or payment_for(template, case)
    match template:
        case Template.CANCELLATION:
            return cancellation_facts(case.order, case.money)
        case Template.PARTIAL_REFUND:
            return refund_facts(case.money.refunds[-1], case.money)
        case Template.OFFLINE_PAYMENT_PENDING | Template.ORDERCONFIRMATION if payment:
            return payment_facts(payment)
        case Template.NON_RECURRING_PAYMENT_ATTEMPT:
            earlier = [mail.facts for mail in case.mails if mail.template == template]
            return {key: earlier[-1][key] for key in ATTEMPT_KEYS if earlier and key in earlier[-1]}
    return {}


def payment_facts(payment: PaymentFact) -> dict[str, Any]:
    return {
        "method": payment.method,
        "reference": payment.reference,
        "case": payment.status.lower(),
    }


def refund_facts(refund: RefundFact, money: MoneyFacts) -> dict[str, Any]:
    paid = money.effective
    of_the_order = paid is not None and paid.reference == refund.payment_reference
    return {
        "case": "part" if of_the_order else "other",
        "refund": str(refund.amount),
        "method": refund.method,
        "reference": refund.reference,
    }


def cancellation_facts(order: Order, money: MoneyFacts | None = None) -> dict[str, Any]:
    """Why the order ended: from its own timeline."""
    if money is not None and money.refunded_in_full:
        return {"case": "refunded", "refund": str(money.refunded)}
    event = (
        OrderEvent.objects.filter(order=order, kind="status", new=OrderStatus.CANCELLED)
        .order_by("-pk")
        .first()
    )
    if event is None:
        return {}
    for kind in ("customer", "operator"):
        if event.actor.startswith(f"{kind}:"):
            return {"case": kind}
    return {"case": "deadline" if event.reason == NOT_PAID_IN_TIME else "gateway"}

"""Which business mail an order's state allows, and in whose words it goes out.

Source: seed ResendEmail, step 5 and A3; D22, D45. The three `NON_RECURRING_*` rules are ours:
see docs/domain/mail.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from notifications.facts import MoneyFacts
from notifications.models import EmailMessage
from notifications.states import VOUCHERS, Template, Workflow
from orders.models import Order, Subscription
from orders.states import (
    PAYABLE,
    UNPAID,
    Billing,
    OfferKind,
    OrderSource,
    OrderStatus,
    SubscriptionStatus,
)

PREBILLINGS: Final = (Template.PREBILLING, Template.NON_RECURRING_PREBILLING)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a rule looks at."""

    order: Order
    """With its subscription."""
    money: MoneyFacts
    mails: Sequence[EmailMessage]
    """Every mail of the order, oldest first."""
    now: datetime

    @property
    def subscription(self) -> Subscription | None:
        return self.order.subscription

    @property
    def is_resume_offer(self) -> bool:
        order = self.order
        return order.source == OrderSource.OFFER and order.offer_sub_source == OfferKind.RESUME

    def workflow(self, *templates: str) -> Workflow | None:
        """How far the newest mail of these templates is; None before the first."""
        rows = [mail for mail in self.mails if mail.template in templates]
        return rows[-1].workflow if rows else None

    @property
    def prebilling(self) -> Workflow | None:
        found = self.workflow(*PREBILLINGS)
        if found is None and self.order.prebilling_skipped_at is not None:
            return Workflow.COMPLETED  # A5: moved forward without a mail
        return found

    @property
    def confirmation(self) -> Workflow | None:
        """Before the first receipt it is the voucher mail that confirms an order (D45)."""
        return self.workflow(Template.ORDERCONFIRMATION) or self.workflow(VOUCHERS)


def refusal(template: Template, case: Case) -> str:
    """Why this mail may not be sent now, in a sentence; empty if it may."""
    return _RULES[template](case)


def is_overtaken(template: Template, case: Case) -> bool:
    """A5: notice of an offer to resume, when there is nothing left to give notice of."""
    subscription = case.subscription
    return (
        template == Template.PREBILLING
        and case.is_resume_offer
        and subscription is not None
        and (
            subscription.status != SubscriptionStatus.SUSPENDED
            or subscription.next_billing_at <= case.now
        )
    )


def definition_of(template: Template, order: Order) -> str:
    """The concrete template: logical one, layout, source, and context of the order (step 7)."""
    parts = [template.lower(), "shop" if order.customer_id else "programme", order.source.lower()]
    subscription = order.subscription
    if order.offer_sub_source:
        parts.append(order.offer_sub_source.lower())
    elif subscription and subscription.trial_ends_at and order.billing_at:
        if order.billing_at < subscription.trial_ends_at:
            parts.append("trial")
        elif order.billing_at == subscription.trial_ends_at:
            parts.append("conversion")
    return ".".join(parts)


def _prebilling(case: Case) -> str:
    subscription = case.subscription
    if case.order.paid_at is not None:
        return "The payment is completed already."
    if subscription is None:
        return "Prebilling does not apply: the order belongs to no subscription."
    if subscription.billing != Billing.RECURRING and not case.is_resume_offer:
        return "Prebilling does not apply: the subscription is paid by a non-recurring method."
    return _open(case) or _under_way(case, Template.PREBILLING)


def _confirmation(case: Case) -> str:
    if case.order.status == OrderStatus.CANCELLED or case.money.refunded_in_full:
        return "A cancellation has been triggered already."
    if case.order.paid_at is None:
        return "The payment is not completed."
    if case.confirmation == Workflow.PENDING:
        return "The confirmation is on its way already."
    return ""


def _cancellation(case: Case) -> str:
    if case.order.status != OrderStatus.CANCELLED and not case.money.refunded_in_full:
        return "The order is not cancelled."
    return _has_gone(case, Template.CANCELLATION, "cancellation")


def _partial_refund(case: Case) -> str:
    if not case.money.refunds:
        return "Nothing of this order was refunded."
    return _has_gone(case, Template.PARTIAL_REFUND, "partial refund")


def _offline_pending(case: Case) -> str:
    if case.order.status not in UNPAID or case.money.awaited is None:
        return "The payment is not pending."
    return _under_way(case, Template.OFFLINE_PAYMENT_PENDING)


def _non_recurring_prebilling(case: Case) -> str:
    return (
        _non_recurring(case) or _open(case) or _under_way(case, Template.NON_RECURRING_PREBILLING)
    )


def _payment_attempt(case: Case) -> str:
    billing_at = case.order.billing_at
    early = billing_at is None or billing_at > case.now
    return (
        _non_recurring(case)
        or _open(case)
        or ("The renewal is not due yet." if early else "")
        or _under_way(case, Template.NON_RECURRING_PAYMENT_ATTEMPT)
    )


def _expired(case: Case) -> str:
    subscription = case.subscription
    wrong = _non_recurring(case)
    if wrong or subscription is None:
        return wrong
    if subscription.status != SubscriptionStatus.EXPIRED:
        return "The subscription has not expired."
    if case.order.billing_at != subscription.next_billing_at:
        return "The subscription did not expire with this order."
    return _under_way(case, Template.NON_RECURRING_PAYMENT_SUBSCRIPTION_EXPIRED)


_RULES: Final[Mapping[Template, Callable[[Case], str]]] = {
    Template.PREBILLING: _prebilling,
    Template.ORDERCONFIRMATION: _confirmation,
    Template.CANCELLATION: _cancellation,
    Template.PARTIAL_REFUND: _partial_refund,
    Template.OFFLINE_PAYMENT_PENDING: _offline_pending,
    Template.NON_RECURRING_PREBILLING: _non_recurring_prebilling,
    Template.NON_RECURRING_PAYMENT_ATTEMPT: _payment_attempt,
    Template.NON_RECURRING_PAYMENT_SUBSCRIPTION_EXPIRED: _expired,
}


def _non_recurring(case: Case) -> str:
    if case.order.paid_at is not None:
        return "The payment is completed already."
    if case.subscription is None:
        return "The order belongs to no subscription."
    if case.subscription.billing != Billing.NON_RECURRING:
        return "The subscription is not paid by a non-recurring method."
    return ""


def _open(case: Case) -> str:
    if case.order.status in UNPAID | PAYABLE:  # a try to pay that failed may be followed by one
        return ""
    return "The order is closed and can't be paid any more."


def _under_way(case: Case, template: Template) -> str:
    if case.workflow(template) == Workflow.PENDING:
        return "This e-mail is on its way already."
    return ""


def _has_gone(case: Case, template: Template, what: str) -> str:
    """Only what was sent once can be sent again: its first mail goes out by itself."""
    if case.workflow(template) in (Workflow.COMPLETED, Workflow.FAILED):
        return ""
    return f"The {what} e-mail has not been processed yet, so there is nothing to send again."

"""Subscriptions: an order a period, told beforehand, paid by its link, ended if nobody pays.

No gateway here charges by itself. Lock order: subscription before order.
"""

import calendar
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from core import correlation
from core.actors import SYSTEM
from core.db import durable
from core.errors import DomainError
from core.logging import get_logger
from core.states import IllegalTransition, check_arrow
from notifications.alerts import raise_alert
from notifications.services import queue_email
from notifications.states import AlertKind, Template
from orders.models import Order, Subscription
from orders.services import Buyer, Cart, Line, change_subscription, locked, place_order, tell
from orders.states import (
    SUBSCRIPTION_ARROWS,
    Billing,
    OfferKind,
    OrderSource,
    OrderStatus,
    SubscriptionStatus,
)
from payments.selectors import due_subscriptions
from payments.services import cancel_by_customer, hold_stock

log = get_logger(__name__)

ENDED: Final = frozenset({OrderStatus.CANCELLED, OrderStatus.FAILED})
MONTHS: Final = 12


def renew_due(*, now: datetime) -> int:
    """Bring every subscription whose time has come one step on; how many were looked at."""
    ids = due_subscriptions(now=now)
    for pk in ids:
        with correlation.correlated(correlation.new_id()):
            try:
                renew(pk, now=now)
            except DomainError as refused:  # out of stock, no longer sold: a person should know
                message = f"Subscription {pk} can't be renewed: {refused.message}"
                raise_alert(None, AlertKind.RENEWAL_BLOCKED, message, now=now)
    return len(ids)


@transaction.atomic
def renew(subscription_id: int, *, now: datetime) -> None:
    """One step of one subscription; running it twice is harmless.

    Raises:
        BadRequest, Conflict: the period's order can't be placed; nothing was changed.
    """
    subscription = Subscription.objects.select_for_update(of=("self",)).get(pk=subscription_id)
    period = subscription.next_billing_at
    order = Order.objects.filter(subscription=subscription, billing_at=period).first()
    if order is None:
        if now >= period - settings.SUBSCRIPTION_NOTICE:
            _announce(_placed(subscription, now=now), subscription, now=now)
        return
    order = locked(order.pk)
    order.subscription = subscription
    if order.paid_at is not None:
        _go_on(subscription, order, now=now)
    elif order.status == OrderStatus.CANCELLED or (
        order.status in ENDED and now >= order.pay_until
    ):
        _expire(subscription, order, now=now)
    else:
        _remind(subscription, order, now=now)


@durable
def end_by_customer(subscription_id: int, *, now: datetime) -> None:
    """The customer wants no further period; the one that is asked for and unpaid is cancelled.

    Harmless if it has ended already. An order whose payment is just being decided stays: if it
    is paid it is delivered, and no other follows.
    """
    try:
        subscription = change_subscription(subscription_id, SubscriptionStatus.CANCELLED)
    except IllegalTransition:
        return
    log.info("subscription.ended", subscription=subscription_id, by="customer")
    unpaid = Order.objects.filter(subscription=subscription, status=OrderStatus.INITIATED)
    for order in unpaid:
        try:
            cancel_by_customer(subscription.customer_id, order.order_number, now=now)
        except DomainError as refused:
            log.info("subscription.order_stays", order=order.order_number, why=refused.message)


def _placed(subscription: Subscription, *, now: datetime) -> Order:
    """The period's order at today's price, with its stock held until the grace is over."""
    customer = subscription.customer
    line = Line(
        subscription.variant_id, subscription.quantity, dict(subscription.fulfillment_input)
    )
    cart = Cart([line], subscription.payment_method, subscription.recipient_email)
    period = subscription.next_billing_at
    buyer = Buyer(
        customer.pk,
        subscription.recipient_email,
        customer.language,
        request_key=f"subscription:{subscription.pk}:{period:%Y-%m-%dT%H:%M}",
    )
    order, items = place_order(cart, buyer, now=now)
    resumed = subscription.status == SubscriptionStatus.SUSPENDED
    order.subscription, order.billing_at = subscription, period
    order.source = OrderSource.OFFER if resumed else OrderSource.SUBSCRIPTION
    order.offer_sub_source = OfferKind.RESUME if resumed else ""
    order.pay_until = max(period, now) + settings.SUBSCRIPTION_GRACE
    order.save()
    hold_stock(order, items, now=now)
    log.info("subscription.renewal_placed", subscription=subscription.pk, order=order.order_number)
    return order


def _announce(order: Order, subscription: Subscription, *, now: datetime) -> None:
    plain = subscription.billing == Billing.RECURRING or order.source == OrderSource.OFFER
    template = Template.PREBILLING if plain else Template.NON_RECURRING_PREBILLING
    queue_email(order, template, now=now)


def _remind(subscription: Subscription, order: Order, *, now: datetime) -> None:
    """From the day it is due on, by plan; only where the method can't be charged by itself."""
    plan = settings.RENEWAL_REMINDERS
    done = subscription.attempts
    if subscription.billing != Billing.NON_RECURRING or done >= len(plan):
        return
    if now < subscription.next_billing_at + timedelta(seconds=plan[done]):
        return
    subscription.attempts = done + 1
    subscription.save(update_fields=["attempts", "updated_at"])
    queue_email(
        order, Template.NON_RECURRING_PAYMENT_ATTEMPT,
        occasion=str(subscription.attempts),
        facts={"attempt": subscription.attempts, "attempts": len(plan)}, now=now,
    )  # fmt: skip


def _go_on(subscription: Subscription, order: Order, *, now: datetime) -> None:
    """The period is paid: the next one begins an interval later."""
    subscription.next_billing_at = months_later(
        subscription.next_billing_at, subscription.interval, day=subscription.billing_day
    )
    subscription.attempts = 0
    _become(subscription, SubscriptionStatus.ACTIVE)
    until = f"{subscription.next_billing_at:%Y-%m-%d}"
    tell(order, "subscription", new="RENEWED", actor=SYSTEM, reason=f"until {until}", now=now)
    log.info("subscription.renewed", subscription=subscription.pk, order=order.order_number)


def _expire(subscription: Subscription, order: Order, *, now: datetime) -> None:
    if subscription.status == SubscriptionStatus.EXPIRED:
        return
    _become(subscription, SubscriptionStatus.EXPIRED)
    tell(order, "subscription", new="EXPIRED", actor=SYSTEM, reason="not paid in time", now=now)
    if subscription.billing == Billing.NON_RECURRING:
        queue_email(order, Template.NON_RECURRING_PAYMENT_SUBSCRIPTION_EXPIRED, now=now)
    log.info("subscription.expired", subscription=subscription.pk, order=order.order_number)


def _become(subscription: Subscription, new: SubscriptionStatus) -> None:
    old = SubscriptionStatus(subscription.status)
    if new != old:
        check_arrow(SUBSCRIPTION_ARROWS, old, new)
        subscription.status = new
    subscription.save()


def months_later(moment: datetime, months: int, *, day: int) -> datetime:
    """The same day of a later month, or its last day; `day` keeps the 31st from wandering."""
    years, month = divmod(moment.month - 1 + months, MONTHS)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(day, calendar.monthrange(year, month)[1]))

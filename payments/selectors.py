"""Reading payments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db.models import F, Q, QuerySet

from core.money import ZERO
from notifications.facts import MoneyFacts, PaymentFact, RefundFact
from notifications.states import Template
from orders.models import Order, Subscription
from orders.states import LIVING, UNPAID, SubscriptionStatus
from payments.models import GatewayCallback, GatewayExchange, Payment, Refund
from payments.states import CHANNELS, OPEN, REFUND_OPEN, PaymentStatus, RefundStatus

SWEEP_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """What is shown of a payment beside its order."""

    id: int
    transaction_id: str
    status: str
    payment_method: str
    amount: object
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Channel:
    id: int
    slug: str
    enabled: bool


def payments_of_orders(order_ids: Iterable[int]) -> Mapping[int, Sequence[PaymentRow]]:
    """The payments of each order, oldest first; one statement, whatever the rows."""
    found: dict[int, list[PaymentRow]] = {}
    rows = Payment.objects.filter(order__in=list(order_ids)).order_by("pk")
    for order_id, pk, reference, status, method, amount, created_at in rows.values_list(
        "order_id", "id", "reference", "status", "method", "amount", "created_at"
    ):
        row = PaymentRow(pk, reference, status, method, amount, created_at)
        found.setdefault(order_id, []).append(row)
    return found


def payment_of(customer_id: int, reference: str) -> Payment | None:
    """A customer's own payment by our `transactionId`."""
    rows = Payment.objects.select_related("order")
    return rows.filter(reference=reference, order__customer=customer_id).first()


def due_payments(*, now: datetime) -> QuerySet[Payment]:
    """Payments without a final answer whose plan says: ask now."""
    return Payment.objects.filter(status__in=OPEN, next_check_at__lte=now)


def due_refunds(*, now: datetime) -> QuerySet[Refund]:
    """Refunds to send, or to ask about, now; what a person pays back has no plan."""
    return Refund.objects.filter(status__in=REFUND_OPEN, next_check_at__lte=now)


def refunds_of(payment: Payment) -> QuerySet[Refund]:
    return Refund.objects.filter(payment=payment).select_related("requested_by", "ended_by")


def callbacks_of(payment: Payment) -> QuerySet[GatewayCallback]:
    return GatewayCallback.objects.filter(payment=payment).order_by("-pk")


def money_left(payment: Payment, refunds: Iterable[Refund]) -> Decimal:
    """What came and has not gone back, nor is on its way back."""
    gone = sum((each.amount for each in refunds if each.status != RefundStatus.FAILED), ZERO)
    return (payment.received_amount or ZERO) - gone


def refundable_units(payment: Payment) -> list[tuple[str, str]]:
    """`<item>-<unit>` and words for each unit this payment paid that is not paid back yet."""
    if not payment.effective:
        return []
    return [
        (f"{item.pk}-{unit}", f"{item.product_name} {item.variant_name}, unit {unit}")
        for item in payment.order.items.all()
        for unit in range(1, item.quantity + 1)
        if unit not in item.refunded_units
    ]


def exchanges_of(payment: Payment) -> QuerySet[GatewayExchange]:
    """What was asked about a payment and its refunds, newest first."""
    rows = GatewayExchange.objects.filter(payment=payment).select_related("refund")
    return rows.order_by("-pk")


def exchanges_of_order(order_id: int) -> QuerySet[GatewayExchange]:
    """What was asked about every payment of an order, newest first."""
    rows = GatewayExchange.objects.filter(payment__order=order_id)
    return rows.select_related("payment", "refund").order_by("-pk")


def refunds_of_order(order_id: int) -> QuerySet[Refund]:
    rows = Refund.objects.filter(payment__order=order_id)
    return rows.select_related("payment", "requested_by").order_by("-pk")


def overdue_orders(*, now: datetime) -> QuerySet[Order]:
    """Unpaid orders whose time to pay is over."""
    return Order.objects.filter(status__in=UNPAID, pay_until__lte=now)


def due_subscriptions(*, now: datetime) -> Sequence[int]:
    """Those whose period begins soon or has begun, and ended ones that were paid after all."""
    soon = Subscription.objects.filter(
        status__in=LIVING, next_billing_at__lte=now + settings.SUBSCRIPTION_NOTICE
    )
    paid_late = Subscription.objects.filter(
        status=SubscriptionStatus.EXPIRED,
        orders__billing_at=F("next_billing_at"),
        orders__paid_at__isnull=False,
    )
    ids = [*paid_late.values_list("pk", flat=True)[:SWEEP_BATCH]]
    return [*ids, *soon.order_by("next_billing_at").values_list("pk", flat=True)[:SWEEP_BATCH]]


def payments_to_remind_of(*, now: datetime) -> Sequence[int]:
    """Payments whose customer was sent to pay a while ago, of orders that still wait for them."""
    quiet = now - settings.PAYMENT_REMINDER
    rows = Payment.objects.filter(
        status=PaymentStatus.PENDING,
        created_at__lte=quiet,
        created_at__gt=quiet - settings.PAYMENT_DEADLINE,
        order__status__in=UNPAID,
        order__pay_until__gt=now,
        order__subscription=None,
    ).exclude(order__emails__template=Template.OFFLINE_PAYMENT_PENDING)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:SWEEP_BATCH])


def open_payments(order_id: int) -> Sequence[Payment]:
    return list(Payment.objects.filter(order=order_id, status__in=OPEN).order_by("pk"))


def channels() -> Sequence[Channel]:
    """Every payment channel with its fixed id (D40)."""
    return [
        Channel(pk, slug, slug in settings.PAYMENT_METHODS)
        for slug, pk in sorted(CHANNELS.items(), key=lambda pair: pair[1])
    ]


def all_payments_of(order: Order) -> QuerySet[Payment]:
    """Every try to pay an order, newest first."""
    return Payment.objects.filter(order=order).order_by("-pk")


def orders_paid_through(channel_id: int) -> QuerySet[Payment, int]:
    """Ids of the orders that this channel paid (D40), as a subquery."""
    slug = next((slug for slug, pk in CHANNELS.items() if pk == channel_id), "")
    return Payment.objects.filter(effective=True, method=slug).values_list("order_id", flat=True)


def facts_of(order: Order) -> MoneyFacts:
    """What business mails must know of an order's money, in two statements."""
    rows = Payment.objects.filter(order=order).order_by("pk")
    refunds = Refund.objects.filter(payment__order=order, status=RefundStatus.SUCCEEDED)
    return MoneyFacts(
        payments=tuple(
            PaymentFact(
                row.pk,
                row.reference,
                row.status,
                row.method,
                row.amount,
                row.effective,
                row.created_at,
            )
            for row in rows
        ),
        refunds=tuple(
            fact_of(refund) for refund in refunds.select_related("payment").order_by("pk")
        ),
    )


def fact_of(refund: Refund) -> RefundFact:
    payment = refund.payment
    at = refund.ended_at or refund.created_at
    return RefundFact(refund.reference, payment.reference, payment.method, refund.amount, at)


def orders_by_gateway_id(term: str) -> QuerySet[Payment, int]:
    """Ids of the orders of a payment that a gateway calls so: what customers have in an SMS."""
    mine = {"method__in": list(CHANNELS)}  # the indexes begin with it
    rows = Payment.objects.filter(
        Q(gateway_transaction_id=term, **mine) | Q(gateway_reference=term, **mine)
    )
    return rows.order_by().values_list("order_id", flat=True).distinct()

"""What is told to whom, and how far the telling of one event to one endpoint is."""

from collections.abc import Mapping
from typing import Final

from django.db import models


class Audience(models.TextChoices):
    """Who owns an endpoint."""

    SHOP = "shop", "A client of the shop"
    PROGRAMME = "programme", "A loyalty programme's client"


class EventType(models.TextChoices):
    """Which changes are told."""

    ORDER_SUCCEEDED = "order.succeeded", "Order delivered"
    ORDER_NEEDS_ATTENTION = "order.needs_attention", "Order paid, not delivered"
    ORDER_FAILED = "order.failed", "Order not paid"
    ORDER_CANCELLED = "order.cancelled", "Order cancelled before payment"
    PAYMENT_SUCCEEDED = "payment.succeeded", "Payment received"
    PAYMENT_FAILED = "payment.failed", "Payment failed or cancelled"
    PAYMENT_REFUNDED = "payment.refunded", "Money went back"
    FULFILLMENT_FULFILLED = "fulfillment_order.fulfilled", "Fulfilment order fulfilled"
    FULFILLMENT_CANCELLED = "fulfillment_order.cancelled", "Fulfilment order cancelled"
    FULFILLMENT_FAILED = "fulfillment_order.failed", "Fulfilment order failed"


E = EventType

#: What an endpoint of each audience may listen to.
TYPES_OF: Final[Mapping[Audience, frozenset[EventType]]] = {
    Audience.SHOP: frozenset(
        {
            E.ORDER_SUCCEEDED,
            E.ORDER_NEEDS_ATTENTION,
            E.ORDER_FAILED,
            E.ORDER_CANCELLED,
            E.PAYMENT_SUCCEEDED,
            E.PAYMENT_FAILED,
            E.PAYMENT_REFUNDED,
        }
    ),
    Audience.PROGRAMME: frozenset(
        {E.FULFILLMENT_FULFILLED, E.FULFILLMENT_CANCELLED, E.FULFILLMENT_FAILED}
    ),
}


class DeliveryStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    SENDING = "SENDING", "Being sent"
    DELIVERED = "DELIVERED", "Delivered"
    DEAD = "DEAD", "Failed for good"


D = DeliveryStatus

ARROWS: Final[Mapping[DeliveryStatus, frozenset[DeliveryStatus]]] = {
    D.PENDING: frozenset({D.SENDING}),
    # again SENDING after its lease: whoever sent it has died
    D.SENDING: frozenset({D.SENDING, D.DELIVERED, D.PENDING, D.DEAD}),
    D.DELIVERED: frozenset(),
    D.DEAD: frozenset({D.PENDING}),  # replayed by an operator
}

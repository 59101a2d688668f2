"""Paid orders to deliver and to repair, made by the real parts."""

from typing import Any

from django.utils import timezone

from catalog.models import Variant
from catalog.tests.factories import SourceFactory, VariantFactory
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import process
from fulfillment.services import request_fulfilment
from notifications.models import AdminAlert, EmailMessage
from orders.models import Order, OrderItem
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.models import Voucher
from vouchers.selectors import codes_of_order
from vouchers.tests.factories import VoucherFactory


def pool_of(*codes: str, **fields: Any) -> Variant:
    """A variant served from the pool, with these codes in it."""
    variant = VariantFactory(preloaded=True, **fields)
    for code in codes:
        VoucherFactory(variant=variant, code=code)
    return variant


def offered(*offers: str, **fields: Any) -> Variant:
    """A variant that is bought from Zendit under these offers, by priority."""
    variant = VariantFactory(**fields)
    for priority, offer in enumerate(offers, 1):
        SourceFactory(variant=variant, external_offer_id=offer, priority=priority)
    return variant


def paid_order(*lines: tuple[Variant, int], **fields: Any) -> Order:
    """Paid a moment ago: one attempt IN_PROGRESS an item, nothing done yet."""
    inputs = fields.pop("fulfillment_input", {})
    order = OrderFactory(paid=True, **fields)
    for variant, quantity in lines:
        OrderItemFactory(order=order, variant=variant, quantity=quantity, fulfillment_input=inputs)
    request_fulfilment(order, now=timezone.now())
    return order


def stuck_order(*quantities: int, **fields: Any) -> Order:
    """Paid, and nothing could deliver it: NEEDS_ATTENTION with its alert and AUTO attempts."""
    order = paid_order(*((VariantFactory(), each) for each in quantities or (1,)), **fields)
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"
    return order


def item_of(order: Order, place: int = 0) -> OrderItem:
    return order.items.get(position=place)


def codes_of(order: Order) -> list[str]:
    return [each.code for each in codes_of_order(order.pk)]


def trail_of(order: Order) -> list[tuple[str, str]]:
    """Type and status of each attempt, oldest first."""
    return list(FulfillmentAttempt.objects.filter(order=order).values_list("type", "status"))


def open_alerts_of(order: Order) -> list[str]:
    rows = AdminAlert.objects.filter(order=order, resolved_at=None).order_by("kind")
    return list(rows.values_list("kind", flat=True))


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row that delivery writes: equal before and after what was refused."""
    models = (
        Order, OrderItem, Voucher, FulfillmentAttempt, PartnerTransaction, EmailMessage, AdminAlert
    )  # fmt: skip
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}

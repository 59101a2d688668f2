"""Orders to test with: `OrderFactory(paid=True)`, `OrderFactory(needs_attention=True)`."""

from datetime import UTC, datetime
from decimal import Decimal

import factory

from accounts.tests.factories import UserFactory
from catalog.tests.factories import VariantFactory
from orders.models import Order, OrderItem
from orders.states import OrderStatus

PAID_AT = datetime(2026, 4, 27, 14, tzinfo=UTC)


class OrderFactory(factory.django.DjangoModelFactory):
    """500 taka, waiting for payment, in English."""

    class Meta:
        model = Order

    class Params:
        paid = factory.Trait(status=OrderStatus.PENDING, paid_at=PAID_AT)
        needs_attention = factory.Trait(paid=True, status=OrderStatus.NEEDS_ATTENTION)
        succeeded = factory.Trait(paid=True, status=OrderStatus.SUCCEEDED)

    order_number = factory.Sequence(lambda n: f"{20_000_000 + n}")
    customer = factory.SubFactory(UserFactory)
    recipient_email = factory.LazyAttribute(
        lambda order: order.customer.email if order.customer else "customer@example.com"
    )
    payment_method = "paystation"
    subtotal_amount = factory.LazyAttribute(lambda order: order.total_amount)
    total_amount = Decimal("500.00")
    pay_until = datetime(2026, 4, 27, 14, 30, tzinfo=UTC)


class OrderItemFactory(factory.django.DjangoModelFactory):
    """One unit, labelled as its variant is called now."""

    class Meta:
        model = OrderItem

    order = factory.SubFactory(OrderFactory, paid=True)
    variant = factory.SubFactory(VariantFactory)
    position = factory.LazyAttribute(lambda item: item.order.items.count())
    quantity = 1
    unit_price = factory.SelfAttribute("variant.price")
    product_name = factory.SelfAttribute("variant.product.name")
    variant_name = factory.SelfAttribute("variant.name")

"""Hundreds of orders that need a person, in a handful of statements."""

from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import VariantFactory
from notifications.models import AdminAlert, EmailMessage
from orders.models import Order, OrderClaim, OrderItem
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import Payment
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory


def copies(of, count, **changed):
    """Rows like one that is there, each its own."""
    fields = {
        each.attname: getattr(of, each.attname)
        for each in of._meta.concrete_fields
        if not each.primary_key
    }
    return [
        type(of)(**fields | {name: value(n) for name, value in changed.items()})
        for n in range(count)
    ]


def stuck_orders(count):
    """Two items, an alert, a claim, a mail, a payment and a code each."""
    now, operator, variant = timezone.now(), UserFactory(operator=True), VariantFactory()
    first = Order.objects.count()
    like = OrderFactory.build(needs_attention=True, customer=UserFactory())
    number = lambda n: f"{30_000_000 + first + n}"  # noqa: E731
    orders = Order.objects.bulk_create(copies(like, count, order_number=number))
    item = OrderItemFactory.build(
        order=orders[0], variant=variant, position=0, fulfillment_status="PARTNER_FAILED",
        product_name="Steam", variant_name="BDT 500", unit_price=500,
    )  # fmt: skip
    owner = lambda n: orders[n].pk  # noqa: E731
    OrderItem.objects.bulk_create(copies(item, count, order_id=owner))
    OrderItem.objects.bulk_create(copies(item, count, order_id=owner, position=lambda _: 1))
    AdminAlert.objects.bulk_create(
        AdminAlert(order=each, kind="fulfillment_failed", message="why", created_at=now)
        for each in orders
    )
    OrderClaim.objects.bulk_create(
        OrderClaim(order=each, operator=operator, claimed_at=now, expires_at=now + now.resolution)
        for each in orders
    )
    EmailMessage.objects.bulk_create(
        EmailMessage(order=each, template="vouchers", recipient="a@b.example", dispatch_no=1,
                     message_id=f"<{each.pk}@x>")
        for each in orders
    )  # fmt: skip
    Payment.objects.bulk_create(
        Payment(order=each, method="bkash", reference=f"BDV-{each.pk}", amount=5, created_at=now)
        for each in orders
    )
    items = OrderItem.objects.filter(order__in=orders, position=0)
    Voucher.objects.bulk_create(
        VoucherFactory.build(
            variant=variant, order_item=each, status="sold", unit_no=1, sold_at=now,
            code=f"BULK-{each.pk}",
        )
        for each in items
    )  # fmt: skip

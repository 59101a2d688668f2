"""Payments to test with: `PaymentFactory()` waits for its customer at PayStation."""

import factory
from django.utils import timezone

from orders.tests.factories import OrderFactory
from payments.models import Payment
from payments.states import PaymentStatus


class PaymentFactory(factory.django.DjangoModelFactory):
    """As much as its order's total, due to be asked for."""

    class Meta:
        model = Payment

    order = factory.SubFactory(OrderFactory)
    method = "paystation"
    status = PaymentStatus.PENDING
    reference = factory.LazyAttribute(
        lambda payment: f"BDV-{payment.order.order_number}-{payment.order.payments.count() + 1}"
    )
    gateway_reference = factory.SelfAttribute("reference")
    redirect_url = "https://www.paystation.com.bd/pay/1"
    amount = factory.SelfAttribute("order.total_amount")
    created_at = factory.LazyFunction(timezone.now)
    next_check_at = factory.LazyFunction(timezone.now)

"""Mails to test with: `mail_of(item)` carries every code of the item's order."""

from datetime import datetime
from typing import Any

import factory

from notifications.models import EmailMessage
from orders.models import Order
from orders.tests.factories import OrderFactory
from vouchers.selectors import codes_of_order


class EmailMessageFactory(factory.django.DjangoModelFactory):
    """The order's voucher mail, waiting; it carries the codes the order has when it is made."""

    class Meta:
        model = EmailMessage

    class Params:
        at = None

    order = factory.SubFactory(OrderFactory, paid=True)
    template = "vouchers"
    recipient = factory.SelfAttribute("order.recipient_email")
    language = factory.SelfAttribute("order.language")
    dispatch_no = factory.LazyAttribute(lambda message: message.order.emails.count() + 1)
    message_id = factory.LazyAttribute(
        lambda message: f"<{message.order.order_number}.{message.dispatch_no}@mail.test>"
    )
    voucher_ids = factory.LazyAttribute(
        lambda message: [code.voucher_id for code in codes_of_order(message.order.pk)]
    )
    correlation_id = "corr-0123456789"


def mail_of(order: Order, *, created_at: datetime, **fields: Any) -> EmailMessage:
    """The order's mail, as if queued at that time."""
    message = EmailMessageFactory(order=order, next_try_at=created_at, **fields)
    EmailMessage.objects.filter(pk=message.pk).update(created_at=created_at)
    message.refresh_from_db()
    return message

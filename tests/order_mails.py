"""Orders with mails to send again, and the call that asks for it."""

from datetime import timedelta

from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from fulfillment.tests.factories import offered
from notifications.models import EmailMessage
from notifications.states import EmailStatus
from orders.models import Order, OrderEvent, Subscription
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import Payment, Refund

DAY = timedelta(days=1)


def payment_of(order, status="SUCCEEDED", **fields):
    paid = status == "SUCCEEDED"
    return Payment.objects.create(
        order=order,
        method=fields.pop("method", "paystation"),
        reference=f"BDV-{order.order_number}-{order.payments.count() + 1}",
        amount=order.total_amount,
        status=status,
        effective=fields.pop("effective", paid),
        **({"received_amount": order.total_amount, "received_currency": "BDT"} if paid else {}),
        paid_at=timezone.now() if paid else None,
        created_at=timezone.now(),
        **fields,
    )


def an_order(**fields):
    """One line of goods, unpaid unless said."""
    order = OrderFactory(**fields)
    OrderItemFactory(order=order)
    if order.paid_at:
        payment_of(order)
    return order


def subscription_of(customer=None, *, billing="NON_RECURRING", due=DAY, **fields):
    customer = customer or UserFactory()
    return Subscription.objects.create(
        customer=customer,
        variant=fields.pop("variant", None) or offered("A"),
        billing=billing,
        payment_method="paystation",
        recipient_email=customer.email,
        next_billing_at=timezone.now() + due,
        **fields,
    )


def renewal_of(subscription, **fields):
    fields.setdefault("source", "SUBSCRIPTION")
    order = OrderFactory(
        customer=subscription.customer,
        subscription=subscription,
        billing_at=subscription.next_billing_at,
        pay_until=subscription.next_billing_at + 5 * DAY,
        **fields,
    )
    OrderItemFactory(order=order, variant=subscription.variant)
    if order.paid_at:
        payment_of(order)
    return order


def mailed(order, template, status=EmailStatus.SENT, **fields):
    """A mail this order had before."""
    number = order.emails.count() + 1
    return EmailMessage.objects.create(
        order=order,
        template=template,
        recipient=fields.pop("recipient", order.recipient_email),
        language=order.language,
        dispatch_no=number,
        message_id=f"<{order.order_number}.{number}@mail.test>",
        correlation_id="corr-earlier",
        definition=f"{template.lower()}.shop.purchase",
        status=status,
        sent_at=timezone.now() if status == EmailStatus.SENT else None,
        external_id=f"esp-{order.order_number}-{number}" if status == EmailStatus.SENT else "",
        **fields,
    )


def refunded(amount, order=None):
    """A delivered order of 500 taka of which this much has gone back."""
    order = order or an_order(needs_attention=True)
    payment = order.payments.get()
    now = timezone.now()
    Refund.objects.create(
        payment=payment, reference=f"{payment.reference}-R1", amount=amount, reason="out of stock",
        status="SUCCEEDED", created_at=now, ended_at=now, correlation_id="c",
    )  # fmt: skip
    return order


def cancelled(order, *, actor="system", reason="not paid in time"):
    Order.objects.filter(pk=order.pk).update(status="CANCELLED")
    OrderEvent.objects.create(
        order=order, kind="status", old="INITIATED", new="CANCELLED", actor=actor, reason=reason,
        correlation_id="c", at=timezone.now(),
    )  # fmt: skip
    order.refresh_from_db()
    return order


class Desk:
    """A member of staff who asks for mails over HTTP."""

    def __init__(self, role="support"):
        self.user = UserFactory(**{role: True})
        self.client = APIClient()
        self.client.credentials(**bearer(self.user))

    def send(self, order, template, *, query="", mount="/ordersv2", headers=None, **body):
        key = getattr(order, "pk", order)
        return self.client.post(
            f"{mount}/{key}/email/send{query}", {"template": template, **body}, format="json",
            headers=headers or {},
        )  # fmt: skip

    def order(self, order):
        return self.client.get(f"/ordersv2/{order.pk}").json()["data"]


def asked_for(order):
    """What the order's timeline tells of mails, oldest first."""
    return list(order.events.filter(kind="mail").order_by("pk"))

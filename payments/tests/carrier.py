"""Carrier billing with its simulators: the shop set up for it, and a payer in a browser."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import VariantFactory
from fulfillment.partners.tests.simulator import CREDENTIALS, Simulator
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import CarrierConsent, Payment
from payments.services import initiate_payment

ROBI, BANGLALINK = "8801812345678", "8801912345678"


class Payer:
    """A browser on the page of one payment."""

    def __init__(self, simulator: Simulator, payment: Payment) -> None:
        self.simulator, self.payment = simulator, payment
        self.path = payment.redirect_url.removeprefix("http://127.0.0.1:8000")
        self.client = Client(REMOTE_ADDR="198.51.100.7")

    def page(self) -> Any:
        return self.client.get(self.path)

    def does(self, action: str, **fields: str) -> Any:
        return self.client.post(self.path, {"action": action, **fields})

    def send(self, number: str = ROBI) -> Any:
        return self.does("send", number=number)

    def password(self) -> str:
        return sms_to(self.simulator, ROBI).split(" ")[0]

    def state(self) -> tuple[str, str]:
        payment = Payment.objects.select_related("order").get(pk=self.payment.pk)
        return payment.status, payment.order.status

    def consent(self) -> CarrierConsent:
        return CarrierConsent.objects.get(payment=self.payment)

    def charges(self) -> int:
        return sum(self.simulator.read("dcb/ledger")["charges"].values())


def opened(**customer: Any) -> Payment:
    user = UserFactory(**({"msisdn": ROBI} | customer))
    order = OrderFactory(customer=user, payment_method="dcb", total_amount="500.00")
    OrderItemFactory(order=order, variant=VariantFactory(price="500.00"))
    order.pay_until = timezone.now() + timedelta(minutes=30)
    order.save()
    result = again(order)
    assert result.payment is not None
    return result.payment


def again(order: Any) -> Any:
    return initiate_payment(
        order.customer_id,
        order.order_number,
        method="dcb",
        amount=None,
        currency=None,
        description="",
        now=timezone.now(),
    )


def point_to(simulator: Simulator, settings: Any) -> None:
    """The shop's carrier billing, and its text messages, speak to the simulators."""
    settings.DCB_CARRIERS = ["bdapps", "applink"]
    settings.DCB_NOTIFICATION_SENDERS = ["127.0.0.1"]
    settings.SMS_URL = f"{simulator.url}/mail/sms"
    for name in ("BDAPPS", "APPLINK"):
        setattr(settings, f"DCB_{name}_BASE_URL", f"{simulator.url}/dcb/{name.lower()}")
        for what in ("APP_ID", "PASSWORD"):
            setattr(settings, f"DCB_{name}_{what}", CREDENTIALS[f"DCB_{name}_{what}"])


def sms_to(simulator: Simulator, number: str) -> str:
    """The last text message to a number."""
    messages = simulator.read("mail/messages")["messages"]
    return next(row["text"] for row in reversed(messages) if number in str(row["to"]))


def phone_of(simulator: Simulator, number: str) -> str:
    """The operator's last password to a number."""
    people = simulator.read("dcb/ledger")["subscribers"]
    found = next(row for row in people if row["number"] == number)
    return str(found["messages"][-1]["otp"])

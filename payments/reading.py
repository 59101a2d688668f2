"""What the page of carrier billing shows."""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing

from payments.gateways.carriers.base import PAGE_SALT
from payments.gateways.registry import carrier_gateway
from payments.models import CarrierConsent, Payment
from payments.states import CARRIER_METHOD, PaymentStatus


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page shows."""

    payment: Payment
    consent: CarrierConsent | None
    account_number: str
    """The customer's own, if it can be charged: offered, not forced."""
    labels: str

    @property
    def can_type(self) -> bool:
        """Whether a password is on its way and may still be typed."""
        return self.consent is not None and self.consent.ready and not self.closed

    @property
    def can_send(self) -> bool:
        return self.consent is None or self.consent.may_send

    @property
    def closed(self) -> bool:
        """Nothing is to be typed any more; the result page knows the rest."""
        payment, consent = self.payment, self.consent
        sent = payment.capture_sent_at is not None or (consent is not None and consent.given_at)
        return payment.status != PaymentStatus.PENDING or bool(sent)


def payment_of_page(token: str) -> Payment | None:
    """The payment whose page this token opens."""
    try:
        reference = signing.loads(token, salt=PAGE_SALT)
    except signing.BadSignature:
        return None
    rows = Payment.objects.select_related("order__customer")
    return rows.filter(reference=str(reference), method=CARRIER_METHOD).first()


def asked(payment: Payment) -> Asked:
    gateway = carrier_gateway(answer_seconds=settings.CUSTOMER_WAIT_SECONDS)
    customer = payment.order.customer
    number = (customer.msisdn or "") if customer else ""
    offered = any(number.startswith(each.prefixes) for each in gateway.carriers.values())
    return Asked(
        payment=payment,
        consent=CarrierConsent.objects.filter(payment=payment).first(),
        account_number=number.removeprefix("88") if offered else "",
        labels=" / ".join(each.label for each in gateway.carriers.values()),
    )

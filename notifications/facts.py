"""What business mails must know of an order's money; mail itself reads no payment.

`payments.selectors.facts_of` fills it, and whoever asks for a mail hands it in.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from core.money import ZERO

#: Payment states, as the app above names them.
AWAITED: Final = frozenset({"PENDING", "AUTHORIZED"})


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """One try to pay."""

    id: int
    reference: str
    status: str
    method: str
    amount: Decimal
    effective: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundFact:
    """Money that went back, or is surely on its way."""

    reference: str
    payment_reference: str
    method: str
    amount: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class MoneyFacts:
    """An order's payments and refunds, oldest first."""

    payments: tuple[PaymentFact, ...] = ()
    refunds: tuple[RefundFact, ...] = field(default=())

    @property
    def awaited(self) -> PaymentFact | None:
        """The newest payment that may still come, without the customer doing more here."""
        rows = [each for each in self.payments if each.status in AWAITED]
        return rows[-1] if rows else None

    @property
    def effective(self) -> PaymentFact | None:
        return next((each for each in self.payments if each.effective), None)

    @property
    def refunded(self) -> Decimal:
        """Of the payment that pays the order."""
        paid = self.effective
        own = (each.amount for each in self.refunds if paid and _is_of(each, paid))
        return sum(own, ZERO)

    @property
    def refunded_in_full(self) -> bool:
        paid = self.effective
        return paid is not None and ZERO < paid.amount <= self.refunded

    def payment(self, key: str) -> PaymentFact | None:
        """By its id or our `transactionId`."""
        return next((each for each in self.payments if key in (str(each.id), each.reference)), None)


def _is_of(refund: RefundFact, payment: PaymentFact) -> bool:
    return refund.payment_reference == payment.reference

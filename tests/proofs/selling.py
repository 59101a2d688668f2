"""Orders as customers make them: checked out, and paid by the gateway's verdict."""

import itertools
import uuid

from django.db import transaction
from django.utils import timezone

from catalog.models import Variant
from core.actors import SYSTEM
from orders.models import Order
from orders.services import Buyer, Cart, Line
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment
from payments.services import checkout, start_payment
from payments.settlement import settle

_numbers = itertools.count(1)


def placed(*lines: tuple[Variant, int], customer_id: int, discount: str = "") -> Order:
    address = f"buyer-{next(_numbers)}@example.com"
    cart = Cart([Line(each.pk, units) for each, units in lines], "paystation", address, discount)
    buyer = Buyer(customer_id, "", "en")
    return checkout(cart, buyer, init_payment=False, now=timezone.now()).order


def tried(order: Order) -> Payment:
    """The customer went to the gateway's page."""
    with transaction.atomic():
        return start_payment(order, "paystation", now=timezone.now())


def told(payment: Payment, outcome: Outcome, **fields: object) -> bool:
    """The gateway's answer to our question; whether it changed anything."""
    if outcome == Outcome.PAID:
        fields = {"amount": payment.amount, **fields}
        fields.setdefault("gateway_transaction_id", f"TRX-{uuid.uuid4().hex[:12]}")
    verdict = Verdict(outcome, **fields)  # type: ignore[arg-type]
    return settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=timezone.now()).changed


def bought(*lines: tuple[Variant, int], customer_id: int) -> Order:
    """Placed and paid a moment ago: one attempt IN_PROGRESS an item, nothing done yet."""
    order = placed(*lines, customer_id=customer_id)
    assert told(tried(order), Outcome.PAID)
    order.refresh_from_db()
    return order

"""What a preview shows where an order has no such fact yet; never part of a mail that is sent."""

from collections.abc import Mapping
from typing import Any

from notifications.states import Template
from orders.models import Order


def sample_facts(template: Template, order: Order) -> Mapping[str, Any]:
    method = {"method": order.payment_method, "reference": f"BDV-{order.order_number}-1"}
    match template:
        case Template.CANCELLATION:
            return {"case": "deadline"}
        case Template.PARTIAL_REFUND:
            return {**method, "refund": str(order.total_amount / 2)}
        case Template.NON_RECURRING_PAYMENT_ATTEMPT:
            return {"attempt": 1, "attempts": 3}
        case Template.ORDERCONFIRMATION | Template.OFFLINE_PAYMENT_PENDING:
            return {**method, "case": "pending"}
    return {}

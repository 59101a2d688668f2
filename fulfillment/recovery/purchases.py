"""Closing a purchase whose outcome only the partner's people could tell (D39)."""

from django.db import transaction
from django.utils import timezone

from core.actors import Actor
from core.db import after_commit
from core.errors import BadRequest, Conflict, NotFound
from core.logging import get_logger
from fulfillment.models import PartnerTransaction
from fulfillment.partners.base import IssuedCode
from fulfillment.purchasing import close_by_hand
from fulfillment.recovery.codes import GivenCode
from fulfillment.states import PurchaseStatus
from fulfillment.tasks import fulfil_order
from orders.services import locked, tell

log = get_logger(__name__)
OPEN = frozenset({PurchaseStatus.PENDING, PurchaseStatus.UNKNOWN})


def close_purchase(
    order_id: int,
    purchase_id: int,
    *,
    bought: bool,
    reason: str,
    operator: Actor,
    code: GivenCode | None = None,
) -> PartnerTransaction:
    """Write down what the partner told an operator about one open purchase.

    Bought: its code is stored, for the unit or as surplus. Not bought: the unit may be bought
    anew. In both cases the worker goes on with the order after the commit.

    Raises:
        NotFound: the order has no such purchase.
        BadRequest: bought without a code, or a code without a purchase; no reason.
        Conflict: it is not open (any more), or the code is in our tables already.
    """
    if not reason.strip():
        raise BadRequest.at("reason", "Say what the partner told you.", code="required")
    if bought != (code is not None):
        message = "Give the code that was bought." if bought else "Nothing was bought, so no code."
        raise BadRequest.at("code", message)
    with transaction.atomic():
        rows = PartnerTransaction.objects.filter(pk=purchase_id, item__order=order_id)
        if not rows.exists():
            raise NotFound("The order has no such purchase.")
        order = locked(order_id)
        purchase = rows.select_related("item__variant", "item__order", "partner", "source").get()
        if purchase.status not in OPEN:
            raise Conflict(
                f"Purchase {purchase.reference} is {purchase.status}; only an open one is closed."
            )
        issued = None
        if code is not None:
            issued = IssuedCode(
                code=code.code,
                pin=code.pin,
                redemption_url=code.redemption_url,
                expires_at=code.expires_at,
            )
        now = timezone.now()
        close_by_hand(purchase, issued, reason=reason, operator=operator, now=now)
        detail = {"reference": purchase.reference, "bought": bought}
        tell(
            order,
            "purchase",
            new=purchase.status,
            actor=operator,
            reason=reason,
            detail=detail,
            now=now,
        )
        after_commit(fulfil_order.delay, order_id=order_id)
    log.info("fulfilment.purchase_closed", reference=purchase.reference, bought=bought)
    return purchase

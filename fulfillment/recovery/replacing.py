"""Putting a good code in a bad one's place (D49)."""

from django.db import transaction
from django.utils import timezone

from core.actors import Actor
from core.errors import BadRequest, Conflict, NotFound
from core.logging import get_logger
from fulfillment.issuing import Round
from fulfillment.processing import MailWish, work
from fulfillment.recovery.codes import GivenCode
from fulfillment.recovery.guards import begin, free_to_work, paid_order
from fulfillment.recovery.results import RecoveryResult, result_of
from fulfillment.states import AttemptType
from orders.models import OrderItem
from orders.services import tell
from vouchers.ciphers import mask
from vouchers.models import Voucher
from vouchers.selectors import vouchers_by_code
from vouchers.services import sell_from_pool, sell_typed_row, store_issued, void_replaced
from vouchers.states import DELIVERED, VoucherStatus

log = get_logger(__name__)


def replace_code(
    order_id: int,
    voucher_id: int,
    *,
    code: GivenCode | None,
    reason: str,
    operator: Actor,
) -> RecoveryResult:
    """Void a code the customer can't use, fill its unit anew, and mail what holds now.

    The new code is typed, or (None) comes from the pool; nothing is bought: a unit is bought
    once (I8). The old one is never sold again and keeps whose it was.

    Raises:
        NotFound: the order has no such code.
        BadRequest: no reason; the order is not paid.
        Conflict: the code was replaced or paid back already, the pool is empty, or the new
            code is somebody else's. Nothing was changed.
    """
    if not reason.strip():
        raise BadRequest.at("reason", "Say what is wrong with the code.", code="required")
    with transaction.atomic():
        order = paid_order(order_id)
        old = _old(order_id, voucher_id)
        item, unit, now = old.order_item, old.unit_no, timezone.now()
        if item is None or unit is None:
            raise Conflict("This code fills no unit any more.")
        free_to_work(item, now=now)
        new = None if code is None else _usable(code, item)
        void_replaced(old.pk, by_id=operator.user_id, reason=reason.strip())
        shown = _fill(item, unit, code, new)
        attempt = begin(
            order,
            None,
            AttemptType.RESEND_EMAIL,
            operator=operator,
            notes=f"Code {old.mask} replaced by {shown}: {reason.strip()}"[:1000],
            now=now,
        )
        detail = {"item": item.pk, "unit": unit, "old": old.mask, "new": shown}
        tell(order, "code", actor=operator, reason=reason.strip(), detail=detail, now=now)
    log.info("fulfilment.code_replaced", fa=f"fa:{attempt.correlation_id}", voucher=voucher_id)
    wish = MailWish(by_operator=True, again=True)
    work(Round(order_id, [attempt]), lambda: Round(order_id, [attempt]), wish)
    return result_of(
        attempt,
        done=f"Code {old.mask} is replaced by {shown}; the customer has the codes that hold now",
        not_mailed=f"Code {old.mask} is replaced by {shown}, e-mail not sent",
    )


def _old(order_id: int, voucher_id: int) -> Voucher:
    rows = Voucher.objects.select_related("order_item")
    row = rows.filter(pk=voucher_id, order_item__order=order_id).first()
    if row is None:
        raise NotFound("The order has no such code.")
    if row.status not in DELIVERED or row.revoked_at is not None:
        raise Conflict(f"Code {row.mask} is not held by the customer any more.")
    return row


def _usable(code: GivenCode, item: OrderItem) -> Voucher | None:
    """The row of an unsold code of ours, or None for a code we never saw."""
    row = next(iter(vouchers_by_code([code.new().identity]).values()), None)
    if row is None:
        return None
    if row.status != VoucherStatus.AVAILABLE:
        raise Conflict(f"This code is {row.status} already; it can't be given to this order.")
    if row.variant_id != item.variant_id:
        raise Conflict("This code is in the pool of another variant.")
    return row


def _fill(item: OrderItem, unit: int, code: GivenCode | None, known: Voucher | None) -> str:
    """Give the unit its new code; how staff see it."""
    now = timezone.now()
    if code is not None and known is not None:
        sell_typed_row(known, item, unit, now=now)
    elif code is not None:
        store_issued(item, unit, code.new(), now=now)
    elif not sell_from_pool([item], {item.pk: [unit]}, now=now).get(item.pk):
        raise Conflict("The pool has no free code of this variant; enter one by hand.")
    if code is not None:
        return mask(code.new().identity)
    return Voucher.objects.values_list("mask", flat=True).get(order_item=item, unit_no=unit)

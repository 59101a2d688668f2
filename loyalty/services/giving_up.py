"""What operators decide: an order is given up, a transfer closed after asking the partner."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from core.actors import Actor
from core.errors import BadRequest, Conflict
from core.logging import get_logger
from fulfillment.refunds import drop_units
from loyalty.models import FulfillmentOrder, PointsTransfer
from loyalty.processing import end, record
from loyalty.states import TransferStatus
from loyalty.telling import tell_order, tell_transfer
from orders.services import locked, tell

log = get_logger(__name__)


def give_up(row: FulfillmentOrder, *, operator: Actor, reason: str, now: datetime) -> None:
    """Nothing more is delivered; the item is `cancelled`, so the programme gives points back.

    Raises:
        BadRequest: no reason was given.
        Conflict: it is delivered already, or its points are under way at the partner.
    """
    reason = _said(reason)
    if row.order_id is None:
        _cancel_transfer(row.transfer, operator=operator, reason=reason, now=now)
        return
    with transaction.atomic():
        order = locked(row.order_id)
        if order.closed_by_refund:
            raise Conflict("It was given up already.")
        drop_units(order, None, revoking=False, actor=operator, reason=reason, now=now)
        words = f"Given up, points go back: {reason}"
        tell(order, "note", actor=operator, reason=words, now=now)
        tell_order(order, now=now)
    log.info("loyalty.given_up", order=order.order_number)


def _cancel_transfer(
    transfer: PointsTransfer, *, operator: Actor, reason: str, now: datetime
) -> None:
    with transaction.atomic():
        row = PointsTransfer.objects.select_for_update(of=("self",)).get(pk=transfer.pk)
        if row.status != TransferStatus.QUEUED:
            raise Conflict("It was sent already: ask the partner what became of it.")
        end(row, TransferStatus.CANCELLED, now=now)
        row.settled_by, row.settled_reason = operator.label, reason
        row.save()
        tell_transfer(row, now=now)


def settle_transfer(
    transfer_id: int, *, credited: bool, operator: Actor, reason: str
) -> PointsTransfer:
    """Close a transfer by what the partner told a person.

    Raises:
        BadRequest: no reason was given.
        Conflict: its outcome is known, or it has not been sent, or is just being sent.
    """
    reason = _said(reason)
    row = PointsTransfer.objects.get(pk=transfer_id)
    if row.status not in (TransferStatus.PENDING, TransferStatus.UNKNOWN):
        raise Conflict(f"Transfer {row.reference} is {row.get_status_display().lower()}.")

    def change(row: PointsTransfer, now: datetime) -> None:
        new = TransferStatus.SUCCEEDED if credited else TransferStatus.FAILED
        end(row, new, now=now)
        row.settled_by, row.settled_reason = operator.label, reason
        row.error_code, row.error = ("", "") if credited else ("by_hand", reason)

    return record(transfer_id, change)


def _said(reason: str) -> str:
    if not reason.strip():
        raise BadRequest.at("reason", "Give a reason.", code="required")
    return reason.strip()[:300]


def settle_now(
    transfer_ids: list[int], *, credited: bool, operator: Actor, reason: str
) -> tuple[int, list[str]]:
    """Close several; how many were, and why others were not."""
    done, refusals = 0, []
    for transfer_id in transfer_ids:
        try:
            settle_transfer(transfer_id, credited=credited, operator=operator, reason=reason)
            done += 1
        except Conflict as exc:
            refusals.append(exc.message)
    return done, refusals


def give_up_now(
    rows: list[FulfillmentOrder], *, operator: Actor, reason: str
) -> tuple[int, list[str]]:
    """Give several up; how many were, and why others were not."""
    done, refusals = 0, []
    for row in rows:
        try:
            give_up(row, operator=operator, reason=reason, now=timezone.now())
            done += 1
        except Conflict as exc:
            refusals.append(f"{row.reference}: {exc.message}")
    return done, refusals

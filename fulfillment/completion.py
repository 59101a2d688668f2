"""What an order's rows add up to: attempts end, items follow their units, the order its items.

Everything is computed from the rows each time, never counted along (architecture, section 10).
All functions are part of the caller's transaction, which holds the order's lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from core import correlation
from core.actors import SYSTEM
from core.states import check_arrow
from fulfillment.models import FulfillmentAttempt
from fulfillment.selectors import Standing, standings_of
from fulfillment.states import (
    WELL_ENDED,
    AttemptStatus,
    AttemptType,
    PurchaseStatus,
)
from notifications.alerts import raise_alert, resolve_alerts
from notifications.models import EmailMessage
from notifications.selectors import MailStanding, voucher_mail_of
from notifications.services import queue_voucher_mail
from notifications.states import CLOSED_BY_REFUND, FULFILLMENT_ALERTS, AlertKind
from orders.models import Order
from orders.services import advance
from orders.states import ITEM_ARROWS, ItemStatus, OrderStatus

AUTO_TRIES: Final = 5  # D37
MAIL_WAIT: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item still owes units after an attempt."""

    error: str
    response: dict[str, Any] = field(default_factory=dict)
    definite: bool = False
    """Asking again by ourselves would change nothing."""
    retry_after: float | None = None
    unexpected: bool = False


def prepare(
    order: Order,
    standings: Sequence[Standing],
    *,
    by_operator: bool = False,
    recipient: str = "",
    again: bool = False,
    now: datetime,
) -> EmailMessage | None:
    """Queue the consolidated mail if there is a code and no unit is still waited for (D12)."""
    ids = [pk for standing in standings for pk in standing.vouchers.values()]
    if not ids:
        return None
    if not by_operator and _part_was_mailed(order) and any(each.owed for each in standings):
        return None  # a part goes out once; the next mail by itself is the complete one (I12)
    waited_for = any(standing.under_way for standing in standings)
    patient = order.status == OrderStatus.PENDING and not again
    if waited_for and patient and not _overdue(standings, now=now):
        return None
    return queue_voucher_mail(
        order, ids, recipient=recipient, by_operator=by_operator, again=again, now=now
    )


def _part_was_mailed(order: Order) -> bool:
    return order.email_sent_at is not None


def conclude(
    order: Order,
    attempts: Sequence[FulfillmentAttempt],
    *,
    failures: Mapping[int, Failure],
    unfinished: Iterable[int] = (),
    resent: bool | None = None,
    mail_error: str = "",
    now: datetime,
) -> None:
    """End what can be ended, and let items and order follow.

    Args:
        attempts: those this caller claimed.
        resent: whether the copy asked for by a RESEND_EMAIL attempt was accepted.
    """
    if order.status == OrderStatus.SUCCEEDED:
        _end_resends(attempts, resent=bool(resent), mail_error=mail_error, now=now)
        return
    standings = standings_of(order)
    mail = voucher_mail_of(order)
    # A claim may have run out meanwhile, and somebody else have ended the attempt: it is final.
    under_way = {each.item_id: each for each in _open_attempts(order)}
    left = {each.pk for each in under_way.values()}
    ours = {each.item_id: each for each in attempts if each.pk in left}
    _end_resends(attempts, resent=bool(resent), mail_error=mail_error, now=now)
    by_itself = all(attempt.item_id is not None for attempt in attempts)
    for standing in standings:
        before = standing.item.fulfillment_status
        attempt = ours.get(standing.item.pk) or _waits_for_mail(standing, under_way)
        # A refused unit waits for its sisters at the partner: the item is judged once.
        failure = None if standing.under_way else failures.get(standing.item.pk)
        tried = failure is not None or standing.item.pk not in under_way
        _settle_item(standing, mail, tried=tried, now=now)
        if attempt is not None:
            _settle_attempt(
                attempt, standing, mail,
                failure=failure, goes_on=standing.item.pk in set(unfinished),
                mail_error=mail_error, now=now,
            )  # fmt: skip
        elif standing.item.fulfilled and standing.item.pk in under_way:
            left_behind = under_way[standing.item.pk]  # claimed by somebody who comes too late
            _end(left_behind, WELL_ENDED[AttemptType(left_behind.type)], now=now)
        elif by_itself and standing.item.fulfilled and before != ItemStatus.SUCCEEDED:
            _leave_trace(order, standing, now=now)
    _settle_order(order, standings, mail, now=now)


def _waits_for_mail(
    standing: Standing, under_way: Mapping[int | None, FulfillmentAttempt]
) -> FulfillmentAttempt | None:
    """An attempt nobody holds whose codes are all there: the order's one mail decides it too."""
    attempt = under_way.get(standing.item.pk)
    free = attempt is not None and attempt.claimed_at is None and not standing.owed
    return attempt if free else None


def _open_attempts(order: Order) -> Iterable[FulfillmentAttempt]:
    return FulfillmentAttempt.objects.filter(
        order=order, status=AttemptStatus.IN_PROGRESS, item__isnull=False
    )


def _is_mailed(standing: Standing, mail: MailStanding) -> bool:
    return not standing.owed and set(standing.vouchers.values()) <= mail.accepted


def _settled_by_refund(standing: Standing, mail: MailStanding) -> bool:
    """Nothing to do for it any more, though not every unit was delivered (D42)."""
    return bool(standing.refunded) and _is_mailed(standing, mail)


def _settle_item(standing: Standing, mail: MailStanding, *, tried: bool, now: datetime) -> None:
    item = standing.item
    old = ItemStatus(item.fulfillment_status) if item.fulfillment_status else None
    if old == ItemStatus.SUCCEEDED:
        return
    new: ItemStatus | None = old
    if _settled_by_refund(standing, mail):
        new = old or ItemStatus.PARTNER_FAILED  # some unit was never delivered
    elif _is_mailed(standing, mail):
        new = ItemStatus.SUCCEEDED
        item.fulfilled_at = standing.last_saved_at or now
    elif not standing.owed and mail.refused:
        new = ItemStatus.DISPATCH_FAILED
    elif tried and standing.missing:
        new = ItemStatus.PARTNER_FAILED
    if new is not None and new != old:
        check_arrow(ITEM_ARROWS, old, new)  # type: ignore[type-var]
        item.fulfillment_status = new
        item.save(update_fields=["fulfillment_status", "fulfilled_at"])


def _settle_attempt(
    attempt: FulfillmentAttempt,
    standing: Standing,
    mail: MailStanding,
    *,
    failure: Failure | None,
    goes_on: bool,
    mail_error: str,
    now: datetime,
) -> None:
    if not standing.owed:
        if _settled_by_refund(standing, mail):
            error = f"Units {', '.join(map(str, standing.refunded))} are refunded."
            _end(attempt, AttemptStatus.PARTNER_FAILED, error=error, now=now)
        elif _is_mailed(standing, mail):
            _end(attempt, WELL_ENDED[AttemptType(attempt.type)], now=now)
        elif mail.refused:
            _end(attempt, AttemptStatus.DISPATCH_FAILED, error=mail_error, now=now)
        else:
            _wait(attempt, now + MAIL_WAIT)
    elif goes_on:
        _wait(attempt, now)
    elif failure is not None:
        status = AttemptStatus.FAILED if failure.unexpected else AttemptStatus.PARTNER_FAILED
        _end(attempt, status, error=failure.error, response=failure.response, now=now)
        if attempt.type == AttemptType.AUTO and not failure.definite:
            _plan_next(attempt, failure, now=now)
    elif standing.under_way:
        checks = [each.next_check_at for each in standing.under_way.values() if each.next_check_at]
        _wait(attempt, min(checks, default=None))
    else:
        # Nothing failed and nothing is under way: a unit came free meanwhile; look again.
        _wait(attempt, now)


def _end(
    attempt: FulfillmentAttempt,
    status: AttemptStatus,
    *,
    error: str = "",
    response: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    attempt.status, attempt.ended_at = status, now
    attempt.error_message = error[:1000]
    attempt.partner_response = {**attempt.partner_response, **(response or {})}
    attempt.claimed_at = attempt.next_try_at = None
    attempt.save()


def _wait(attempt: FulfillmentAttempt, due: datetime | None) -> None:
    attempt.claimed_at, attempt.next_try_at = None, due
    attempt.save(update_fields=["claimed_at", "next_try_at"])


def _plan_next(attempt: FulfillmentAttempt, failure: Failure, *, now: datetime) -> None:
    """The failed try is final, so that it is seen; the next one is a row of its own (D37)."""
    if attempt.try_no >= AUTO_TRIES:
        return
    waits = settings.ATTEMPT_WAITS
    wait = failure.retry_after or waits[min(attempt.try_no, len(waits)) - 1]
    FulfillmentAttempt.objects.create(
        order_id=attempt.order_id,
        item_id=attempt.item_id,
        type=AttemptType.AUTO,
        correlation_id=attempt.correlation_id,
        try_no=attempt.try_no + 1,
        next_try_at=now + timedelta(seconds=wait),
        created_at=now,
    )


def _end_resends(
    attempts: Iterable[FulfillmentAttempt], *, resent: bool, mail_error: str, now: datetime
) -> None:
    for attempt in attempts:
        if attempt.item_id is None and attempt.status == AttemptStatus.IN_PROGRESS:
            if resent:
                _end(attempt, AttemptStatus.SUCCESS, now=now)
            else:
                _end(attempt, AttemptStatus.DISPATCH_FAILED, error=mail_error, now=now)


def _leave_trace(order: Order, standing: Standing, *, now: datetime) -> None:
    """An item completed without an attempt of this round: by a background mail, say (D13)."""
    FulfillmentAttempt.objects.create(
        order=order,
        item=standing.item,
        type=AttemptType.AUTO,
        status=AttemptStatus.SUCCESS,
        correlation_id=correlation.current(),
        created_at=now,
        ended_at=now,
    )


def _overdue(standings: Iterable[Standing], *, now: datetime) -> bool:
    """A partner's answer has been waited for in vain, so that a person should know (D18)."""
    return any(
        (
            purchase.status == PurchaseStatus.UNKNOWN
            and (purchase.next_check_at is None or purchase.checks > 1)
        )
        or purchase.created_at < now - settings.PARTNER_PENDING_GRACE
        for standing in standings
        for purchase in standing.under_way.values()
    )


def _settle_order(
    order: Order, standings: Sequence[Standing], mail: MailStanding, *, now: datetime
) -> None:
    states = {standing.item.fulfillment_status for standing in standings}
    if states == {ItemStatus.SUCCEEDED}:
        advance(order, OrderStatus.SUCCEEDED, actor=SYSTEM, reason="delivered", now=now)
        note = f"Auto-resolved: delivered, fa:{correlation.current()}"
        resolve_alerts(order, FULFILLMENT_ALERTS, note=note, now=now)
        return
    if all(_is_mailed(standing, mail) for standing in standings):
        _close_by_refund(order, now=now)
        return
    failed = states & {ItemStatus.PARTNER_FAILED, ItemStatus.DISPATCH_FAILED}
    if not failed and not _overdue(standings, now=now):
        return
    if order.status == OrderStatus.PENDING:
        reason = _cause(standings)
        advance(order, OrderStatus.NEEDS_ATTENTION, actor=SYSTEM, reason=reason, now=now)
    has_codes = any(standing.vouchers for standing in standings)
    owes = any(standing.owed for standing in standings)
    kind = AlertKind.FULFILLMENT_PARTIAL if has_codes and owes else AlertKind.FULFILLMENT_FAILED
    raise_alert(order, kind, _cause(standings), now=now)


def _close_by_refund(order: Order, *, now: datetime) -> None:
    """Nothing is owed: the order leaves the queue; the seeds have no other status for it (D42)."""
    if order.status == OrderStatus.PENDING:
        reason = "not delivered, refunded"
        advance(order, OrderStatus.NEEDS_ATTENTION, actor=SYSTEM, reason=reason, now=now)
    order.closed_by_refund = True
    order.save(update_fields=["closed_by_refund", "updated_at"])
    note = f"Refunded: nothing is owed any more, fa:{correlation.current()}"
    resolve_alerts(order, CLOSED_BY_REFUND, note=note, now=now)


def _cause(standings: Sequence[Standing]) -> str:
    """One sentence for the alert and the timeline."""
    owed = sum(len(standing.owed) for standing in standings)
    if not owed:
        return "All codes are saved; the e-mail was not accepted."
    waiting = sum(len(standing.under_way) for standing in standings)
    if waiting:
        return f"{owed} code(s) owed, {waiting} of them still open at the partner."
    return f"{owed} code(s) owed; no source could deliver them."

"""Recovery path 1: an operator enters codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.selectors import unknown_partners
from core import correlation
from core.actors import Actor
from core.errors import BadRequest, Conflict, Detail, DomainError
from core.logging import get_logger
from fulfillment.issuing import Round
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import MailWish, work
from fulfillment.recovery.guards import begin, free_to_work, paid_order, repairable, standing_of
from fulfillment.recovery.results import WELL, OrderResult, RecoveryResult, RowResult, result_of
from fulfillment.selectors import Standing
from fulfillment.states import AttemptStatus, AttemptType
from orders.models import Order
from orders.states import ItemStatus
from vouchers.ciphers import Secret, fingerprint, mask, seal
from vouchers.models import Voucher
from vouchers.pool import NewCode
from vouchers.selectors import vouchers_by_code
from vouchers.services import release_item, sell_typed_row, store_issued
from vouchers.states import VoucherStatus

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GivenCode:
    """One code as an operator gave it."""

    code: str = field(repr=False)
    pin: str = field(default="", repr=False)
    redemption_url: str = field(default="", repr=False)
    expires_at: datetime | None = None
    partner_id: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def new(self) -> NewCode:
        return NewCode(
            secret=Secret(self.code, self.pin, self.redemption_url),
            expires_at=self.expires_at,
            partner_id=self.partner_id,
            metadata=self.metadata,
        )


@dataclass(frozen=True, slots=True)
class ItemCodes:
    """The codes for one item; `variant_id`, if given, must be the item's."""

    order_item_id: int
    codes: Sequence[GivenCode]
    variant_id: int | None = None


def enter_codes(
    order_id: int, given: ItemCodes, *, operator: Actor, notes: str = ""
) -> RecoveryResult:
    """Save codes for one item and mail every code of the order (`manual-code`).

    Raises:
        NotFound, BadRequest, Conflict: the seed's guards, then D28, D29, D37, D38; nothing
        was saved and nothing sent.
    """
    with transaction.atomic():
        order = paid_order(order_id)
        attempt = _save(order, given, operator=operator, notes=notes, now=timezone.now())
    work(Round(order_id), lambda: Round(order_id, [attempt]), MailWish(by_operator=True))
    return _result(attempt, len(given.codes))


def enter_codes_for_order(
    order_id: int, rows: Sequence[ItemCodes], *, operator: Actor, notes: str = ""
) -> OrderResult:
    """Save codes for several items; a bad row does not stop the good ones; one mail (D46).

    Raises:
        NotFound, BadRequest, Conflict: the order's own guards.
    """
    saved: list[tuple[ItemCodes, FulfillmentAttempt | DomainError]] = []
    with transaction.atomic():
        order = paid_order(order_id)
        for row in rows:
            try:
                with transaction.atomic():
                    attempt = _save(order, row, operator=operator, notes=notes, now=timezone.now())
                    saved.append((row, attempt))
            except DomainError as exc:
                saved.append((row, exc))
    attempts = [each for _, each in saved if isinstance(each, FulfillmentAttempt)]
    if attempts:
        work(Round(order_id), lambda: Round(order_id, attempts), MailWish(by_operator=True))
    return _order_result([_row_result(row, outcome) for row, outcome in saved])


def _save(
    order: Order, given: ItemCodes, *, operator: Actor, notes: str, now: datetime
) -> FulfillmentAttempt:
    """Guards, attempt and vouchers of one item; part of the caller's transaction."""
    standing = standing_of(order, given.order_item_id)
    item = standing.item
    if not given.codes:
        raise BadRequest.at("codes", "At least one code must be provided.", code="required")
    if given.variant_id is not None and given.variant_id != item.variant_id:
        raise BadRequest.at("variantId", f"Item {item.pk} is of variant {item.variant_id}.")
    _partners_known(given)
    repairable(item)
    known = vouchers_by_code(each.new().identity for each in given.codes)
    _belongs_here(given, known, standing)
    fresh = _fresh(given, known, standing)
    repeats = not fresh and not standing.owed and len(given.codes) == len(standing.vouchers)
    _counts(given, standing, fresh=len(fresh), repeats=repeats)
    free_to_work(item, now=now)
    attempt = begin(
        order,
        item,
        AttemptType.MANUAL_CODE_INPUT,
        operator=operator,
        notes=notes,
        now=now,
        codes=seal([each.code for each in given.codes], context="attempt"),
        codes_mask=_summary(given.codes),
    )
    if not repeats:
        release_item(item)
        _store(fresh, known, standing, now=now)
    log.info("fulfilment.codes_entered", fa=f"fa:{attempt.correlation_id}", count=len(given.codes))
    return attempt


def _partners_known(given: ItemCodes) -> None:
    unknown = unknown_partners(each.partner_id for each in given.codes if each.partner_id)
    if unknown:
        raise BadRequest.at("partnerId", f"There is no partner {unknown[0]}.", code="not_found")


def _belongs_here(given: ItemCodes, known: Mapping[bytes, Voucher], standing: Standing) -> None:
    """No code twice in the request, none that is somebody else's, none of other goods."""
    seen: set[bytes] = set()
    for place, each in enumerate(given.codes):
        digest = fingerprint(each.new().identity)
        if digest in seen:
            raise BadRequest.at(f"codes.{place}.code", "This code is given twice.")
        seen.add(digest)
        row = known.get(digest)
        if row is None:
            continue
        where = f"codes.{place}.code"
        mine = row.order_item_id == standing.item.pk
        if row.order_item_id is not None and not mine:
            raise _taken(where, "This code is already assigned to a different item.")
        if row.status == VoucherStatus.VOID:
            raise _taken(where, "This code is void and can never be sold.")
        if row.variant_id != standing.item.variant_id:
            raise _taken(where, "This code is in the pool of another variant.")


def _taken(where: str, message: str) -> Conflict:
    return Conflict(message, details=[Detail(where, "taken", message)])


def _fresh(given: ItemCodes, known: Mapping[bytes, Voucher], standing: Standing) -> list[GivenCode]:
    """The codes that are not saved for the item yet."""
    mine = set(standing.vouchers.values())
    rows = ((each, known.get(fingerprint(each.new().identity))) for each in given.codes)
    return [each for each, row in rows if row is None or row.pk not in mine]


def _counts(given: ItemCodes, standing: Standing, *, fresh: int, repeats: bool) -> None:
    """As many codes as are owed, alone or with all that are saved (D38); with nothing owed only
    the same set again (D28)."""
    item = standing.item
    if repeats:
        return
    if not standing.owed and not standing.vouchers:
        raise Conflict(f"Item {item.pk} is refunded: nothing of it can be delivered any more.")
    if not standing.owed:
        raise Conflict(
            f"All {item.quantity} code(s) of item {item.pk} are saved; only the same code(s) "
            "may be submitted again, to send the e-mail."
        )
    saved = len(given.codes) - fresh
    if (
        item.fulfillment_status == ItemStatus.DISPATCH_FAILED
        or fresh != len(standing.owed)
        or saved not in (0, len(standing.vouchers))
    ):
        message = (
            f"Item {item.pk} needs exactly {len(standing.owed)} code(s), not {len(given.codes)}."
        )
        raise BadRequest.at("codes", message, code="count")


def _store(
    fresh: Sequence[GivenCode],
    known: Mapping[bytes, Voucher],
    standing: Standing,
    *,
    now: datetime,
) -> None:
    for unit, each in zip(standing.owed, fresh, strict=True):
        row = known.get(fingerprint(each.new().identity))
        if row is None:
            store_issued(standing.item, unit, each.new(), now=now)
        else:
            row.refresh_from_db(fields=["status"])  # ours was given back a moment ago
            sell_typed_row(row, standing.item, unit, now=now)


def _summary(codes: Sequence[GivenCode]) -> str:
    more = f" (+{len(codes) - 1} more)" if len(codes) > 1 else ""
    return mask(codes[0].new().identity) + more


def _result(attempt: FulfillmentAttempt, count: int) -> RecoveryResult:
    return result_of(
        attempt,
        done=f"{count} voucher code(s) delivered to customer",
        not_mailed=f"{count} voucher code(s) saved, e-mail not sent",
    )


def _row_result(row: ItemCodes, outcome: FulfillmentAttempt | DomainError) -> RowResult:
    if isinstance(outcome, DomainError):
        return RowResult(row.order_item_id, False, None, None, outcome.message, outcome.code)
    result = _result(outcome, len(row.codes))
    return RowResult(
        row.order_item_id,
        result.success,
        result.status,
        result.attempt_id,
        result.message,
        result.error_message or None,
    )


def _order_result(rows: Sequence[RowResult]) -> OrderResult:
    good = [row for row in rows if row.success]
    statuses = {row.status for row in rows if row.status}
    worst = [AttemptStatus.FAILED, AttemptStatus.PARTNER_FAILED, AttemptStatus.DISPATCH_FAILED]
    status = next((each for each in worst if each in statuses), None)
    return OrderResult(
        success=bool(rows) and len(good) == len(rows),
        message=f"{len(good)} of {len(rows)} item(s) delivered to customer",
        correlation_id=correlation.current(),
        status=status or (AttemptStatus.DISPATCHED if good else AttemptStatus.FAILED),
        email_sent=any(row.status in WELL for row in rows),
        rows=rows,
    )

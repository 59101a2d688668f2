"""Getting codes for what a paid order owes: reserved rows, the pool, then partners by priority."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from catalog.models import PartnerSource
from catalog.selectors import buyable_sources
from catalog.states import FulfillmentType
from fulfillment.breaker import PAUSED, allows, opens_again
from fulfillment.completion import Failure, prepare
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.purchasing import Result, buy, open_purchase
from fulfillment.selectors import Standing, bought_today, claimable, standings_of
from fulfillment.states import AttemptType, PurchaseStatus
from notifications.models import EmailMessage
from orders.models import Order
from orders.services import locked
from orders.states import OrderStatus
from vouchers.services import sell_from_pool, sell_reserved

#: Attempts that may obtain codes; the others only mail what is there.
OBTAINS: Final = frozenset({AttemptType.AUTO, AttemptType.PARTNER_RETRY})
OPEN: Final = frozenset({OrderStatus.PENDING, OrderStatus.NEEDS_ATTENTION})
NO_STOCK: Final = "NO_STOCK"
NO_SOURCE: Final = "No available fulfillment source for this product"


@dataclass(slots=True)
class Round:
    """One pass over an order: what we claimed, and what did not work."""

    order_id: int
    attempts: list[FulfillmentAttempt] = field(default_factory=list)
    failures: dict[int, Failure] = field(default_factory=dict)
    """Item -> why it still owes."""
    unfinished: set[int] = field(default_factory=set)
    """Items whose time was over before every unit was asked for (D50)."""
    mail: EmailMessage | None = None
    prepared: bool = False
    """Whether the mail was settled in the claim's own transaction (pool alone)."""


def issue(
    order_id: int,
    *,
    held: Sequence[FulfillmentAttempt] | None = None,
    until: float | None = None,
    into: Round | None = None,
) -> Round:
    """Claim the order's due attempts and obtain what they owe.

    Args:
        into: told what was claimed as it happens, so that an error finds it there.
        held: attempts an operator's request has claimed already; then no other is touched.
        until: `time.monotonic()` after which no further unit is asked for (D50).
    """
    round_ = into or Round(order_id)
    with transaction.atomic():
        order = locked(order_id)
        if order.status not in OPEN or order.held_for_risk:
            return round_
        now = timezone.now()
        if held is None:
            _claim(order, round_, now=now)
        else:
            round_.attempts = list(held)
        if not round_.attempts:
            return round_
        sell_reserved(order, now=now)
        standings = {standing.item.pk: standing for standing in standings_of(order)}
        work = _from_pool(round_, standings, now=now)
        if not work and held is None:
            round_.mail = prepare(order, list(standings.values()), now=now)
            round_.prepared = True
            return round_
    for attempt, standing, units in work:
        _from_partners(attempt, standing, units, round_, until=until)
    return round_


def _claim(order: Order, round_: Round, *, now: datetime) -> None:
    # Without an item it is a copy of the mail: see `send_left_copies`.
    due = FulfillmentAttempt.objects.filter(claimable(now=now), order=order, item__isnull=False)
    round_.attempts = list(due.select_related("partner_source__partner", "item").order_by("pk"))
    ids = [attempt.pk for attempt in round_.attempts]
    FulfillmentAttempt.objects.filter(pk__in=ids).update(claimed_at=now)
    for attempt in round_.attempts:
        attempt.claimed_at = now


def _from_pool(
    round_: Round, standings: Mapping[int, Standing], *, now: datetime
) -> list[tuple[FulfillmentAttempt, Standing, list[int]]]:
    """Fill what codes in our hands can fill; the rest is work for partners."""
    obtaining = [
        (attempt, standings[attempt.item_id])
        for attempt in round_.attempts
        if attempt.type in OBTAINS and attempt.item_id
    ]
    pooled = [
        standing
        for attempt, standing in obtaining
        if standing.missing and (not attempt.partner_source or _is_pool(attempt.partner_source))
    ]
    if pooled:
        units = {each.item.pk: each.missing for each in pooled}
        given = sell_from_pool([each.item for each in pooled], units, now=now)
        for each in pooled:
            each.fill(given[each.item.pk], at=now)
    return [
        (attempt, standing, standing.missing) for attempt, standing in obtaining if standing.missing
    ]


def _from_partners(
    attempt: FulfillmentAttempt,
    standing: Standing,
    units: list[int],
    round_: Round,
    *,
    until: float | None,
) -> None:
    """Buy unit by unit; stop at the first answer that leaves outcome or partner in doubt."""
    item = standing.item
    sources, failure = _sources(attempt, standing)
    for unit in units:
        if until is not None and time.monotonic() > until:
            round_.unfinished.add(item.pk)
            return
        while sources:
            if not _may_ask(attempt, sources[0]):
                failure = _paused(sources, failure)
                sources.pop(0)
                continue
            purchase = open_purchase(attempt, item, unit, sources[0])
            if purchase is None:
                return  # somebody else filled the unit or took the attempt over
            result = buy(purchase)
            if result.status in (PurchaseStatus.SUCCEEDED, PurchaseStatus.PENDING):
                break
            if result.status == PurchaseStatus.UNKNOWN:
                return  # followed by look-up; a silent partner is not asked for more
            failure = _failure(sources[0], result, before=failure)
            if result.transient:
                round_.failures[item.pk] = failure
                return
            sources.pop(0)
        else:
            round_.failures[item.pk] = failure
            return


def _may_ask(attempt: FulfillmentAttempt, source: PartnerSource) -> bool:
    """A paused partner is skipped, but not for an operator, who knows something (D19)."""
    return attempt.type != AttemptType.AUTO or allows(source.partner_id or 0, now=timezone.now())


def _paused(sources: Sequence[PartnerSource], failure: Failure) -> Failure:
    """Nobody was asked, so asking later makes sense, whatever the other sources said."""
    now = timezone.now()
    again = opens_again([each.partner_id or 0 for each in sources])
    response = {"offerId": sources[0].external_offer_id, "status": PAUSED}
    return Failure(
        f"{sources[0].partner} did not answer lately; purchases are paused",
        response=response,
        retry_after=max(1.0, (again - now).total_seconds()) if again else failure.retry_after,
    )


def _is_pool(source: PartnerSource) -> bool:
    return source.fulfillment_type == FulfillmentType.PRELOADED


def _sources(
    attempt: FulfillmentAttempt, standing: Standing
) -> tuple[list[PartnerSource], Failure]:
    """Whom this attempt may still ask, and what there is to say when nobody is left.

    A source that refused within this attempt, even hours after it accepted, is not asked
    again by it: the next attempt starts afresh.
    """
    if attempt.partner_source is not None:
        sources = [] if _is_pool(attempt.partner_source) else [attempt.partner_source]
    else:
        sources = _within_caps(buyable_sources(standing.item.variant))
    refused = list(
        PartnerTransaction.objects.filter(attempt=attempt, status=PurchaseStatus.FAILED).order_by(
            "pk"
        )
    )
    left = [each for each in sources if each.pk not in {one.source_id for one in refused}]
    response = dict(refused[-1].response) if refused else {"status": NO_STOCK}
    transient = bool(response.pop("transient", False))
    error = refused[-1].error if transient else NO_SOURCE
    return left, Failure(error, response=response, definite=not transient)


def _within_caps(sources: Sequence[PartnerSource]) -> list[PartnerSource]:
    """The first source's cap was kept when the order was placed (D14); a source that stands in
    for it is asked only within its own."""
    caps = {each.pk: each.stock_cap for each in sources[1:] if each.stock_cap is not None}
    used = bought_today(list(caps), now=timezone.now()) if caps else {}
    full = {pk for pk, cap in caps.items() if used.get(pk, 0) >= cap}
    return [each for each in sources if each.pk not in full]


def _failure(source: PartnerSource, result: Result, *, before: Failure) -> Failure:
    """What the audit trail keeps: the partner's word, and its reason in plain text."""
    response = {
        "offerId": source.external_offer_id,
        "status": result.word or NO_STOCK,
        "reason": result.error,
    }
    if not result.transient and before.response.get("status") == PAUSED:
        return before  # a partner that is only paused may still deliver
    error = result.error if result.transient else NO_SOURCE
    return Failure(
        error, response=response, definite=not result.transient, retry_after=result.retry_after
    )

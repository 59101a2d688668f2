"""The dry run: what a recovery run would do to each order, and what stands in its way.

Only reads. Free codes of the pool are dealt out to the rows in their order, so that ten orders
are not promised the same last code. What happens meanwhile is the services' to judge.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalog.models import PartnerSource
from catalog.selectors import buyable_sources
from catalog.states import FulfillmentType
from fulfillment.models import PartnerHealth
from fulfillment.selectors import Standing, standings_of
from fulfillment.states import RunAction
from orders.models import Order, OrderItem
from vouchers.selectors import available_by_variant


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen to one row; `blocked` says why nothing would."""

    order: Order
    item: OrderItem | None
    foreseen: str
    blocked: str = ""
    codes: int = 0
    cost: Decimal | None = None
    source: PartnerSource | None = None
    """Whom the first missing code would be bought from."""


def plans_of(
    orders: Iterable[Order], action: str, *, source: PartnerSource | None, now: datetime
) -> Iterator[Plan]:
    """One plan an item that is not delivered (or, for a resend, one an order)."""
    pool: dict[int, int] = {}
    paused = _paused(now=now)
    for order in orders:
        standings = standings_of(order)
        why_not = _closed(order)
        if action == RunAction.RESEND_EMAIL:
            yield _resend(order, standings, why_not)
            continue
        open_ones = [each for each in standings if not each.item.fulfilled]
        if not open_ones:
            yield Plan(order, None, "nothing", why_not or "Every code is delivered.")
        for standing in open_ones:
            yield _retry(order, standing, why_not, source=source, pool=pool, paused=paused, now=now)


def _paused(*, now: datetime) -> Mapping[int, PartnerHealth]:
    rows = PartnerHealth.objects.filter(open_until__gt=now).select_related("partner")
    return {health.pk: health for health in rows}


def _closed(order: Order) -> str:
    if order.paid_at is None:
        return "The order has no successful payment."
    if order.held_for_risk:
        return "The order is held as risky."
    return "What was not delivered is refunded." if order.closed_by_refund else ""


def _resend(order: Order, standings: list[Standing], why_not: str) -> Plan:
    count = sum(len(standing.vouchers) for standing in standings)
    if not count and not why_not:
        why_not = "No code is saved yet."
    return Plan(order, None, f"mail {count} code(s) to {order.recipient_email}", why_not)


def _retry(
    order: Order,
    standing: Standing,
    why_not: str,
    *,
    source: PartnerSource | None,
    pool: dict[int, int],
    paused: Mapping[int, PartnerHealth],
    now: datetime,
) -> Plan:
    item = standing.item
    if why_not:
        return Plan(order, item, "nothing", why_not)
    if standing.under_way:
        return Plan(
            order,
            item,
            "nothing",
            "A purchase may still be delivered; nothing is bought twice.",
        )
    if not standing.owed:
        return Plan(order, item, f"mail {len(standing.vouchers)} saved code(s)")
    return _obtain(order, standing, source=source, pool=pool, paused=paused, now=now)


def _obtain(
    order: Order,
    standing: Standing,
    *,
    source: PartnerSource | None,
    pool: dict[int, int],
    paused: Mapping[int, PartnerHealth],
    now: datetime,
) -> Plan:
    item = standing.item
    needed = len(standing.missing)
    from_pool = 0
    if source is None or source.fulfillment_type == FulfillmentType.PRELOADED:
        from_pool = _deal(item.variant_id, needed, pool, now=now)
    parts = [f"{from_pool} from the pool"] if from_pool else []
    to_buy = needed - from_pool
    if not to_buy:
        return Plan(order, item, ", ".join(parts), codes=needed, cost=Decimal(0))
    sources = [source] if source is not None else buyable_sources(item.variant)
    buyable = [each for each in sources if each.fulfillment_type == FulfillmentType.API]
    if not buyable:
        why = f"{to_buy} code(s) are missing from the pool, and no partner sells them."
        return Plan(order, item, ", ".join(parts) or "nothing", why, codes=needed)
    first = buyable[0]
    parts.append(f"buy {to_buy} from {first.partner}")
    if first.partner_id in paused:
        parts.append("paused just now")
    cost = None if first.cost is None else first.cost * to_buy
    return Plan(order, item, ", ".join(parts), codes=needed, cost=cost, source=first)


def _deal(variant_id: int, needed: int, pool: dict[int, int], *, now: datetime) -> int:
    if variant_id not in pool:
        pool[variant_id] = available_by_variant([variant_id], now=now).get(variant_id, 0)
    given = min(needed, pool[variant_id])
    pool[variant_id] -= given
    return given

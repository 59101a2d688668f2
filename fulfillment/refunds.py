"""What a refund does to the goods of an order (D42).

Every function is part of its caller's transaction, which holds the order's lock: against a
late code or a running delivery exactly one of the two wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.errors import BadRequest, Conflict, Detail
from fulfillment.completion import conclude
from fulfillment.selectors import Standing, standings_of
from notifications.alerts import raise_alert
from notifications.states import AlertKind
from orders.models import Order, OrderItem
from orders.states import OrderStatus
from vouchers.services import release_units, revoke

Units = Mapping[int, Sequence[int] | None]
"""Item -> its units; None for every unit of the item that is not paid back yet."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Units that left the debt, and the codes that were revoked for it."""

    units: tuple[tuple[int, int], ...]
    """(item, unit)"""
    vouchers: tuple[int, ...]


def drop_units(
    order: Order, wanted: Units | None, *, revoking: bool, actor: Actor, reason: str, now: datetime
) -> Dropped:
    """Take units out of the debt: they can't be delivered any more.

    Args:
        wanted: None for everything that is not paid back yet.
        revoking: whether delivered codes may be taken back; without it they are refused.

    Raises:
        BadRequest: an item or unit is not of this order, or was paid back before.
        Conflict: a code is delivered, and nobody said that it is to be revoked.
    """
    standings = {standing.item.pk: standing for standing in standings_of(order)}
    chosen = _chosen(standings, wanted)
    if not any(chosen.values()):
        raise Conflict(f"Every unit of order {order.order_number} is refunded already.")
    codes = _codes(standings, chosen)
    if codes and not revoking:
        raise Conflict(
            f"{len(codes)} of these units are delivered: their codes must be revoked first.",
            details=[Detail("revokeCodes", "required", "Say true to revoke the delivered codes.")],
        )
    revoke(codes, by_id=actor.user_id, reason=reason, now=now)
    for pk, units in chosen.items():
        item = standings[pk].item
        release_units(item, units)
        _mark(item, {*item.refunded_units, *units})
    _settle(order, now=now)
    pairs = tuple((pk, unit) for pk, units in chosen.items() for unit in units)
    return Dropped(pairs, tuple(codes))


def restore_units(
    order: Order, units: Sequence[tuple[int, int]], *, vouchers: Sequence[int], now: datetime
) -> None:
    """The money did not go back: what was not delivered is owed again.

    Revoked codes stay revoked, for somebody may have blocked them at their issuer; the alert of
    the refund that failed stays open until another one succeeds.
    """
    by_item: dict[int, set[int]] = {}
    for item_id, unit in units:
        by_item.setdefault(item_id, set()).add(unit)
    for item in order.items.filter(pk__in=by_item):
        taken_back = set(
            item.vouchers.filter(pk__in=vouchers, revoked_at__isnull=False).values_list(
                "unit_no", flat=True
            )
        )
        _mark(item, set(item.refunded_units) - (by_item[item.pk] - taken_back))
    order.closed_by_refund = False
    order.save(update_fields=["closed_by_refund", "updated_at"])
    owed = sum(len(standing.owed) for standing in standings_of(order))
    if owed and order.status == OrderStatus.NEEDS_ATTENTION and not order.held_for_risk:
        message = f"{owed} code(s) owed again: their refund was refused."
        raise_alert(order, AlertKind.FULFILLMENT_FAILED, message, now=now)


def _chosen(standings: Mapping[int, Standing], wanted: Units | None) -> dict[int, list[int]]:
    if wanted is None:
        wanted = dict.fromkeys(standings)
    problems: list[Detail] = []
    chosen: dict[int, list[int]] = {}
    for place, (pk, units) in enumerate(wanted.items()):
        standing = standings.get(pk)
        if standing is None:
            message = f"The order has no item {pk}."
            problems.append(Detail(f"items.{place}.orderItemId", "not_found", message))
            continue
        left = [
            unit
            for unit in range(1, standing.item.quantity + 1)
            if unit not in standing.item.refunded_units
        ]
        chosen[pk] = left if units is None else sorted(set(units))
        if wrong := [unit for unit in chosen[pk] if unit not in left]:
            message = f"Item {pk} has no unit {wrong[0]} that is not refunded yet."
            problems.append(Detail(f"items.{place}.units", "invalid", message))
    if problems:
        raise BadRequest("These units can't be refunded.", details=problems)
    return chosen


def _codes(standings: Mapping[int, Standing], chosen: Mapping[int, Sequence[int]]) -> list[int]:
    return [
        standings[pk].vouchers[unit]
        for pk, units in chosen.items()
        for unit in units
        if unit in standings[pk].vouchers
    ]


def _mark(item: OrderItem, units: set[int]) -> None:
    item.refunded_units = sorted(units)
    item.save(update_fields=["refunded_units"])


def _settle(order: Order, *, now: datetime) -> None:
    """Let attempts, items and order follow. A delivered order stays what it is."""
    if order.status != OrderStatus.SUCCEEDED:
        conclude(order, [], failures={}, now=now)
        return
    left = any(len(item.refunded_units) < item.quantity for item in order.items.all())
    if not left:
        order.closed_by_refund = True
        order.save(update_fields=["closed_by_refund", "updated_at"])

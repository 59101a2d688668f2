"""One card an item of the order's page: its units, who works on it, and who could fill it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings

from catalog.models import PartnerSource
from core.templatetags.shop import tone_of
from orders.models import OrderItem
from orders.states import ItemStatus

if TYPE_CHECKING:
    from fulfillment.models import FulfillmentAttempt, PartnerHealth
    from fulfillment.selectors import Standing
    from vouchers.selectors import UnitCode


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit of an item: filled, at work at a partner, or owed."""

    number: int
    state: str
    tone: str
    code: "UnitCode | None" = None
    purchase: str = ""
    """Our reference at the partner who may still deliver it."""


@dataclass(slots=True)
class ItemCard:
    item: OrderItem
    units: list[UnitRow]
    owed: int
    under_way: Counter[str]
    """State at the partner -> units."""
    worked_by: str = ""
    """Who holds a claim on the item just now."""
    sources: Sequence[PartnerSource] = field(default_factory=list)
    missing_units: Sequence[int] = ()
    """Units that a code is owed for."""
    pool: int = 0
    """Codes of the variant that are free in our pool."""
    paused: frozenset[str] = frozenset()
    """Partners among its sources that did not answer lately: nothing is bought from them."""

    @property
    def label(self) -> str:
        return f"{self.item.product_name} {self.item.variant_name}"

    @property
    def delivered(self) -> int:
        return self.item.quantity - self.owed - len(self.item.refunded_units)

    @property
    def state(self) -> tuple[str, str]:
        """Where the item stands, in words and a tone."""
        if self.item.fulfillment_status is not None:
            words = ItemStatus(self.item.fulfillment_status).label
            return words, tone_of(self.item.fulfillment_status)
        return ("Codes saved", "info") if not self.owed else ("Not delivered yet", "quiet")

    @property
    def sellers(self) -> Sequence[PartnerSource]:
        """Partners that may be asked, the price ceiling kept (D19)."""
        ceiling = self.item.variant.max_cost
        return [
            each
            for each in self.sources
            if each.partner_id is not None
            and (ceiling is None or each.cost is None or each.cost <= ceiling)
        ]

    @property
    def no_chance(self) -> str:
        """Why a retry could obtain nothing just now; empty if it may obtain all."""
        if self.pool >= self.owed:
            return ""
        if not self.sellers:
            if any(each.partner_id for each in self.sources):
                return "every partner that sells it asks more than the price ceiling"
            return "no partner sells it, and our pool has too few codes"
        names = [str(each.partner) for each in self.sellers]
        if all(name in self.paused for name in names):
            return f"{' and '.join(dict.fromkeys(names))} did not answer lately"
        return ""

    @property
    def no_retry(self) -> str:
        """Why the partner can't be asked again for this item; empty if it can."""
        if self.item.fulfilled:
            return "delivered already"
        if self.worked_by:
            return f"{self.worked_by} is working on it just now"
        if self.under_way:
            return "a purchase may still be delivered, nothing is bought twice"
        if not self.owed:
            return "its codes are saved, only the e-mail is missing"
        if not self.sources and not self.pool:
            return "no partner sells it, and our pool is empty"
        return ""


def cards_of(
    standings: Iterable["Standing"],
    codes: Iterable["UnitCode"],
    attempts: Iterable["FulfillmentAttempt"],
    sources: Mapping[int, Sequence[PartnerSource]],
    *,
    pool: Mapping[int, int],
    health: Mapping[int, "PartnerHealth"],
    now: datetime,
) -> list[ItemCard]:
    held = {(code.item_id, code.unit_no): code for code in codes}
    claims = {
        each.item_id: str(each.admin_user or "the automatic delivery")
        for each in attempts
        if each.status == "IN_PROGRESS"
        and each.claimed_at is not None
        and each.claimed_at >= now - settings.ATTEMPT_LEASE
    }
    paused = {pk for pk, each in health.items() if each.state(now=now) == "open"}
    return [
        ItemCard(
            item=each.item,
            units=[_unit(each, unit, held) for unit in range(1, each.item.quantity + 1)],
            owed=len(each.owed),
            under_way=Counter(purchase.status for purchase in each.under_way.values()),
            worked_by=claims.get(each.item.pk, ""),
            sources=sources.get(each.item.variant_id, ()),
            missing_units=each.owed,
            pool=pool.get(each.item.variant_id, 0),
            paused=frozenset(
                str(source.partner)
                for source in sources.get(each.item.variant_id, ())
                if source.partner_id in paused
            ),
        )
        for each in standings
    ]


def _unit(standing: "Standing", unit: int, held: Mapping[tuple[int, int], "UnitCode"]) -> UnitRow:
    code = held.get((standing.item.pk, unit))
    if unit in standing.vouchers:
        return UnitRow(unit, "Saved" if not standing.item.fulfilled else "Delivered", "good", code)
    if unit in standing.refunded:
        state = "Refunded, code revoked" if code is not None and code.revoked else "Refunded"
        return UnitRow(unit, state, "quiet", code)
    purchase = standing.under_way.get(unit)
    if purchase is not None:
        tone = tone_of(purchase.status, "PartnerTransaction")
        return UnitRow(unit, purchase.get_status_display(), tone, code, purchase.reference)
    if code is not None:
        return UnitRow(unit, "Reserved", "info", code)
    lost = standing.item.fulfillment_status == ItemStatus.PARTNER_FAILED
    return UnitRow(unit, "No code", "bad" if lost else "quiet")

"""Reading the state of delivery."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from catalog.models import PartnerSource
from catalog.states import FulfillmentType
from fulfillment.models import FulfillmentAttempt, PartnerHealth, PartnerTransaction
from fulfillment.states import UNDER_WAY, AttemptStatus, PurchaseStatus
from orders.models import Order, OrderItem
from orders.selectors import midnight
from orders.states import ItemStatus, OrderStatus
from vouchers.models import Voucher
from vouchers.selectors import available_by_variant
from vouchers.states import DELIVERED, VoucherStatus

SWEEP_BATCH: Final = 500
CAME_BACK_LATELY: Final = timedelta(days=2)
"""Longer ago, every order that waited has been tried since."""


@dataclass(slots=True)
class Standing:
    """What one item has, owes and waits for; computed from rows each time, never counted along."""

    item: OrderItem
    vouchers: dict[int, int] = field(default_factory=dict)
    """Unit -> voucher, for units that are filled."""
    under_way: dict[int, PartnerTransaction] = field(default_factory=dict)
    """Unit -> purchase, for units not filled that a partner may still deliver."""
    last_saved_at: datetime | None = None

    @property
    def refunded(self) -> list[int]:
        """Units that were paid back: not owed, never to be delivered again (D42)."""
        return self.item.refunded_units

    @property
    def owed(self) -> list[int]:
        gone = {*self.vouchers, *self.refunded}
        return [unit for unit in range(1, self.item.quantity + 1) if unit not in gone]

    @property
    def missing(self) -> list[int]:
        """Owed and not under way anywhere: what may be bought now (D18)."""
        return [unit for unit in self.owed if unit not in self.under_way]

    def fill(self, given: Mapping[int, int], *, at: datetime) -> None:
        """Take in units (unit -> voucher) that were sold to the item a moment ago."""
        if given:
            self.vouchers |= given
            self.last_saved_at = at


def standings_of(order: Order) -> list[Standing]:
    """Where each item of an order stands; three statements, whatever the units."""
    standings = {item.pk: Standing(item) for item in order.items.select_related("variant__product")}
    filled = Voucher.objects.filter(
        order_item__in=list(standings), status__in=DELIVERED, revoked_at=None
    )
    for pk, item_id, unit, sold_at in filled.values_list(
        "id", "order_item_id", "unit_no", "sold_at"
    ):
        if item_id is None or unit is None:
            continue
        standing = standings[item_id]
        standing.vouchers[unit] = pk
        if sold_at and (standing.last_saved_at is None or sold_at > standing.last_saved_at):
            standing.last_saved_at = sold_at
    purchases = PartnerTransaction.objects.filter(item__in=list(standings), status__in=UNDER_WAY)
    for purchase in purchases:
        standing = standings[purchase.item_id]
        if purchase.unit_no in standing.owed:
            standing.under_way[purchase.unit_no] = purchase
    return list(standings.values())


def claimable(*, now: datetime) -> Q:
    """Attempts that are due and that nobody is working on."""
    free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - settings.ATTEMPT_LEASE)
    return Q(status=AttemptStatus.IN_PROGRESS, next_try_at__lte=now) & free


def being_worked_on(item: OrderItem, *, now: datetime) -> FulfillmentAttempt | None:
    """The attempt somebody holds a claim on just now."""
    return (
        FulfillmentAttempt.objects.filter(
            item=item,
            status=AttemptStatus.IN_PROGRESS,
            claimed_at__gte=now - settings.ATTEMPT_LEASE,
        )
        .select_related("admin_user")
        .first()
    )


def due_purchases(*, now: datetime) -> QuerySet[PartnerTransaction]:
    """Purchases to look up now; SENT beyond its lease means that the sender died (D18)."""
    abandoned = Q(status=PurchaseStatus.SENT, sent_at__lt=now - settings.PARTNER_SENT_LEASE)
    planned = Q(status__in=[PurchaseStatus.PENDING, PurchaseStatus.UNKNOWN], next_check_at__lte=now)
    return PartnerTransaction.objects.filter(abandoned | planned)


def orders_with_due_work(*, now: datetime) -> Sequence[int]:
    """Orders whose attempts or purchases are due, soonest first."""
    attempts = (
        FulfillmentAttempt.objects.filter(claimable(now=now), order__held_for_risk=False)
        .order_by("next_try_at", "pk")
        .values_list("order_id", flat=True)[:SWEEP_BATCH]
    )
    purchases = (
        due_purchases(now=now)
        .order_by("next_check_at")
        .values_list("item__order_id", flat=True)[:SWEEP_BATCH]
    )
    return list(dict.fromkeys([*attempts, *purchases]))


def orders_stock_came_for(*, now: datetime, variant_id: int | None = None) -> Sequence[int]:
    """Orders that wait for codes of a variant that are free now, oldest first (I20).

    As many as the codes reach: a younger order that was started as well could take them first.
    """
    waiting = _waiting(now=now)
    if variant_id is not None:
        waiting = waiting.filter(variant=variant_id)
    free = Voucher.objects.filter(
        variant=OuterRef("variant"), status=VoucherStatus.AVAILABLE
    ).exclude(expires_at__lte=now)
    items = waiting.filter(Exists(free)).order_by("order__paid_at", "order_id", "pk")
    filled = Count("vouchers", filter=Q(vouchers__status__in=DELIVERED), distinct=True)
    rows = list(
        items.annotate(filled=filled).values_list(
            "order_id", "variant_id", "quantity", "refunded_units", "filled"
        )[:SWEEP_BATCH]
    )
    left = dict(available_by_variant({row[1] for row in rows}, now=now)) if rows else {}
    orders: dict[int, None] = {}
    for order_id, variant, quantity, refunded, count in rows:
        if left.get(variant, 0) > 0:
            orders[order_id] = None
            left[variant] -= max(1, quantity - len(refunded) - count)
    return list(orders)


def orders_partner_came_back_for(*, now: datetime) -> Sequence[int]:
    """Orders last tried before a partner of theirs came back, oldest first (D37)."""
    back = PartnerHealth.objects.filter(open_until=None, closed_at__gt=now - CAME_BACK_LATELY)
    found: list[int] = []
    for health in back:
        tried_since = FulfillmentAttempt.objects.filter(
            item=OuterRef("pk"), ended_at__gte=health.closed_at
        )
        items = _waiting(now=now).filter(_sold_by(health), ~Exists(tried_since))
        found += _oldest_first(items)
    return list(dict.fromkeys(found))


def orders_to_probe_with(*, now: datetime) -> Sequence[int]:
    """For each partner whose pause is over, the oldest order that waits for it: the probe."""
    found: list[int] = []
    for health in PartnerHealth.objects.filter(open_until__lte=now):
        found += _oldest_first(_waiting(now=now).filter(_sold_by(health)))[:1]
    return list(dict.fromkeys(found))


def _waiting(*, now: datetime) -> QuerySet[OrderItem]:
    """Items that owe codes while nobody works for them and no purchase is open."""
    tried = FulfillmentAttempt.objects.filter(
        Q(claimed_at__isnull=False) | Q(next_try_at__lte=now),
        item=OuterRef("pk"),
        status=AttemptStatus.IN_PROGRESS,
    )
    pending = PartnerTransaction.objects.filter(item=OuterRef("pk"), status__in=UNDER_WAY)
    return OrderItem.objects.filter(
        ~Exists(tried),
        ~Exists(pending),
        refunded_units__len__lt=F("quantity"),
        order__closed_by_refund=False,
        order__status=OrderStatus.NEEDS_ATTENTION,
        order__held_for_risk=False,
        fulfillment_status=ItemStatus.PARTNER_FAILED,
    )


def _sold_by(health: PartnerHealth) -> Exists:
    return Exists(
        PartnerSource.objects.filter(
            variant=OuterRef("variant"),
            partner=health.pk,
            partner__is_active=True,
            is_active=True,
            fulfillment_type=FulfillmentType.API,
        )
    )


def _oldest_first(items: QuerySet[OrderItem]) -> list[int]:
    ids = items.order_by("order__paid_at", "order_id").values_list("order_id", flat=True)[
        :SWEEP_BATCH
    ]
    return list(dict.fromkeys(ids))


def bought_today(source_ids: Sequence[int], *, now: datetime) -> Mapping[int, int]:
    """Units bought, or still open, at each source since midnight in Dhaka."""
    rows = (
        PartnerTransaction.objects.filter(source__in=source_ids, created_at__gte=midnight(now))
        .exclude(status=PurchaseStatus.FAILED)
        .values_list("source_id")
        .annotate(units=Count("pk"))
    )
    return dict(rows)


def attempts_of(order: Order) -> QuerySet[FulfillmentAttempt]:
    """The audit trail of an order, newest first."""
    return (
        FulfillmentAttempt.objects.filter(order=order)
        .select_related("admin_user", "item")
        .prefetch_related("purchases__voucher")
        .order_by("-pk")
    )


def next_due(order_id: int) -> datetime | None:
    """When the order's plan wants to be looked at next; None if it has none."""
    attempts = FulfillmentAttempt.objects.filter(
        order=order_id, status=AttemptStatus.IN_PROGRESS, claimed_at=None
    ).aggregate(due=Min("next_try_at"))["due"]
    purchases = PartnerTransaction.objects.filter(
        item__order=order_id, status__in=[PurchaseStatus.PENDING, PurchaseStatus.UNKNOWN]
    ).aggregate(due=Min("next_check_at"))["due"]
    return min((due for due in (attempts, purchases) if due is not None), default=None)


def purchases_of(order: Order) -> QuerySet[PartnerTransaction]:
    """What was bought from partners for an order, newest first; sealed codes stay unread."""
    return (
        PartnerTransaction.objects.filter(item__order=order)
        .select_related("partner", "source", "item", "voucher")
        .defer("voucher__secret", "voucher__fingerprint", "voucher__words")
        .order_by("-pk")
    )


def health_of(partner_ids: Iterable[int]) -> Mapping[int, PartnerHealth]:
    """How each of these partners answers; one statement. Not in it: never asked."""
    return PartnerHealth.objects.in_bulk(list(set(partner_ids)))

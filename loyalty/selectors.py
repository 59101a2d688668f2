"""Reading programmes, gift cards, and what became of fulfilment orders."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Q, QuerySet

from catalog.models import Variant
from catalog.selectors import is_preloaded, sources_by_variant, stock_of
from catalog.states import ProductStatus
from loyalty.models import FulfillmentOrder, LoyaltyProgram, PointsAccount, PointsTransfer
from loyalty.states import ITEM_STATE_OF_TRANSFER, ItemState, TransferStatus
from orders.selectors import ordered_today
from orders.states import OrderStatus
from vouchers.selectors import available_by_variant

SWEEP_BATCH: Final = 500


def uuid_of(text: object) -> uuid.UUID | None:
    """A UUID as people write one, or None."""
    if not isinstance(text, str):
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def participating() -> QuerySet[LoyaltyProgram]:
    """Programmes to which points can be credited."""
    return LoyaltyProgram.objects.filter(is_active=True).exclude(partner="")


def find_program(key: object) -> LoyaltyProgram | None:
    """A participating programme by its id."""
    pk = uuid_of(key)
    return participating().filter(pk=pk).first() if pk else None


def gift_cards(program: LoyaltyProgram) -> QuerySet[Variant]:
    """What the programme's members may order: on sale, of its categories if it names any."""
    rows = Variant.objects.filter(
        is_active=True,
        price__gt=0,
        product__status=ProductStatus.ACTIVE,
        product__brand__is_active=True,
    )
    ids = list(program.categories.values_list("pk", flat=True))
    if ids:
        rows = rows.filter(product__categories__in=ids).distinct()
    return rows


def in_stock(variants: Sequence[Variant], *, now: datetime) -> Mapping[int, bool]:
    """Whether an order of each would be accepted now; three statements, whatever the rows."""
    ids = [variant.pk for variant in variants]
    sources = sources_by_variant(ids)
    free = available_by_variant(ids, now=now)
    ordered = ordered_today([pk for pk in ids if not is_preloaded(sources.get(pk, ()))], now=now)
    return {
        variant.pk: stock_of(
            variant,
            sources.get(variant.pk, ()),
            free=free.get(variant.pk, 0),
            ordered=ordered.get(variant.pk, 0),
        ).in_stock
        for variant in variants
    }


def accounts_of(program: LoyaltyProgram, user_id: uuid.UUID) -> Sequence[PointsAccount]:
    rows = PointsAccount.objects.filter(program=program, user_id=user_id, is_active=True)
    return list(rows.order_by("pk"))


def with_what_it_needs(rows: QuerySet[FulfillmentOrder]) -> QuerySet[FulfillmentOrder]:
    """Orders with all that is shown of them; two statements, whatever the rows."""
    return rows.select_related(
        "client", "order", "transfer__program", "points_account"
    ).prefetch_related("order__items__variant")


def orders_of_client(client_id: int) -> QuerySet[FulfillmentOrder]:
    return with_what_it_needs(FulfillmentOrder.objects.filter(client=client_id))


def find_order_of_client(client_id: int, key: str) -> FulfillmentOrder | None:
    pk = uuid_of(key)
    return orders_of_client(client_id).filter(pk=pk).first() if pk else None


def in_state(state: ItemState) -> Q:
    """Which orders have their item in this state; the reverse of `FulfillmentOrder.item_state`."""
    transfers = [each for each in TransferStatus if ITEM_STATE_OF_TRANSFER[each] == state]
    found = Q(transfer__status__in=transfers)
    delivered = Q(order__status=OrderStatus.SUCCEEDED)
    if state == ItemState.CANCELLED:
        return found | Q(order__closed_by_refund=True)
    if state == ItemState.FULFILLED:
        return found | (delivered & Q(order__closed_by_refund=False))
    if state == ItemState.PROCESSING:
        owed = Q(order__isnull=False, order__closed_by_refund=False) & ~delivered
        return found | owed
    return found


def due_transfers(*, now: datetime) -> QuerySet[PointsTransfer]:
    """To be sent or asked about now; SENT beyond its lease means that the sender died."""
    planned = Q(
        status__in=[TransferStatus.QUEUED, TransferStatus.PENDING, TransferStatus.UNKNOWN],
        next_check_at__lte=now,
    )
    abandoned = Q(status=TransferStatus.SENT, sent_at__lt=now - settings.PARTNER_SENT_LEASE)
    return PointsTransfer.objects.filter(planned | abandoned)

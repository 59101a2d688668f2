"""What others may ask of orders. Who calls holds the order's row lock, but for `place_order`."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models.constants import OnConflict

from catalog.models import Variant
from catalog.selectors import priced_variants
from core import correlation
from core.actors import SYSTEM, Actor
from core.errors import BadRequest, Conflict, Detail
from core.money import ZERO
from core.states import check_arrow
from orders.discounts import redeem
from orders.inputs import EMAIL, checked_input
from orders.models import Order, OrderEvent, OrderItem, Subscription
from orders.states import ARROWS, PAID, SUBSCRIPTION_ARROWS, OrderStatus, SubscriptionStatus
from orders.watching import moved

NUMBER_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cart."""

    variant_id: int
    quantity: int
    fulfillment_input: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cart:
    """What a customer wants, as the client sent it."""

    lines: Sequence[Line]
    payment_method: str
    recipient_email: str = ""
    discount_code: str = ""


@dataclass(frozen=True, slots=True)
class Buyer:
    customer_id: int | None
    email: str
    """The account's address, the last one tried (D7)."""
    language: str
    request_key: str | None = None


def place_order(cart: Cart, buyer: Buyer, *, now: datetime) -> tuple[Order, list[OrderItem]]:
    """Write an order down at today's prices; part of the caller's transaction.

    Raises:
        BadRequest: `details` name every line and field that is wrong. Nothing is kept.
    """
    variants = priced_variants(line.variant_id for line in cart.lines)
    inputs, email = _settled_inputs(cart, buyer, variants)
    subtotal = sum((variants[each.variant_id].price * each.quantity for each in cart.lines), ZERO)
    discount, code, amount = None, None, ZERO
    if cart.discount_code:
        reduction = redeem(
            cart.discount_code, subtotal=subtotal, customer_id=buyer.customer_id, now=now
        )
        discount, code, amount = reduction.discount, reduction.discount.code, reduction.amount
    order = _insert(
        Order(
            customer_id=buyer.customer_id,
            recipient_email=email,
            language=buyer.language,
            payment_method=cart.payment_method,
            subtotal_amount=subtotal,
            discount=discount,
            discount_code=code,
            discount_amount=amount,
            holds_discount=discount is not None,
            total_amount=subtotal - amount,
            pay_until=now + settings.PAYMENT_DEADLINE,
            request_key=buyer.request_key,
        )
    )
    items = OrderItem.objects.bulk_create(
        _item(order, place, line, variants[line.variant_id], inputs[place])
        for place, line in enumerate(cart.lines)
    )
    tell(order, "status", new=order.status, actor=SYSTEM, reason="placed", now=now)
    return order, items


def _settled_inputs(cart: Cart, buyer: Buyer, variants: Any) -> tuple[list[dict[str, str]], str]:
    """Each line's input, and the address that gets the codes (D7)."""
    problems: list[Detail] = []
    inputs: list[dict[str, str]] = []
    for place, line in enumerate(cart.lines):
        variant: Variant | None = variants.get(line.variant_id)
        if variant is None:
            message = f"Variant {line.variant_id} cannot be ordered."
            problems.append(Detail(f"items.{place}.variant_id", "not_found", message))
            continue
        clean, wrong = checked_input(
            variant.product.fulfillment_config,
            line.fulfillment_input,
            recipient_email=cart.recipient_email,
            path=f"items.{place}.fulfillment_input",
        )
        inputs.append(clean)
        problems += wrong
    if problems:
        raise BadRequest("The order cannot be placed as it is.", details=problems)
    given = {each[EMAIL] for each in inputs if EMAIL in each}
    email = cart.recipient_email or (given.pop() if len(given) == 1 else "") or buyer.email
    if not email:
        raise BadRequest.at("recipient_email", "Say where to send the codes.", code="required")
    return inputs, email


def _item(
    order: Order, place: int, line: Line, variant: Variant, clean: dict[str, str]
) -> OrderItem:
    return OrderItem(
        order=order,
        variant=variant,
        position=place,
        quantity=line.quantity,
        unit_price=variant.price,
        product_name=variant.product.name,
        variant_name=variant.name,
        fulfillment_input=clean,
    )


def _insert(order: Order) -> Order:
    """Give the order a number nobody else has (I28); a number in use costs no savepoint.

    Raises:
        Conflict: the request placed its order already (D24).
    """
    columns = Order._meta  # noqa: SLF001 - Django's own name for it
    fields = [field for field in columns.concrete_fields if not field.primary_key]
    rows: Any = Order._base_manager  # noqa: SLF001 - `bulk_create` can't skip and return the id
    for _ in range(NUMBER_TRIES):
        order.order_number = str(10_000_000 + secrets.randbelow(90_000_000))
        made = rows._insert(  # noqa: SLF001
            [order], fields=fields, returning_fields=[columns.pk], on_conflict=OnConflict.IGNORE
        )
        if made and made[0]:
            (order.pk,) = made[0]
            order._state.adding, order._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001
            return order
        key = order.request_key
        if key and Order.objects.filter(request_key=key).exists():
            raise Conflict("This request placed its order already; ask for it again.")
    raise RuntimeError("No free order number was found; the eight digits are running out.")


def advance(order: Order, new: OrderStatus, *, actor: Actor, reason: str, now: datetime) -> None:
    """Follow one arrow and write the event that tells it; part of the caller's transaction.

    Raises:
        IllegalTransition: there is no such arrow; nothing was changed.
    """
    old = OrderStatus(order.status)
    check_arrow(ARROWS, old, new)
    order.status = new
    if new in PAID and order.paid_at is None:
        order.paid_at = now
    order.save(update_fields=["status", "paid_at", "updated_at"])
    event = tell(order, "status", old=old, new=new, actor=actor, reason=reason, now=now)
    moved(order, event)


def tell(
    order: Order,
    kind: str,
    *,
    old: str = "",
    new: str = "",
    actor: Actor,
    reason: str = "",
    detail: dict[str, Any] | None = None,
    now: datetime,
) -> OrderEvent:
    """Add a line to the order's timeline; part of the caller's transaction."""
    return OrderEvent.objects.create(
        order=order,
        kind=kind,
        old=old,
        new=new,
        actor=actor.label,
        reason=reason[:500],
        detail=detail or {},
        correlation_id=correlation.current(),
        at=now,
    )


def note(order_id: int, text: str, *, actor: Actor, now: datetime) -> None:
    """Keep what a person of the staff has to say; it is never changed.

    Raises:
        BadRequest: nothing was said.
    """
    if not text.strip():
        raise BadRequest.at("text", "Write a note.", code="required")
    with transaction.atomic():
        tell(locked(order_id), "note", actor=actor, reason=text.strip(), now=now)


def locked(order_id: int) -> Order:
    """The order under its row lock, which guards everything about it (architecture 6).

    Raises:
        Order.DoesNotExist: there is none.
    """
    return Order.objects.select_for_update(of=("self",)).get(pk=order_id)


@transaction.atomic
def change_subscription(subscription_id: int, new: SubscriptionStatus) -> Subscription:
    """Pause, resume or end a subscription; its own transaction.

    Raises:
        IllegalTransition: there is no such arrow; nothing was changed.
    """
    row = Subscription.objects.select_for_update(of=("self",)).get(pk=subscription_id)
    check_arrow(SUBSCRIPTION_ARROWS, SubscriptionStatus(row.status), new)
    row.status = new
    row.save(update_fields=["status", "updated_at"])
    return row

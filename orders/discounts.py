"""Promo codes: what they take off, and who may still use them (D17).

`redeem`, `give_back` and `take_again` are part of the caller's transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError

from core.errors import BadRequest, Conflict, NotFound
from core.money import ZERO, taka
from orders.models import DiscountCode, DiscountType, Order

WHOLE: Final = 100  # per cent


@dataclass(frozen=True, slots=True)
class Reduction:
    discount: DiscountCode
    amount: Decimal
    """Taka taken off the subtotal; never more than it."""


def preview(code: str, *, subtotal: Decimal, customer_id: int | None, now: datetime) -> Reduction:
    """What a code would take off; consumes nothing.

    Raises:
        BadRequest: it can't be used, in the words of the contract.
    """
    discount = DiscountCode.objects.filter(code=code.strip().upper()).first()
    try:
        return _judged(discount, code, subtotal=subtotal, customer_id=customer_id, now=now)
    except BadRequest as refusal:
        raise BadRequest.at("code", refusal.message, code="discount") from None


def create_discount(fields: Mapping[str, Any]) -> DiscountCode:
    """A new code.

    Raises:
        BadRequest: the values don't fit each other.
        Conflict: there is such a code already.
    """
    return _saved(DiscountCode(**fields))


def change_discount(discount_id: int, fields: Mapping[str, Any]) -> DiscountCode:
    """Change a code; orders that used it keep their price (I21).

    Raises:
        NotFound, BadRequest, Conflict: nothing was changed.
    """
    with transaction.atomic():
        discount = DiscountCode.objects.select_for_update().filter(pk=discount_id).first()
        if discount is None:
            raise NotFound("There is no such discount code.")
        for name, value in fields.items():
            setattr(discount, name, value)
        return _saved(discount)


def delete_discount(discount_id: int) -> None:
    """Delete a code that no order ever used.

    Raises:
        NotFound: there is none.
        Conflict: it was used; `is_active = false` stops it and keeps its history.
    """
    discount = DiscountCode.objects.filter(pk=discount_id).first()
    if discount is None:
        raise NotFound("There is no such discount code.")
    try:
        discount.delete()
    except ProtectedError:
        raise Conflict(
            f'Discount code "{discount.code}" was used; set is_active to false instead.'
        ) from None


def must_fit(discount: DiscountCode) -> None:
    """Refuse values that don't fit each other.

    Raises:
        BadRequest: and at which field.
    """
    percent = discount.discount_type == DiscountType.PERCENTAGE
    if percent and discount.discount_value > WHOLE:
        raise BadRequest.at("discount_value", "A percentage is at most 100.")
    if discount.starts_at and discount.ends_at and discount.ends_at <= discount.starts_at:
        raise BadRequest.at("ends_at", "The end must come after the start.")
    if discount.usage_limit is not None and discount.usage_limit < discount.used_count:
        raise BadRequest.at("usage_limit", f"It was used {discount.used_count} times already.")


def _saved(discount: DiscountCode) -> DiscountCode:
    must_fit(discount)
    try:
        with transaction.atomic():
            discount.save()
    except IntegrityError as exc:
        if "code" not in str(exc):
            raise
        raise Conflict(f'There is a discount code "{discount.code}" already.') from exc
    return discount


def redeem(code: str, *, subtotal: Decimal, customer_id: int | None, now: datetime) -> Reduction:
    """Lock the code, check it, count one use.

    Raises:
        BadRequest: it can't be used; nothing was counted.
    """
    wanted = code.strip().upper()
    discount = DiscountCode.objects.select_for_update().filter(code=wanted).first()
    reduction = _judged(discount, code, subtotal=subtotal, customer_id=customer_id, now=now)
    DiscountCode.objects.filter(pk=reduction.discount.pk).update(used_count=F("used_count") + 1)
    return reduction


def give_back(order: Order) -> None:
    """An order that is not paid gives its use back."""
    if order.discount_id is None or not order.holds_discount:
        return
    DiscountCode.objects.filter(pk=order.discount_id).update(used_count=F("used_count") - 1)
    order.holds_discount = False
    order.save(update_fields=["holds_discount", "updated_at"])


def take_again(order: Order, *, strictly: bool) -> None:
    """Late money or another try to pay takes a use again, if one is left (D17, D43).

    Raises:
        BadRequest: none is left and the caller asked `strictly`.
    """
    if order.discount_id is None or order.holds_discount:
        return
    discount = DiscountCode.objects.select_for_update().get(pk=order.discount_id)
    if discount.usage_limit is not None and discount.used_count >= discount.usage_limit:
        if strictly:
            raise _refusal(discount.code, "has been used up.")
        return
    DiscountCode.objects.filter(pk=discount.pk).update(used_count=F("used_count") + 1)
    order.holds_discount = True
    order.save(update_fields=["holds_discount", "updated_at"])


def _judged(
    discount: DiscountCode | None,
    code: str,
    *,
    subtotal: Decimal,
    customer_id: int | None,
    now: datetime,
) -> Reduction:
    shown = code.strip().upper()
    if discount is None or not discount.is_active:
        raise _refusal(shown, "is not valid or has been deactivated.")
    if discount.starts_at is not None and now < discount.starts_at:
        raise _refusal(shown, "is not active yet.")
    if discount.ends_at is not None and now >= discount.ends_at:
        raise _refusal(shown, "has expired.")
    if discount.usage_limit is not None and discount.used_count >= discount.usage_limit:
        raise _refusal(shown, "has been used up.")
    if discount.minimum_subtotal is not None and subtotal < discount.minimum_subtotal:
        raise _refusal(shown, f"needs an order of at least {discount.minimum_subtotal:f} BDT.")
    if discount.per_user_limit is not None and customer_id is not None:
        used = Order.objects.filter(
            customer=customer_id, discount=discount, holds_discount=True
        ).count()
        if used >= discount.per_user_limit:
            raise _refusal(shown, "was used by you as often as it may be.")
    return Reduction(discount, _amount(discount, subtotal))


def _amount(discount: DiscountCode, subtotal: Decimal) -> Decimal:
    if discount.discount_type == DiscountType.PERCENTAGE:
        amount = taka(subtotal * discount.discount_value / 100)
    else:
        amount = discount.discount_value
    if discount.maximum_amount is not None:
        amount = min(amount, discount.maximum_amount)
    return max(ZERO, min(amount, subtotal))


def _refusal(code: str, why: str) -> BadRequest:
    return BadRequest.at("discount_code", f'Discount code "{code}" {why}', code="discount")

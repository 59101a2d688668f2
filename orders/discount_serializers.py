"""JSON of discount codes, in and out (contract page bdvoucher, section 5)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from rest_framework import serializers

from core.api.fields import StrictSerializer, instant, number
from orders.models import DiscountCode, DiscountType

#: Of the column; more than that is no limit.
MOST_USES: Final = 2_147_483_647


class AmountField(serializers.DecimalField):
    """Taka, not negative, or null where no bound is wanted."""

    def __init__(self, *, help_text: str) -> None:
        super().__init__(
            max_digits=12,
            decimal_places=2,
            min_value=Decimal(0),
            required=False,
            allow_null=True,
            help_text=help_text,
        )


class DiscountSerializer(StrictSerializer):
    """Body of the operators' discount routes; every field optional on PATCH."""

    code = serializers.RegexField(r"^[A-Za-z0-9_-]{2,40}$", help_text="Kept in upper case.")
    description = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="Shown to the customer."
    )
    discount_type = serializers.ChoiceField(DiscountType.choices)
    discount_value = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal("0.01"),
        help_text="Percentage points (at most 100), or BDT when flat.",
    )
    minimum_subtotal = AmountField(help_text="Smallest subtotal it is good for, BDT.")
    maximum_amount = AmountField(help_text="Most it takes off, BDT.")
    starts_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Not before; null: at once."
    )
    ends_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="No longer from then on; null: no end."
    )
    usage_limit = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_USES,
        help_text="Uses by all customers together.",
    )
    per_user_limit = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_USES,
        help_text="Uses by one customer.",
    )
    is_active = serializers.BooleanField(required=False, help_text="False stops it at once.")

    def validate_code(self, value: str) -> str:
        return value.upper()


def in_full(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Every field a body may carry; what it leaves out as a new code has it."""
    new: Any = DiscountCode()
    return {str(name): getattr(new, str(name)) for name in DiscountSerializer().fields} | dict(
        fields
    )


def discount_data(discount: DiscountCode) -> dict[str, Any]:
    return {
        "id": discount.pk,
        "code": discount.code,
        "description": discount.description or None,
        "discount_type": discount.discount_type,
        "discount_value": number(discount.discount_value),
        "minimum_subtotal": number(discount.minimum_subtotal),
        "maximum_amount": number(discount.maximum_amount),
        "starts_at": instant(discount.starts_at),
        "ends_at": instant(discount.ends_at),
        "usage_limit": discount.usage_limit,
        "per_user_limit": discount.per_user_limit,
        "used_count": discount.used_count,
        "is_active": discount.is_active,
        "created_at": instant(discount.created_at),
    }


class DiscountSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    discount_type = serializers.ChoiceField(DiscountType.choices)
    discount_value = serializers.FloatField()
    minimum_subtotal = serializers.FloatField(allow_null=True)
    maximum_amount = serializers.FloatField(allow_null=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    usage_limit = serializers.IntegerField(allow_null=True)
    per_user_limit = serializers.IntegerField(allow_null=True)
    used_count = serializers.IntegerField(help_text="Uses that orders hold now.")
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class PreviewSchema(serializers.Serializer[Any]):
    code = serializers.CharField()
    discount_type = serializers.ChoiceField(DiscountType.choices)
    discount_value = serializers.FloatField(help_text="Percentage points, or BDT when flat")
    discount_amount = serializers.FloatField(help_text="BDT off this subtotal")
    final_total = serializers.FloatField(help_text="BDT, never below 0.")
    description = serializers.CharField(allow_null=True)

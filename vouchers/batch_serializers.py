"""Bodies and answers of imports by API."""

from typing import Any, Final

from rest_framework import serializers

from catalog.models import Variant
from core.api.fields import StrictSerializer, TextField, instant, number
from vouchers.models import Batch, BatchLine
from vouchers.rows import CODE_LENGTH, LINK_LENGTH, PIN_LENGTH, SERIAL_LENGTH
from vouchers.states import BatchStatus, Outcome

MOST_CODES: Final = 10_000
BIGGEST_ID: Final = 2**62


class ImportedCodeSerializer(StrictSerializer):
    code = TextField(
        required=False, allow_blank=True, max_length=CODE_LENGTH, help_text="As text, with zeros."
    )
    pin = TextField(required=False, allow_blank=True, max_length=PIN_LENGTH)
    serial_number = TextField(required=False, allow_blank=True, max_length=SERIAL_LENGTH)
    redemption_url = TextField(
        required=False,
        allow_blank=True,
        max_length=LINK_LENGTH,
        help_text="Where it is redeemed; alone for goods that come as a link.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> Any:
        """As text, as it is kept until it is read."""
        given = super().to_internal_value(data)
        expires = given.pop("expires_at", None)
        return given | ({"expires_at": expires.isoformat()} if expires else {})


class NewBatchSerializer(StrictSerializer):
    variant_id = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)
    supplier = TextField(max_length=200)
    unit_cost = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=0, required=False, allow_null=True,
        default=None, help_text="BDT a code.",
    )  # fmt: skip
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Of codes that say none."
    )
    preview = serializers.BooleanField(
        required=False, default=False, help_text="Only read; `confirm` then imports it."
    )
    codes = serializers.ListField(
        child=ImportedCodeSerializer(), allow_empty=False, max_length=MOST_CODES
    )

    def validate_variant_id(self, value: int) -> Variant:
        variant = Variant.objects.filter(pk=value).first()
        if variant is None:
            raise serializers.ValidationError("There is no such variant.")
        return variant


def batch_data(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.pk,
        "status": batch.status,
        "variant_id": batch.variant_id,
        "supplier": batch.supplier,
        "unit_cost": number(batch.unit_cost),
        "file_name": batch.file_name or None,
        "problem": batch.problem or None,
        "rows_read": batch.read,
        "rows_good": batch.good,
        "rows_loaded": batch.loaded,
        "codes_added": batch.rows,
        "created_at": instant(batch.created_at),
        "started_at": instant(batch.started_at),
        "ended_at": instant(batch.ended_at),
    }


def line_data(line: BatchLine) -> dict[str, Any]:
    return {
        "row": line.row_no,
        "outcome": line.outcome,
        "message": line.message,
        "code": line.mask or None,
    }


class BatchSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(BatchStatus.choices)
    variant_id = serializers.IntegerField()
    supplier = serializers.CharField()
    unit_cost = serializers.FloatField(allow_null=True, help_text="BDT a code")
    file_name = serializers.CharField(allow_null=True)
    problem = serializers.CharField(allow_null=True, help_text="Why it could not be read.")
    rows_read = serializers.IntegerField()
    rows_good = serializers.IntegerField(help_text="Of these, to be imported.")
    rows_loaded = serializers.IntegerField(help_text="Of the good ones, gone through so far.")
    codes_added = serializers.IntegerField(help_text="Now in the pool through this import.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class BatchRowSchema(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="Place in `codes`, or line of the file, from 1.")
    outcome = serializers.ChoiceField(Outcome.choices)
    message = serializers.CharField()
    code = serializers.CharField(allow_null=True, help_text="Masked.")

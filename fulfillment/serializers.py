"""Bodies and answers of the recovery API (seed Fulfillment Recovery; D38, D46)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.api.fields import StrictSerializer, TrimmedJSONField, instant
from core.errors import BadRequest
from fulfillment.models import FulfillmentAttempt
from fulfillment.recovery import GivenCode, ItemCodes

CODE_LENGTH = 500


class IdField(serializers.IntegerField):
    """A row's id: what is out of the database's range is a 400, never a 500."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=2**62, **kwargs)


class CodeSerializer(StrictSerializer):
    code = serializers.CharField(max_length=CODE_LENGTH)
    pin = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    redemptionUrl = serializers.URLField(max_length=500, required=False, default="")  # noqa: N815
    expiresAt = serializers.DateTimeField(required=False, default=None, allow_null=True)  # noqa: N815
    metadata = TrimmedJSONField(required=False, default=dict)
    partnerId = IdField(required=False, default=None, allow_null=True)  # noqa: N815


class ManualCodeSerializer(StrictSerializer):
    """`manual-code`: the shorthand `code` for one unit, or `codes`, one entry per unit."""

    orderItemId = IdField()  # noqa: N815
    code = serializers.CharField(max_length=CODE_LENGTH, required=False)
    pin = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    redemptionUrl = serializers.URLField(max_length=500, required=False, default="")  # noqa: N815
    codes = CodeSerializer(many=True, required=False)
    partnerId = IdField(required=False, default=None, allow_null=True)  # noqa: N815
    notes = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)

    def given(self) -> ItemCodes:
        data = self.validated_data
        if "code" in data and "codes" in data:
            raise BadRequest.at("codes", "Send either code or codes, not both.")
        rows = data.get("codes", [])
        if "code" in data:
            rows = [{k: data[k] for k in ("code", "pin", "redemptionUrl")}]
        partner = data["partnerId"]
        return ItemCodes(data["orderItemId"], [_given(row, partner) for row in rows])


class ItemCodesSerializer(StrictSerializer):
    orderItemId = IdField()  # noqa: N815
    variantId = IdField(required=False, default=None, allow_null=True)  # noqa: N815
    partnerId = IdField(required=False, default=None, allow_null=True)  # noqa: N815
    codes = CodeSerializer(many=True)


class ManualCodesSerializer(StrictSerializer):
    """`manual-codes`: the codes of several items in one call."""

    notes = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)
    items = ItemCodesSerializer(many=True, allow_empty=False)

    def rows(self) -> list[ItemCodes]:
        return [
            ItemCodes(
                row["orderItemId"],
                [_given(code, row["partnerId"]) for code in row["codes"]],
                row["variantId"],
            )
            for row in self.validated_data["items"]
        ]


class PartnerRetrySerializer(StrictSerializer):
    orderItemId = IdField()  # noqa: N815
    partnerSourceId = IdField(required=False, default=None, allow_null=True)  # noqa: N815
    notes = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class ResendSerializer(StrictSerializer):
    notes = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)
    to = serializers.EmailField(max_length=254, required=False, default="")


def _given(row: Mapping[str, Any], partner_id: int | None) -> GivenCode:
    return GivenCode(
        code=row["code"],
        pin=row.get("pin", ""),
        redemption_url=row.get("redemptionUrl", ""),
        expires_at=row.get("expiresAt"),
        partner_id=row.get("partnerId") or partner_id,
        metadata=row.get("metadata") or {},
    )


def attempt_data(
    attempt: FulfillmentAttempt, *, typed: list[str], bought: Mapping[int, str]
) -> dict[str, Any]:
    """One entry of the audit trail; `typed` and `bought` are masked already where they must be."""
    response = dict(attempt.partner_response)
    provided = None
    if typed:
        response["allCodes"] = typed
        provided = typed[0] + (f" (+{len(typed) - 1} more)" if len(typed) > 1 else "")
    admin = attempt.admin_user
    purchases = list(attempt.purchases.all())
    last = purchases[-1] if purchases else None
    return {
        "id": attempt.pk,
        "order_item_id": attempt.item_id,
        "type": attempt.type,
        "status": attempt.status,
        "correlation_id": attempt.correlation_id,
        "error_message": attempt.error_message or None,
        "partner_response": response or None,
        "code_provided": provided,
        "notes": attempt.notes,
        "next_try_at": instant(attempt.next_try_at),
        "created_at": instant(attempt.created_at),
        "ended_at": instant(attempt.ended_at),
        "admin_user": admin and {"id": admin.pk, "name": admin.name, "email": admin.email},
        "partner_api_transaction": last
        and {
            "id": last.pk,
            "status": last.status,
            "reference": last.reference,
            "partner_transaction_id": last.partner_transaction_id or None,
            "voucher_code": bought.get(last.voucher_id or 0),
            "created_at": instant(last.created_at),
        },
    }


class ActionSchema(serializers.Serializer[Any]):
    attemptId = serializers.IntegerField()  # noqa: N815
    correlationId = serializers.CharField()  # noqa: N815
    status = serializers.CharField()
    emailSent = serializers.BooleanField()  # noqa: N815
    errorMessage = serializers.CharField(required=False)  # noqa: N815


class RowSchema(serializers.Serializer[Any]):
    orderItemId = serializers.IntegerField()  # noqa: N815
    success = serializers.BooleanField()
    status = serializers.CharField(allow_null=True)
    attemptId = serializers.IntegerField(allow_null=True)  # noqa: N815
    message = serializers.CharField()
    error = serializers.CharField(allow_null=True)


class OrderActionSchema(serializers.Serializer[Any]):
    correlationId = serializers.CharField()  # noqa: N815
    status = serializers.CharField()
    emailSent = serializers.BooleanField()  # noqa: N815
    results = RowSchema(many=True)


class AttemptSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    order_item_id = serializers.IntegerField(allow_null=True)
    type = serializers.CharField()
    status = serializers.CharField()
    correlation_id = serializers.CharField()
    error_message = serializers.CharField(allow_null=True)
    partner_response = serializers.DictField(allow_null=True)
    code_provided = serializers.CharField(allow_null=True)
    notes = serializers.CharField()
    next_try_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    admin_user = serializers.DictField(allow_null=True)
    partner_api_transaction = serializers.DictField(allow_null=True)

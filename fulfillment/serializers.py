"""Bodies and answers of the recovery API (seed Fulfillment Recovery; D38, D46)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.api.fields import StrictSerializer, TrimmedJSONField, instant
from core.errors import BadRequest
from fulfillment.models import FulfillmentAttempt
from fulfillment.recovery import GivenCode, ItemCodes
from fulfillment.states import AttemptStatus, AttemptType, PurchaseStatus
from orders.serializers import ItemSchema, OrderSchema

CODE_LENGTH = 500
CLOSE_OUTCOMES = ("bought", "not_bought")
ITEM = "`items[].order_item_id` of the order."
PARTNER = "Who supplied the codes; one that stands at a code comes first."
NOTES = "Why, for the audit trail."


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
    partnerId = IdField(  # noqa: N815
        required=False, default=None, allow_null=True, help_text=PARTNER
    )


class ManualCodeSerializer(StrictSerializer):
    """`manual-code`: the shorthand `code` for one unit, or `codes`, one entry per unit."""

    orderItemId = IdField(help_text=ITEM)  # noqa: N815
    code = serializers.CharField(
        max_length=CODE_LENGTH, required=False, help_text="Instead of `codes`, for one unit."
    )
    pin = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    redemptionUrl = serializers.URLField(max_length=500, required=False, default="")  # noqa: N815
    codes = CodeSerializer(many=True, required=False, help_text="One per unit owed.")
    partnerId = IdField(  # noqa: N815
        required=False, default=None, allow_null=True, help_text=PARTNER
    )
    notes = serializers.CharField(
        max_length=1000, required=False, default="", allow_blank=True, help_text=NOTES
    )

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
    orderItemId = IdField(help_text=ITEM)  # noqa: N815
    variantId = IdField(  # noqa: N815
        required=False, default=None, allow_null=True, help_text="If sent it must be the item's."
    )
    partnerId = IdField(  # noqa: N815
        required=False, default=None, allow_null=True, help_text=PARTNER
    )
    codes = CodeSerializer(many=True, help_text="One per unit owed.")


class ManualCodesSerializer(StrictSerializer):
    """`manual-codes`: the codes of several items in one call."""

    notes = serializers.CharField(
        max_length=1000, required=False, default="", allow_blank=True, help_text=NOTES
    )
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
    orderItemId = IdField(help_text=ITEM)  # noqa: N815
    partnerSourceId = IdField(  # noqa: N815
        required=False,
        default=None,
        allow_null=True,
        help_text="One source instead of all by their priority.",
    )
    notes = serializers.CharField(
        max_length=1000, required=False, default="", allow_blank=True, help_text=NOTES
    )


class ReleaseSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=300, help_text="Why; kept in the timeline.")


class ReleasedSchema(serializers.Serializer[Any]):
    orderId = serializers.IntegerField()  # noqa: N815
    orderNumber = serializers.CharField()  # noqa: N815
    status = serializers.CharField()


class ResendSerializer(StrictSerializer):
    notes = serializers.CharField(
        max_length=1000, required=False, default="", allow_blank=True, help_text=NOTES
    )
    to = serializers.EmailField(
        max_length=254,
        required=False,
        default="",
        help_text="Another address than the order's; needs a right of its own.",
    )


class ClosePurchaseSerializer(CodeSerializer):
    """What the partner's people said of an open purchase."""

    outcome = serializers.ChoiceField(choices=CLOSE_OUTCOMES)
    reason = serializers.CharField(max_length=500)
    code = serializers.CharField(max_length=CODE_LENGTH, required=False, default="")

    def bought(self) -> bool:
        return bool(self.validated_data["outcome"] == "bought")

    def given(self) -> GivenCode | None:
        data = self.validated_data
        if not (data["code"] or data["redemptionUrl"]):
            return None
        return _given(data, None)


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
    attemptId = serializers.IntegerField(help_text="Its entry of the audit trail.")  # noqa: N815
    correlationId = serializers.CharField(  # noqa: N815
        help_text="In the logs as `fa:<id>`, in the mail's headers, in the alert's note."
    )
    status = serializers.ChoiceField(
        AttemptStatus.choices, help_text="`IN_PROGRESS`: it goes on in the background."
    )
    emailSent = serializers.BooleanField()  # noqa: N815
    errorMessage = serializers.CharField(  # noqa: N815
        required=False, help_text="Why, where it did not succeed."
    )


class RowSchema(serializers.Serializer[Any]):
    orderItemId = serializers.IntegerField()  # noqa: N815
    success = serializers.BooleanField()
    status = serializers.ChoiceField(
        AttemptStatus.choices, allow_null=True, help_text="Null where the row was refused."
    )
    attemptId = serializers.IntegerField(allow_null=True)  # noqa: N815
    message = serializers.CharField()
    error = serializers.CharField(
        allow_null=True, help_text="The word of the refusal (`CONFLICT`), or why no mail went out."
    )


class OrderActionSchema(serializers.Serializer[Any]):
    correlationId = serializers.CharField()  # noqa: N815
    status = serializers.ChoiceField(AttemptStatus.choices, help_text="The worst of the rows.")
    emailSent = serializers.BooleanField()  # noqa: N815
    results = RowSchema(many=True)


class StaffSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)


class PurchaseSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(PurchaseStatus.choices)
    reference = serializers.CharField(help_text="Our transaction id at the partner.")
    partner_transaction_id = serializers.CharField(allow_null=True)
    voucher_code = serializers.CharField(allow_null=True, help_text="Masked without the right.")
    created_at = serializers.DateTimeField()


class AttemptSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    order_item_id = serializers.IntegerField(allow_null=True, help_text="Null: the whole order.")
    type = serializers.ChoiceField(AttemptType.choices)
    status = serializers.ChoiceField(AttemptStatus.choices)
    correlation_id = serializers.CharField()
    error_message = serializers.CharField(allow_null=True)
    partner_response = serializers.DictField(allow_null=True)
    code_provided = serializers.CharField(
        allow_null=True, help_text="`FIRST-CODE (+N more)`; masked without the right to reveal."
    )
    notes = serializers.CharField(allow_blank=True)
    next_try_at = serializers.DateTimeField(allow_null=True, help_text="When it goes on by itself.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    admin_user = StaffSchema(allow_null=True, help_text="Null: automatic.")
    partner_api_transaction = PurchaseSchema(allow_null=True, help_text="The last purchase.")


class AdminItemSchema(ItemSchema):
    order_item_id = serializers.IntegerField(help_text="What the recovery routes ask for.")
    delivered = serializers.IntegerField(help_text="Units whose code is saved.")
    owed = serializers.IntegerField(help_text="Units without a code; so many codes to enter.")
    open_at_partner = serializers.IntegerField(
        help_text="Units of which a partner may still deliver the code."
    )
    refunded_units = serializers.ListField(
        child=serializers.IntegerField(), help_text="Units that are paid back, from 1."
    )


class BuyerSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    msisdn = serializers.CharField(allow_null=True)


class AlertSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    type = serializers.CharField(help_text="`fulfillment_failed`, `fulfillment_partial`, ...")
    message = serializers.CharField(allow_blank=True)


class AdminOrderSchema(OrderSchema):
    items = AdminItemSchema(many=True)
    customer = BuyerSchema(allow_null=True, help_text="Null: ordered without an account.")
    recipient_email = serializers.CharField(help_text="Where the codes are to go.")
    held_for_risk = serializers.BooleanField(help_text="Paid, and kept until somebody releases it.")
    closed_by_refund = serializers.BooleanField(
        help_text="Nothing is owed any more, since the rest was paid back."
    )
    paid_at = serializers.DateTimeField(allow_null=True)
    alerts = AlertSchema(many=True, help_text="Those still open.")

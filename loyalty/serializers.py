"""Bodies of the programmes' API, in and out.

The source names some fields and no bodies; what it does not name has the field's usual name and is
written down in docs/domain/loyalty.md.
"""

import hashlib
from typing import Any, Final

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from core.api.fields import StrictSerializer, TextField, TrimmedJSONField, instant
from loyalty.authentication import Grant
from loyalty.engine import Membership
from loyalty.models import FulfillmentOrder, LoyaltyProgram
from loyalty.refusals import ONE_ITEM_ONLY, invalid
from loyalty.services import Recipient, Wish
from loyalty.states import POINTS_GO_BACK, ItemState, ItemType, RequestStatus, TransferStatus

LANGUAGES: Final = ("en", "bn")
GRANT_TYPES: Final = (("client_credentials", "client_credentials"),)


class TokenRequestSerializer(StrictSerializer):
    grant_type = serializers.ChoiceField(
        GRANT_TYPES,
        required=False,
        error_messages={"invalid_choice": "Only client_credentials is offered."},
    )
    client_id = TextField(max_length=60)
    client_secret = TextField(max_length=200, trim_whitespace=False)
    scope = serializers.CharField(
        required=False, max_length=200, help_text="Scopes with blanks between; default: all."
    )


class TokenAnswerSerializer(serializers.Serializer[Any]):
    token_id = serializers.CharField()
    token = serializers.CharField(help_text="The same as `access_token`.")
    access_token = serializers.CharField()
    token_type = serializers.CharField(help_text="Always `Bearer`.")
    expires_at = serializers.IntegerField(help_text="Unix seconds.")
    scope = serializers.CharField(help_text="The scopes of this token.")


def token_data(grant: Grant) -> dict[str, Any]:
    return {
        "token_id": grant.token_id,
        "token": grant.token,
        "access_token": grant.token,
        "token_type": "Bearer",
        "expires_at": grant.expires_at,
        "scope": " ".join(grant.scopes),
    }


class RecipientSerializer(StrictSerializer):
    """Who gets the gift card, by mail."""

    email = serializers.EmailField(max_length=254)
    first_name = TextField(max_length=100, required=False, allow_blank=True)
    last_name = TextField(max_length=100, required=False, allow_blank=True)
    language = TextField(max_length=5, required=False, help_text="`en` or `bn`; default: `en`.")

    def validate_language(self, value: str) -> str:
        if value not in LANGUAGES:
            raise serializers.ValidationError("Choose en or bn.")
        return value


class MembershipSerializer(StrictSerializer):
    """The member as the programme knows them."""

    id = TextField(max_length=100, help_text="Blanks and hyphens don't count.")
    first_name = TextField(max_length=100, required=False, allow_blank=True)
    last_name = TextField(max_length=100, required=False, allow_blank=True)


class InputField(TrimmedJSONField):
    """What the gift card asks for, as its `inputs` name it."""


@extend_schema_field({"type": "string", "format": "uuid"})
class UserIdField(serializers.JSONField):
    """Judged by the service, in the contract's words, whatever was sent."""


@extend_schema_field({"type": "string"})
class TypeField(serializers.JSONField):
    """As above."""


class UserSerializer(StrictSerializer):
    """The user who ordered; the e-mail makes a recipient where none is named."""

    id = UserIdField(required=False, allow_null=True, help_text="UUID; needed.")
    email = serializers.EmailField(max_length=254, required=False)
    first_name = TextField(max_length=100, required=False, allow_blank=True)
    last_name = TextField(max_length=100, required=False, allow_blank=True)


class _Placing(StrictSerializer):
    """What all three ways to place an order share."""

    reference = TextField(
        max_length=100, help_text="Your own id of this order; unique for ever, letter by letter."
    )
    points_account_id = serializers.CharField(
        max_length=100,
        required=False,
        allow_null=True,
        help_text="Needed when the user has several.",
    )

    def shared(self, request: Any) -> dict[str, Any]:
        body = request._request.body  # noqa: SLF001 - the raw bytes, as the Idempotency-Key reads them
        digest = hashlib.sha256(f"{request.path.removeprefix('/api/v1')}\n".encode() + body)
        return {
            "reference": self.validated_data["reference"],
            "points_account_id": self.validated_data.get("points_account_id"),
            "request_key": request.headers.get("Idempotency-Key", ""),
            "request_digest": digest.digest(),
        }


def quantity_field() -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=1, required=False, help_text="Default 1; each unit is a card of its own."
    )


class OrderItemSerializer(StrictSerializer):
    type = TypeField(
        required=False, allow_null=True, help_text="Needed: `gift_card` or `points_transfer`."
    )
    gift_card_id = serializers.IntegerField(min_value=1, max_value=2**62, required=False)
    quantity = quantity_field()
    fulfillment_input = InputField(required=False)
    loyalty_program_id = serializers.CharField(max_length=100, required=False)
    amount = serializers.IntegerField(
        required=False, help_text="Of a points transfer, in the programme's currency, above 0."
    )


class CreateOrderSerializer(_Placing):
    """The generic order: one item, of any type."""

    user_id = UserIdField(required=False, allow_null=True, help_text="UUID; needed.")
    submitted_at = serializers.DateTimeField(required=False, help_text="When the member ordered.")
    order_items = OrderItemSerializer(many=True, allow_empty=False, help_text="Exactly one.")
    recipient = RecipientSerializer(
        required=False, allow_null=True, help_text="Needed for a gift card."
    )
    membership = MembershipSerializer(
        required=False, allow_null=True, help_text="Needed for a points transfer."
    )

    def to_internal_value(self, data: Any) -> Any:
        one_item_only(data, "order_items")
        return super().to_internal_value(data)

    def wish(self, request: Any) -> Wish:
        data = self.validated_data
        item = data["order_items"][0]
        return Wish(
            **self.shared(request),
            item_type=item["type"] if isinstance(item.get("type"), str) else "",
            user_id=data.get("user_id"),
            submitted_at=data.get("submitted_at"),
            gift_card_id=item.get("gift_card_id"),
            quantity=checked_quantity(item.get("quantity", 1)),
            fulfillment_input=item.get("fulfillment_input", {}),
            recipient=recipient_of(data.get("recipient")),
            program_id=item.get("loyalty_program_id"),
            amount=item.get("amount"),
            membership=membership_of(data.get("membership")),
        )


class GiftCardItemSerializer(StrictSerializer):
    gift_card_id = serializers.IntegerField(min_value=1, max_value=2**62)
    quantity = quantity_field()
    fulfillment_input = InputField(required=False)


class CreateGiftCardOrderSerializer(_Placing):
    user = UserSerializer()
    submitted_at = serializers.DateTimeField(required=False, help_text="When the member ordered.")
    gift_cards = GiftCardItemSerializer(many=True, allow_empty=False, help_text="Exactly one.")
    recipient = RecipientSerializer(
        required=False, allow_null=True, help_text="Default: the user, by its e-mail."
    )

    def to_internal_value(self, data: Any) -> Any:
        one_item_only(data, "gift_cards")
        return super().to_internal_value(data)

    def wish(self, request: Any) -> Wish:
        data = self.validated_data
        card, user = data["gift_cards"][0], data["user"]
        named = data.get("recipient") or (user if user.get("email") else None)
        return Wish(
            **self.shared(request),
            item_type=ItemType.GIFT_CARD,
            user_id=user.get("id"),
            submitted_at=data.get("submitted_at"),
            gift_card_id=card["gift_card_id"],
            quantity=checked_quantity(card.get("quantity", 1)),
            fulfillment_input=card.get("fulfillment_input", {}),
            recipient=recipient_of(named),
        )


class CreatePointsTransferSerializer(_Placing):
    user = UserSerializer()
    transferred_at = serializers.DateTimeField(
        required=False, help_text="When the member made the transfer."
    )
    loyalty_program_id = serializers.CharField(max_length=100)
    amount = serializers.IntegerField(help_text="In the programme's currency, above 0.")
    membership = MembershipSerializer(required=False, allow_null=True, help_text="Needed.")

    def wish(self, request: Any) -> Wish:
        data = self.validated_data
        return Wish(
            **self.shared(request),
            item_type=ItemType.POINTS_TRANSFER,
            user_id=data["user"].get("id"),
            submitted_at=data.get("transferred_at"),
            program_id=data["loyalty_program_id"],
            amount=data["amount"],
            membership=membership_of(data.get("membership")),
        )


class ValidateMembershipSerializer(StrictSerializer):
    membership = MembershipSerializer(required=False, allow_null=True, help_text="Needed.")


def one_item_only(data: Any, name: str) -> None:
    """Said before anything inside the items is looked at (seed, advisory 1)."""
    items = data.get(name) if isinstance(data, dict) else None
    if isinstance(items, list) and len(items) > 1:
        raise invalid(ONE_ITEM_ONLY)


def checked_quantity(quantity: int) -> int:
    if quantity > settings.ORDER_MAX_QUANTITY:
        raise invalid(f"quantity must be at most {settings.ORDER_MAX_QUANTITY}")
    return quantity


def recipient_of(data: Any) -> Recipient | None:
    if not data:
        return None
    name = f"{data.get('first_name', '')} {data.get('last_name', '')}".strip()
    return Recipient(data["email"], name, data.get("language", "en"))


def membership_of(data: Any) -> Membership | None:
    if not data:
        return None
    return Membership(data["id"], data.get("first_name", ""), data.get("last_name", ""))


class FailureSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(allow_blank=True, help_text="The partner's word, if it said one.")
    message = serializers.CharField(allow_blank=True)


class ShownRecipientSerializer(serializers.Serializer[Any]):
    email = serializers.CharField()
    name = serializers.CharField(allow_blank=True)


class ShownMembershipSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)


class FulfillmentItemSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(ItemType.choices)
    status = serializers.ChoiceField(
        ItemState.choices, help_text="The outcome; `fulfilled` is the only sign of success."
    )
    points_to_be_returned = serializers.BooleanField(
        help_text="True when `failed` or `cancelled`: give the member the points back."
    )
    gift_card_id = serializers.IntegerField(allow_null=True)
    quantity = serializers.IntegerField(allow_null=True)
    order_number = serializers.CharField(
        allow_null=True, help_text="Of the shop; it stands in the recipient's mail."
    )
    loyalty_program_id = serializers.UUIDField(allow_null=True)
    amount = serializers.IntegerField(allow_null=True)
    fulfilled_at = serializers.DateTimeField(allow_null=True)
    failure = FailureSerializer(allow_null=True)


class FulfillmentOrderSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(
        RequestStatus.choices, help_text="Of the request only; see `order_items[].status`."
    )
    user_id = serializers.UUIDField()
    points_account_id = serializers.UUIDField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    recipient = ShownRecipientSerializer(allow_null=True)
    membership = ShownMembershipSerializer(allow_null=True)
    order_items = FulfillmentItemSerializer(many=True)


class PageFactsSerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    total = serializers.IntegerField()
    total_pages = serializers.IntegerField()


def one(name: str, shape: type[serializers.Serializer[Any]]) -> Any:
    """An answer with one thing in it."""
    return inline_serializer(name, {"data": shape()})


def many(name: str, shape: type[serializers.Serializer[Any]]) -> Any:
    """An answer with a page of things."""
    return inline_serializer(name, {"data": shape(many=True), "meta": PageFactsSerializer()})


INPUT_SHAPE: Final[dict[str, serializers.Field[Any, Any, Any, Any]]] = {
    "name": serializers.CharField(),
    "label": serializers.CharField(),
    "required": serializers.BooleanField(),
}


class GiftCardSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    product = serializers.CharField()
    brand = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    value = serializers.FloatField(help_text="What we charge for a unit.")
    categories = serializers.ListField(child=serializers.CharField())
    in_stock = serializers.BooleanField()
    inputs = inline_serializer(
        "GiftCardInput", INPUT_SHAPE, many=True, help_text="Keys of `fulfillment_input`."
    )


class ShownProgramSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    currency_name = serializers.CharField(help_text="What is credited: points, miles ...")
    least_transfer = serializers.IntegerField()
    most_transfer = serializers.IntegerField(allow_null=True)


class ValidMembershipSerializer(serializers.Serializer[Any]):
    valid = serializers.BooleanField(help_text="Always true; refusals are errors.")
    loyalty_program_id = serializers.UUIDField()
    membership_id = serializers.CharField(help_text="As the programme reads it.")


ORDER_ANSWER: Final = one("FulfillmentOrderAnswer", FulfillmentOrderSerializer)
ORDER_LIST: Final = many("FulfillmentOrderListAnswer", FulfillmentOrderSerializer)
CARD_LIST: Final = many("GiftCardListAnswer", GiftCardSerializer)
PROGRAM_ANSWER: Final = one("LoyaltyProgramAnswer", ShownProgramSerializer)
PROGRAM_LIST: Final = many("LoyaltyProgramListAnswer", ShownProgramSerializer)
MEMBERSHIP_ANSWER: Final = one("MembershipAnswer", ValidMembershipSerializer)


def program_data(program: LoyaltyProgram) -> dict[str, Any]:
    return {
        "id": str(program.pk),
        "name": program.name,
        "description": program.description,
        "currency_name": program.points_name,
        "least_transfer": program.least_amount,
        "most_transfer": program.most_amount,
    }


def order_data(row: FulfillmentOrder) -> dict[str, Any]:
    """An order as its client sees it; codes are told to the recipient alone."""
    order = row.order
    return {
        "id": str(row.pk),
        "reference": row.reference,
        "status": row.status,
        "user_id": str(row.user_id),
        "points_account_id": row.points_account_id and str(row.points_account_id),
        "submitted_at": instant(row.submitted_at),
        "created_at": instant(row.created_at),
        "recipient": order and {"email": order.recipient_email, "name": row.recipient_name},
        "membership": None if order is not None else _membership(row),
        "order_items": [_item(row)],
    }


def _membership(row: FulfillmentOrder) -> dict[str, Any]:
    transfer = row.transfer
    return {
        "id": transfer.member_id,
        "first_name": transfer.first_name,
        "last_name": transfer.last_name,
    }


def _item(row: FulfillmentOrder) -> dict[str, Any]:
    state = row.item_state
    item: dict[str, Any] = {
        "id": str(row.item_id),
        "type": row.item_type,
        "status": state,
        "points_to_be_returned": state in POINTS_GO_BACK,
        "gift_card_id": None,
        "quantity": None,
        "order_number": None,
        "loyalty_program_id": None,
        "amount": None,
        "fulfilled_at": None,
        "failure": None,
    }
    return item | (_card(row, state) if row.order is not None else _transfer(row, state))


def _card(row: FulfillmentOrder, state: ItemState) -> dict[str, Any]:
    order = row.order
    if order is None:
        return {}
    (line,) = order.items.all()
    gone = {"code": "", "message": "The order was given up."}
    return {
        "gift_card_id": line.variant_id,
        "quantity": line.quantity,
        "order_number": order.order_number,
        "fulfilled_at": instant(order.email_sent_at) if state == ItemState.FULFILLED else None,
        "failure": gone if state == ItemState.CANCELLED else None,
    }


def _transfer(row: FulfillmentOrder, state: ItemState) -> dict[str, Any]:
    transfer = row.transfer
    failed = {"code": transfer.error_code, "message": transfer.error}
    return {
        "loyalty_program_id": str(transfer.program_id),
        "amount": transfer.amount,
        "fulfilled_at": (
            instant(transfer.ended_at) if transfer.status == TransferStatus.SUCCEEDED else None
        ),
        "failure": failed if state in POINTS_GO_BACK else None,
    }

"""Bodies and answers as the programmes' API shows them."""

from typing import Any, Final

from core.api.schema import sent
from loyalty.door import refused, shown
from loyalty.refusals import (
    ACCOUNT_NOT_FOUND,
    ACCOUNT_REQUIRED,
    CREDIT_REFUSED,
    FRAUDULENT,
    INVALID,
    INVALID_TYPE,
    MEMBER_INVALID,
    MEMBERSHIP_MISSING,
    NAME_DIFFERS,
    NOT_ACCEPTED,
    NOT_ELIGIBLE,
    NOT_FOUND,
    ONE_ITEM_ONLY,
    RECIPIENT_REQUIRED,
    REFERENCE_EXISTS,
    REFERENCE_TAKEN,
    TENANT_NOT_FOUND,
    TYPE_NOT_ENABLED,
    UNEXPECTED,
    UNEXPECTED_ERROR,
    USER_NOT_UUID,
    WRONG_PARAMETER_TYPE,
)

USER: Final = "6f1c5a1e-7f0b-4f4b-9b8e-0f3f2d9c1a77"
ACCOUNT: Final = "0d3a0c46-6d52-4a2e-8f5c-3f1d1f0f9a10"
PROGRAM: Final = "2b6d2a3e-1f0c-4c7e-9a67-1e5a4f0c8d21"
RECIPIENT: Final = {"email": "nadia@example.com", "first_name": "Nadia", "last_name": "Islam"}
MEMBER: Final = {"id": "BG1000123", "first_name": "Nadia", "last_name": "Islam"}
MOMENT: Final = "2026-04-27T14:22:00.000Z"

ITEM: Final[dict[str, Any]] = {
    "id": "b2a4a1de-3c55-4a38-90f2-4b7f3c4f9d11",
    "type": "gift_card",
    "status": "processing",
    "points_to_be_returned": False,
    "gift_card_id": 22405,
    "quantity": 1,
    "order_number": "48210377",
    "loyalty_program_id": None,
    "amount": None,
    "fulfilled_at": None,
    "failure": None,
}
ORDER: Final[dict[str, Any]] = {
    "id": "8c1f8f4e-5c0b-4b7a-a1f6-0a7f0b0a2c55",
    "reference": "BANK-2026-000123",
    "status": "accepted",
    "user_id": USER,
    "points_account_id": ACCOUNT,
    "submitted_at": MOMENT,
    "created_at": MOMENT,
    "recipient": {"email": "nadia@example.com", "name": "Nadia Islam"},
    "membership": None,
    "order_items": [ITEM],
}
TRANSFER: Final[dict[str, Any]] = ORDER | {
    "reference": "BANK-2026-000124",
    "recipient": None,
    "membership": MEMBER,
    "order_items": [
        ITEM
        | {
            "type": "points_transfer",
            "status": "pending",
            "gift_card_id": None,
            "quantity": None,
            "order_number": None,
            "loyalty_program_id": PROGRAM,
            "amount": 5000,
        }
    ],
}
META: Final = {"page": 1, "limit": 25, "total": 1, "total_pages": 1}

GENERIC: Final = sent(
    {
        "reference": "BANK-2026-000123",
        "user_id": USER,
        "points_account_id": ACCOUNT,
        "submitted_at": MOMENT,
        "order_items": [{"type": "gift_card", "gift_card_id": 22405, "quantity": 1}],
        "recipient": RECIPIENT,
    },
    "A gift card",
)
GENERIC_TRANSFER: Final = sent(
    {
        "reference": "BANK-2026-000124",
        "user_id": USER,
        "order_items": [{"type": "points_transfer", "loyalty_program_id": PROGRAM, "amount": 5000}],
        "membership": MEMBER,
    },
    "A points transfer",
)
CARDS: Final = sent(
    {
        "reference": "BANK-2026-000123",
        "user": {"id": USER},
        "submitted_at": MOMENT,
        "gift_cards": [{"gift_card_id": 22405}],
        "recipient": RECIPIENT,
    }
)
POINTS: Final = sent(
    {
        "reference": "BANK-2026-000124",
        "user": {"id": USER},
        "transferred_at": MOMENT,
        "loyalty_program_id": PROGRAM,
        "amount": 5000,
        "membership": MEMBER,
    }
)
_SHARED: Final = [
    refused(INVALID, TYPE_NOT_ENABLED),
    refused(INVALID, USER_NOT_UUID),
    refused(INVALID, ACCOUNT_REQUIRED),
    refused(INVALID, ACCOUNT_NOT_FOUND.format("xxxx")),
    refused(REFERENCE_EXISTS, REFERENCE_TAKEN),
    refused("UNPROCESSABLE", "This Idempotency-Key was used for another request.", status=422),
    refused(UNEXPECTED, UNEXPECTED_ERROR),
]
NO_CARD: Final = refused(NOT_FOUND, "Gift card not found.")
NO_PROGRAM: Final = refused(NOT_FOUND, "Loyalty program not found.")
BAD_MEMBER: Final = refused(MEMBER_INVALID, "Member identifier is invalid.")
OF_CARDS: Final = [
    refused(INVALID, RECIPIENT_REQUIRED),
    refused(INVALID, ONE_ITEM_ONLY),
    NO_CARD,
    *_SHARED,
]
OF_TRANSFERS: Final = [refused(INVALID, MEMBERSHIP_MISSING), NO_PROGRAM, BAD_MEMBER, *_SHARED]
OF_ORDERS: Final = [
    refused(INVALID, RECIPIENT_REQUIRED),
    refused(INVALID, ONE_ITEM_ONLY),
    refused(INVALID, INVALID_TYPE),
    refused(INVALID, MEMBERSHIP_MISSING),
    NO_CARD,
    NO_PROGRAM,
    BAD_MEMBER,
    *_SHARED,
]
CREATED: Final = shown("Accepted", {"data": ORDER}, status=201)
TRANSFER_CREATED: Final = shown("Transfer accepted", {"data": TRANSFER}, status=201)
ONE: Final = shown("Order", {"data": ORDER})
LIST: Final = shown("Orders", {"data": [ORDER], "meta": META})
NO_ORDER: Final = refused(NOT_FOUND, "Order not found.")
WRONG_PAGE: Final = refused(WRONG_PARAMETER_TYPE, "page must be a whole number from 1 to 1000000.")
NO_TENANT: Final = refused(TENANT_NOT_FOUND, "The programme is not active.")
CARD: Final = {
    "id": 22405,
    "name": "USD 5 Steam Wallet",
    "product": "Steam Wallet",
    "brand": "Steam",
    "description": "A wallet code for any Steam account of the region.",
    "currency": "BDT",
    "value": 300,
    "categories": ["gift-cards"],
    "in_stock": True,
    "inputs": [{"name": "email", "label": "E-mail", "required": False}],
}
CARD_LIST: Final = shown("Gift cards", {"data": [CARD], "meta": META})
PROGRAM_DATA: Final = {
    "id": PROGRAM,
    "name": "Bengal Miles",
    "description": "Miles of a national airline.",
    "currency_name": "miles",
    "least_transfer": 100,
    "most_transfer": 100000,
}
PROGRAMS: Final = shown("Programmes", {"data": [PROGRAM_DATA], "meta": META})
ONE_PROGRAM: Final = shown("Programme", {"data": PROGRAM_DATA})
MEMBERSHIP: Final = sent({"membership": MEMBER})
VALID: Final = shown(
    "Valid",
    {"data": {"valid": True, "loyalty_program_id": PROGRAM, "membership_id": "BG1000123"}},
)
OF_MEMBERS: Final = [
    refused(INVALID, MEMBERSHIP_MISSING),
    NO_PROGRAM,
    BAD_MEMBER,
    refused(NOT_ACCEPTED, "The programme does not accept this member id."),
    refused(NAME_DIFFERS, "The member's name does not match the programme's record."),
    refused(NOT_ELIGIBLE, "The member's account is suspended."),
    refused(FRAUDULENT, "The membership was rejected; nothing will be transferred."),
    refused(CREDIT_REFUSED, "The programme could not be asked about this member."),
    refused(UNEXPECTED, UNEXPECTED_ERROR),
]
TOKEN_REQUEST: Final = sent(
    {
        "grant_type": "client_credentials",
        "client_id": "bdv_2f1b0c9d8e7f6a5b4c3d2e1f",
        "client_secret": "...",
    }
)
TOKEN: Final = shown(
    "Token",
    {
        "token_id": "c0b6f5be6a3c4cf1a6d3b3b0d1f2a9c8",
        "token": "eyJhbGciOi...",
        "access_token": "eyJhbGciOi...",
        "token_type": "Bearer",
        "expires_at": 1777300000,
        "scope": "orders:write orders:read catalogue:read members:check",
    },
)
NO_TOKEN: Final = refused("UNAUTHORIZED", "Wrong client id or secret.", status=401)

"""What a fulfilment order and a points transfer may become (seed Ascenda, advisory 2)."""

from collections.abc import Mapping
from typing import Final

from django.db import models


class ItemType(models.TextChoices):
    """What may be ordered; which of it is enabled is configuration of each programme."""

    GIFT_CARD = "gift_card", "Gift card"
    POINTS_TRANSFER = "points_transfer", "Points transfer"


class RequestStatus(models.TextChoices):
    """The order's own status tells only that the request was taken (seed, advisory 2)."""

    ACCEPTED = "accepted", "Accepted"


class ItemState(models.TextChoices):
    """`order_items[].status`: the truth; `fulfilled` is the only sign of success."""

    PENDING = "pending", "Waiting"
    PROCESSING = "processing", "At work"
    FULFILLED = "fulfilled", "Fulfilled"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


#: The member gets the points back.
POINTS_GO_BACK: Final = frozenset({ItemState.CANCELLED, ItemState.FAILED})


class TransferStatus(models.TextChoices):
    QUEUED = "QUEUED", "Not sent yet"
    SENT = "SENT", "Sent"
    PENDING = "PENDING", "At work at the programme"
    UNKNOWN = "UNKNOWN", "Outcome unknown"
    SUCCEEDED = "SUCCEEDED", "Credited"
    FAILED = "FAILED", "Proven not credited"
    CANCELLED = "CANCELLED", "Given up before it was sent"


T = TransferStatus

TRANSFER_ARROWS: Final[Mapping[TransferStatus, frozenset[TransferStatus]]] = {
    T.QUEUED: frozenset({T.SENT, T.CANCELLED}),
    # back to QUEUED only where surely nothing happened
    T.SENT: frozenset({T.PENDING, T.UNKNOWN, T.SUCCEEDED, T.FAILED, T.QUEUED}),
    T.PENDING: frozenset({T.SUCCEEDED, T.FAILED, T.UNKNOWN}),
    # the same reference may be sent again once the partner proves not to know it (D18)
    T.UNKNOWN: frozenset({T.SUCCEEDED, T.FAILED, T.PENDING, T.QUEUED}),
    T.SUCCEEDED: frozenset(),
    T.FAILED: frozenset(),
    T.CANCELLED: frozenset(),
}
ENDED: Final = frozenset({T.SUCCEEDED, T.FAILED, T.CANCELLED})
#: The partner may still credit: nothing is sent under another reference.
UNDER_WAY: Final = frozenset({T.SENT, T.PENDING, T.UNKNOWN})

ITEM_STATE_OF_TRANSFER: Final[Mapping[TransferStatus, ItemState]] = {
    T.QUEUED: ItemState.PENDING,
    T.SENT: ItemState.PROCESSING,
    T.PENDING: ItemState.PROCESSING,
    T.UNKNOWN: ItemState.PROCESSING,
    T.SUCCEEDED: ItemState.FULFILLED,
    T.FAILED: ItemState.FAILED,
    T.CANCELLED: ItemState.CANCELLED,
}


class Scope(models.TextChoices):
    """What a token lets its client do."""

    ORDERS_WRITE = "orders:write", "Place fulfilment orders"
    ORDERS_READ = "orders:read", "Read its own fulfilment orders"
    CATALOGUE_READ = "catalogue:read", "Read gift cards and programmes"
    MEMBERS_CHECK = "members:check", "Validate memberships"


class RuleKind(models.TextChoices):
    """What a rule of the Validation Engine looks at."""

    PATTERN = "pattern", "Membership id fits a pattern"
    LENGTH = "length", "Membership id has a length"
    CHECK_DIGIT = "check_digit", "Membership id ends in its check digit"
    KNOWN_MEMBER = "known_member", "Membership id is on the programme's list"
    NAME_MATCH = "name_match", "Name is the one on the programme's list"
    ASK_PROGRAMME = "ask_programme", "The programme itself accepts the member"


class CheckDigit(models.TextChoices):
    LUHN = "luhn", "Luhn (cards, most hotel programmes)"
    MOD7 = "mod7", "Remainder by 7 (many airlines)"
    MOD97 = "mod97", "Two digits, remainder by 97 is 1"


class Standing(models.TextChoices):
    """What the programme's list says of a member."""

    ELIGIBLE = "eligible", "Eligible"
    INELIGIBLE = "ineligible", "Not eligible"
    INACTIVE = "inactive", "Inactive"
    SUSPENDED = "suspended", "Suspended"
    NEEDS_ACTIVATION = "needs_activation", "Needs activation"
    TIER = "tier", "Tier does not allow it"
    BLOCKED = "blocked", "Blocked: fraud"

"""What a voucher may become (seed Voucher Redemption; architecture 5)."""

from collections.abc import Mapping
from typing import Final

from django.db import models


class VoucherStatus(models.TextChoices):
    AVAILABLE = "available", "Available"
    RESERVED = "reserved", "Reserved"
    SOLD = "sold", "Sold"
    USED = "used", "Used"
    VOID = "void", "Void"


V = VoucherStatus

ARROWS: Final[Mapping[VoucherStatus, frozenset[VoucherStatus]]] = {
    V.AVAILABLE: frozenset({V.RESERVED, V.SOLD, V.VOID}),
    V.RESERVED: frozenset({V.SOLD, V.AVAILABLE}),
    V.SOLD: frozenset({V.USED, V.VOID}),
    V.USED: frozenset({V.VOID}),
    V.VOID: frozenset(),
}

#: Belongs to a customer: shown, mailed, counted as delivered.
DELIVERED: Final = frozenset({V.SOLD, V.USED})


class BatchStatus(models.TextChoices):
    """How far an import is."""

    READING = "READING", "Being read"
    READY = "READY", "Waits for your word"
    LOADING = "LOADING", "Being imported"
    DONE = "DONE", "Imported"
    REFUSED = "REFUSED", "Not readable"
    CANCELLED = "CANCELLED", "Not imported"


B = BatchStatus

BATCH_ARROWS: Final[Mapping[BatchStatus, frozenset[BatchStatus]]] = {
    B.READING: frozenset({B.READY, B.LOADING, B.REFUSED, B.CANCELLED}),
    B.READY: frozenset({B.LOADING, B.CANCELLED}),
    B.LOADING: frozenset({B.DONE}),
    B.DONE: frozenset(),
    B.REFUSED: frozenset(),
    B.CANCELLED: frozenset(),
}
#: The worker has something to do.
WORKING: Final = frozenset({B.READING, B.LOADING})


class Outcome(models.TextChoices):
    """Why a row of an import is no code of ours now; a row without one was added."""

    ERROR = "error", "Error"
    DOUBLE = "double", "Twice in this import"
    HELD = "held", "We hold it already"
    NOT_UNDERSTOOD = "not_understood", "Not understood"


#: What stands for a file's name where there is no file.
PASTED: Final = "(pasted)"
FROM_API: Final = "(API)"

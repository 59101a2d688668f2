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

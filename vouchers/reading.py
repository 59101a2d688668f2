"""Codes for staff: masked, or in full for the right `reveal`, and then recorded (D20)."""

from collections.abc import Sequence

from accounts.models import User
from core import correlation
from vouchers.ciphers import mask, unseal
from vouchers.models import CodeReveal
from vouchers.selectors import DeliveredCode

REVEAL = "vouchers.reveal_code"


def codes_for_staff(codes: Sequence[DeliveredCode], *, reader: User, reason: str) -> dict[int, str]:
    """Voucher -> code in full, each reading recorded, or masked without the right."""
    if not reader.has_perm(REVEAL):
        return {each.voucher_id: mask(each.code or each.redemption_url) for each in codes}
    CodeReveal.objects.bulk_create(
        CodeReveal(
            voucher_id=each.voucher_id,
            user=reader,
            reason=reason[:300],
            correlation_id=correlation.current(),
        )
        for each in codes
    )
    return {each.voucher_id: each.code or each.redemption_url for each in codes}


def typed_codes(sealed: bytes | memoryview, *, reader: User) -> list[str]:
    """The codes an operator typed into an attempt, in full or masked."""
    if not sealed:
        return []
    codes: list[str] = unseal(sealed, context="attempt")
    return codes if reader.has_perm(REVEAL) else [mask(code) for code in codes]

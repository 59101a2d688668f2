"""Codes for staff: masked, or in full for the right `reveal`, and then recorded (D20)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from core import correlation
from core.errors import RateLimited
from core.logging import get_logger
from vouchers.ciphers import mask, unseal
from vouchers.models import CodeReveal
from vouchers.selectors import DeliveredCode

REVEAL: Final = "vouchers.reveal_code"
HOUR: Final = timedelta(hours=1)

log = get_logger(__name__)


def codes_for_staff(codes: Sequence[DeliveredCode], *, reader: User, reason: str) -> dict[int, str]:
    """Voucher -> code in full, each reading recorded, or masked without the right.

    Raises:
        RateLimited: this person has read `CODES_READ_PER_HOUR` codes in the last hour already.
    """
    if not reader.has_perm(REVEAL):
        return {each.voucher_id: mask(each.code or each.redemption_url) for each in codes}
    if codes:
        _check_greed(reader)
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


def _check_greed(reader: User) -> None:
    """The record itself is counted, so that no cache that is away lets a thief read on."""
    since = timezone.now() - HOUR
    recent = CodeReveal.objects.filter(user=reader, at__gt=since).order_by("at")
    if recent.count() >= settings.CODES_READ_PER_HOUR:
        log.warning("codes.too_many_read", user_id=reader.pk)
        left = recent.values_list("at", flat=True)[0] + HOUR - timezone.now()
        raise RateLimited(
            "You have read more codes in an hour than one person needs. Please try again later.",
            retry_after=max(1, int(left.total_seconds())),
        )


def typed_codes(sealed: bytes | memoryview, *, reader: User) -> list[str]:
    """The codes an operator typed into an attempt, in full or masked."""
    if not sealed:
        return []
    codes: list[str] = unseal(sealed, context="attempt")
    return codes if reader.has_perm(REVEAL) else [mask(code) for code in codes]

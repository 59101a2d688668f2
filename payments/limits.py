"""What a gateway takes at all: an amount band, whole taka (settings; none by default)."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from core.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Limits:
    """One entry of `GATEWAY_LIMITS`: `dcb:1-50:whole`."""

    least: Decimal
    most: Decimal
    whole: bool

    @classmethod
    def read(cls, text: str) -> tuple[str, "Limits"]:
        """Raises ValueError if `text` is no such entry."""
        slug, band, *more = text.split(":")
        least, most = map(Decimal, band.split("-"))
        if not slug or not 0 <= least <= most or more not in ([], ["whole"]):
            raise ValueError(text)
        return slug, cls(least, most, whole=bool(more))


def check_amount(method: str, amount: Decimal, *, field: str) -> None:
    """Refuse what the gateway would refuse, before anything is placed.

    Raises:
        BadRequest: naming `field` and what the gateway takes.
    """
    limits = dict(map(Limits.read, settings.GATEWAY_LIMITS)).get(method)
    if limits is None or amount == 0:  # paid in full by discount: no gateway is asked (D31)
        return
    if not limits.least <= amount <= limits.most:
        message = f"{method} takes {limits.least:f} to {limits.most:f} BDT; this is {amount} BDT."
        raise BadRequest.at(field, message, code="amount_out_of_band")
    if limits.whole and amount != int(amount):
        message = f"{method} takes whole taka only; this is {amount} BDT."
        raise BadRequest.at(field, message, code="not_whole_taka")

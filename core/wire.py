"""What every adapter needs of a provider's answer and of our settings."""

import re
from decimal import Decimal
from typing import Final

from django.conf import settings

from core.money import taka
from core.providers import Misconfigured

_AMOUNT: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2}0*)?")


class Unclear(Exception):  # noqa: N818 - says what happened; the adapter gives it one of our words
    """An answer that does not tell what became of what was asked."""


def required_setting(provider: str, name: str) -> str:
    """A setting without which the provider can't be asked.

    Raises:
        Misconfigured: it is missing or empty; the message names it.
    """
    value = str(getattr(settings, name, "") or "")
    if not value:
        raise Misconfigured(provider, f"the setting {name} is missing")
    return value


def plain_text(value: object, limit: int = 200) -> str:
    """A text or number of theirs as bounded, printable text; empty for everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return "".join(filter(str.isprintable, str(value)))[:limit].strip()


def exact_amount(value: object) -> Decimal | None:
    """Taka, exactly as written; None if it is no amount with at most two decimals."""
    text = plain_text(value)
    return taka(text) if _AMOUNT.fullmatch(text) else None

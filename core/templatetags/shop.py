"""How the admin shows a state, a sum and an age, the same on every page."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

TONES: Final = {
    "SUCCEEDED": "good",
    "SUCCESS": "good",
    "DISPATCHED": "good",
    "SENT": "good",
    "DELIVERED": "good",
    "PAUSED": "warn",
    "STOPPED": "quiet",
    "SKIPPED": "quiet",
    "available": "good",
    "sold": "good",
    "active": "good",
    "NEEDS_ATTENTION": "warn",
    "DISPATCH_FAILED": "warn",
    "PARTNER_FAILED": "bad",
    "AMOUNT_MISMATCH": "bad",
    "DEAD": "bad",
    "FAILED": "bad",
    "UNKNOWN": "warn",
    "CANCELLED": "quiet",
    "void": "quiet",
    "used": "quiet",
    "archived": "quiet",
    "READY": "warn",
    "DONE": "good",
    "REFUSED": "bad",
    "error": "bad",
    "not_understood": "warn",
}
"""State -> colour; a state that is not named is under way, and blue."""
EXCEPTIONS: Final = {
    ("PartnerTransaction", "SENT"): "info",
    ("PointsTransfer", "SENT"): "info",
    ("Refund", "REQUESTED"): "warn",
}
MINUTE, HOUR, DAY = 60, 3600, 86400


def tone_of(value: str, model: str = "") -> str:
    return EXCEPTIONS.get((model, value)) or TONES.get(value, "info")


@register.simple_tag
def pill(text: object, tone: str = "info", title: str = "") -> SafeString:
    """A small coloured label; the words carry the meaning, the colour only repeats it."""
    return format_html('<span class="pill pill-{}" title="{}">{}</span>', tone, title, text)


@register.filter
def badge(row: Any, field: str = "status") -> SafeString:
    """The state of a row as a label, in the words of its choices."""
    value = getattr(row, field)
    if value is None:
        return pill("Not started", "quiet")
    words = getattr(row, f"get_{field}_display")()
    return pill(words, tone_of(value, type(row).__name__), value)


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago, in the two figures that matter at night: `3 h`, `2 d 4 h`."""
    if moment is None:
        return ""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return f"{seconds // HOUR} h {seconds % HOUR // MINUTE} min"
    return f"{seconds // DAY} d {seconds % DAY // HOUR} h"


@register.filter
def seconds(value: float | None) -> str:
    """A short time: `0.4 s`, `12 s`, `3 min`, `2 h`."""
    if value is None:
        return ""
    if value < MINUTE:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004
    return f"{value / MINUTE:.0f} min" if value < HOUR else f"{value / HOUR:.1f} h"


@register.filter
def taka(amount: Decimal | None) -> str:
    return "" if amount is None else f"BDT {amount:,.2f}"


@register.filter
def when(moment: datetime | str | None) -> SafeString | str:
    """A time of the page's zone, with the exact instant in UTC for who compares logs."""
    if not isinstance(moment, datetime):  # a template hands on "" for what is not there
        return ""
    here = timezone.localtime(moment)
    exact = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    text = f"{here:%d %b %Y %H:%M}"
    return format_html('<time datetime="{}" title="{}">{}</time>', here.isoformat(), exact, text)


def summary_of(items: Iterable[Any]) -> str:
    """What was bought, in one line."""
    return ", ".join(
        f"{item.quantity} \u00d7 {item.product_name} {item.variant_name}" for item in items
    )


@register.filter
def summary(items: Iterable[Any]) -> str:
    return summary_of(items)

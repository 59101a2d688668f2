"""What a mail says, in the customer's language: subject, plain text, HTML (D26).

The words are in `templates/email/words/<language>.toml`, the shape in `templates/email/`;
both twins, text and HTML, are filled from one description of the order.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Final

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.dateformat import format as format_date

from notifications.models import EmailMessage
from orders.models import OrderItem
from vouchers.ciphers import mask
from vouchers.selectors import codes_of_order

LANGUAGES: Final = ("en", "bn")
#: What opens under TLS and needs no escaping; a supplier's row may hold anything.
_LINK: Final = re.compile(r"(https://[\w.:-]+)([/?#][^\s\"'<>\\]*)?")
_BANGLA_DIGITS: Final = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
#: Not `keep_at_rules`, which puts them before the charset: the layout keeps its second style tag,
#: where dark mode and small screens live.
_INLINER: Final = css_inline.CSSInliner(load_remote_stylesheets=False)


class ForeignCode(Exception):  # noqa: N818 - a finding, as the log names it
    """A listed voucher is not, or no longer, a code of the mail's order (I13)."""


@dataclass(frozen=True, slots=True)
class MailedCode:
    """One code as the mail shows it, with the labels it was sold under."""

    item_id: int
    product: str
    variant: str
    code: str = field(repr=False)
    pin: str = field(default="", repr=False)
    redemption_url: str = field(default="", repr=False)
    serial_number: str | None = None
    expires_at: datetime | None = None
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class WaitingUnit:
    """What of one item is still to come (D12)."""

    item_id: int
    product: str
    variant: str
    count: int


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


def contents(message: EmailMessage) -> tuple[list[MailedCode], list[WaitingUnit]]:
    """The codes a mail lists, in item then unit order (D5), and what it cannot carry yet.

    Raises:
        ForeignCode: a listed voucher is not sold to this order; nothing may be mailed.
    """
    listed = set(message.voucher_ids)
    codes = [each for each in codes_of_order(message.order_id) if each.voucher_id in listed]
    if not listed or len(codes) != len(listed):
        raise ForeignCode
    items = {
        item.pk: item
        for item in OrderItem.objects.filter(order=message.order_id).select_related(
            "variant__product"
        )
    }
    mailed = []
    owed = {pk: item.quantity - len(item.refunded_units) for pk, item in items.items()}
    for each in codes:
        item = items[each.item_id]
        owed[item.pk] -= 1
        mailed.append(
            MailedCode(
                item_id=item.pk,
                product=item.product_name,
                variant=item.variant_name,
                code=each.code,
                pin=each.pin,
                redemption_url=each.redemption_url,
                serial_number=each.serial_number,
                expires_at=each.expires_at,
                instructions=item.variant.product.redeem_instructions,
            )
        )
    waiting = [
        WaitingUnit(pk, items[pk].product_name, items[pk].variant_name, count)
        for pk, count in owed.items()
        if count > 0
    ]
    return mailed, waiting


def masked(code: MailedCode) -> MailedCode:
    """The same code as staff without the right to reveal see it (D20)."""
    link = _LINK.fullmatch(code.redemption_url)
    return replace(
        code,
        code=mask(code.code) if code.code else "",
        pin="••••" if code.pin else "",
        redemption_url=f"{link[1]}/••••" if link else code.redemption_url and "••••",
    )


def render(
    message: EmailMessage, codes: Sequence[MailedCode], waiting: Sequence[WaitingUnit]
) -> Rendered:
    """The voucher mail: the same for automatic delivery, recovery and resend (seed Recovery)."""
    language = language_of(message)
    facts = house_facts(message)
    spoken = spoken_words(language, facts)
    words = spoken[message.template]
    preheader = words["preheader_one" if len(codes) == 1 else "preheader_other"]
    with translation.override(language):
        context = {
            **facts,
            "language": language,
            "house": spoken["house"],
            "words": words,
            "subject": words["subject"],
            "preheader": preheader.format(count=digits(len(codes), language)),
            "title": words["title_partial" if waiting else "title"],
            "intro": words["intro_partial" if waiting else "intro"],
            "groups": list(_groups(codes, words, language)),
            "waiting": [
                {
                    "product": each.product,
                    "variant": each.variant,
                    "count": _counted(each.count, words, language),
                }
                for each in waiting
            ],
        }
    return filled("vouchers", words["subject"], context, language)


def language_of(message: EmailMessage) -> str:
    return message.language if message.language in LANGUAGES else LANGUAGES[0]


def house_facts(message: EmailMessage) -> dict[str, str]:
    return {
        "order_number": message.order.order_number,
        "shop_name": settings.SHOP_NAME,
        "support_email": settings.SUPPORT_EMAIL,
    }


def spoken_words(language: str, facts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Every word of a language with these facts in it."""
    return {
        section: {key: text.format_map(_Kept(facts)) for key, text in words.items()}
        for section, words in _words(language).items()
    }


def filled(shape: str, subject: str, context: Mapping[str, object], language: str) -> Rendered:
    """Both twins of one mail from one description of it."""
    with translation.override(language):
        text = render_to_string(f"email/{shape}/body.txt", dict(context))
        page = render_to_string(f"email/{shape}/body.html", dict(context))
    return Rendered(subject=subject, text=text, html=_INLINER.inline(_tight(page)))


class _Kept(dict[str, str]):
    """Leaves the places that are filled later, `{number}` and the counts of an item."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


@cache
def _words(language: str) -> Mapping[str, Mapping[str, str]]:
    path = settings.BASE_DIR / "templates" / "email" / "words" / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _groups(
    codes: Sequence[MailedCode], words: Mapping[str, str], language: str
) -> Iterator[dict[str, object]]:
    for _, rows in groupby(codes, key=lambda each: each.item_id):
        group = list(rows)
        first = group[0]
        lines = (line.strip() for line in first.instructions.splitlines())
        yield {
            "product": first.product,
            "variant": first.variant,
            "count": _counted(len(group), words, language),
            "codes": [
                _shown(each, number if len(group) > 1 else None, words, language)
                for number, each in enumerate(group, 1)
            ],
            "instructions": [line for line in lines if line],
        }


def _shown(
    each: MailedCode, number: int | None, words: Mapping[str, str], language: str
) -> dict[str, str]:
    label = words["code"]
    if number is not None:
        label = words["code_numbered"].format(number=digits(number, language))
    return {
        "label": label,
        "code": each.code,
        "pin": each.pin,
        "serial": each.serial_number or "",
        "expires": day(each.expires_at, language),
        "link": each.redemption_url if _LINK.fullmatch(each.redemption_url) else "",
        "address": each.redemption_url,
    }


def day(moment: datetime | None, language: str) -> str:
    """The day in UTC, as suppliers mean it; never later than the day in Dhaka."""
    if moment is None:
        return ""
    return digits(format_date(moment.astimezone(UTC), "j F Y"), language)


def _counted(count: int, words: Mapping[str, str], language: str) -> str:
    if count == 1:
        return words["count_one"]
    return words["count_other"].format(count=digits(count, language))


def digits(value: object, language: str) -> str:
    text = str(value)
    return text.translate(_BANGLA_DIGITS) if language == "bn" else text


def _tight(page: str) -> str:
    """Without the templates' blank lines: Gmail hides what comes after 102 kB."""
    return "\n".join(line for line in map(str.strip, page.splitlines()) if line)

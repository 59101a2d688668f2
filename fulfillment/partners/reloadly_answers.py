"""What Reloadly's answers say (contract page reloadly, sections 3 to 6); nothing is sent here."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, Self

from core.http import Answer
from core.providers import Declined, OutcomeUnknown, ProviderError
from core.wire import Unclear, plain_text
from fulfillment.partners.base import IssuedCode

SLUG: Final = "reloadly"
SUCCESSFUL: Final = "SUCCESSFUL"
AT_WORK: Final = frozenset({"PENDING", "PROCESSING"})
#: FAILED is not delivered either, though its money comes back only with REFUNDED.
NOT_DELIVERED: Final = frozenset({"FAILED", "REFUNDED"})
USED: Final = "CUSTOM_IDENTIFIER_ALREADY_USED"
NOT_NOW: Final = "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT"
NOT_FOUND: Final = "TRANSACTION_NOT_FOUND"
#: HTTP refusals that speak of time or of a clash prove nothing about the order.
UNSURE: Final = frozenset({408, 409, 425, 499})
_ABOUT_THE_ORDER: Final = re.compile(
    r"identifier|already|duplicate|cannot be processed|at the moment|timed? ?out", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Order:
    """A transaction as the answer to an order or the report shows it."""

    transaction_id: str
    identifier: str
    status: str
    cost: Decimal | None = None
    cost_currency: str = ""

    @classmethod
    def of(cls, row: object) -> Self:
        """Read a row.

        Raises:
            Unclear: it is not a transaction.
        """
        if not isinstance(row, dict):
            raise Unclear("a row that is no transaction")
        number, status = row.get("transactionId"), plain_text(row.get("status"), 60)
        identifier = row.get("customIdentifier")
        if isinstance(number, bool) or not isinstance(number, int) or not status:
            raise Unclear("a row without transactionId or status")
        wallet = row.get("balanceInfo") or row.get("balaneInfo")
        wallet = wallet if isinstance(wallet, dict) else {}
        cost = amount(wallet.get("cost"))
        return cls(
            transaction_id=str(number),
            identifier=identifier if isinstance(identifier, str) else "",
            status=status,
            cost=cost,
            cost_currency=plain_text(wallet.get("currencyCode"), 3) if cost is not None else "",
        )


@dataclass(frozen=True, slots=True)
class Card:
    """One card; values are text, whatever they were."""

    number: str = field(repr=False)
    pin: str = field(repr=False)
    link: str = field(repr=False)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        number, pin = _goods(entry.get("cardNumber")), _goods(entry.get("pinCode"))
        link = _goods(entry.get("redemptionUrl"))
        if _is_link(number):  # version 1 puts it there
            number, link = "", number if not _is_link(link) else link
        if not _is_link(link):
            link = ""  # it will be a link in a mail: nothing but the web
        if not number and not link:
            number, pin = pin, ""
        return cls(number, pin, link)

    def __bool__(self) -> bool:
        return bool(self.number or self.link)

    def issued(self, order: Order, *, remark: str) -> IssuedCode:
        return IssuedCode(
            code=self.number,
            pin=self.pin,
            redemption_url=self.link,
            partner_transaction_id=order.transaction_id,
            cost=order.cost,
            cost_currency=order.cost_currency,
            remark=remark,
        )


def parsed(answer: Answer, *, numbers_as_text: bool = False) -> Any:
    """The JSON of a 2xx answer, amounts as decimals.

    Raises:
        Unclear: another status, or no JSON.
    """
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Unclear(f"unclear answer, HTTP {answer.status}")
    try:
        if numbers_as_text:
            return json.loads(answer.body, parse_int=str, parse_float=str)
        return json.loads(answer.body, parse_float=Decimal)
    except (ValueError, RecursionError) as exc:
        raise Unclear("an answer that is not JSON") from exc


def amount(value: object) -> Decimal | None:
    """A JSON number as it was written; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return None
    return Decimal(value)


def page(answer: Answer) -> tuple[Sequence[Order], bool]:
    """One page of the report, and whether it is the last; a plain array is the only one.

    Raises:
        Unclear: it is neither form of a list.
    """
    said = parsed(answer)
    if isinstance(said, list):
        return [Order.of(row) for row in said], True
    rows = said.get("content") if isinstance(said, dict) else None
    if not isinstance(rows, list):
        raise Unclear("an answer that is no list")
    last = said.get("last")
    return [Order.of(row) for row in rows], last is True or (last is None and not rows)


def cards(answer: Answer) -> Sequence[Card]:
    """The cards of an order, those with nothing in them too.

    Raises:
        Unclear: it is not a list of cards.
    """
    said = parsed(answer, numbers_as_text=True)
    if not isinstance(said, list) or not all(isinstance(entry, dict) for entry in said):
        raise Unclear("an answer that is no list of cards")
    return [Card.of(entry) for entry in said]


def chosen(orders: Iterable[Order]) -> tuple[Order, str] | None:
    """Of all orders under one identifier the one to follow, and what a person should know.

    The identifier is not checked atomically there (section 5): two orders may both have been
    carried out. A delivered one is used, the other one is held at Reloadly for a person.
    """
    ranks = {SUCCESSFUL: 0, **dict.fromkeys(NOT_DELIVERED, 2)}
    ranked = sorted(orders, key=lambda o: (ranks.get(o.status, 1), int(o.transaction_id)))
    if not ranked:
        return None
    charged = [order.transaction_id for order in ranked if order.status not in NOT_DELIVERED]
    remark = ""
    if len(charged) > 1:
        remark = f"{len(charged)} orders under one identifier: transactions {', '.join(charged)}"
    return ranked[0], remark


def refusal_of(answer: Answer) -> ProviderError:
    """What a refused order means if no order is found under its identifier (section 6)."""
    said = answer.json() or {}
    code, message = plain_text(said.get("errorCode"), 80), plain_text(said.get("message"))
    words = " ".join(filter(None, (code or str(answer.status), message)))
    structured = bool({"errorCode", "timeStamp", "timestamp"} & said.keys()) and bool(
        message or plain_text(said.get("error"))
    )
    unsure = (
        code in {USED, NOT_NOW}
        or answer.status in UNSURE
        or answer.status < HTTPStatus.BAD_REQUEST
        or (not code and _ABOUT_THE_ORDER.search(message))
    )
    kind = Declined if structured and not unsure else OutcomeUnknown
    return kind(SLUG, words[:400], raw_code=code or str(answer.status))


def says_not_found(answer: Answer) -> bool:
    """Reloadly's own "there is no such transaction", not a 404 of some edge."""
    return answer.status == HTTPStatus.NOT_FOUND and (
        (answer.json() or {}).get("errorCode") == NOT_FOUND
    )


def _goods(value: object) -> str:
    """A code as it is; numbers come as text already (`numbers_as_text`)."""
    return value.strip() if isinstance(value, str) else ""


def _is_link(text: str) -> bool:
    return text.startswith(("https://", "http://"))

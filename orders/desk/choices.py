"""The forms of the buttons, with what an operator chooses among."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from accounts.models import User
from orders.desk.buttons import OVERRIDE
from orders.desk.cards import ItemCard
from orders.forms import ResendForm, RetryForm
from orders.models import Order

if TYPE_CHECKING:
    from fulfillment.models import PartnerHealth


def retry_form(
    items: list[tuple[Any, Any]], sources: Iterable[tuple[int, Any]], **kwargs: Any
) -> RetryForm:
    return RetryForm(items=items, sources=[(pk, str(words)) for pk, words in sources], **kwargs)


def source_choices(
    cards: Iterable[ItemCard], health: Mapping[int, "PartnerHealth"], *, now: datetime
) -> list[tuple[int, str]]:
    """Each source an item may be bought from, with what speaks for or against it now."""
    choices = {}
    for card in cards:
        for source in card.sources:
            facts = [str(source)]
            if source.cost is not None:
                facts.append(f"cost {source.cost:,.2f}")
            if source.partner_id is None:
                facts.append(f"{card.pool} in the pool")
            else:
                facts.append(_health_words(health.get(source.partner_id), now=now))
            if source.stock_cap is not None:
                facts.append(f"at most {source.stock_cap} a day")
            choices[source.pk] = " · ".join(facts)
    return list(choices.items())


def _health_words(health: "PartnerHealth | None", *, now: datetime) -> str:
    if health is None:
        return "not asked lately"
    words = {"closed": "answers", "open": "paused", "half_open": "next one is a probe"}
    told = words[health.state(now=now)]
    if health.balance is not None:
        told += f", balance {health.balance:,.2f} {health.balance_currency}"
    return told


def resend_form(order: Order, reader: User, **kwargs: Any) -> ResendForm:
    may_override = reader.has_perm(OVERRIDE)
    return ResendForm(own_address=order.recipient_email, may_override=may_override, **kwargs)

"""Which business mails of an order a person may send now, and why not the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notifications.eligibility import Case, is_overtaken, refusal
from notifications.facts import MoneyFacts
from notifications.selectors import email_policy, mails_of
from notifications.states import ALTERNATIVE, Template, Workflow
from orders.models import Order


@dataclass(frozen=True, slots=True)
class MailChoice:
    template: Template
    workflow: Workflow | None
    why_not: str


def mail_choices(order: Order, money: MoneyFacts, *, now: datetime) -> Sequence[MailChoice]:
    """One a template, with the sentence the resend endpoint would refuse it with."""
    case = Case(order, money, list(mails_of(order).order_by("pk")), now)
    speaks = email_policy().non_recurring_communications
    return [
        MailChoice(each, case.workflow(each), _why_not(each, case, speaks=speaks))
        for each in Template
    ]


def _why_not(template: Template, case: Case, *, speaks: bool) -> str:
    if template in ALTERNATIVE and not speaks:
        return "This store does not send it."
    why = refusal(template, case)
    if not why and is_overtaken(template, case):
        return "The offer needs no notice any more."
    return why

"""What the order page tells an operator: what happened, why, and which button helps.

Rows of the apps above come in from the page (a door may read them); nothing is read here. The
buttons' reasons say beforehand what the services would answer; the services stay the judge.
"""

from orders.desk.buttons import (
    AUDIT,
    CANCEL,
    HANDLE,
    OVERRIDE,
    RECOVER,
    REFUND,
    RELEASE,
    REPLACE,
    RESEND,
    REVEAL,
    VERIFY,
    Button,
    buttons_of,
)
from orders.desk.cards import ItemCard, UnitRow, cards_of
from orders.desk.causes import Cause, cause_of
from orders.desk.choices import resend_form, retry_form, source_choices

__all__ = [
    "AUDIT",
    "CANCEL",
    "HANDLE",
    "OVERRIDE",
    "RECOVER",
    "REFUND",
    "RELEASE",
    "REPLACE",
    "RESEND",
    "REVEAL",
    "VERIFY",
    "Button",
    "Cause",
    "ItemCard",
    "UnitRow",
    "buttons_of",
    "cards_of",
    "cause_of",
    "resend_form",
    "retry_form",
    "source_choices",
]

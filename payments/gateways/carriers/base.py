"""What an operator that charges a phone's balance is to us (contract page dcb, section 2).

One more operator is one more file beside this one and a line in `payments.gateways.dcb`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final, Protocol

from core.providers import Unavailable
from payments.gateways.base import Consent, Verdict

SLUG: Final = "dcb"
#: Signs the address of our own page, where the payer names a number and types a password.
PAGE_SALT: Final = "payments.carrier"


class WrongCode(Unavailable):
    """The operator says that the one-time password is wrong: nothing was charged, ask again."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The operator has sent the payer a one-time password."""

    correlator: str
    internal_id: str


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge as it is asked for, word for word the same in every repetition."""

    external_id: str
    """Ours, made once and stored before the first call; the operator's idempotency key."""
    amount: Decimal
    consent: Consent


class Carrier(Protocol):
    """An operator's adapter. Errors are the four of `core.providers`."""

    slug: ClassVar[str]
    label: ClassVar[str]
    """As a payer knows it."""
    prefixes: ClassVar[tuple[str, ...]]
    """Of its numbers; a hint only, for numbers may have moved to another operator."""
    sends_password: ClassVar[bool]
    """The operator proves the number by a password of its own; else we do."""

    def begin(self, external_id: str, subscriber: str, amount: Decimal) -> Begun:
        """Let the operator send its password. Sent once per payment; charges nothing.

        Raises:
            Declined: this number or amount is refused.
            Unavailable: surely not done; the same may be sent again.
            OutcomeUnknown: a password may be on its way, but we can't use it.
        """

    def charge(self, charge: Charge, password: str) -> Verdict:
        """Take the money, with consent. Sent once; what is unclear afterwards is AUTHORIZED.

        Raises:
            WrongCode, Unavailable, Misconfigured: surely nothing was charged.
            OutcomeUnknown: it may have been.
        """

    def ask(self, charge: Charge) -> Verdict:
        """What became of a charge that was sent. Never makes a second one.

        Raises:
            Unavailable: no clear answer; ask again later.
            Misconfigured: our credentials are refused.
        """

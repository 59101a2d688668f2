"""What a voucher partner is to us: somebody who sells one unit under our reference."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """The goods. At least one of `code` and `redemption_url` is set."""

    code: str = field(repr=False)  # a code is money: keep it out of logs and tracebacks
    pin: str = field(default="", repr=False)
    redemption_url: str = field(default="", repr=False)
    serial_number: str = ""
    expires_at: datetime | None = None
    partner_transaction_id: str = ""
    cost: Decimal | None = None
    """What the partner charged, in `cost_currency`, if it says so."""
    cost_currency: str = ""
    remark: str = ""
    """What a person should look into although the code is good; an alert says it."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """Accepted and not finished (most first answers of Zendit): follow it by `lookup`."""

    raw_status: str


class Anomaly(Exception):  # noqa: N818
    """The partner says "done" and gives no code: held for a person, never bought again (D39)."""

    def __init__(self, partner: str, message: str) -> None:
        super().__init__(f"{partner}: {message}")
        self.partner = partner
        self.message = message


@dataclass(frozen=True, slots=True)
class Offer:
    """What a purchase needs to know of a partner source."""

    offer_id: str
    send_value: Decimal | None = None
    """Face value for offers of type RANGE, in the offer's currency; None for fixed ones."""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hint:
    """What a partner's notice is about: a reason to ask, whatever it claims."""

    reference: str
    claimed_status: str = ""
    undecided: bool = False
    """It says itself that nothing is decided yet."""


class Webhook(Protocol):
    """How a partner's notices are told from others', and read."""

    def is_genuine(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether the partner's secret stands behind it, compared in constant time."""

    def read(self, body: bytes) -> Hint | None:
        """What it is about; None if that can't be read."""


class VoucherPartner(Protocol):
    """One file per partner implements this; errors are the four of `core.providers`."""

    slug: ClassVar[str]

    def purchase(
        self, *, reference: str, offer: Offer, inputs: Mapping[str, str]
    ) -> IssuedCode | AtWork:
        """Buy one unit under our `reference` (letters and digits), stored before this call.

        Raises:
            Declined: definitely not sold, not charged; `raw_code` holds the partner's word.
            Unavailable: surely nothing happened.
            OutcomeUnknown: it may have been bought; only `lookup` may follow.
            Misconfigured: our credentials or offer are wrong; nothing was bought.
            Anomaly: bought, but without a code.
        """

    def lookup(self, *, reference: str) -> IssuedCode | AtWork | None:
        """What became of that reference, or None if the partner does not know it (yet).

        Raises:
            Declined: it ended without a voucher and without a charge.
            Unavailable: ask again later.
            Misconfigured: we may not ask; says nothing about the purchase.
            Anomaly: bought, but without a code.
        """

    def balance(self) -> tuple[Decimal, str]:
        """What is left in our account: amount and currency."""

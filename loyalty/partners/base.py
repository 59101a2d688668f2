"""What a points partner is to us: somebody who credits a member under our reference."""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class Member:
    """Whose account is meant, in the partner's own terms."""

    program_code: str
    member_id: str = field(repr=False)
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Credited:
    """The points are in the member's account."""

    partner_transaction_id: str = ""


@dataclass(frozen=True, slots=True)
class AtWork:
    """Accepted and not finished (some programmes take days): follow it by `lookup`."""

    raw_status: str


class PointsPartner(Protocol):
    """One file per partner implements this; errors are the four of `core.providers`."""

    slug: ClassVar[str]

    def credit(self, *, reference: str, member: Member, amount: int) -> Credited | AtWork:
        """Credit `amount` under our `reference`, stored before this call.

        Raises:
            Declined: definitely not credited; `raw_code` holds the partner's word.
            Unavailable: surely nothing happened.
            OutcomeUnknown: it may have been credited; only `lookup` may follow.
            Misconfigured: our credentials or the programme's code are wrong; nothing happened.
        """

    def lookup(self, *, reference: str) -> Credited | AtWork | None:
        """What became of that reference, or None if the partner does not know it (yet).

        Raises:
            Declined: it ended without a credit.
            Unavailable: ask again later.
            Misconfigured: we may not ask; says nothing about the credit.
        """

    def check_member(self, *, member: Member) -> None:
        """Return if the partner accepts the member.

        Raises:
            Declined: it does not; `raw_code` is one of the contract's codes where it says one.
            Unavailable, Misconfigured: nobody knows.
        """

"""The Validation Engine: whether a programme takes points for a member.

Rules are rows that an operator edits. What the programme's list says of a member always counts;
rules say what more must hold. Form rules answer NN1301, the list TC40000 to TC40010.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from loyalty.models import LoyaltyProgram, MembershipRule, ProgramMember
from loyalty.refusals import (
    FRAUDULENT,
    MEMBER_INVALID,
    NAME_DIFFERS,
    NOT_ACCEPTED,
    NOT_ELIGIBLE,
)
from loyalty.states import CheckDigit, RuleKind, Standing

MOD97_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Membership:
    """Who a client says the member is."""

    member_id: str = field(repr=False)
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a membership is not taken, by the contract's code."""

    code: str
    message: str


def plain_id(member_id: str) -> str:
    """An id as people write it (`abc 123-4`), as rules and lists read it (`ABC1234`)."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", member_id)).upper()


def judge(program: LoyaltyProgram, membership: Membership) -> Objection | None:
    """The first objection of the engine, or None; two statements."""
    member_id = plain_id(membership.member_id)
    known = ProgramMember.objects.filter(program=program, member_id=member_id).first()
    rules = MembershipRule.objects.filter(program=program, is_active=True)
    return _by_rules(rules, member_id, membership, known) or _by_standing(known)


def asks_programme(program: LoyaltyProgram) -> bool:
    """Whether the programme itself is to be asked about a member (only when validating)."""
    return MembershipRule.objects.filter(
        program=program, is_active=True, kind=RuleKind.ASK_PROGRAMME
    ).exists()


def _by_rules(
    rules: Iterable[MembershipRule],
    member_id: str,
    membership: Membership,
    known: ProgramMember | None,
) -> Objection | None:
    for rule in rules:
        kind = RuleKind(rule.kind)
        if kind in FORM_RULES:
            if not FORM_RULES[kind](rule, member_id):
                return Objection(MEMBER_INVALID, rule.message or "Member identifier is invalid.")
        elif kind == RuleKind.KNOWN_MEMBER and known is None:
            words = "The programme does not accept this member id."
            return Objection(NOT_ACCEPTED, rule.message or words)
        elif kind == RuleKind.NAME_MATCH and not _same_name(known, membership):
            words = "The member's name does not match the programme's record."
            return Objection(NAME_DIFFERS, rule.message or words)
    return None


def _by_standing(known: ProgramMember | None) -> Objection | None:
    if known is None or known.standing == Standing.ELIGIBLE:
        return None
    if known.standing == Standing.BLOCKED:
        return Objection(FRAUDULENT, "The membership was rejected; nothing will be transferred.")
    words = {
        Standing.INACTIVE: "inactive",
        Standing.SUSPENDED: "suspended",
        Standing.NEEDS_ACTIVATION: "not activated yet",
        Standing.TIER: "of a tier that takes no transfers",
    }.get(Standing(known.standing), "not eligible")
    return Objection(NOT_ELIGIBLE, f"The member's account is {words}.")


def _fits(rule: MembershipRule, member_id: str) -> bool:
    return re.fullmatch(rule.pattern, member_id) is not None


def _long_enough(rule: MembershipRule, member_id: str) -> bool:
    length = len(member_id)
    return (rule.shortest is None or length >= rule.shortest) and (
        rule.longest is None or length <= rule.longest
    )


def _checks(rule: MembershipRule, member_id: str) -> bool:
    digits = re.sub(r"\D", "", member_id) if member_id.isascii() else ""
    return bool(digits) and CHECKS[CheckDigit(rule.check_digit)](digits)


#: Rules about the form of an id alone.
FORM_RULES: Final[Mapping[RuleKind, Callable[[MembershipRule, str], bool]]] = {
    RuleKind.PATTERN: _fits,
    RuleKind.LENGTH: _long_enough,
    RuleKind.CHECK_DIGIT: _checks,
}


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - digits of the double
    return len(digits) > 1 and total % 10 == 0


def _mod7(digits: str) -> bool:
    return len(digits) > 1 and int(digits[:-1]) % 7 == int(digits[-1])


def _mod97(digits: str) -> bool:
    return len(digits) >= MOD97_DIGITS and int(digits) % 97 == 1


CHECKS: Final[Mapping[CheckDigit, Callable[[str], bool]]] = {
    CheckDigit.LUHN: _luhn,
    CheckDigit.MOD7: _mod7,
    CheckDigit.MOD97: _mod97,
}


def _same_name(known: ProgramMember | None, membership: Membership) -> bool:
    """Case, accents and order aside; who is not on the list can't be compared."""
    if known is None or not known.name:
        return True
    ours, theirs = _words(known.name), _words(membership.name)
    return bool(theirs) and ours == theirs


def _words(name: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", name)
    bare = "".join(each for each in folded if not unicodedata.combining(each))
    return sorted(re.findall(r"\w+", bare.casefold()))

"""Whether a programme takes points for a member, asked before the member orders."""

from django.conf import settings

from core.providers import Declined, ProviderError
from loyalty.engine import Membership, asks_programme, judge, plain_id
from loyalty.models import MEMBER_ID_LENGTH, LoyaltyProgram
from loyalty.partners.base import Member
from loyalty.partners.registry import get_points_partner
from loyalty.refusals import (
    CREDIT_REFUSED,
    FRAUDULENT,
    MEMBER_INVALID,
    MEMBERSHIP_MISSING,
    NAME_DIFFERS,
    NOT_ACCEPTED,
    NOT_ELIGIBLE,
    ContractRefusal,
    invalid,
)

#: Words of the contract that a programme's own answer may use; others say only "not accepted".
OF_PROGRAMMES = frozenset({NOT_ACCEPTED, NAME_DIFFERS, NOT_ELIGIBLE, FRAUDULENT})


def validate_membership(program: LoyaltyProgram, membership: Membership | None) -> str:
    """The id as the programme reads it, if it would take points for this member.

    Raises:
        ContractRefusal: NN1301 for the form of the id, TC40000 to TC40010 for the member, TC40101
            where the programme itself gives no answer.
    """
    if membership is None or not plain_id(membership.member_id):
        raise invalid(MEMBERSHIP_MISSING)
    member_id = plain_id(membership.member_id)
    if len(member_id) > MEMBER_ID_LENGTH:
        raise ContractRefusal(MEMBER_INVALID, "Member identifier is invalid.")
    objection = judge(program, membership)
    if objection is not None:
        raise ContractRefusal(objection.code, objection.message)
    if asks_programme(program):
        _ask(program, membership, member_id)
    return member_id


def _ask(program: LoyaltyProgram, membership: Membership, member_id: str) -> None:
    member = Member(
        program.partner_program_code, member_id, membership.first_name, membership.last_name
    )
    try:
        partner = get_points_partner(program.partner, answer_seconds=settings.CUSTOMER_WAIT_SECONDS)
        partner.check_member(member=member)
    except Declined as exc:
        code = exc.raw_code if exc.raw_code in OF_PROGRAMMES else NOT_ACCEPTED
        raise ContractRefusal(code, exc.message) from exc
    except ProviderError as exc:
        words = "The programme could not be asked about this member."
        raise ContractRefusal(CREDIT_REFUSED, words) from exc

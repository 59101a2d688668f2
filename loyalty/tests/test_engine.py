"""The Validation Engine's rules, one by one and together."""

import pytest
from django.core.exceptions import ValidationError

from loyalty.engine import Membership, judge, plain_id
from loyalty.models import MembershipRule, ProgramMember
from loyalty.tests.factories import ProgramFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return ProgramFactory()


def said(program, member_id, first="Nadia", last="Islam"):
    found = judge(program, Membership(member_id, first, last))
    return found and found.code


def rule(program, **fields):
    made = MembershipRule(program=program, **fields)
    made.full_clean()
    made.save()
    return made


@pytest.mark.parametrize(
    ("written", "read"), [("bg 100-0123", "BG1000123"), ("１２３", "123"), (" - ", "")]
)
def test_an_id_is_read_as_people_write_it(written, read):
    assert plain_id(written) == read


def test_without_rules_everybody_is_welcome(program):
    assert said(program, "whatever") is None


@pytest.mark.parametrize(
    ("fields", "good", "bad"),
    [
        ({"kind": "pattern", "pattern": "BG[0-9]{7}"}, ["BG1000123", "bg 1000123"],
         ["BG100012", "XBG1000123", "BG1000123X"]),
        ({"kind": "length", "shortest": 4}, ["1234", "12345"], ["123"]),
        ({"kind": "length", "longest": 4}, ["1234"], ["12345"]),
        ({"kind": "check_digit", "check_digit": "luhn"}, ["79927398713", "0000000018"],
         ["79927398710", "8", "NODIGITS"]),
        ({"kind": "check_digit", "check_digit": "mod7"}, ["10001235"], ["10001233", "7"]),
        ({"kind": "check_digit", "check_digit": "mod97"}, ["12345678978"], ["12345678999", "1"]),
    ],
)  # fmt: skip
def test_the_form_of_an_id(program, fields, good, bad):
    rule(program, **fields)
    assert {each: said(program, each) for each in good} == dict.fromkeys(good)
    assert {each: said(program, each) for each in bad} == dict.fromkeys(bad, "NN1301")


def test_one_digit_changed_never_passes_a_check_digit(program):
    rule(program, kind="check_digit", check_digit="luhn")
    good = "79927398713"
    for place, digit in enumerate(good):
        for other in set("0123456789") - {digit}:
            assert said(program, good[:place] + other + good[place + 1 :]) == "NN1301"


def test_rules_are_asked_in_their_order_and_may_say_their_own_words(program):
    rule(program, kind="length", shortest=5, position=2, message="Five at least.")
    rule(program, kind="pattern", pattern="[0-9]+", position=1, message="Digits, please.")
    assert judge(program, Membership("AB")).message == "Digits, please."
    assert judge(program, Membership("12")).message == "Five at least."
    MembershipRule.objects.update(is_active=False)
    assert judge(program, Membership("AB")) is None


def test_rules_of_another_programme_do_not_matter(program):
    rule(ProgramFactory(), kind="pattern", pattern="[0-9]+")
    assert said(program, "AB") is None


def test_who_is_on_the_list_without_a_name_matches_any(program):
    rule(program, kind="name_match")
    ProgramMember.objects.create(program=program, member_id="1")
    assert said(program, "1") is None
    assert said(program, "2") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "pattern", "pattern": ""},
        {"kind": "pattern", "pattern": "["},
        {"kind": "pattern", "pattern": "(a+)+b"},
        {"kind": "length"},
        {"kind": "check_digit"},
    ],
)
def test_a_rule_that_can_not_be_applied_is_not_saved(program, fields):
    with pytest.raises(ValidationError):
        rule(program, **fields)

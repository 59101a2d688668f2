"""What a code may be replaced by, told where the rule stands (D49)."""

import pytest

from accounts.tests.factories import UserFactory
from core.actors import Actor
from core.errors import Conflict, NotFound
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.recovery.codes import GivenCode
from fulfillment.recovery.replacing import replace_code
from fulfillment.tests.factories import codes_of, everything, paid_order, pool_of
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def delivered(*codes):
    order = paid_order((pool_of(*codes), len(codes)))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    return order, Voucher.objects.get(order_item__order=order, unit_no=1)


def replaced(order, voucher, code=None):
    return replace_code(
        order.pk, voucher.pk, code=code, reason="bad", operator=Actor.of(UserFactory(operator=True))
    )


def test_only_a_code_of_the_order_is_replaced():
    order, _ = delivered("MINE-0001")
    _, foreign = delivered("ELSE-0001")
    before = everything()
    with pytest.raises(NotFound, match="no such code"):
        replaced(order, foreign, GivenCode("NEW-0001"))
    assert everything() == before


def test_a_code_that_was_sold_is_not_given_to_a_second_customer():
    """Of the same goods, so that nothing else speaks against it."""
    order, bad = delivered("MINE-0001", "MINE-0002")
    before = everything()
    with pytest.raises(Conflict, match="is sold already"):
        replaced(order, bad, GivenCode("mine-0002"))
    assert everything() == before


def test_the_trail_names_both_codes_by_their_ends():
    order, bad = delivered("BAD-1111-2222")
    VoucherFactory(variant=bad.variant, code="NEW-5555-6666")
    answer = replaced(order, bad)
    assert answer.message.startswith("Code ••••2222 is replaced by ••••6666;")
    assert codes_of(order) == ["NEW-5555-6666"]
    attempt = FulfillmentAttempt.objects.get(type="RESEND_EMAIL")
    assert attempt.notes == "Code ••••2222 replaced by ••••6666: bad"

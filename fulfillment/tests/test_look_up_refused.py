"""A look-up that we may not make proves nothing about the purchase (I26)."""

from typing import Any

import pytest
from django.utils import timezone

from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import process
from fulfillment.tests.factories import codes_of, offered, open_alerts_of, paid_order
from fulfillment.tests.partner import ScriptedZendit, code_of

pytestmark = pytest.mark.django_db


def make_due() -> None:
    now = timezone.now()
    PartnerTransaction.objects.exclude(next_check_at=None).update(next_check_at=now)
    waiting = FulfillmentAttempt.objects.filter(status="IN_PROGRESS", claimed_at=None)
    waiting.exclude(next_try_at=None).update(next_try_at=now)


@pytest.mark.parametrize(("step", "stays"), [("lost", "UNKNOWN"), ("accepted", "PENDING")])
def test_a_refused_key_does_not_end_an_open_purchase(
    zendit: ScriptedZendit, settings: Any, step: str, stays: str
) -> None:
    zendit.meets("FIRST", step)
    order = paid_order((offered("FIRST", "SECOND"), 1))
    process(order_id=order.pk)
    key, settings.ZENDIT_API_KEY = settings.ZENDIT_API_KEY, ""

    make_due()
    process(order_id=order.pk)

    (purchase,) = PartnerTransaction.objects.all()
    assert (purchase.status, purchase.next_check_at is not None) == (stays, True)
    assert "partner_misconfigured" in open_alerts_of(order)

    settings.ZENDIT_API_KEY = key
    zendit.deliver(purchase.reference)
    make_due()
    process(order_id=order.pk)

    assert codes_of(order) == [code_of(purchase.reference)]
    assert zendit.sold == [purchase.reference]

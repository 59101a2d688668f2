"""The tables of the seed Fulfillment Recovery, one test a row and endpoint, over HTTP.

Guards by pairs: where two are broken at once, the one that stands higher in the table answers, and
nothing has left the house.
"""

from itertools import combinations

import pytest
from django.core import mail
from django.utils import timezone

from accounts.tests.factories import UserFactory
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.desk import API_PATHS, SEED_PATHS, Desk
from fulfillment.tests.factories import (
    codes_of,
    everything,
    item_of,
    offered,
    open_alerts_of,
    paid_order,
    pool_of,
    stuck_order,
    trail_of,
)
from notifications.models import AdminAlert
from notifications.tests.smtp import no_server
from orders.models import OrderItem
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db

MANUAL, MANY, RETRY, RESEND = "manual-code", "manual-codes", "partner-retry", "resend-email"
BY_HAND, OF_AN_ITEM = (MANUAL, MANY), (MANUAL, MANY, RETRY)

#: "Validation rules": condition -> the endpoints it guards, status, and words of its message.
GUARDS = {
    "unpaid": ((MANUAL, MANY, RETRY, RESEND), 400, "refusing to dispatch voucher"),
    "no code": (BY_HAND, 400, "At least one code must be provided"),
    "fulfilled": (OF_AN_ITEM, 409, "already fulfilled"),
    "dispatched": (OF_AN_ITEM, 409, "already dispatched"),
    "code elsewhere": (BY_HAND, 409, "already assigned to a different item"),
}
#: What no order can be at once: the database refuses it, or one body cannot say both.
IMPOSSIBLE = {("unpaid", "fulfilled"), ("fulfilled", "dispatched"), ("no code", "code elsewhere")}
CODES = {400: "BAD_REQUEST", 409: "CONFLICT"}
BROKEN = [(name,) for name in GUARDS] + [
    pair for pair in combinations(GUARDS, 2) if pair not in IMPOSSIBLE
]
CASES = [
    pytest.param(endpoint, broken, id=f"{endpoint}-{'-and-'.join(broken)}")
    for broken in BROKEN
    for endpoint in (MANUAL, MANY, RETRY, RESEND)
    if all(endpoint in GUARDS[name][0] for name in broken)
]


def order_with(desk, broken, *, offers):
    """A paid order with two open items whose first breaks these rules."""
    variant = offered(*offers) if offers else pool_of()
    if "unpaid" in broken:
        order = OrderFactory(status="INITIATED")
        for _ in range(2):
            OrderItemFactory(order=order, variant=variant)
    else:
        order = paid_order((pool_of(), 1), (variant, 1))
        process(order_id=order.pk)
    item = item_of(order)
    if "fulfilled" in broken:
        desk.enter(order, item, "ABCD-1234")
    if "dispatched" in broken:
        now = timezone.now()
        FulfillmentAttempt.objects.create(
            order=order, item=item, type="PARTNER_RETRY", status="DISPATCHED",
            admin_user=desk.user, correlation_id="corr-00000001", created_at=now, ended_at=now,
        )  # fmt: skip
    mail.outbox.clear()
    return order, item


def body_for(endpoint, item, broken):
    codes = [{"code": "NEW-00001"}]
    if "no code" in broken:
        codes = []
    if "code elsewhere" in broken:
        VoucherFactory(order_item=OrderItemFactory(), code="TAKEN-0001")
        codes = [{"code": "TAKEN-0001"}]
    return {
        MANUAL: {"orderItemId": item.pk, "codes": codes},
        MANY: {"items": [{"orderItemId": item.pk, "codes": codes}], "notes": "table"},
        RETRY: {"orderItemId": item.pk, "notes": "table"},
        RESEND: {"notes": "table"},
    }[endpoint]


@pytest.mark.parametrize("mount", [SEED_PATHS, API_PATHS])
@pytest.mark.parametrize(("endpoint", "broken"), CASES)
def test_validation_rules(zendit, endpoint, broken, mount):
    desk = Desk(UserFactory(operator=True), mount)
    order, item = order_with(desk, broken, offers=[])
    first = next(name for name in GUARDS if name in broken)
    _, status, says = GUARDS[first]
    body = body_for(endpoint, item, broken)
    before, asked = everything(), list(zendit.asked)
    by_row = endpoint == MANY and first != "unpaid"
    answer = desk.post(order, endpoint, status=200 if by_row else status, **body)
    assert answer["success"] is False
    if by_row:  # D46: a refused row is told in its place
        (row,) = answer["data"]["results"]
        assert (row["success"], row["error"]) == (False, CODES[status])
        assert says in row["message"]
    else:
        assert answer["error"]["code"] == CODES[status]
        assert says in answer["message"]
    assert everything() == before
    assert (mail.outbox, zendit.asked) == ([], asked)


# "Attempt statuses" and "Attempt types"


def by_hand(desk, order, settings):
    return desk.enter(order, item_of(order), "HAND-0001")


def by_hand_for_the_order(desk, order, settings):
    rows = [{"orderItemId": item_of(order).pk, "codes": [{"code": "HAND-0001"}]}]
    return desk.post(order, MANY, items=rows)


def by_partner(desk, order, settings):
    return desk.retry(order, item_of(order))


REPAIRS = {MANUAL: by_hand, MANY: by_hand_for_the_order, RETRY: by_partner}
TYPES = {MANUAL: "MANUAL_CODE_INPUT", MANY: "MANUAL_CODE_INPUT", RETRY: "PARTNER_RETRY"}


def refused_before(zendit):
    """Paid, and Zendit had nothing at first."""
    zendit.meets("offer", "no_stock", "done")
    order = paid_order((offered("offer"), 1))
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"
    return order


@pytest.mark.parametrize("endpoint", REPAIRS)
def test_after_successful_recovery(desk, zendit, settings, endpoint):
    """Attempt DISPATCHED, and every row of "What happens after successful recovery"."""
    order = refused_before(zendit)
    assert open_alerts_of(order) == ["fulfillment_failed"]
    answer = REPAIRS[endpoint](desk, order, settings)
    order.refresh_from_db()
    item = item_of(order)
    assert (answer["success"], answer["data"]["emailSent"]) == (True, True)
    assert trail_of(order)[-1] == (TYPES[endpoint], "DISPATCHED")
    assert (item.fulfilled, item.fulfillment_status) == (True, "SUCCEEDED")
    assert item.fulfilled_at is not None
    assert (order.status, order.dispatched_email) == ("SUCCEEDED", order.recipient_email)
    assert order.email_sent_at is not None
    alert = AdminAlert.objects.get(order=order)
    assert alert.resolved_at is not None
    correlation = desk.attempts(order)[0]["correlation_id"]
    assert f"fa:{correlation}" in alert.resolution_notes
    (message,) = mail.outbox
    assert message.subject == f"Your vouchers — Order #{order.order_number}"
    assert all(code in message.body for code in codes_of(order))


@pytest.mark.parametrize("endpoint", REPAIRS)
def test_when_email_delivery_fails(desk, zendit, settings, endpoint):
    """Every row of "What happens when email delivery fails"; then the same call again."""
    order = refused_before(zendit)
    backend = settings.EMAIL_BACKEND
    with no_server(settings):
        answer = REPAIRS[endpoint](desk, order, settings)
    assert (answer["success"], answer["data"]["emailSent"]) == (False, False)
    order.refresh_from_db()
    item = item_of(order)
    assert trail_of(order)[-1] == (TYPES[endpoint], "DISPATCH_FAILED")
    latest = desk.attempts(order)[0]
    assert latest["error_message"]
    assert len(codes_of(order)) == 1
    assert (item.fulfilled, item.fulfilled_at) == (False, None)
    assert item.fulfillment_status == "DISPATCH_FAILED"
    assert (order.status, order.dispatched_email) == ("NEEDS_ATTENTION", None)
    assert order.email_sent_at is None
    assert open_alerts_of(order) == ["fulfillment_failed"]
    shown = desk.get(order)["data"]["items"][0]
    assert shown["fulfillment_status"] == "DISPATCH_FAILED"
    (listed,) = desk.client.get(desk.mount).json()["data"]["items"]
    assert "DISPATCH_FAILED" in str(listed), "the list shows it without opening the log"
    settings.EMAIL_BACKEND = backend
    saved, sold = codes_of(order), len(zendit.sold)
    again = REPAIRS[endpoint](desk, order, settings)
    assert again["data"]["emailSent"] is True
    order.refresh_from_db()
    assert (order.status, codes_of(order), len(zendit.sold)) == ("SUCCEEDED", saved, sold)


def test_partner_failed(desk, zendit):
    """Section 12, third column: HTTP 200, success false, and nothing but the trail changes."""
    zendit.meets("offer", "no_stock")
    order = paid_order((offered("offer"), 1))
    process(order_id=order.pk)
    before = {**everything(), "FulfillmentAttempt": [], "PartnerTransaction": []}
    answer = desk.retry(order, item_of(order), notes="table")
    assert answer["success"] is False
    assert answer["message"] == "Partner responded with status NO_STOCK"
    assert answer["data"]["status"] == "PARTNER_FAILED"
    assert answer["data"]["errorMessage"] == "No available fulfillment source for this product"
    after = {**everything(), "FulfillmentAttempt": [], "PartnerTransaction": []}
    for rows in (*before["AdminAlert"], *after["AdminAlert"], *before["Order"], *after["Order"]):
        (
            rows.pop("times", None),
            rows.pop("last_at", None),
            rows.pop("updated_at", None),
        )  # told again
    assert after == before
    assert mail.outbox == []


def test_failed_is_the_unexpected(desk, zendit, monkeypatch):
    order = refused_before(zendit)
    monkeypatch.setattr("fulfillment.issuing.sell_from_pool", lambda *_, **__: 1 / 0)
    answer = desk.retry(order, item_of(order))
    assert (answer["success"], answer["data"]["status"]) == (False, "FAILED")
    assert desk.attempts(order)[0]["error_message"].startswith("Unexpected error")
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"


def test_success_is_of_auto_and_resend_alone(desk):
    order = paid_order((pool_of("POOL-0001"), 1))
    process(order_id=order.pk)
    assert desk.resend(order, notes="table")["data"]["status"] == "SUCCESS"
    assert trail_of(order) == [("AUTO", "SUCCESS"), ("RESEND_EMAIL", "SUCCESS")]


# "Fulfill the whole order in one request"


@pytest.mark.parametrize("given", [0, 1, 3])
def test_the_number_of_codes_must_be_the_quantity(desk, given):
    order = stuck_order(2, 1)
    wrong, right = item_of(order, 0), item_of(order, 1)
    rows = [
        {"orderItemId": wrong.pk, "codes": [{"code": f"MANY-000{n}"} for n in range(given)]},
        {"orderItemId": right.pk, "codes": [{"code": "RIGHT-0001"}]},
    ]
    bad, good = desk.post(order, MANY, items=rows)["data"]["results"]
    assert (bad["success"], bad["error"]) == (False, "BAD_REQUEST")
    assert good["success"] is True
    assert OrderItem.objects.get(pk=right.pk).fulfilled
    assert codes_of(order) == ["RIGHT-0001"]

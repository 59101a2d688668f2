"""Mails that are put on their way by themselves: which, once, and over which row (D13, D45)."""

from datetime import UTC, datetime, timedelta

import pytest
from celery.app.task import Task
from kombu.exceptions import OperationalError

from notifications.models import EmailMessage, StoreEmailPolicy
from notifications.services import queue_voucher_mail
from notifications.services.business import queue_email
from notifications.states import EmailStatus, Template
from orders.models import Order
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 27, 14, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("template", "switch"),
    [
        (Template.CANCELLATION, "cancellation_by_itself"),
        (Template.ORDERCONFIRMATION, "confirmation_by_itself"),
        (Template.NON_RECURRING_PAYMENT_ATTEMPT, "non_recurring_communications"),
        (Template.PARTIAL_REFUND, None),
    ],
)
def test_what_the_store_has_switched_off_is_not_sent(template: Template, switch: str) -> None:
    StoreEmailPolicy.objects.create(pk=1, cancellation_by_itself=True, confirmation_by_itself=True)
    on = queue_email(OrderFactory(), template, now=NOW)
    assert on is not None
    assert (on.template, on.automatic, on.next_try_at) == (template, True, NOW)
    switches = ("cancellation_by_itself", "confirmation_by_itself", "non_recurring_communications")
    for each in switches:
        StoreEmailPolicy.objects.update(**{each: False})
        off = queue_email(OrderFactory(), template, now=NOW)
        assert (off is None) is (each == switch)
        StoreEmailPolicy.objects.update(**{each: True})


def test_an_occasion_has_one_mail_and_its_worker_is_woken(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    rung = []

    def refuse(task: Task, args: object = None, kwargs: object = None, **_: object) -> None:
        rung.append(kwargs)
        raise OperationalError("no broker")

    monkeypatch.setattr(Task, "apply_async", refuse)
    order = OrderFactory()
    with django_capture_on_commit_callbacks(execute=True):
        made = [
            queue_email(order, Template.PARTIAL_REFUND, occasion=name, now=NOW)
            for name in ("R1", "R1", "R2")
        ]
    assert [each is not None for each in made] == [True, False, True]
    assert rung == [{"message_id": each.pk} for each in made if each]


@pytest.fixture
def order() -> Order:
    item = OrderItemFactory(quantity=2)
    for _ in range(2):
        VoucherFactory(order_item=item)
    return item.order


def codes(order: Order) -> list[int]:
    return [each.pk for item in order.items.all() for each in item.vouchers.order_by("unit_no")]


def queued(order: Order, ids: list[int], **more: object) -> EmailMessage | None:
    return queue_voucher_mail(order, ids, now=NOW, **({"by_operator": False} | more))


def test_a_mail_that_waits_is_taken_over_by_one_with_more_codes(order: Order) -> None:
    one, both = codes(order)[:1], codes(order)
    part, whole = queued(order, one), queued(order, both)
    rows = EmailMessage.objects.order_by("pk").values_list("pk", "status", "next_try_at")
    assert list(rows) == [(part.pk, "FAILED", None), (whole.pk, "PENDING", NOW)]


@pytest.mark.parametrize(
    ("fields", "goes"),
    [
        ({"status": "PENDING", "next_try_at": NOW}, True),
        ({"status": "PENDING", "next_try_at": NOW + timedelta(seconds=1)}, False),
        ({"status": "SENDING", "claimed_at": NOW}, True),
        ({"status": "FAILED", "next_try_at": None}, False),
        ({"status": "SENT", "sent_at": NOW}, False),
    ],
)
def test_the_same_codes_are_one_mail_sent_by_itself_when_it_is_due(
    order: Order, fields: dict[str, object], goes: bool
) -> None:
    first = queued(order, codes(order))
    if fields["status"] != "PENDING":
        EmailMessage.objects.update(status="SENDING", claimed_at=NOW)
    EmailMessage.objects.update(**fields)
    assert queued(order, codes(order)) == (first if goes else None)
    assert EmailMessage.objects.get().status == fields["status"]


def test_a_copy_that_waits_is_sent_and_not_doubled(order: Order) -> None:
    first = queued(order, codes(order))
    EmailMessage.objects.update(status=EmailStatus.SENDING, claimed_at=NOW)
    EmailMessage.objects.update(status=EmailStatus.SENT, sent_at=NOW, next_try_at=None)
    copy = queued(order, codes(order), again=True, by_operator=True)
    assert copy is not None
    assert copy.resend_of == first
    assert queued(order, codes(order), again=True, by_operator=True) == copy
    assert EmailMessage.objects.count() == 2

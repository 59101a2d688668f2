import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from smtplib import SMTPSenderRefused
from typing import Any

import pytest
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection as database, transaction
from structlog.testing import capture_logs

from notifications import composing, delivery, rendering
from notifications.composing import FOREIGN_CODE
from notifications.delivery import IN_DOUBT, IN_DOUBT_TWICE, record, send
from notifications.models import EmailMessage
from notifications.states import EmailStatus
from notifications.tests.factories import mail_of
from notifications.tests.smtp import DROP, HANG, mail_server, no_server, silent_server
from orders.models import OrderItem
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.models import Voucher
from vouchers.states import VoucherStatus
from vouchers.tests.factories import VoucherFactory

NOW = datetime(2026, 4, 27, 14, 22, tzinfo=UTC)
CODE = "SECRET-7K2M-XQ94"
PENDING, SENDING, SENT, FAILED = EmailStatus
TOO_LARGE = "SMTP 552 5.3.4: mailbox full or mail too large"


@pytest.fixture
def item(db: None) -> OrderItem:
    item = OrderItemFactory.create()
    VoucherFactory.create(order_item=item, code=CODE, pin="99417")
    return item


@pytest.fixture
def message(item: OrderItem) -> EmailMessage:
    return mail_of(item.order, created_at=NOW)


def deliver(message: EmailMessage, *, now: datetime = NOW) -> EmailMessage:
    outcome = send(message_id=message.pk, now=now)
    assert outcome is not None
    assert record(outcome)
    message.refresh_from_db()
    assert outcome.accepted is (message.status == SENT)
    assert outcome.error == message.error
    return message


def test_accepted(message: EmailMessage, settings: Any) -> None:
    with mail_server(settings) as server:
        deliver(message)

    assert (message.status, message.sent_at, message.next_try_at) == (SENT, NOW, None)
    assert (message.tries, message.error) == (1, "")
    assert message.external_id == message.message_id
    [mail] = server.taken
    assert server.recipients == [[message.recipient]]
    assert mail["Message-ID"] == message.message_id
    assert mail["Subject"] == f"Your vouchers — Order #{message.order.order_number}"
    assert mail["To"] == message.recipient
    assert mail["Reply-To"] == settings.SUPPORT_EMAIL
    assert mail["X-Correlation-ID"] == message.correlation_id
    assert mail["X-Order-Number"] == message.order.order_number
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert all(CODE in part.get_content() for part in mail.iter_parts())


@pytest.mark.parametrize(
    ("script", "status", "error"),
    [
        ({"RCPT": ["421 4.3.2 closing"]}, PENDING, "SMTP 421 4.3.2: service not available"),
        ({"RCPT": ["450 busy"]}, PENDING, "SMTP 450: mailbox busy"),
        ({"RCPT": [f"550 5.1.1 no {CODE}"]}, FAILED, "SMTP 550 5.1.1: mailbox unavailable"),
        ({"DOT": ["451 later"]}, PENDING, "SMTP 451: error at the server"),
        ({"DOT": ["552 too big"]}, FAILED, "SMTP 552: mailbox full or mail too large"),
        ({"DOT": [f"554 spam: {CODE}"]}, FAILED, "SMTP 554: mail not accepted"),
        ({"DOT": ["559 strange"]}, FAILED, "SMTP 559: refused"),
        ({"DOT": [HANG]}, PENDING, IN_DOUBT),
        ({"DOT": [DROP]}, PENDING, IN_DOUBT),
        ({"RCPT": [DROP]}, PENDING, "no connection to the mail server, or it was lost"),
    ],
)
def test_refused(
    script: dict[str, list[str]],
    status: EmailStatus,
    error: str,
    message: EmailMessage,
    settings: Any,
) -> None:
    with mail_server(settings, **script):
        deliver(message)

    assert (message.status, message.error, message.sent_at) == (status, error, None)
    plan = NOW + timedelta(seconds=settings.MAIL_WAITS[0]) if status == PENDING else None
    assert message.next_try_at == plan
    assert message.external_id == ""


@pytest.mark.parametrize("no_answer", [silent_server, no_server])
def test_unreachable_server_is_tried_again(
    no_answer: Callable[[Any], AbstractContextManager[None]], message: EmailMessage, settings: Any
) -> None:
    with no_answer(settings):
        deliver(message)

    assert message.status == PENDING
    assert message.error == "no connection to the mail server, or it was lost"


@pytest.mark.parametrize("answer", [HANG, DROP])
def test_lost_answer_makes_one_more_copy_at_most(
    answer: str, message: EmailMessage, settings: Any
) -> None:
    with mail_server(settings, DOT=[answer]) as server:
        deliver(message)
        deliver(message, now=NOW + timedelta(minutes=1))

        assert (message.status, message.error) == (FAILED, IN_DOUBT_TWICE)
        assert send(message_id=message.pk, now=NOW + timedelta(hours=1)) is None
    assert [mail["Message-ID"] for mail in server.taken] == [message.message_id] * 2


def test_second_try_after_a_lost_answer_gets_through(message: EmailMessage, settings: Any) -> None:
    with mail_server(settings, DOT=[DROP, "250 OK"]) as server:
        deliver(message)
        deliver(message, now=NOW + timedelta(minutes=1))

    assert (message.status, message.tries, message.error) == (SENT, 2, "")
    assert [mail["Message-ID"] for mail in server.taken] == [message.message_id] * 2


def test_waits_grow_until_the_day_is_over(message: EmailMessage, settings: Any) -> None:
    settings.MAIL_WAITS = [30, 60]
    settings.MAIL_KEEP_TRYING = timedelta(seconds=200)
    plan, now = [], NOW
    with mail_server(settings, RCPT=["450 busy"]):
        while deliver(message, now=now).status == PENDING:
            assert message.next_try_at is not None
            now = message.next_try_at
            plan.append((now - NOW).total_seconds())

    assert plan == [30, 90, 150, 200]
    assert (message.status, message.tries, message.next_try_at) == (FAILED, 5, None)


def test_mail_that_an_operator_saw_fail_is_not_sent_by_itself(
    message: EmailMessage, settings: Any
) -> None:
    EmailMessage.objects.filter(pk=message.pk).update(automatic=False)
    with mail_server(settings, RCPT=["450 busy"]):
        deliver(message)

    assert (message.status, message.error) == (FAILED, "SMTP 450: mailbox busy")


@pytest.mark.parametrize("address", ["nobody@", "a@b.c\nBcc: x@y.zz", "x" * 245 + "@mail.bd"])
def test_bad_address_reaches_no_server(address: str, message: EmailMessage, settings: Any) -> None:
    EmailMessage.objects.filter(pk=message.pk).update(recipient=address)
    with mail_server(settings) as server:
        deliver(message)

    assert (message.status, message.error, server.taken) == (FAILED, "bad address", [])


def test_idn_address_goes_out_in_ascii(message: EmailMessage, settings: Any) -> None:
    EmailMessage.objects.filter(pk=message.pk).update(recipient="rahim@bücher.example")
    with mail_server(settings) as server:
        deliver(message)

    assert (message.status, server.recipients) == (SENT, [["rahim@xn--bcher-kva.example"]])


def test_header_with_a_line_break_is_refused(message: EmailMessage, settings: Any) -> None:
    EmailMessage.objects.filter(pk=message.pk).update(correlation_id="abc\r\nBcc: x@example.com")
    with mail_server(settings) as server:
        deliver(message)

    assert (message.status, message.error, server.taken) == (FAILED, "header refused", [])


@pytest.mark.parametrize("whose", ["another order's", "nobody's", "void", "reserved"])
def test_foreign_code_is_never_mailed(whose: str, message: EmailMessage, settings: Any) -> None:
    [own] = message.voucher_ids
    other = VoucherFactory.create(order_item=OrderItemFactory.create(order__paid=True))
    if whose == "another order's":
        EmailMessage.objects.filter(pk=message.pk).update(voucher_ids=[own, other.pk])
    elif whose == "nobody's":
        EmailMessage.objects.filter(pk=message.pk).update(voucher_ids=[])
    elif whose == "void":
        Voucher.objects.filter(pk=own).update(status="void", order_item=None, unit_no=None)
    else:
        held = VoucherFactory.create(
            order_item=OrderItemFactory.create(order=message.order),
            status=VoucherStatus.RESERVED,
            reserved_until=NOW,
            sold_at=None,
        )
        EmailMessage.objects.filter(pk=message.pk).update(voucher_ids=[own, held.pk])
    with mail_server(settings) as server:
        deliver(message)

    assert (message.status, message.error, server.taken) == (FAILED, FOREIGN_CODE, [])


def test_two_senders_send_once(transactional_db: None, settings: Any) -> None:
    item = OrderItemFactory.create()
    VoucherFactory.create(order_item=item)
    message = mail_of(item.order, created_at=NOW)
    together = threading.Barrier(2)
    outcomes: list[delivery.Outcome | None] = []

    def sender() -> None:
        try:
            together.wait(5)
            outcomes.append(send(message_id=message.pk, now=NOW))
        finally:
            database.close()

    with mail_server(settings) as server:
        threads = [threading.Thread(target=sender) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(outcome is None for outcome in outcomes) == [False, True]
    assert len(server.taken) == 1


def test_claim_of_a_dead_sender_runs_out(message: EmailMessage, settings: Any) -> None:
    EmailMessage.objects.filter(pk=message.pk).update(status=SENDING, claimed_at=NOW, tries=1)
    later = NOW + settings.MAIL_LEASE
    with mail_server(settings) as server:
        assert send(message_id=message.pk, now=later) is None
        deliver(message, now=later + timedelta(seconds=1))

    assert (message.status, message.tries, len(server.taken)) == (SENT, 2, 1)


def test_late_outcome_does_not_overwrite_a_newer_claim(
    message: EmailMessage, settings: Any
) -> None:
    later = NOW + settings.MAIL_LEASE + timedelta(seconds=1)
    with mail_server(settings, RCPT=["450 busy", "250 OK"]):
        late = send(message_id=message.pk, now=NOW)
        newer = send(message_id=message.pk, now=later)

    assert late is not None
    assert newer is not None
    assert not record(late)
    assert record(newer)
    assert not record(newer)
    message.refresh_from_db()
    assert (message.status, message.sent_at) == (SENT, later)


@pytest.mark.parametrize("status", [SENT, FAILED])
def test_ended_mail_is_left_alone(status: EmailStatus, message: EmailMessage) -> None:
    ended = mail_of(message.order, created_at=NOW, status=status, sent_at=NOW)

    assert send(message_id=ended.pk, now=NOW) is None
    message = ended
    message.refresh_from_db()
    assert message.tries == 0


@pytest.mark.django_db(transaction=True)
def test_refuses_to_run_in_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="must not run inside"):
        send(message_id=1, now=NOW)


def test_slow_conversation_is_cut_off(message: EmailMessage, settings: Any) -> None:
    settings.MAIL_LEASE = timedelta(seconds=1)
    with mail_server(settings, RCPT=[HANG]):
        settings.EMAIL_TIMEOUT = 30
        deliver(message)

    assert message.status == PENDING
    assert message.error == "no connection to the mail server, or it was lost"


def test_our_own_defect_ends_in_a_state_with_a_trace_and_no_code(
    message: EmailMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError(CODE)

    monkeypatch.setattr(composing, "rendered_mail", broken)
    with capture_logs() as logs:
        deliver(message)

    assert (message.status, message.error) == (FAILED, "unexpected error")
    [entry] = [each for each in logs if each["event"] == "mail.broken"]
    assert (entry["log_level"], entry["error"]) == ("error", "KeyError")
    assert "in broken" in entry["trace"]
    assert CODE not in str(logs)


@pytest.mark.parametrize(
    ("script", "event"),
    [
        ({}, "mail.sent"),
        ({"RCPT": [f"450 {CODE}"]}, "mail.postponed"),
        ({"DOT": [f"550 {CODE}"]}, "mail.refused"),
    ],
)
def test_logs_hold_no_code(
    script: dict[str, list[str]], event: str, message: EmailMessage, settings: Any
) -> None:
    with mail_server(settings, **script) as server, capture_logs() as logs:
        deliver(message)

    assert [each["event"] for each in logs] == [event]
    for shown in [str(logs), message.error, *(mail["Subject"] for mail in server.taken)]:
        assert CODE not in shown
        assert "99417" not in shown
    assert message.recipient not in str(logs)
    rendered = rendering.render(message, *rendering.contents(message))
    assert CODE not in repr((rendered, rendering.contents(message)))


class Provider(BaseEmailBackend):
    """Stands for a backend of anymail."""

    error: Exception | None = None
    status: Any = None

    def send_messages(self, email_messages: Any) -> int:
        if self.error:
            raise self.error
        for mail in email_messages:
            mail.anymail_status = self.status
        return len(email_messages)


class Status:
    def __init__(self, status: str, message_id: str | None) -> None:
        self.status, self.message_id = {status}, message_id


class Answer:
    reason = "as the provider said"
    text = CODE


def said(code: int | None) -> AnymailAPIError:
    return AnymailAPIError("no", status_code=code, response=Answer())


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (AnymailRecipientsRefused(), FAILED, "recipient refused by the provider"),
        (said(400), FAILED, "HTTP 400 from the mail provider"),
        (said(401), PENDING, "HTTP 401 from the mail provider"),
        (said(429), PENDING, "HTTP 429 from the mail provider"),
        (said(503), PENDING, "HTTP 503 from the mail provider"),
        (said(None), PENDING, "no connection to the mail provider"),
        (SMTPSenderRefused(552, b"5.3.4 x", "a@b.c"), FAILED, TOO_LARGE),
        (
            SMTPSenderRefused(550, b"5.7.1 not you", "a@b.c"),
            PENDING,
            "SMTP 550 5.7.1: mailbox unavailable",
        ),
    ],
)
def test_provider_refuses(
    error: Exception,
    status: EmailStatus,
    reason: str,
    message: EmailMessage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Provider, "error", error)
    monkeypatch.setattr(delivery, "get_connection", Provider)
    deliver(message)

    assert (message.status, message.error) == (status, reason)


@pytest.mark.parametrize(
    ("answer", "status", "known_as"),
    [
        (Status("queued", "esp-42"), SENT, "esp-42"),
        (Status("queued", None), SENT, None),
        (Status("failed", None), FAILED, ""),
    ],
)
def test_provider_answers(
    answer: Status,
    status: EmailStatus,
    known_as: str | None,
    message: EmailMessage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Provider, "status", answer)
    monkeypatch.setattr(delivery, "get_connection", Provider)
    deliver(message)

    expected = message.message_id if known_as is None else known_as
    assert (message.status, message.external_id) == (status, expected)


def test_statements(message: EmailMessage, django_assert_num_queries: Any) -> None:
    """Claim, mail, codes, items; and one to record it."""
    with django_assert_num_queries(4):
        outcome = send(message_id=message.pk, now=NOW)
    assert outcome is not None
    with django_assert_num_queries(1):
        record(outcome)


def test_part_of_an_order_says_what_follows(db: None, settings: Any) -> None:
    order = OrderFactory.create(needs_attention=True)
    item = OrderItemFactory.create(order=order, quantity=3)
    VoucherFactory.create(order_item=item, code=CODE)
    with mail_server(settings) as server:
        deliver(mail_of(order, created_at=NOW))

    body = server.taken[0].get_body(("plain",))
    assert body is not None
    assert f"* {item.product_name}, {item.variant_name}: 2 codes" in body.get_content()

"""Hand one mail to the mail server and say what became of it: claim, call, record.

The row is the queue: whoever claims it first sends it, and a sender that died holds it for no
longer than its lease. The customer may then get the mail twice, under one Message-ID (I12).
"""

import re
import smtplib
import socket
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import requests
from anymail.exceptions import AnymailAPIError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils import timezone

from core import correlation
from core.actors import SYSTEM
from core.db import durable
from core.http import surely_not_sent
from core.logging import get_logger
from notifications.composing import MailNotSent, compose
from notifications.models import EmailMessage
from notifications.states import EmailStatus
from orders.services import locked, tell

log = get_logger(__name__)

#: How much of the lease a conversation with the server may take.
SHARE_OF_LEASE: Final = 0.75
IN_DOUBT: Final = "no answer after the mail was handed over"
IN_DOUBT_TWICE: Final = "handed over twice without an answer; the customer may have it"
UNEXPECTED: Final = "unexpected error"
_PERMANENT: Final = 500
#: Our own words: a server's text may quote the mail, and the mail holds codes.
_MEANINGS: Final[Mapping[int, str]] = {
    421: "service not available",
    450: "mailbox busy",
    451: "error at the server",
    452: "server out of storage",
    535: "our credentials were refused",
    550: "mailbox unavailable",
    551: "recipient not at this server",
    552: "mailbox full or mail too large",
    553: "address not allowed",
    554: "mail not accepted",
}
_ENHANCED: Final = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)")
_TOO_LARGE: Final = frozenset({523, 552})
_PROVIDER_MAY_RECOVER: Final = frozenset({401, 402, 403, 408, 421, 425, 429})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one claimed mail, for `record`."""

    pk: int
    claimed_at: datetime
    status: EmailStatus
    fields: Mapping[str, Any]
    error: str = ""

    @property
    def accepted(self) -> bool:
        """Whether a mail server took the mail."""
        return self.status == EmailStatus.SENT


def deliver(message_id: int) -> None:
    """Send one business mail and write down what became of it: its own transaction.

    Voucher mail decides its order and is sent by the app that concludes orders.
    """
    outcome = send(message_id=message_id, now=timezone.now())
    if outcome is None:
        return
    with transaction.atomic():
        message = EmailMessage.objects.get(pk=message_id)
        order = locked(message.order_id)
        if not record(outcome) or outcome.status == EmailStatus.PENDING:
            return
        detail = {"template": message.template, "message_id": message.message_id}
        with correlation.correlated(message.correlation_id):
            tell(
                order, "mail", new=outcome.status, actor=SYSTEM, reason=outcome.error,
                detail=detail, now=timezone.now(),
            )  # fmt: skip


@durable
def send(*, message_id: int, now: datetime) -> Outcome | None:
    """Send one mail that waits in the table, whatever its plan says.

    Returns:
        What became of it, for `record`; None if somebody else has claimed or ended it.
    """
    waiting = Q(status=EmailStatus.PENDING)
    abandoned = Q(status=EmailStatus.SENDING, claimed_at__lt=now - settings.MAIL_LEASE)
    claimed = EmailMessage.objects.filter(waiting | abandoned, pk=message_id).update(
        status=EmailStatus.SENDING, claimed_at=now, tries=F("tries") + 1
    )
    if not claimed:
        return None
    message = EmailMessage.objects.select_related("order__subscription").get(pk=message_id)
    with correlation.correlated(message.correlation_id):
        return _attempt(message, now)


def record(outcome: Outcome) -> bool:
    """Write the outcome down if the claim is still ours; part of the caller's transaction.

    For voucher mail the caller has locked the order and goes on to conclude it.
    """
    ours = EmailMessage.objects.filter(
        pk=outcome.pk, status=EmailStatus.SENDING, claimed_at=outcome.claimed_at
    )
    written = bool(ours.update(**outcome.fields))
    if not written:
        log.warning("mail.claim_lost", mail=outcome.pk, status=outcome.status)
    return written


def _attempt(message: EmailMessage, now: datetime) -> Outcome:
    started = time.monotonic()
    try:
        external_id = _hand_over(compose(message))
    except MailNotSent as refused:
        outcome = _not_sent(message, refused, now)
    except DatabaseError:
        raise  # nothing is known to be wrong with the mail: the claim runs out, it is sent then
    except Exception as exc:  # noqa: BLE001 - ends as a state that an operator sees
        # The exception's own text is left out: it may quote what was rendered.
        log.error(  # noqa: TRY400
            "mail.broken",
            mail=message.pk,
            error=type(exc).__name__,
            trace="".join(traceback.format_tb(exc.__traceback__)),
        )
        outcome = _not_sent(message, MailNotSent(UNEXPECTED, permanent=True), now)
    else:
        fields = {"external_id": external_id[:200], "sent_at": now, "error": ""}
        outcome = _outcome(message, EmailStatus.SENT, **fields)
    event = {"SENT": "mail.sent", "FAILED": "mail.refused"}.get(outcome.status, "mail.postponed")
    log.info(
        event,
        mail=message.pk,
        order=message.order.order_number,
        template=message.template,
        tries=message.tries,
        reason=outcome.error,
        ms=round((time.monotonic() - started) * 1000),
    )
    return outcome


def _not_sent(message: EmailMessage, refused: MailNotSent, now: datetime) -> Outcome:
    """FAILED for good, or PENDING with the next place in the plan (D13)."""
    reason, permanent = refused.reason, refused.permanent
    if reason == message.error == IN_DOUBT:
        # One extra copy is tolerated (I12); a third try might make a second one.
        reason, permanent = IN_DOUBT_TWICE, True
    end = message.created_at + settings.MAIL_KEEP_TRYING
    if permanent or not message.automatic or now >= end:
        return _outcome(message, EmailStatus.FAILED, error=reason)
    waits = settings.MAIL_WAITS
    wait = timedelta(seconds=waits[min(message.tries, len(waits)) - 1])
    return _outcome(
        message, EmailStatus.PENDING, error=reason, next_try_at=min(now + wait, end)
    )  # fmt: skip


def _outcome(message: EmailMessage, status: EmailStatus, **fields: Any) -> Outcome:
    if message.claimed_at is None:
        raise RuntimeError("Only a claimed mail has an outcome.")
    written = {"status": status, "next_try_at": None} | fields
    return Outcome(message.pk, message.claimed_at, status, written, written["error"])


def _hand_over(mail: EmailMultiAlternatives) -> str:
    """Give the mail to the server or provider; the id it goes by there.

    Raises:
        MailNotSent: refused for good or for now, or nobody knows.
    """
    connection: BaseEmailBackend = get_connection()
    try:
        with _bounded(connection):
            connection.open()
            taken = connection.send_messages([mail])
    except BadHeaderError:
        raise MailNotSent("header refused", permanent=True) from None
    except (AnymailInvalidAddress, UnicodeError):
        raise MailNotSent("bad address", permanent=True) from None
    except AnymailRecipientsRefused:
        raise MailNotSent("recipient refused by the provider", permanent=True) from None
    except AnymailAPIError as exc:
        raise _provider_said(exc) from None
    except OSError as exc:  # smtplib's errors are OSErrors too
        raise _server_said(exc) from None
    finally:
        with suppress(OSError):  # what QUIT is answered changes nothing
            connection.close()
    status = getattr(mail, "anymail_status", None)
    if not taken or (status and status.status and status.status <= {"failed"}):
        raise MailNotSent("not accepted by the provider", permanent=True)
    known_as = getattr(status, "message_id", None)
    return known_as if isinstance(known_as, str) else str(mail.extra_headers["Message-ID"])


@contextmanager
def _bounded(connection: BaseEmailBackend) -> Iterator[None]:
    """Hang up on a server that answers each step just in time; `EMAIL_TIMEOUT` bounds one step."""

    def hang_up() -> None:
        smtp = getattr(connection, "connection", None)
        sock = getattr(smtp or getattr(connection, "_partial_connection", None), "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(settings.MAIL_LEASE.total_seconds() * SHARE_OF_LEASE, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _server_said(exc: OSError) -> MailNotSent:
    """A no at RCPT or DATA is about this mail; before that it is about us, and may pass."""
    match exc:
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(exc.recipients.values()))
            return MailNotSent(_sentence(code, text), permanent=code >= _PERMANENT)
        case smtplib.SMTPDataError():
            permanent = exc.smtp_code >= _PERMANENT
            return MailNotSent(_sentence(exc.smtp_code, exc.smtp_error), permanent=permanent)
        case smtplib.SMTPResponseException():
            permanent = exc.smtp_code in _TOO_LARGE
            return MailNotSent(_sentence(exc.smtp_code, exc.smtp_error), permanent=permanent)
    frames = (frame for frame, _ in traceback.walk_tb(exc.__traceback__))
    if any(frame.f_code is smtplib.SMTP.data.__code__ for frame in frames):
        return MailNotSent(IN_DOUBT)
    return MailNotSent("no connection to the mail server, or it was lost")


def _provider_said(exc: AnymailAPIError) -> MailNotSent:
    code = exc.status_code
    if code is not None:
        passing = code >= _PERMANENT or code in _PROVIDER_MAY_RECOVER
        return MailNotSent(f"HTTP {code} from the mail provider", permanent=not passing)
    if isinstance(exc, requests.RequestException) and not surely_not_sent(exc):
        return MailNotSent(IN_DOUBT)
    return MailNotSent("no connection to the mail provider")


def _sentence(code: int, said: bytes | str) -> str:
    """`SMTP 550 5.1.1: mailbox unavailable`; of what the server said, the number alone."""
    found = _ENHANCED.match(said if isinstance(said, bytes) else said.encode())
    enhanced = f" {found[1].decode()}" if found else ""
    default = "refused" if code >= _PERMANENT else "not now"
    return f"SMTP {code}{enhanced}: {_MEANINGS.get(code, default)}"

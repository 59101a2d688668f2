"""Reading mails."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from notifications.models import AdminAlert, EmailMessage, StoreEmailPolicy
from notifications.states import VOUCHERS, AlertKind, EmailStatus
from orders.models import Order
from orders.selectors import find_order


@dataclass(frozen=True, slots=True)
class MailStanding:
    """What has become of an order's voucher mails."""

    accepted: frozenset[int]
    """Vouchers that some accepted mail carried."""
    refused: bool
    """Whether the newest mail was tried and not accepted."""
    waiting: EmailMessage | None
    """The mail that is still to be sent, or is being sent."""


def voucher_mail_of(order: Order) -> MailStanding:
    rows: Sequence[EmailMessage] = list(
        EmailMessage.objects.filter(order=order, template=VOUCHERS).order_by("pk")
    )
    accepted = {pk for row in rows if row.status == EmailStatus.SENT for pk in row.voucher_ids}
    waiting = [row for row in rows if row.status in (EmailStatus.PENDING, EmailStatus.SENDING)]
    last = rows[-1] if rows else None
    refused = last is not None and (
        last.status == EmailStatus.FAILED or (last.status == EmailStatus.PENDING and last.tries > 0)
    )
    return MailStanding(frozenset(accepted), refused, waiting[-1] if waiting else None)


def due_voucher_mails(*, now: datetime) -> QuerySet[EmailMessage]:
    """Voucher mails that wait for a sender, and those whose sender died."""
    return _due(now).filter(template=VOUCHERS)


def due_business_mails(*, now: datetime) -> QuerySet[EmailMessage]:
    """All other mail that waits; it decides no order, so it is sent without one."""
    return _due(now).exclude(template=VOUCHERS)


def _due(now: datetime) -> QuerySet[EmailMessage]:
    due = Q(status=EmailStatus.PENDING, next_try_at__lte=now)
    abandoned = Q(status=EmailStatus.SENDING, claimed_at__lt=now - settings.MAIL_LEASE)
    return EmailMessage.objects.filter(due | abandoned)


def failed_mails(since: datetime, until: datetime) -> QuerySet[EmailMessage]:
    """Mails that failed or came back in this time, unless a newer one of their kind was made."""
    newer = EmailMessage.objects.filter(
        order=OuterRef("order"), template=OuterRef("template"), pk__gt=OuterRef("pk")
    )
    failed = Q(status=EmailStatus.FAILED) | Q(bounced_at__isnull=False)
    rows = EmailMessage.objects.filter(failed, ~Exists(newer), created_at__range=(since, until))
    return rows.select_related("order").order_by("-pk")


def email_policy() -> StoreEmailPolicy:
    """What this store sends; the defaults, unsaved, where nobody has chosen."""
    return StoreEmailPolicy.objects.filter(pk=1).first() or StoreEmailPolicy(pk=1)


def open_alerts(order: Order) -> Sequence[AdminAlert]:
    return list(AdminAlert.objects.filter(order=order, resolved_at=None).order_by("pk"))


def open_alerts_of_orders(order_ids: Iterable[int]) -> Mapping[int, Sequence[AdminAlert]]:
    """The open alerts of each order, oldest first; one statement, whatever the rows."""
    found: dict[int, list[AdminAlert]] = defaultdict(list)
    rows = AdminAlert.objects.filter(order__in=list(order_ids), resolved_at=None).order_by("pk")
    for row in rows:
        found[row.order_id or 0].append(row)
    return found


def alerts_of(order: Order) -> QuerySet[AdminAlert]:
    """Every alert of an order, open ones and closed ones, newest first."""
    rows = AdminAlert.objects.filter(order=order)
    return rows.select_related("resolved_by", "acknowledged_by").order_by("-pk")


def alerts_wished(*, state: str, kind: str = "", order: str = "") -> QuerySet[AdminAlert]:
    """Alerts that are `open`, `closed` or `all`, of one kind and order if named, newest first."""
    rows = AdminAlert.objects.select_related("order", "acknowledged_by", "resolved_by")
    if state != "all":
        rows = rows.filter(resolved_at__isnull=state == "open")
    if kind:
        rows = rows.filter(kind=kind)
    if order:
        found = find_order(Order.objects.all(), order)
        rows = rows.filter(order=found) if found else rows.none()
    return rows.order_by("-pk")


def mails_of(order: Order) -> QuerySet[EmailMessage]:
    """Every mail of an order with what its provider told, newest first; two statements."""
    return EmailMessage.objects.filter(order=order).prefetch_related("events").order_by("-pk")


@dataclass(frozen=True, slots=True)
class AlertCount:
    """How much of one kind waits for a person."""

    kind: AlertKind
    count: int
    oldest: datetime


def kind_words(kind: str) -> str:
    """How people call a kind of alert; a word nobody knows is told as it is."""
    return str(AlertKind(kind).label) if kind in AlertKind.values else kind


def open_alert_kinds() -> Sequence[AlertCount]:
    """Open alerts by kind, the oldest kind first; one statement."""
    rows = (
        AdminAlert.objects.filter(resolved_at=None)
        .order_by()
        .values_list("kind")
        .annotate(count=Count("id"), oldest=Min("created_at"))
    )
    counts = [AlertCount(AlertKind(kind), count, oldest) for kind, count, oldest in rows]
    return sorted(counts, key=lambda each: each.oldest)


@dataclass(frozen=True, slots=True)
class MailTimes:
    """Seconds from the payment to the first voucher mail that was accepted."""

    median: float | None
    p95: float | None


_MAIL_TIMES = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
  percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds)
FROM (
  SELECT extract(epoch FROM first.at - orders.paid_at) AS seconds FROM orders
  CROSS JOIN LATERAL (
    SELECT min(sent_at) AS at FROM email_messages
    WHERE order_id = orders.id AND template = 'vouchers' AND sent_at IS NOT NULL) AS first
  WHERE orders.paid_at >= %s AND first.at IS NOT NULL
) AS mailed
"""


def mail_times(*, since: datetime) -> MailTimes:
    """Of the orders paid since then; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_MAIL_TIMES, [since])
        median, p95 = cursor.fetchone() or (None, None)
    return MailTimes(median, p95)

"""What finance may ask: lay a statement beside the books, say what a gap was."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, cast
from zoneinfo import available_timezones

from django.db import transaction

from books.matching import Found, Result, compare
from books.models import Gap, Reconciliation
from books.ours import Entry, named, within
from books.statements.base import Statement, UnreadableStatement, read, text_of
from books.statements.layouts import layout_of
from books.states import Side
from catalog.models import Partner
from core import correlation
from core.actors import Actor
from core.errors import BadRequest, Conflict, Detail
from core.logging import get_logger
from core.money import CURRENCY
from payments.states import CHANNELS

log = get_logger(__name__)
MOST_BYTES: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """One comparison as it is asked for."""

    side: str
    provider: str
    layout: str
    since: datetime
    until: datetime
    content: bytes = field(repr=False)
    file_name: str = ""
    zone: str = ""
    """Of the file's times; empty is the layout's."""
    columns: Mapping[str, str] = field(default_factory=dict)
    currency: str = CURRENCY
    """Of a generic file that does not say it."""


def reconcile(wish: Wish, *, operator: Actor, now: datetime) -> Reconciliation:
    """Compare a file with the books and keep what came of it. Changes no payment, no purchase.

    Raises:
        BadRequest: something of the wish or of the file can't be used; each is named, nothing
            was compared.
    """
    layout, statement = _read(wish)
    result = compare(
        statement.lines,
        _known(wish, statement),
        within(wish.side, wish.provider, wish.since, wish.until),
        since=wish.since,
        until=wish.until,
    )
    run = Reconciliation(
        side=wish.side,
        provider=wish.provider,
        layout=wish.layout,
        columns=dict(wish.columns),
        zone=wish.zone or layout,
        period_from=wish.since,
        period_to=wish.until,
        file_name=wish.file_name[:200],
        file_digest=hashlib.sha256(wish.content).hexdigest(),
        lines=result.lines,
        skipped=statement.skipped,
        outside=result.outside,
        matched=result.matched,
        uncompared=result.uncompared,
        totals=_totals(result),
        correlation_id=correlation.current(),
        created_by_id=cast("int", operator.user_id),
        created_at=now,
    )
    with transaction.atomic():
        run.save(force_insert=True)
        Gap.objects.bulk_create([_gap(run, each) for each in result.gaps], batch_size=1000)
    log.info("books.reconciled", provider=wish.provider, lines=result.lines, gaps=len(result.gaps))
    return run


def _read(wish: Wish) -> tuple[str, Statement]:
    """The zone the layout states, and the file's lines."""
    if wish.since >= wish.until:
        raise BadRequest.at("period_to", "The period must end after it begins.")
    _check_provider(wish)
    if wish.zone and wish.zone not in available_timezones():
        raise BadRequest.at("zone", "Name a time zone such as Asia/Dhaka or UTC.")
    if len(wish.content) > MOST_BYTES:
        raise BadRequest.at("content", f"At most {MOST_BYTES // 1_000_000} MB at once.")
    try:
        layout = layout_of(wish.layout, wish.columns, currency=wish.currency)
    except ValueError as exc:
        where = "columns" if wish.columns or wish.layout == "generic" else "layout"
        raise BadRequest.at(where, str(exc)) from None
    try:
        return layout.zone, read(text_of(wish.content), layout, zone=wish.zone)
    except UnreadableStatement as exc:
        details = [Detail("content", "invalid", problem) for problem in exc.problems]
        raise BadRequest(f"The file was not read: {exc.problems[0]}", details=details) from None


def _check_provider(wish: Wish) -> None:
    if wish.side == Side.PAYMENTS:
        known: Sequence[str] = list(CHANNELS)
    else:
        known = list(Partner.objects.order_by("slug").values_list("slug", flat=True))
    if wish.provider not in known:
        raise BadRequest.at("provider", f"Choose one of: {', '.join(known)}.")


def _known(wish: Wish, statement: Statement) -> list[Entry]:
    return list(named(wish.side, wish.provider, statement.lines))


def _totals(result: Result) -> dict[str, dict[str, str]]:
    def told(amounts: Mapping[str, Decimal]) -> dict[str, str]:
        return {currency: f"{amounts[currency]:.2f}" for currency in sorted(amounts)}

    return {"theirs": told(result.theirs), "ours": told(result.ours)}


def _gap(run: Reconciliation, found: Found) -> Gap:
    line, entry = found.line, found.entry
    transactions = entry.transactions if entry else ("",)
    return Gap(
        reconciliation=run,
        kind=found.kind,
        is_refund=found.is_refund,
        line=line.number if line else None,
        reference=(entry.reference if entry else "") or (line.reference if line else ""),
        transaction=(line.transaction if line else "") or transactions[0],
        ours=found.ours,
        theirs=found.theirs,
        amount=found.amount,
        currency=found.currency,
        at=line.at if line else entry.at if entry else None,
        remark=found.remark,
        payment_id=entry.payment_id if entry else None,
        refund_id=entry.refund_id if entry else None,
        purchase_id=entry.purchase_id if entry else None,
    )


def explain(gap_id: int, note: str, *, run_id: int, operator: Actor, now: datetime) -> Gap:
    """Say what a gap was; who, when and what is kept, and is not said over.

    Raises:
        Gap.DoesNotExist: this run has no such gap.
        Conflict: somebody explained it already.
    """
    if not note.strip():
        raise BadRequest.at("note", "Say what it was.", code="required")
    explained = Gap.objects.filter(pk=gap_id, reconciliation=run_id, explained_at=None).update(
        explained_at=now, explained_by=operator.user_id, note=note.strip()[:500]
    )
    gap = Gap.objects.select_related("explained_by").get(pk=gap_id, reconciliation=run_id)
    if not explained:
        raise Conflict(f"{gap.explained_by} explained it already: {gap.note}")
    return gap
